"""The page in a browser: fingers, keys alone, brush and lasso, and each kind of edit by its tool."""

import json
import math
import re

import cv2
import numpy as np
import pytest

from dragondiffusion.bench.demo import draw_case
from dragondiffusion.web.routes.images import SCENE

from .browser import PHONE, Window, innermost, iou, picture_of, psnr
from .fingers import Fingers

pytestmark = pytest.mark.browser
FIRST, SEED = 57, 5
"""Seeds: of the scene that newcomers see, of those from the menu."""


def first_mask():
    """Of the object in the newcomers' scene."""
    return np.asarray(draw_case(FIRST, SCENE).mask) / 255


def placed(mask, placing, centroid):
    """A mask where a placing puts it; angles are counter-clockwise as seen."""
    matrix = cv2.getRotationMatrix2D(centroid, placing["angle"], placing["scale"][0])
    matrix[:, 2] += placing["offset"]
    return cv2.warpAffine(np.float32(mask), matrix, mask.shape[::-1])


def untouched(before, after, *places):
    """PSNR (dB) of what lies well beside all places of a move."""
    near = 2 * (before.width // 17) + 1  # shadows lie there
    reach = cv2.dilate(np.uint8(sum(place > 0.5 for place in places) > 0), np.ones((near, near)))
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
    keys.press("Control+z")  # the result
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


@pytest.mark.slow
def test_brush_eraser_lasso_and_more_clicks(window):
    window.open()
    thing, star = first_mask() > 0.5, star_mask()
    window.tap(innermost(thing))
    mask = window.mask(window.selected()) > 0.5
    strokes = (
        ("Brush", [(40, 60), (140, 60)], lambda mask: mask | stroke((40, 60), (140, 60))),
        ("Eraser", [(12, 196), (120, 196)], lambda mask: mask & ~stroke((12, 196), (120, 196))),
        ("Lasso", [(160, 50), (220, 50), (220, 100), (160, 100)], lambda mask: mask | rectangle(160, 50, 220, 100)),
    )
    for tool, points, expected in strokes:
        before, name = mask, window.selected()["mask"]["name"]
        window.press(tool)
        if tool == "Lasso":
            window.choose("Snap to edges")  # no longer
        window.paint(points)
        mask = window.mask(window.selected(lambda selection, name=name: selection["mask"]["name"] != name)) > 0.5
        assert iou(mask, expected(before)) > 0.96
        assert iou(mask, expected(before)) > iou(mask, before)
    window.press("Select and move")
    window.tap(innermost(star), "Shift")
    both = window.mask(window.selected(lambda selection: len(selection["points"]) == 2)) > 0.5
    assert iou(both & star, star) > 0.9
    assert iou(both & ~cv2.dilate(np.uint8(star), np.ones((5, 5))).astype(bool), mask) > 0.95  # corrections are kept
    window.tap(innermost(star), "Alt")
    less = window.mask(window.selected(lambda selection: len(selection["outside"]) == 1)) > 0.5
    assert iou(less, mask) > 0.95
    for _ in range(5):
        window.press("Undo")
    assert iou(window.mask(window.selected(lambda selection: selection["mask"] == selection["found"])), thing) > 0.9


def star_mask():
    """Of the other object in the newcomers' scene, which is orange."""
    red, green, blue = np.moveaxis(np.array(draw_case(FIRST, SCENE).before, dtype=int), 2, 0)
    return (red > 180) & (green < 180) & (blue < 80)


def stroke(start, end):
    """What the brush paints as it comes: a twentieth of the image wide, with round ends."""
    y, x = np.mgrid[: SCENE[0], : SCENE[1]] + 0.5
    (x0, y0), (x1, y1) = start, end
    share = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2), 0, 1)
    return np.hypot(x - x0 - share * (x1 - x0), y - y0 - share * (y1 - y0)) <= 0.025 * max(SCENE)


def rectangle(left, top, right, bottom):
    y, x = np.mgrid[: SCENE[0], : SCENE[1]] + 0.5
    return (x > left) & (x < right) & (y > top) & (y < bottom)


def scene(window, words, kind):
    """Opens a drawn scene of a kind by the menu; gives its case."""
    window.menu("Try a drawn scene", words)
    title = f"scene {SEED}.png"
    window.known(lambda doc: doc["picture"]["title"] == title)
    return draw_case(SEED, SCENE, kind)


@pytest.fixture
def drawn(window):
    """A window in which chance draws the same scene in each menu."""
    window.page.add_init_script(f"Math.random = () => {(SEED + 0.5) / 1000}")
    window.open()
    return window


@pytest.mark.slow
def test_arrows(drawn):
    case = scene(drawn, "Points to drag", "drag")
    thing = np.asarray(draw_case(SEED, SCENE, "appearance").mask) / 255
    ((tail, tip),) = case.edit.points
    drawn.tap(innermost(thing))
    drawn.selected()
    drawn.press("Arrows: drag")
    drawn.pull(drawn.at(tail), drawn.at((tip[0] + 20, tip[1] - 20)))
    first = drawn.edit("drag")["points"]
    drawn.pull(drawn.at((tip[0] + 20, tip[1] - 20)), drawn.at(tip))  # the tip can be taken again
    points = drawn.edit("drag", lambda edit: edit["points"] != first)["points"]
    assert points == [[pytest.approx(tail, abs=0.3), pytest.approx(tip, abs=0.3)]]
    drawn.choose("Edit")
    job = drawn.finished()
    (sent,) = job["recipe"]["edits"]
    assert (job["state"], sent["edit"], sent["points"]) == ("done", "drag", points)
    made = picture_of(drawn.result(job))
    near = stroke(tail, tip)
    assert untouched(case.before, made, cv2.dilate(np.uint8(near), np.ones((61, 61)))) > 30
    assert np.abs(np.asarray(case.before, dtype=float) - made)[near].mean() > 2


