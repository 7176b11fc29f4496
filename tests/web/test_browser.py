"""The page in a browser, before the real server with the demo model: what visitors do first and most."""

import json

import numpy as np
import pytest
import torch

from dragondiffusion import Recipe
from dragondiffusion.bench.demo import draw_case
from dragondiffusion.web.routes.images import SCENE

from .browser import Window, innermost, iou, picture_of, psnr, until
from .visitor import png

pytestmark = pytest.mark.browser
FIRST = 57
"""Seed of the scene that newcomers see."""
LARGE = (384, 384)
"""Height and width of images that are dropped."""


def dropped(window, seed=7, kind="move"):
    """A case whose image was dropped onto the page."""
    case = draw_case(seed, LARGE, kind)
    window.drop("cup.png", png(np.array(case.before)))
    window.choose("Open it instead")
    window.known(lambda doc: doc["picture"]["title"] == "cup.png")
    return case


def replayed(data, folder):
    """What the recipe within a PNG makes of its image."""
    path = folder / "replayed.png"
    path.write_bytes(data)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the server: sums of more threads differ in their last digits
    try:
        return np.array(Recipe.load(path).run().image)
    finally:
        torch.set_num_threads(threads)


def test_newcomer_moves_a_thing_by_a_tap_and_a_drag(window, record_property, tmp_path):
    record_property("seconds until interactive", window.open())
    case = draw_case(FIRST, SCENE)
    mask = np.asarray(case.mask) / 255
    assert window.opened()["prompt"] == case.caption
    window.tap(innermost(mask))
    assert iou(window.mask(window.selected()), mask) > 0.9
    offset = window.carry(innermost(mask), case.edit.offset)
    move = window.edit("move", lambda edit: edit["placing"]["offset"] == offset)
    assert move["placing"] == {"offset": offset, "scale": [1, 1], "angle": 0, "flip": False}
    window.said("This is a preview")
    window.choose("Edit")
    job = window.finished()
    assert job["state"] == "done"
    assert "background untouched" in job["report"]["words"]
    made = picture_of(window.result(job))
    assert psnr(made, case.truth) > max(28, psnr(case.before, case.truth) + 6)
    name, data = window.downloaded(lambda: window.menu("Download", "Image, full size (PNG)"))
    assert name == f"scene-{FIRST}-edited-{job['seed']}.png"
    assert np.array_equal(picture_of(data), made)
    assert np.array_equal(replayed(data, tmp_path), made)


@pytest.mark.slow
def test_scale_and_turn_edit_compare_continue(window):
    window.open()
    case = dropped(window)
    on_it = innermost(np.asarray(case.mask) / 255)
    window.tap(on_it)
    mask = window.selected()["mask"]
    offset = window.carry(on_it, (-90, 20))
    placing = window.edit("move", lambda edit: edit["placing"]["offset"] == offset)["placing"]
    corner = window.corner(mask, placing, "se")
    window.pull(corner, (corner[0] + 25, corner[1] + 25), "Alt")  # about the centre
    placing = window.edit("move", lambda edit: edit["placing"]["scale"] != [1, 1])["placing"]
    assert placing["scale"][0] == placing["scale"][1]
    assert 1.1 < placing["scale"][0] < 1.7
    assert placing["offset"] == offset
    knob = window.corner(mask, placing, "rotate")
    window.pull(knob, (knob[0] - 70, knob[1] + 20))
    placing = window.edit("move", lambda edit: edit["placing"]["angle"] != 0)["placing"]
    assert 15 < placing["angle"] < 75  # to the left at the top: counter-clockwise
    window.said("This is a preview")
    window.choose("Edit")
    job = window.finished()
    sent = job["recipe"]["edits"][0]
    assert (sent["offset"], sent["scale"], sent["angle"]) == (offset, placing["scale"][0], placing["angle"])
    window.page.locator(".dd-card .dd-words", has_text="rrived").wait_for()
    compare(window)
    window.choose("Continue from here")
    opened = window.known(lambda doc: doc["picture"]["name"] == job["result"]["name"])
    assert opened["edits"] == []
    x, y = mask["centroid"]
    window.tap((x + offset[0] + on_it[0] - x, y + offset[1] + on_it[1] - y))
    selected = window.selected()["mask"]
    assert np.hypot(selected["centroid"][0] - x - offset[0], selected["centroid"][1] - y - offset[1]) < 8
    window.page.keyboard.press("Delete")
    window.edit("remove")
    window.choose("Edit")
    second = window.finished(2)
    assert (second["state"], second["recipe"]["image"]) == ("done", job["result"]["name"])


