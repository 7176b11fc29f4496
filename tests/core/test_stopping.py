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


def test_polygons_that_cross_everything_are_refused_at_once():
    polygon = PolygonMask(([(k % 3000, 3000 if k % 2 else 0) for k in range(20_000)],))
    begin = time.monotonic()
    with pytest.raises(ValueError, match="fewer corners"):
        polygon.drawn((3000, 3000))
    assert time.monotonic() - begin < 2
