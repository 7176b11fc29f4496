"""The page in a browser: a server that dies, names and focus, words that stay, numbers that fit."""

import json

import numpy as np
import pytest

from dragondiffusion.bench.demo import draw_case
from dragondiffusion.web.routes.images import SCENE

from .browser import Window, innermost, picture_of, psnr, until
from .process import Server

pytestmark = pytest.mark.browser
FIRST = 57
"""Seed of the scene that newcomers see."""


NAMED = {
    "button",
    "checkbox",
    "combobox",
    "dialog",
    "menuitem",
    "slider",
    "spinbutton",
    "tab",
    "textbox",
    "toolbar",
    "application",
}
"""Roles that say nothing without a name."""

STOP = """() => {
  const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
  const stop = document.activeElement;
  stop.dataset.stopped = "true";
  const isSeen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  return {tag: stop.tagName, name: stop.getAttribute("aria-label") || stop.textContent, isSeen};
}"""
MISSED = """() => [...document.querySelectorAll('[data-dd="app"] :is(button, input, select, textarea, summary)')]
  .filter((each) => each.checkVisibility({visibilityProperty: true}) && !each.disabled && !each.dataset.stopped)
  .map((each) => each.outerHTML.slice(0, 120))"""

ROOM = """(field, text) => {
  const {font, paddingLeft, paddingRight} = getComputedStyle(field);
  const pen = Object.assign(document.createElement("canvas").getContext("2d"), {font});
  const [sides, arrows] = [parseFloat(paddingLeft) + parseFloat(paddingRight), 16];
  return field.clientWidth - sides - arrows - pen.measureText(text).width;
}"""
"""CSS pixels that a field has left beside a text."""


def on_it():
    """A point of the object in the newcomers' scene."""
    return innermost(np.asarray(draw_case(FIRST, SCENE).mask) / 255)


def moved(window, offset):
    """Selects the object and drags it; gives the offset in the document."""
    window.tap(on_it())
    window.selected()
    offset = window.carry(on_it(), offset)
    window.edit("move", lambda edit: edit["placing"]["offset"] == offset)
    return offset


@pytest.mark.slow
def test_a_server_that_is_killed_and_comes_back(browser, tmp_path):
    with Server(tmp_path) as server:
        window = Window(browser, server)
        window.excused = ("net::ERR_",)  # what the browser itself says of a server that is away
        window.open()
        offset = moved(window, (25, -20))
        window.said("This is a preview")
        window.choose("Edit")
        first = window.finished()
        window.choose("Back to the edits")
        window.choose("Advanced")
        window.page.get_by_label("steps", exact=True).fill("290")
        window.page.get_by_label("steps", exact=True).blur()
        window.known(lambda doc: doc["choices"]["advanced"] == {"steps": 290})
        window.choose("Edit")
        running = until(lambda: next((job for job in window.jobs if 2 <= job["done"] < job["total"]), None))
        known = window.doc
        server.kill()
    window.said("The server does not answer; trying again")
    alert = window.page.locator('[data-dd="error"]:visible')
    window.tap((110, 20), "Shift")
    alert.wait_for()
    assert "server does not answer" in alert.text_content()
    window.page.wait_for_timeout(1500)
    assert window.doc == known  # nothing is lost meanwhile
    with Server(tmp_path, port=server.port) as again:
        window.server = again
        window.page.locator(".dd-badge", has_text="Interrupted").wait_for(timeout=30_000)
        states = {job["id"]: job["state"] for job in window.jobs}
        assert states == {first["id"]: "done", running["id"]: "interrupted"}
        until(lambda: "stopped while this was running" in (alert.text_content() or ""))
        window.said("The edit was interrupted")
        window.page.get_by_label("steps", exact=True).fill("30")
        window.page.get_by_label("steps", exact=True).blur()
        window.known(lambda doc: doc["choices"]["advanced"] == {"steps": 30})
        window.choose("Edit")
        job = window.finished(3)
        assert (job["state"], job["recipe"]["edits"][0]["offset"]) == ("done", offset)
        assert alert.count() == 0
        window.page.locator('[data-dd="verdict"]:visible').wait_for()
        window.page.reload()
        window.page.wait_for_selector('[data-ready="true"]')
        assert window.page.locator(".dd-card").count() == 3
        window.close()


