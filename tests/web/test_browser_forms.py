"""The menu of edits in a browser: kinds with a gesture begin it, any other kind of the server's gets a form."""

import numpy as np
import pytest

from dragondiffusion.bench.demo import draw_case
from dragondiffusion.edits.registry import EDITS
from dragondiffusion.web.kinds import edit_kind
from dragondiffusion.web.routes.images import SCENE

from .browser import innermost
from .test_browser import FIRST

pytestmark = pytest.mark.browser


def field(name, control, required=False, default=None):
    title = name.capitalize()
    return {"name": name, "title": title, "help": f"About {name}.", "control": control} | {
        "required": required,
        "default": default,
        "options": [],
        "of": None,
    }


FADE = {
    "name": "fade",
    "title": "Fade",
    "help": "Fades an object.",
    "fields": [field("mask", "mask", True), field("amount", "number", True), field("softly", "switch", default=True)],
}


def selected(window):
    """Taps the object of the newcomers' scene; gives its mask."""
    mask = np.asarray(draw_case(FIRST, SCENE).mask) / 255
    window.tap(innermost(mask))
    return window.selected()["mask"]


def test_the_menu_lists_the_kinds_of_the_server(window):
    window.open()
    mask = selected(window)
    window.press("Add an edit")
    items = window.page.locator(".dd-edit-menu [role=menuitem]")
    assert items.all_inner_texts() == [edit_kind(name).title for name in EDITS]
    assert items.last.get_attribute("title") == edit_kind("remove").help
    list_ = window.page.locator(".dd-edit-menu .dd-menu-list").bounding_box()
    assert list_["x"] >= 0
    assert list_["x"] + list_["width"] <= window.page.viewport_size["width"]
    items.last.click()
    assert window.edit("remove")["selection"]["mask"] == mask
    assert window.page.locator(".dd-edit-card").inner_text().startswith("Remove")


def test_a_kind_without_a_gesture_gets_a_form_whose_values_are_sent(window):
    window.excused = ("422",)  # the server itself does not have it
    window.page.route("**/api/edits", lambda route: route.fulfill(json=[*route.fetch().json(), FADE]))
    window.open()
    mask = selected(window)
    window.menu("Add an edit", "Fade")
    assert window.edit("form")["selection"]["mask"] == mask
    card = window.page.locator(".dd-edit-card")
    assert "no effect yet" in card.inner_text()
    with window.page.expect_request("**/api/previews") as asked:
        card.get_by_label("Amount (required)").fill("0.5")
    assert asked.value.post_data_json["recipe"]["edits"] == [{"edit": "fade", "mask": mask["name"], "amount": 0.5}]
    with window.page.expect_request("**/api/previews") as asked:
        card.get_by_label("Softly").uncheck()
    assert asked.value.post_data_json["recipe"]["edits"][0]["softly"] is False
    window.press("Undo")
    window.edit("form", lambda edit: edit["values"] == {"amount": 0.5})
    window.page.reload()
    window.page.wait_for_selector('[data-ready="true"]')
    assert window.page.locator(".dd-edit-card").get_by_label("Amount (required)").input_value() == "0.5"
