"""The page in a browser, checked by axe-core: nothing serious in any state, theme or size of the window."""

from pathlib import Path

import pytest

from .browser import Window
from .test_browser_looks import opened

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = """async () => {
  const {violations} = await axe.run(document, {resultTypes: ["violations"]});
  const serious = violations.filter(({impact}) => impact === "serious" || impact === "critical");
  return serious.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}"""


def wrong(window, state):
    """What axe finds in both themes."""
    found = []
    if not window.page.evaluate("typeof axe === 'object'"):
        window.page.evaluate(AXE.read_text(encoding="utf-8"))
    for theme in ("light", "dark"):
        window.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        window.page.wait_for_timeout(200)  # colours change over some frames
        found += [f"{state}, {theme}: {each}" for each in window.page.evaluate(SERIOUS)]
    return found


def test_axe_finds_nothing_serious(browser, demo):
    if not AXE.exists():
        pytest.skip("axe-core is not installed; run npm ci")
    window = Window(browser, demo)
    point = opened(window)
    found = wrong(window, "photograph")
    window.press("Download")
    found += wrong(window, "menu")
    window.page.keyboard.press("Escape")
    window.page.keyboard.press("?")
    found += wrong(window, "dialog")
    window.page.keyboard.press("Escape")
    window.tap(point)
    window.selected()
    window.page.keyboard.press("Delete")
    window.edit("remove")
    window.choose("Advanced")
    found += wrong(window, "edit")
    window.choose("Edit")
    window.finished()
    window.page.locator('[data-dd="verdict"]:visible').wait_for()
    found += wrong(window, "result")
    window.choose("Paint back")
    found += wrong(window, "painting")
    window.choose("Done")
    window.page.set_viewport_size({"width": 390, "height": 844})
    found += wrong(window, "phone")
    window.choose("Results 1")
    found += wrong(window, "sheet")
    second = window.context.new_page()  # a tab beside another begins without an image
    second.goto(demo.url)
    second.wait_for_selector('[data-ready="true"]')
    window.page = second
    found += wrong(window, "empty")
    window.close()
    assert found == []
