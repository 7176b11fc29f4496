"""The page in a browser: the original painted back into a result, and strokes on a slow network."""

import io

import numpy as np
import pytest
from PIL import Image

from dragondiffusion.bench.demo import draw_case
from dragondiffusion.recipes import made_with
from dragondiffusion.web.routes.images import SCENE

from .browser import innermost, until
from .test_browser_care import moved

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST = 57
"""Seed of the scene that newcomers see."""
SLOW = """const asked = window.fetch;
window.fetch = async (...question) => {
  if (String(question[0]).includes("/masks?")) await new Promise((resolve) => setTimeout(resolve, 900));
  return asked(...question);
};"""
"""Masks are sent as over a slow network."""


def on_it():
    """A point of the object in the newcomers' scene."""
    return innermost(np.asarray(draw_case(FIRST, SCENE).mask) / 255)


def seen(window, point):
    """The colour that the stage shows at a point of the image."""
    shot = Image.open(io.BytesIO(window.page.screenshot(scale="css"))).convert("RGB")
    return np.array(shot.getpixel(window.at(point)), dtype=int)


def near(one, other, within=24):
    return bool(np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max() <= within)


def test_the_original_is_painted_back(window, tmp_path):
    window.open()
    original = np.asarray(draw_case(FIRST, SCENE).before)
    (x, y), keys = on_it(), window.page.keyboard
    moved(window, (70, -40))
    window.choose("Edit")
    job = window.finished()
    window.page.locator('[data-dd="verdict"]:visible').wait_for()
    before, there = seen(window, (x, y)), original[int(y), int(x)]
    assert not near(before, there)  # the object has left
    window.choose("Paint back")
    window.said("Paint where the original should come back")
    window.paint([(x - 15, y), (x + 15, y)])
    window.known(lambda doc: job["id"] in doc["backs"])
    until(lambda: near(seen(window, (x, y)), there))
    keys.press("Control+z")
    until(lambda: near(seen(window, (x, y)), before))
    assert window.known(lambda doc: doc["backs"] == {})["shown"] == job["id"]
    keys.press("Control+y")
    keys.down("Alt")  # the right half away again
    window.paint([(x + 16, y), (x + 8, y)])
    keys.up("Alt")
    until(lambda: near(seen(window, (x - 12, y)), original[int(y), int(x) - 12]))
    window.known(lambda doc: doc["backs"][job["id"]]["box"][2] < x + 8)
    window.page.reload()
    window.page.wait_for_selector('[data-ready="true"]')
    until(lambda: near(seen(window, (x - 12, y)), original[int(y), int(x) - 12]))
    name, data = window.downloaded(lambda: keys.press("Control+s"))
    assert name.endswith("-painted.png")
    window.said("Its recipe makes the result as it was before")
    (tmp_path / name).write_bytes(data)
    assert "the input painted back" in made_with(tmp_path / name)
    saved = np.asarray(Image.open(tmp_path / name).convert("RGB"))
    row, column = int(y), int(x) - 12
    assert np.array_equal(saved[row, column], original[row, column])
    window.choose("Continue from here")
    picture = window.known(lambda doc: doc["edits"] == [] and doc["shown"] is None)["picture"]
    assert window.visitor.get(f"pictures/{picture['name']}").content == data


def test_another_tab_shows_what_is_painted_back_and_what_is_made_and_deleted(window):
    window.open()
    (x, y), page = on_it(), window.page
    other = window.context.new_page()
    other.goto(window.server.url)
    other.wait_for_selector('[data-ready="true"]')
    page.bring_to_front()
    moved(window, (70, -40))
    window.choose("Edit")
    job = window.finished()
    page.locator('[data-dd="verdict"]:visible').wait_for()
    other.evaluate("dispatchEvent(new Event('focus'))")  # headless, all tabs are in front
    card = other.locator(".dd-card canvas[data-name]")
    card.wait_for()
    plain = card.evaluate("(card) => card.toDataURL()")
    window.choose("Paint back")
    window.paint([(x - 15, y), (x + 15, y)])
    window.known(lambda doc: job["id"] in doc["backs"])
    until(lambda: other.evaluate("JSON.parse(sessionStorage['dragondiffusion-page']).history.present.backs") != {})
    until(lambda: other.locator(".dd-card .dd-thumb").evaluate("(card) => card.toDataURL()") != plain)
    page.keyboard.press("Control+z")
    until(lambda: other.evaluate("JSON.parse(sessionStorage['dragondiffusion-page']).history.present.backs") == {})
    page.keyboard.press("o")
    window.choose("Discard")
    until(lambda: window.jobs == [])
    other.evaluate("dispatchEvent(new Event('focus'))")
    card.wait_for(state="detached")


def test_strokes_build_on_each_other_on_a_slow_network(window):
    window.page.add_init_script(SLOW)
    window.open()
    window.page.keyboard.press("b")
    width, height = SCENE[1], SCENE[0]
    for share in (0.2, 0.5, 0.8):  # each is drawn before the one before it is answered
        window.paint([(share * width, 0.2 * height), (share * width, 0.3 * height)])
    window.page.wait_for_timeout(4000)
    mask = window.mask(window.selected())
    assert all(mask[height // 4, int(share * width)] > 0.5 for share in (0.2, 0.5, 0.8))
