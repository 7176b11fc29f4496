"""The page in a browser, before the real server with the demo model: what visitors do first and most."""

import numpy as np
import pytest

from dragondiffusion import Recipe
from dragondiffusion.bench.demo import draw_case
from dragondiffusion.web.api import SCENE

from .browser import picture_of, psnr

pytestmark = pytest.mark.browser
FIRST = 7
"""Seed of the scene that newcomers see."""


def iou(one, other):
    one, other = one > 0.5, other > 0.5
    return (one & other).sum() / (one | other).sum()


def replayed(data, folder):
    """What the recipe within a PNG makes of its picture."""
    path = folder / "replayed.png"
    path.write_bytes(data)
    return np.array(Recipe.load(path).run().image)


def test_newcomer_moves_a_thing_by_a_tap_and_a_drag(window, record_property, tmp_path):
    record_property("seconds until interactive", window.open())
    case = draw_case(FIRST, SCENE)
    picture = window.opened()
    assert picture["prompt"] == case.caption
    mask = np.asarray(case.mask) / 255
    centre = middle(mask)
    on_it = nearest(mask, centre)
    window.tap(on_it)
    selection = window.selected()
    assert iou(window.mask(selection), mask) > 0.9
    offset = window.carry(on_it, case.edit.offset)
    move = window.edit("move", lambda edit: edit["placing"]["offset"] == offset)
    assert move["placing"] == {"offset": offset, "scale": [1, 1], "angle": 0, "flip": False}
    window.said("This is a preview")
    window.choose("Edit")
    job = window.finished()
    assert job["state"] == "done"
    assert job["report"]["words"].startswith("arrived (")
    assert "background untouched" in job["report"]["words"]
    made = picture_of(window.result(job))
    assert psnr(made, case.truth) > max(30, psnr(case.before, case.truth) + 8)
    name, data = window.downloaded(lambda: (window.press("Download"), window.choose("Picture, full size (PNG)")))
    assert name == f"scene-{FIRST}-edited-42.png"
    assert np.array_equal(picture_of(data), made)
    assert np.array_equal(replayed(data, tmp_path), made)


def middle(mask):
    y, x = (v.mean() for v in np.nonzero(mask > 0.5))
    return float(x) + 0.5, float(y) + 0.5


def nearest(mask, point):
    """The innermost point of a mask."""
    import cv2

    deep = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(deep.argmax(), deep.shape)
    return float(x) + 0.5, float(y) + 0.5