def compare(window):
    """The slider between before and after shows more of the one or of the other."""
    canvas = window.page.locator("canvas.dd-stage").first
    window.choose("Before and after")
    window.page.wait_for_timeout(300)
    half = canvas.screenshot()
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    window.pull(middle, (middle[0] + 150, middle[1]))
    window.page.wait_for_timeout(300)
    assert psnr(picture_of(half), picture_of(canvas.screenshot())) < 45


def test_cancel_undo_redo_settings_and_reload(window):
    window.open()
    on_it = innermost(np.asarray(draw_case(FIRST, SCENE).mask) / 255)
    window.tap(on_it)
    window.selected()
    offset = window.carry(on_it, (-0.1 * SCENE[1], 0.1 * SCENE[0]))
    window.edit("move", lambda edit: edit["placing"]["offset"] == offset)
    window.choose("Best")
    window.known(lambda doc: doc["choices"]["quality"] == "best")
    window.page.get_by_label("The image shows").fill("an object")
    window.known(lambda doc: doc["choices"]["prompt"] == "an object")
    window.choose("Advanced")
    window.page.get_by_label("steps", exact=True).fill("290")
    window.page.get_by_label("steps", exact=True).blur()
    window.page.get_by_label("clamp_hole", exact=True).fill("10000")  # released at once, so that all steps are made
    window.page.get_by_label("clamp_hole", exact=True).blur()
    full = window.known(lambda doc: doc["choices"]["advanced"] == {"steps": 290, "clamp_hole": 10000})
    window.choose("Edit")
    cancelled(window)
    window.page.locator('[data-dd="status"]').click()
    for test in (
        lambda doc: doc["choices"]["advanced"] == {"steps": 290},
        lambda doc: doc["choices"]["advanced"] == {},
        lambda doc: doc["choices"]["prompt"] != "an object",
        lambda doc: doc["choices"]["quality"] == "default",
        lambda doc: doc["edits"] == [] and doc["selection"] is not None,
        lambda doc: doc["selection"] is None and doc["picture"] is not None,
    ):
        window.press("Undo")
        window.known(test)
    for _ in range(6):
        window.page.keyboard.press("Control+y")
    assert window.known(lambda doc: doc["choices"]["advanced"]) == full
    window.page.reload()
    window.page.wait_for_selector('[data-ready="true"]')
    assert window.doc == full
    window.page.locator(".dd-card", has_text="Cancelled").first.wait_for()


def cancelled(window):
    """Cancels what runs; no step more than the one that ran is made."""
    running = until(lambda: next((job for job in window.jobs if job["done"] >= 2), None))
    window.page.locator('[data-dd="progress"] button').click()
    before = next(job for job in window.jobs if job["id"] == running["id"])["done"]
    job = window.finished()
    assert job["state"] == "cancelled"
    assert job["done"] <= before + 1
    assert job["total"] >= 100
    window.said("Cancelled")


@pytest.mark.slow
def test_recipes_out_and_in(window, browser, demo):
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.open()
    case = dropped(window)
    on_it = innermost(np.asarray(case.mask) / 255)
    window.tap(on_it)
    window.selected()
    offset = window.carry(on_it, case.edit.offset)
    window.edit("move", lambda edit: edit["placing"]["offset"] == offset)
    name, text = window.downloaded(lambda: window.menu("Download", "Recipe (JSON)"))
    assert (name, json.loads(text)["edits"][0]["offset"]) == ("cup.json", offset)
    for words, part in (("Copy as Python", "offset="), ("Copy as a command line", "dragondiffusion ")):
        window.menu("Download", words)
        window.said("copied")
        copied = until(lambda part=part: window.page.evaluate("navigator.clipboard.readText()"))
        assert part in copied
        window.press("Zoom in")
        window.press("Whole image")
    window.choose("Edit")
    made = window.result(window.finished())
    for data, kind in ((text, "application/json"), (made, "image/png")):
        fresh = Window(browser, demo)
        fresh.open()
        fresh.page.set_input_files('[data-dd="restore-file"]', {"name": "it", "mimeType": kind, "buffer": data})
        fresh.edit("move", lambda edit: edit["placing"]["offset"] == offset)
        fresh.said("This is a preview")
        fresh.choose("Edit")
        assert np.array_equal(picture_of(fresh.result(fresh.finished())), picture_of(made))
        fresh.close()


def test_a_bad_file_is_refused_in_words(window):
    window.excused = ("status of 422",)
    window.open()
    window.drop("notes.png", b"no image")
    window.choose("Open it instead")
    alert = window.page.locator('[data-dd="error"]')
    alert.wait_for()
    assert "image" in alert.text_content()
    alert.get_by_label("Close").click()
    assert window.opened()["title"] == f"scene {FIRST}.png"