def nameless(window):
    """What Chromium tells a screen reader of without a name."""
    devtools = window.context.new_cdp_session(window.page)
    nodes = devtools.send("Accessibility.getFullAXTree")["nodes"]
    told = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
    assert len(told) > 10
    return [role for role, name in told if role in NAMED and not name.strip()]


def dialogs(window):
    """Names of the dialogs that are open."""
    devtools = window.context.new_cdp_session(window.page)
    nodes = devtools.send("Accessibility.getFullAXTree")["nodes"]
    return [node["name"]["value"] for node in nodes if not node["ignored"] and node["role"]["value"] == "dialog"]


@pytest.mark.slow
def test_everything_has_a_name(window):
    window.open()
    assert nameless(window) == []
    moved(window, (25, -20))
    window.choose("Advanced")
    window.choose("Edit")
    window.finished()
    window.page.locator('[data-dd="verdict"]:visible').wait_for()
    assert nameless(window) == []
    window.press("More of this result")
    assert nameless(window) == []
    window.page.keyboard.press("Escape")
    window.choose("Back to the edits")
    for key in ("v", "b", "d", "m"):
        window.page.locator('[data-dd="status"]').click()
        window.page.keyboard.press(key)
        assert nameless(window) == []
    window.page.keyboard.press("?")
    assert dialogs(window) == ["Keys"]
    assert nameless(window) == []
    window.page.keyboard.press("Escape")
    window.press("Select and move")
    window.page.keyboard.press("Escape")
    window.choose("Paste from an image")
    assert dialogs(window) == ["Second image"]
    window.choose("This image itself")
    until(lambda: dialogs(window) == ["Tap the object to paste"])
    assert nameless(window) == []
    status = window.page.locator('[data-dd="status"]')
    assert (status.get_attribute("role"), status.get_attribute("aria-live")) == ("status", "polite")
    assert window.page.locator('[data-dd="error"]').get_attribute("role") == "alert"


@pytest.mark.slow
def test_the_focus_goes_everywhere_and_is_seen(window):
    window.open()
    moved(window, (25, -20))
    window.choose("Edit")
    window.finished()
    window.choose("Back to the edits")
    window.page.locator('[data-dd="status"]').click()
    canvas = window.page.locator("canvas.dd-stage").first
    without, stops, drawn = canvas.screenshot(), [], None
    for _ in range(150):
        window.page.keyboard.press("Tab")
        stops.append(window.page.evaluate(STOP))
        if stops[-1]["tag"] == "CANVAS" and drawn is None:
            window.page.wait_for_timeout(200)
            drawn = canvas.screenshot()
        if len(stops) > 1 and stops.count(stops[0]) > 1:
            break
    assert [stop for stop in stops if not stop["isSeen"] and stop["tag"] not in ("BODY", "CANVAS")] == []
    assert window.page.evaluate(MISSED) == []
    assert drawn is not None
    frame = [picture_of(each)[:3, 100:400] for each in (without, drawn)]  # the stage draws it itself
    assert psnr(*frame) < 20


@pytest.mark.slow
def test_words_stay_and_numbers_fit(window):
    window.open()
    offset = moved(window, (25, -20))
    for width in (1000, 1280):
        window.page.set_viewport_size({"width": width, "height": 800})
        rooms = [field.evaluate(ROOM, "-107.5") for field in window.page.locator(".dd-number:visible").all()]
        assert len(rooms) == 5
        assert min(rooms) >= 0
    _, text = window.downloaded(lambda: window.menu("Download", "Recipe (JSON)"))
    window.press("Undo")
    window.known(lambda doc: doc["edits"] == [])
    recipe = json.dumps(json.loads(text) | {"model": "another"}).encode()
    file = {"name": "it.json", "mimeType": "application/json", "buffer": recipe}
    with window.page.expect_response(lambda response: response.url.endswith("api/previews")):
        window.page.set_input_files('[data-dd="restore-file"]', file)
    window.edit("move", lambda edit: edit["placing"]["offset"] == offset)
    window.page.wait_for_timeout(2000)
    window.said("Restored. The recipe was made with another; here ", seconds=0.1)
    window.said("This is a preview")
    window.choose("Edit")
    window.finished()
    window.said("arrived (")
