"""The page in a browser: windows of all sizes, contrast, notes that leave, the theme."""

import numpy as np
import pytest

from .browser import Window, innermost, until
from .measures import covered, cut, faint
from .visitor import png

pytestmark = pytest.mark.browser
SIZES = ((1280, 800), (1000, 640), (834, 1112), (390, 844), (844, 390), (640, 400))
"""Desk, small window, tablet, phone, phone on its side, and 1280 x 800 at 200 %."""
LARGE = 0.5
"""Least share of the window's height, or of its width, that an image of 3 : 2 fills."""
SCALE = """() => {
  const canvas = document.querySelector("canvas.dd-stage");
  const style = getComputedStyle(canvas.parentElement);
  const pixel = canvas.getContext("2d").getImageData(3, canvas.height >> 1, 1, 1).data;
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = style.getPropertyValue("--dd-backdrop");
  pen.fillRect(0, 0, 1, 1);
  return [[...pixel], [...pen.getImageData(0, 0, 1, 1).data]];
}"""


def photograph():
    """An image of 3 : 2 with one disk in it, and the disk."""
    y, x = np.mgrid[:400, :600]
    disk = np.hypot(x - 330, y - 150) < 70
    values = np.where(disk[..., None], (200, 60, 40), (90, 130, 110)) + np.random.default_rng(0).normal(
        0, 4, (400, 600, 1)
    )
    return png(np.uint8(values.clip(0, 255))), disk


def opened(window):
    """The photograph is open; gives a point of the disk."""
    data, disk = photograph()
    window.open()
    window.drop("disk.png", data)
    window.choose("Open it instead")
    window.known(lambda doc: (doc["picture"] or {}).get("title") == "disk.png")
    return innermost(np.float32(disk))


def at_all_sizes(window, look):
    """What a look finds at each size of the window that is wrong."""
    found = {}
    for width, height in SIZES:
        window.page.set_viewport_size({"width": width, "height": height})
        window.page.wait_for_timeout(150)
        found[width, height] = look()
    window.page.set_viewport_size({"width": 1280, "height": 800})
    return {size: wrong for size, wrong in found.items() if wrong}


def test_everything_fits_and_can_be_tapped(window):
    point = opened(window)
    assert at_all_sizes(window, lambda: cut(window) + covered(window) + small(window)) == {}
    window.tap(point)
    window.selected()
    assert at_all_sizes(window, lambda: cut(window) + covered(window) + small(window)) == {}
    assert at_all_sizes(window, lambda: menus(window)) == {}


def small(window):
    """Whether the image is."""
    size, zoom = window.page.viewport_size, window.zoom
    share = max(400 * zoom / size["height"], 600 * zoom / size["width"])
    return [f"the image fills {share:.0%}"] if share < LARGE else []


def menus(window):
    """What is cut of menus."""
    found = []
    for label in ("Download", "Try a drawn scene"):
        window.press(label)
        found += cut(window)
        window.page.keyboard.press("Escape")
    return found


def test_words_can_be_read_in_both_themes(window):
    window.excused = ("status of 422",)
    point = opened(window)
    assert faint(window) == []  # Undo, Redo and Edit cannot be used yet
    window.tap(point)
    window.selected()
    window.page.keyboard.press("Delete")
    window.edit("remove")
    window.press("Hide")
    window.drop("notes.png", b"no image")
    assert faint(window) == []  # the question what the file is for
    window.choose("Open it instead")
    window.page.locator('[data-dd="error"]:visible').wait_for()
    assert faint(window) == []
    window.page.set_viewport_size({"width": 390, "height": 844})
    window.choose("Settings")
    assert faint(window) == []


def test_errors_cover_nothing_and_leave_by_themselves(window):
    window.excused = ("status of 422",)
    opened(window)
    window.page.clock.install()
    window.drop("notes.png", b"no image")
    window.choose("Open it instead")
    alert = window.page.locator('[data-dd="error"]')
    alert.wait_for()
    assert at_all_sizes(window, lambda: cut(window) + covered(window)) == {}
    window.page.mouse.move(640, 795)
    window.page.clock.fast_forward(30_000)
    until(lambda: not alert.is_visible())


def test_another_theme_repaints_the_stage(window):
    window.excused = ("willReadFrequently",)  # the test reads the stage, not the page
    opened(window)
    for theme in ("dark", "light"):
        window.page.emulate_media(color_scheme=theme)
        until(lambda: np.ptp(window.page.evaluate(SCALE), axis=0).max() < 3)


def test_panels_and_results_fold_away_on_a_phone(browser, demo):
    window = Window(browser, demo, {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True})
    point = opened(window)
    panels = {name: window.page.locator(f'[data-dd="{name}"]') for name in ("edits", "settings", "results")}
    assert not any(panel.is_visible() for panel in panels.values())
    for name in ("Settings", "Edits"):
        window.choose(name)
        assert [each for each, panel in panels.items() if panel.is_visible()] == [name.lower()]
        assert cut(window) == []
    note = window.page.locator('[data-dd="last"]')
    assert note.text_content() == window.page.locator('[data-dd="status"]').text_content() != ""
    assert note.is_visible()
    window.press("Add an edit")
    assert cut(window) == []
    window.page.keyboard.press("Escape")
    window.tap(point)
    window.selected()
    assert not any(panel.is_visible() for panel in panels.values())
    window.close()


WATCHED = """() => {
  const [box, progress] = ["stage", "progress"].map((name) => document.querySelector(`[data-dd="${name}"]`));
  window.watched = {insets: [], overlap: []};
  const look = () => {
    const above = parseFloat(getComputedStyle(box).getPropertyValue("--dd-inset-top"));
    if (!progress.hidden) {
      window.watched.insets.push(above);
      window.watched.overlap.push(progress.getBoundingClientRect().bottom - box.getBoundingClientRect().top - above);
    }
    requestAnimationFrame(look);
  };
  look();
}"""
"""Watches how much of the stage is kept free while the progress is shown, and how far that hangs below it."""


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1280, 800), (390, 844), (844, 390)])
def test_the_image_stays_where_it_is_while_the_edit_runs(browser, demo, size):
    touch = {"has_touch": True, "is_mobile": True} if min(size) < 500 else {}
    window = Window(browser, demo, {"viewport": {"width": size[0], "height": size[1]}, **touch})
    point = opened(window)
    window.tap(point)
    window.selected()
    window.carry(point, (60, 30))
    window.edit("move")
    window.page.wait_for_timeout(300)
    before = window.page.evaluate(
        "parseFloat(getComputedStyle(document.querySelector('[data-dd=stage]')).getPropertyValue('--dd-inset-top'))"
    )
    window.page.evaluate(WATCHED)
    window.choose("Edit")
    window.finished()
    watched = window.page.evaluate("window.watched")
    assert set(watched["insets"]) == {before}
    assert max(watched["overlap"]) <= 16  # the margin around the fitted image
    window.close()
