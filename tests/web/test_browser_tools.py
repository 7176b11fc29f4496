"""The page in a browser: fingers, keys alone, brush and lasso, and each kind of edit by its tool."""

import math

import cv2
import numpy as np
import pytest

from dragondiffusion.bench.demo import draw_case
from dragondiffusion.web.api import SCENE

from .browser import PHONE, Window, innermost, iou, picture_of, psnr
from .fingers import Fingers

pytestmark = pytest.mark.browser
FIRST = 57
"""Seed of the scene that newcomers see."""


def first_mask():
    """Of the thing in the newcomers' scene."""
    return np.asarray(draw_case(FIRST, SCENE).mask) / 255


def placed(mask, placing, centroid):
    """A mask where a placing puts it; angles are counter-clockwise as seen."""
    matrix = cv2.getRotationMatrix2D(centroid, placing["angle"], placing["scale"][0])
    matrix[:, 2] += placing["offset"]
    return cv2.warpAffine(np.float32(mask), matrix, mask.shape[::-1])


def untouched(before, after, *places):
    """PSNR (dB) of what lies well beside all places of a move."""
    reach = cv2.dilate(np.uint8(sum(place > 0.5 for place in places) > 0), np.ones((15, 15)))
    return psnr(np.asarray(before)[reach == 0], np.asarray(after)[reach == 0])


def colour(picture, mask):
    """Mean within a mask, less its border."""
    core = cv2.erode(np.uint8(mask > 0.5), np.ones((5, 5))) > 0
    return np.asarray(picture, dtype=float)[core].mean(axis=0)


@pytest.fixture
def phone(browser, demo):
    """A window of a phone. At its end nothing may have gone wrong in it."""
    window = Window(browser, demo, PHONE)
    yield window
    window.close()


def test_fingers_on_a_phone(phone):
    phone.open()
    fingers, mask, before = Fingers(phone), first_mask(), draw_case(FIRST, SCENE).before
    fingers.tap(phone.at(innermost(mask)))
    selection = phone.selected()
    assert iou(phone.mask(selection), mask) > 0.9
    start = innermost(mask)
    start, end = phone.at(start), phone.at((start[0] + 30, start[1] - 30))
    fingers.slide([start], [end])
    offset = [round((b - a) / phone.zoom, 1) for a, b in zip(start, end, strict=True)]
    phone.edit("move", lambda edit: edit["placing"]["offset"] == offset)
    centroid = selection["mask"]["centroid"]
    middle = phone.at((centroid[0] + offset[0], centroid[1] + offset[1]))
    fingers.slide(*pinch(middle, 40, 1.3, 30))
    placing = phone.edit("move", lambda edit: edit["placing"]["angle"] != 0)["placing"]
    assert placing["scale"] == pytest.approx([1.3, 1.3], abs=0.03)
    assert placing["angle"] == pytest.approx(30, abs=2)
    assert placing["offset"] == pytest.approx(offset, abs=1)
    phone.said("This is a preview")
    fingers.tap(middle_of(phone.page.locator('[data-dd="run"]')))
    job = phone.finished()
    assert job["state"] == "done"
    sent = job["recipe"]["edits"][0]
    assert (sent["offset"], sent["angle"]) == (placing["offset"], placing["angle"])
    phone.page.locator('[data-dd="verdict"]', has_text="rrived").wait_for()
    made, goal = picture_of(phone.result(job)), placed(mask, placing, centroid)
    assert untouched(before, made, mask, goal) > 35
    assert np.abs(colour(made, goal) - colour(before, mask)).max() < 30


def pinch(middle, reach, factor, angle):
    """Where two fingers beside a place begin and end that spread and turn about it."""
    across, down = reach * factor * math.cos(math.radians(angle)), reach * factor * math.sin(math.radians(angle))
    (x, y) = middle
    return [(x - reach, y), (x + reach, y)], [(x - across, y + down), (x + across, y - down)]


def middle_of(locator):
    """The middle of an element, CSS pixels."""
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_keys_alone(window):
    window.open()
    keys, mask, before = window.page.keyboard, first_mask(), draw_case(FIRST, SCENE).before
    for _ in range(60):
        keys.press("Tab")
        if window.page.evaluate("document.activeElement.matches('canvas.dd-stage')"):
            break
    steer(window, window.at(innermost(mask)))
    keys.press("Enter")
    selection = window.selected()
    assert iou(window.mask(selection), mask) > 0.9
    for key in (*["Shift+ArrowRight"] * 3, *["Shift+ArrowUp"] * 3, *["ArrowRight"] * 4):
        keys.press(key)
    keys.press("Control+Enter")
    job = window.finished()
    assert (job["state"], job["recipe"]["edits"][0]["offset"]) == ("done", [34, -30])
    placing = window.edit("move")["placing"]
    goal = placed(mask, placing, selection["mask"]["centroid"])
    made = picture_of(window.result(job))
    assert untouched(before, made, mask, goal) > 35
    assert np.abs(colour(made, goal) - colour(before, mask)).max() < 30
    window.page.locator('[data-dd="verdict"]:visible').wait_for()
    keys.press("Control+z")
    window.known(lambda doc: doc["edits"] == [] and doc["selection"] is not None)
    keys.press("Control+Shift+z")
    assert window.edit("move")["placing"] == placing
    keys.press("Control+z")
    window.known(lambda doc: doc["edits"] == [])
    keys.press("Delete")
    assert window.edit("remove")["selection"]["mask"]["name"] == selection["mask"]["name"]
    keys.press("Control+Enter")
    job = window.finished(2)
    assert (job["state"], [edit["edit"] for edit in job["recipe"]["edits"]]) == ("done", ["remove"])
    made = picture_of(window.result(job))
    assert untouched(before, made, mask) > 35
    assert np.abs(colour(made, mask) - colour(before, mask)).max() > 60


def steer(window, goal):
    """The crosshair from the middle of the stage to a place of the screen, by arrow keys."""
    start = middle_of(window.page.locator("canvas.dd-stage").first)
    window.page.keyboard.press("ArrowRight")  # shows it
    for axis, (back, on) in enumerate((("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))):
        way = goal[axis] - start[axis]
        for _ in range(round(abs(way) / 8)):
            window.page.keyboard.press(on if way > 0 else back)