@pytest.mark.slow
def test_landmarks_of_a_face(drawn):
    case = scene(drawn, "Landmarks", "landmarks")
    drawn.press("Landmarks of a face")
    before = drawn.edit("landmarks")
    assert np.abs(np.array(before["from"]) - case.edit.points_from).max() < 0.1
    assert before["to"] == before["from"]
    ways = np.linalg.norm(np.subtract(case.edit.points_to, case.edit.points_from), axis=1)
    index = int(ways.argmax())
    start = before["from"][index]
    start, end = drawn.at(start), drawn.at((start[0] + 6, start[1] + 5))
    drawn.pull(start, end)
    after = drawn.edit("landmarks", lambda edit: edit["to"] != edit["from"])
    moved = [k for k, (a, b) in enumerate(zip(after["from"], after["to"], strict=True)) if a != b]
    assert moved == [index]
    drawn.choose("Edit")
    job = drawn.finished()
    (sent,) = job["recipe"]["edits"]
    assert (job["state"], sent["edit"], sent["points_to"]) == ("done", "landmarks", after["to"])
    made = picture_of(drawn.result(job))
    x, y = np.mean(after["from"], axis=0)
    assert untouched(case.before, made, disc(x, y, 0.3 * SCENE[0])) > 30


def disc(x, y, radius):
    down, across = np.mgrid[: SCENE[0], : SCENE[1]] + 0.5
    return np.float32(np.hypot(across - x, down - y) <= radius)


@pytest.mark.slow
def test_paste_and_appearance_from_a_second_picture_hide_and_delete(drawn):
    case = scene(drawn, "An object to paste from a second image", "paste")
    picture, ball = case.second[0], np.asarray(case.second[1]) / 255
    thing = np.asarray(draw_case(SEED, SCENE, "appearance").mask) / 255
    drawn.choose("Paste from an image")
    take_from_second(drawn, ball)
    paste = drawn.edit("paste")
    assert iou(drawn.mask(paste["selection"]), ball) > 0.9
    middle = np.add(paste["selection"]["mask"]["centroid"], paste["placing"]["offset"])
    assert middle == pytest.approx([SCENE[1] / 2, SCENE[0] / 2], abs=0.1)
    drawn.carry(middle, (-0.3 * SCENE[1], 0))
    placing = drawn.edit("paste", lambda edit: edit["placing"] != paste["placing"])["placing"]
    drawn.tap(innermost(thing))
    drawn.selected()
    drawn.choose("Appearance")
    take_from_second(drawn, ball)
    look = drawn.edit("appearance")
    cap = drawn.mask(look["selection"]) > 0.5  # of a mushroom; its stem has another colour
    assert iou(cap, thing) > 0.7
    assert (cap & (thing > 0.5)).sum() / cap.sum() > 0.95
    assert iou(drawn.mask(look["reference"]), ball) > 0.9
    assert kinds(drawn) == ["paste", "appearance"]
    drawn.page.locator(".dd-edit-card", has_text="Appearance").get_by_label("Hide").click()
    drawn.edit("appearance", lambda edit: edit["hidden"])
    assert kinds(drawn) == ["paste"]
    drawn.choose("Edit")
    job = drawn.finished()
    assert (job["state"], [edit["edit"] for edit in job["recipe"]["edits"]]) == ("done", ["paste"])
    goal, made = placed(ball, placing, paste["selection"]["mask"]["centroid"]), picture_of(drawn.result(job))
    assert untouched(case.before, made, goal) > 35
    assert np.abs(colour(made, goal) - colour(picture, ball)).max() < 40
    drawn.page.locator(".dd-edit-card", has_text="Appearance").get_by_label("Show").click()
    drawn.page.locator(".dd-edit-card", has_text="Paste").get_by_label("Delete this edit").click()
    drawn.known(lambda doc: [edit["kind"] for edit in doc["edits"]] == ["appearance"] and not doc["edits"][0]["hidden"])
    assert kinds(drawn) == ["appearance"]
    drawn.choose("Edit")
    job = drawn.finished(2)
    assert (job["state"], [edit["edit"] for edit in job["recipe"]["edits"]]) == ("done", ["appearance"])
    made = picture_of(drawn.result(job))
    assert untouched(case.before, made, thing) > 30
    assert distance(colour(made, thing), colour(picture, ball)) < distance(
        colour(case.before, thing), colour(picture, ball)
    )


def distance(one, other):
    return float(np.linalg.norm(np.subtract(one, other)))


def kinds(window):
    """Kinds of the edits in the recipe that the page hands out."""
    _, text = window.downloaded(lambda: window.menu("Download", "Recipe (JSON)"))
    return [edit["edit"] for edit in json.loads(text)["edits"]]


def take_from_second(window, mask):
    """Takes the scene's second image and the object of this mask in it."""
    window.page.get_by_role("button", name=re.compile("scene.s second image")).click()
    canvas = window.page.locator("dialog canvas.dd-stage")
    box, (height, width) = canvas.bounding_box(), mask.shape
    zoom = min((box["width"] - 32) / width, (box["height"] - 32) / height, 16)
    x, y = innermost(mask)
    window.page.wait_for_timeout(300)
    canvas.click(
        position={"x": box["width"] / 2 + zoom * (x - width / 2), "y": box["height"] / 2 + zoom * (y - height / 2)}
    )
    use = window.page.get_by_text("Use it", exact=True)
    window.page.get_by_text("if the outline fits").wait_for()
    use.click()
