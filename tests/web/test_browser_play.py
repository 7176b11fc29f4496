"""Somebody who reads nothing moves, removes and pastes on a touch screen: from a photograph to the downloaded file."""

import numpy as np
import pytest
from skimage import data

from .browser import Window, iou, picture_of, psnr
from .fingers import Fingers
from .visitor import png

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = {"phone": (390, 844), "on its side": (844, 390), "200 %": (640, 400)}
LEAST = 44
"""CSS pixels that what is touched is high and wide at least."""
LONG = 800
"""Milliseconds of a long press."""


THERE = (337, 43)
"""A coin of the photograph "coins" of scikit-image, which has 384 x 303 pixels."""


class Person:
    """Touches what is offered, one thing after the other, and nothing else.

    Args:
        window: a `Window` of a device with touch.
    """

    def __init__(self, window):
        self.window, self.page, self.fingers, self.taps = window, window.page, Fingers(window), 0

    def press(self, selector):
        """Touches a button in its middle; it is large enough, and nothing lies over it."""
        button = self.page.locator(selector).locator("visible=true").first
        button.wait_for()
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= LEAST - 4, (selector, box)
        at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        assert button.evaluate("(each, [x, y]) => each.contains(document.elementFromPoint(x, y))", at), selector
        self.taps += 1
        self.fingers.tap(at)

    def opens(self, name, picture, selector='[aria-label="Open an image"]'):
        """Chooses a photograph."""
        with self.page.expect_file_chooser() as choosing:
            self.press(selector)
        choosing.value.set_files([{"name": name, "mimeType": "image/png", "buffer": png(picture)}])

    def hint(self):
        """The next step, as the page says it."""
        return self.page.locator('[data-dd="guide"]:visible').text_content()

    def tap(self, point):
        """Touches a place of the image."""
        self.taps += 1
        self.fingers.tap(self.window.at(point))
        return self.window.selected()

    def drag(self, point, offset):
        """Pulls what is at a place of the image."""
        self.taps += 1
        self.fingers.slide([self.window.at(point)], [self.window.at(np.add(point, offset))])

    def edits_and_downloads(self):
        """The primary button, twice; gives the job and the image of the file."""
        self.press('[data-dd="run"]')
        job = self.window.finished()
        assert job["state"] == "done"
        self.page.locator('[data-dd="split"]:visible').wait_for()
        name, file = self.window.downloaded(lambda: self.press('[data-dd="split"] .dd-primary'))
        assert name.endswith(".png")
        assert not self.page.locator('[data-dd="error"]').is_visible()
        return job, picture_of(file)


@pytest.fixture(params=SIZES)
def person(request, browser, demo):
    width, height = SIZES[request.param]
    device = {"viewport": {"width": width, "height": height}, "has_touch": True, "is_mobile": True}
    window = Window(browser, demo, device)
    window.open()
    yield Person(window)
    window.close()


def opened(person, name, picture):
    person.opens(f"{name}.png", picture)
    person.window.known(lambda doc: (doc["picture"] or {}).get("title") == f"{name}.png")
    person.page.wait_for_timeout(300)
    person.taps = 0


def test_moving_takes_four_taps(person):
    coins = np.repeat(data.coins()[..., None], 3, axis=2)
    opened(person, "coins", coins)
    assert not person.page.locator('[data-dd="pulse"]').is_visible()  # a ring points at things of drawn scenes alone
    assert person.hint() == "Tap an object, then drag it"
    thing, offset = (101, 56), (133, 37)
    zoom = person.window.zoom
    mask = person.window.mask(person.tap(thing))
    assert (
        iou(mask, np.hypot(*(np.indices(mask.shape)[::-1] - np.array(thing)[:, None, None])) < 21) > 0.7
    )  # about the coin
    assert person.hint() == "Now drag it"
    assert person.window.zoom == zoom  # the image stays under the finger
    person.drag(thing, offset)
    person.window.edit("move", lambda edit: edit["placing"]["offset"] == pytest.approx(offset, abs=2))
    assert person.hint() == "Now press Edit"
    _, made = person.edits_and_downloads()
    assert person.taps == 4
    rows, columns = slice(56 - 14, 56 + 15), slice(101 - 14, 101 + 15)
    goal = slice(rows.start + 37, rows.stop + 37), slice(columns.start + 133, columns.stop + 133)
    assert psnr(made[goal], coins[rows, columns]) > 20
    assert psnr(made[goal], coins[goal]) < 16


def test_removing_takes_four_taps(person):
    rocket = data.rocket()
    opened(person, "rocket", rocket)
    mask = person.window.mask(person.tap((321, 200)))
    person.press('[data-dd="context"] .dd-compact:has-text("Erase")')
    person.window.edit("remove")
    assert person.hint() == "Now press Edit"
    job, made = person.edits_and_downloads()
    assert person.taps == 4
    assert [edit["edit"] for edit in job["recipe"]["edits"]] == ["remove"]
    inside = mask > 0.5
    assert psnr(made[inside], rocket[inside]) < 20
    assert psnr(made[mask == 0], rocket[mask == 0]) > 30


def test_pasting_from_a_photograph(person):
    opened(person, "coffee", data.coffee())
    person.press('[data-dd="context"] .dd-compact:has-text("Paste")')
    person.opens("coins.png", np.repeat(data.coins()[..., None], 3, axis=2), ".dd-dialog .dd-primary")
    stage = person.page.locator(".dd-second canvas")
    stage.wait_for()
    person.page.wait_for_timeout(500)
    box = stage.bounding_box()
    zoom = min((box["width"] - 32) / 384, (box["height"] - 32) / 303)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    person.taps += 1
    person.fingers.tap((middle[0] + zoom * (THERE[0] - 192), middle[1] + zoom * (THERE[1] - 151.5)))
    person.page.locator(".dd-second .dd-primary:enabled").wait_for()
    person.fingers.tap((4, 4))  # beside the dialog: what was selected stays
    person.press(".dd-second .dd-primary")
    edit = person.window.edit("paste")
    assert person.hint() == "Drag it to its place, then press Edit"
    assert person.window.known(lambda doc: doc["chosen"] == edit["id"])
    centre = np.add(edit["selection"]["mask"]["centroid"], edit["placing"]["offset"])
    person.drag(centre, (-150, 60))
    person.window.edit("paste", lambda edit: edit["placing"]["offset"] != [0, 0])
    assert person.hint() == "Now press Edit"
    _, made = person.edits_and_downloads()
    assert person.taps == 7
    assert psnr(made, data.coffee()) < 35


def test_a_long_press_tells_what_a_button_is_called(person):
    tip = person.page.locator(".dd-tip")
    for label in ("Lasso", "Download"):
        button = person.page.locator(f'button[aria-label^="{label}"]:visible').first
        box = button.bounding_box()
        at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        person.fingers.tap(at, LONG)
        assert tip.text_content() == button.get_attribute("title")
        over = tip.bounding_box()
        size = person.page.viewport_size
        assert over["x"] >= 0 and over["x"] + over["width"] <= size["width"] and over["y"] >= 0
        assert person.page.locator(".dd-menu-list:popover-open").count() == 0
        assert (
            person.page.locator('[data-dd="tools"] [aria-pressed="true"]').get_attribute("aria-label")[:6] == "Select"
        )
    tip.wait_for(state="hidden")
    person.press('[data-dd="tools"] [aria-label^="Lasso"]')
    person.page.locator('[data-dd="tools"] [aria-label^="Lasso"][aria-pressed="true"]').wait_for()
