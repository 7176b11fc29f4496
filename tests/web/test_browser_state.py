"""The page in a browser: what undo, reloads and tabs remember; everything by keyboard; notes that stay on the image."""

import numpy as np
import pytest

from dragondiffusion.bench.demo import draw_case
from dragondiffusion.web.routes.images import SCENE

from .browser import Window, innermost, until
from .visitor import png

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST = 57
"""Seed of the scene that newcomers see."""
VERDICT = '[data-dd="verdict"]'
FOCUS = "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def on_it():
    """A point of the object in the newcomers' scene."""
    return innermost(np.asarray(draw_case(FIRST, SCENE).mask) / 255)


def visible(window, part):
    """Whether a part of the page is seen."""
    return window.page.locator(f'[data-dd="{part}"]').is_visible()


def spoken(window, part):
    """Waits for words that are read out."""
    region = window.page.locator('[data-dd="spoken"]')
    until(lambda: part in (region.text_content() or ""))


def test_results_reloads_and_tabs(window):
    window.open()
    window.tap(on_it())
    window.selected()
    offset = window.carry(on_it(), (30, -20))
    window.edit("move", lambda edit: edit["placing"]["offset"] == offset)
    window.choose("Edit")
    job = window.finished()
    window.page.locator(f"{VERDICT}:visible").wait_for()
    window.said("Done.")
    window.page.reload()
    window.page.wait_for_selector('[data-ready="true"]')
    window.page.locator(f"{VERDICT}:visible").wait_for()  # the result is looked at as before
    window.press("Undo")
    until(lambda: not visible(window, "verdict"))
    window.said("This is a preview")
    assert window.edit("move")["placing"]["offset"] == offset
    window.press("Redo")
    window.page.locator(f"{VERDICT}:visible").wait_for()
    other = window.context.new_page()
    other.goto(window.server.url)
    other.wait_for_selector('[data-ready="true"]')
    assert other.locator('[data-dd="empty"]').is_visible()  # a document of its own
    assert other.locator(".dd-card").count() == 1  # of the same session
    other.get_by_text("Try a drawn scene", exact=True).locator("visible=true").first.click()
    other.locator('[data-dd="empty"]').wait_for(state="hidden")
    other.wait_for_timeout(800)
    window.page.reload()
    window.page.wait_for_selector('[data-ready="true"]')
    assert window.doc["shown"] == job["id"]
    other.close()
    window.choose("Discard")
    until(lambda: window.jobs == [])
    window.known(lambda doc: doc["shown"] is None and len(doc["edits"]) == 1)


def test_everything_by_keyboard(window):
    window.open()
    keys = window.page.keyboard
    keys.press("Tab")
    assert window.page.evaluate(FOCUS) == "Skip to the image"
    keys.press("Enter")
    assert window.page.evaluate(FOCUS).startswith("Image. Arrow keys")
    away = np.round((np.array(on_it()) - np.array(SCENE[::-1]) / 2) * window.zoom / 8).astype(int)
    keys.press("ArrowRight")  # the crosshair appears in the middle
    for steps, forth, back in zip(away, ("Right", "Down"), ("Left", "Up"), strict=True):
        for _ in range(abs(steps)):
            keys.press(f"Arrow{forth if steps > 0 else back}")
    spoken(window, "% from the left")
    keys.press("Enter")
    window.selected()
    window.said("Selected.")
    spoken(window, "pixels, at the")
    for key in ("Shift+ArrowRight", "+", "["):
        keys.press(key)
    spoken(window, "Move: 10 px right, 105 %, turned 1°.")
    keys.press("Control+Enter")
    job = window.finished()
    window.said("Done.")
    assert job["recipe"]["edits"][0]["offset"] == [10, 0]
    name, _ = window.downloaded(lambda: keys.press("Control+s"))
    window.said(f"Saved as “{name}”")
    keys.press("Escape")
    spoken(window, "Back at the edits.")


def test_notes_on_the_image(browser, demo):
    window = Window(browser, demo)
    window.open()
    assert not visible(window, "purpose")  # a drawn scene is what the demo model is made for
    photo = np.array(draw_case(7, (384, 384), "move").before)
    window.drop("photo.png", png(photo))
    window.choose("Open it instead")
    window.page.locator('[data-dd="purpose"]:visible').wait_for()
    assert "dragondiffusion web --model" in window.page.locator('[data-dd="purpose"]').text_content()
    window.close()


def test_edits_change_their_order_by_buttons_and_keys(window):
    window.open()
    window.tap(on_it())
    window.selected()
    window.carry(on_it(), (30, -20))
    window.edit("move")
    window.page.keyboard.press("Escape")  # else the brush corrects what is moved
    window.page.keyboard.press("b")
    window.paint([(30, 30), (50, 30)])
    window.selected()
    window.page.keyboard.press("Delete")
    window.known(lambda doc: [edit["kind"] for edit in doc["edits"]] == ["move", "remove"])
    keys = window.page.keyboard
    window.page.wait_for_timeout(500)
    with window.page.expect_request(lambda request: request.url.endswith("api/previews")) as asked:
        window.choose("Earlier")
    assert [edit["edit"] for edit in asked.value.post_data_json["recipe"]["edits"]] == ["remove", "move"]
    spoken(window, "The order is: Remove, Move.")
    until(lambda: window.page.evaluate(FOCUS) == "Earlier")
    keys.press("Enter")
    window.said("This edit is the first already.")
    keys.press("Alt+ArrowDown")
    window.known(lambda doc: [edit["kind"] for edit in doc["edits"]] == ["move", "remove"])
    until(lambda: window.page.evaluate(FOCUS) == "Earlier")
    keys.press("Control+z")
    window.known(lambda doc: [edit["kind"] for edit in doc["edits"]] == ["remove", "move"])


def test_a_result_that_came_while_the_page_was_away_is_shown(window):
    window.open()
    window.tap(on_it())
    window.selected()
    window.carry(on_it(), (30, -20))
    window.edit("move")
    window.choose("Edit")
    job = window.finished()
    window.page.locator(f"{VERDICT}:visible").wait_for()
    window.choose("Back to the edits")
    window.known(lambda doc: doc["shown"] is None)
    # As a phone leaves it that ends the page in the middle of the run.
    window.page.add_init_script(f"""const kept = JSON.parse(sessionStorage["dragondiffusion-page"] ?? "null");
        if (kept) sessionStorage["dragondiffusion-page"] = JSON.stringify({{...kept, watched: "{job["id"]}"}});""")
    window.page.reload()
    window.page.wait_for_selector('[data-ready="true"]')
    window.page.locator(f"{VERDICT}:visible").wait_for()
    window.press("Undo")
    until(lambda: not visible(window, "verdict"))
    window.choose("Edit")  # the same once more is made with another seed, also after a reload
    again = window.finished(2)
    assert again["seed"] != job["seed"]
