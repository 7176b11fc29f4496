"""Computations that are stopped from outside."""

import time

import pytest

from dragondiffusion.core.stopping import go_on, stoppable
from dragondiffusion.imaging.shapes import PolygonMask


class StopError(Exception):
    pass


def stop():
    raise StopError


def test_only_what_is_within_is_stopped():
    go_on()
    with pytest.raises(StopError), stoppable(stop):
        go_on()
    go_on()


def test_one_within_another_asks_both():
    for inner, outer in ((stop, lambda: None), (lambda: None, stop)):
        with pytest.raises(StopError), stoppable(outer), stoppable(inner):
            go_on()


def test_polygons_that_cross_everything_end():
    polygon = PolygonMask(([(k % 3000, 3000 if k % 2 else 0) for k in range(20_000)],))
    end = time.monotonic() + 0.3

    def late():
        if time.monotonic() > end:
            raise StopError

    with pytest.raises(StopError), stoppable(late):
        polygon.drawn((3000, 3000))
    assert time.monotonic() - end < 2
