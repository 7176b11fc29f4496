"""A browser at the page: what a visitor does there, and what can be asked afterwards."""

import io
import json
import shutil
import time
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from PIL import Image

from .visitor import Visitor

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
MARGIN, PADDING, STEM = 16, 8, 34
"""CSS pixels around the fitted image, from an object to its frame, from there to the handle to rotate."""

LAYOUT = """() => {
  const box = document.querySelector('[data-dd="stage"]');
  const {left, top, width, height} = box.getBoundingClientRect();
  const style = getComputedStyle(box);
  const inset = (side) => parseFloat(style.getPropertyValue(`--dd-inset-${side}`)) || 0;
  return {left, top, width, height, above: inset("top"), below: inset("bottom")};
}"""
DROP = """([name, type, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, {type}));
  const zone = document.querySelector('[data-dd="app"]');
  for (const event of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(event, {dataTransfer, bubbles: true, cancelable: true}));
  }
}"""


@contextmanager
def chromium():
    """A headless Chromium; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no chromium or google-chrome in PATH")
    with playwright.sync_playwright() as playing:
        browser = playing.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


def until(ask, seconds=20.0, every=0.03):
    """What `ask` gives once that is something."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(every)
    return answer


def psnr(one, other):
    """Of two images, dB."""
    error = np.mean((np.asarray(one, dtype=float) - np.asarray(other, dtype=float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def picture_of(data):
    """RGB pixels of a file's bytes."""
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def iou(one, other):
    """Intersection over union of two masks."""
    one, other = one > 0.5, other > 0.5
    return float((one & other).sum() / (one | other).sum())


def innermost(mask):
    """The point of a mask that is farthest from its border."""
    deep = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(deep.argmax(), deep.shape)
    return float(x) + 0.5, float(y) + 0.5


class Window:
    """One window with the page, of a visitor with a store of their own.

    Args:
        browser: of playwright.
        server: a `Server`.
        device: options of the browser's context.
    """

    def __init__(self, browser, server, device=None, **options):
        self.server = server
        self.context = browser.new_context(**(device or DESK), **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.excused = ()  # parts of what the console may say
        self.complaints = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._asked)
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def _heard(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def _asked(self, request):
        if not request.url.startswith((self.server.url, "blob:", "data:")):
            self.complaints.append(f"asks another host: {request.url}")

    def close(self):
        """Ends it; nothing may have gone wrong."""
        self.context.close()
        left = [each for each in self.complaints if not any(part in each for part in self.excused)]
        assert not left, left

    def open(self):
        """Goes to the page; gives the seconds until a scene can be tapped."""
        begin = time.monotonic()
        self.page.goto(self.server.url)
        self.page.wait_for_selector('[data-ready="true"]')
        return time.monotonic() - begin

    # What the page knows, as it keeps it for a reload, and what the server knows.

    @property
    def doc(self):
        saved = json.loads(self.page.evaluate("sessionStorage['dragondiffusion-page'] ?? 'null'")) or {}
        return saved.get("history", {}).get("present")

    @property
    def visitor(self):
        return Visitor(self.server.client, self.page.evaluate("sessionStorage['dragondiffusion-session']"))

    @property
    def jobs(self):
        return self.visitor.get("session").json()["jobs"]

    def known(self, test, seconds=20.0):
        """The document once it is as a test wants it."""

        def ask():
            doc = self.doc
            return doc if doc is not None and test(doc) else None

        return until(ask, seconds)

    def opened(self):
        """The image that is open."""
        return self.known(lambda doc: doc["picture"])["picture"]

    def selected(self, test=lambda selection: True):
        """The free selection."""
        return self.known(lambda doc: doc["selection"] and test(doc["selection"]))["selection"]

    def edit(self, kind, test=lambda edit: True):
        """The last edit of a kind."""

        def last(doc):
            return next((edit for edit in reversed(doc["edits"]) if edit["kind"] == kind and test(edit)), None)

        return last(self.known(last))

    def mask(self, selection):
        """The pixels of a selection's mask, between 0 and 1."""
        data = self.visitor.get(f"pictures/{selection['mask']['name']}").content
        return np.array(Image.open(io.BytesIO(data)).convert("L")) / 255

    def finished(self, count=1, seconds=60.0):
        """The newest job, once there are that many and all are over."""
        over = ("done", "failed", "cancelled", "interrupted")

        def ask():
            jobs = self.jobs
            return jobs[-1] if len(jobs) >= count and all(job["state"] in over for job in jobs) else None

        return until(ask, seconds, 0.1)

    def result(self, job):
        """The bytes of a job's PNG."""
        return self.visitor.get(f"jobs/{job['id']}/result").content

    # Positions on the screen. The image is fitted unless the view was zoomed.

    @property
    def zoom(self):
        return self._view()[0]

    def _view(self):
        layout, picture = self.page.evaluate(LAYOUT), self.opened()
        height = layout["height"] - layout["above"] - layout["below"]
        above = layout["above"]
        if height < layout["height"] / 2:
            above, height = 0, layout["height"]
        room = max(layout["width"] - 2 * MARGIN, 1), max(height - 2 * MARGIN, 1)
        zoom = min(room[0] / picture["width"], room[1] / picture["height"], 16)
        left = layout["left"] + (layout["width"] - zoom * picture["width"]) / 2
        return zoom, left, layout["top"] + above + (height - zoom * picture["height"]) / 2

    def at(self, point):
        """Where a point of the image is on the screen, whole CSS pixels."""
        zoom, left, top = self._view()
        return round(left + zoom * point[0]), round(top + zoom * point[1])

    def corner(self, mask, placing, name):
        """Where a handle of an unturned object is: "se", or "rotate"."""
        x0, y0, x1, y1 = mask["box"]
        (x, y), (dx, dy), (sx, sy) = mask["centroid"], placing["offset"], placing["scale"]
        left, top = x + dx + sx * (x0 - x), y + dy + sy * (y0 - y)
        right, bottom = x + dx + sx * (x1 - x), y + dy + sy * (y1 - y)
        if name == "se":
            across, down = self.at((right, bottom))
            return across + PADDING, down + PADDING
        across, down = self.at(((left + right) / 2, top))
        return across, down - PADDING - STEM

    # What hands do.

    def press(self, label):
        """A button by the start of its name."""
        self.page.locator(f'button[aria-label^="{label}"]:visible').first.click()

    def choose(self, words):
        """A button by its words."""
        self.page.get_by_text(words, exact=True).locator("visible=true").first.click()

    def menu(self, label, words):
        """An item of a menu."""
        self.press(label)
        self.choose(words)

    def tap(self, point, *keys):
        """Clicks on a point of the image, with keys held."""
        self.page.locator("canvas.dd-stage").first.click(
            position=self._within(point), modifiers=list(keys) if keys else None
        )

    def _within(self, point):
        left, top = (self.page.evaluate(LAYOUT)[name] for name in ("left", "top"))
        x, y = self.at(point)
        return {"x": x - left, "y": y - top}

    def pull(self, start, end, *keys, steps=8):
        """Presses at one place of the screen and releases at another."""
        mouse = self.page.mouse
        for key in keys:
            self.page.keyboard.down(key)
        mouse.move(*start)
        mouse.down()
        mouse.move(*end, steps=steps)
        mouse.up()
        for key in keys:
            self.page.keyboard.up(key)

    def carry(self, point, offset, *keys):
        """Drags from a point of the image; gives the offset that this means for whole pixels of the screen."""
        start = self.at(point)
        end = self.at((point[0] + offset[0], point[1] + offset[1]))
        self.pull(start, end, *keys)
        return [round((b - a) / self.zoom, 1) for a, b in zip(start, end, strict=True)]

    def paint(self, points):
        """Draws along points of the image."""
        mouse = self.page.mouse
        mouse.move(*self.at(points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(point), steps=4)
        mouse.up()

    def drop(self, name, data, kind="image/png"):
        """Drops a file onto the page."""
        import base64

        self.page.evaluate(DROP, [name, kind, base64.b64encode(data).decode()])

    def downloaded(self, act):
        """The name and the bytes of the file that an action hands out."""
        with self.page.expect_download() as waiting:
            act()
        return waiting.value.suggested_filename, waiting.value.path().read_bytes()

    def said(self, part, seconds=20.0):
        """Waits for words in the status line."""
        status = self.page.locator('[data-dd="status"]')
        until(lambda: part in (status.text_content() or ""), seconds)
