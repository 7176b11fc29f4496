"""Images and an animation of the page for the docs, taken from real edits with the demo model.

python -m tests.web.capture docs/images
"""

import argparse
import io
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from .browser import PHONE, Window, chromium
from .process import Server
from .visitor import png

THING, OFFSET = (101, 56), (133, 37)
"""Of the photograph "coins" of scikit-image: a point of a coin, and how far that is moved, pixels."""
SMALL = {"viewport": {"width": 1000, "height": 640}}
WIDTH, RATE, COLOURS = 640, 10, 200
"""Of the animation: pixels, frames a second, colours."""
POINTER = """() => {
  const dot = document.createElement("div");
  dot.id = "capture-pointer";
  dot.style.cssText = "position:fixed;z-index:99;width:22px;height:22px;margin:-11px;border-radius:50%;" +
    "pointer-events:none;background:#ffffffb0;border:2px solid #222c;left:-50px;top:-50px";
  document.body.append(dot);
  const follow = (event) => Object.assign(dot.style, {left: event.clientX + "px", top: event.clientY + "px"});
  addEventListener("pointermove", follow, true);
  addEventListener("pointerdown", (event) => (follow(event), (dot.style.background = "#1d6fdcc0")), true);
  addEventListener("pointerup", () => (dot.style.background = "#ffffffb0"), true);
}"""


class Film:
    """Frames of a window with the times they were taken."""

    def __init__(self, page):
        self.page, self.frames = page, []

    def shoot(self):
        data = self.page.screenshot(type="png")
        self.frames.append((time.monotonic(), Image.open(io.BytesIO(data)).convert("RGB")))

    def roll(self, seconds):
        """Goes on for some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.shoot()
            self.page.wait_for_timeout(1000 / RATE / 2)

    def glide(self, start, end, steps=12):
        """The pointer goes from one place to another, with a frame at each step."""
        for k in range(1, steps + 1):
            share = (1 - np.cos(np.pi * k / steps)) / 2
            self.page.mouse.move(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
            self.page.wait_for_timeout(25)
            self.shoot()

    def write(self, path):
        """One palette for all, frames that are equal joined."""
        width, height = self.frames[0][1].size
        size = WIDTH, round(height * WIDTH / width)
        shown = [(moment, frame.resize(size, Image.Resampling.LANCZOS)) for moment, frame in self.frames]
        sheet = Image.new("RGB", (size[0], 4 * size[1]))
        for k in range(4):
            sheet.paste(shown[k * (len(shown) - 1) // 3][1], (0, k * size[1]))
        palette = sheet.quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
        times = [moment for moment, _ in shown]
        lasting = [round(1000 * min(b - a, 0.11)) for a, b in zip(times, [*times[1:], times[-1] + 0.1], strict=True)]
        lasting[-1] = 1500
        frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for _, frame in shown]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=lasting, loop=0, optimize=True)


def opened_with(browser, server, device):
    """A window in which the photograph is open."""
    window = Window(browser, server, device)
    window.open()
    window.drop("coins.png", png(data.coins()))
    window.choose("Open it instead")
    window.known(lambda doc: (doc["picture"] or {}).get("title") == "coins.png")
    window.page.wait_for_timeout(800)
    return window


def animation(browser, server, path):
    """Tap, drag, preview, Edit, live frames, result, slider."""
    window = opened_with(browser, server, SMALL)
    window.page.evaluate(POINTER)
    film, mouse = Film(window.page), window.page.mouse
    start = window.at(THING)
    mouse.move(start[0] - 180, start[1] + 60)
    film.roll(0.6)
    film.glide((start[0] - 180, start[1] + 60), start)
    mouse.down()
    film.shoot()
    mouse.up()
    window.selected()
    film.roll(0.5)
    mouse.down()
    end = window.at(tuple(np.add(THING, OFFSET)))
    film.glide(start, end, 16)
    mouse.up()
    film.roll(0.9)
    button = window.page.locator('[data-dd="run"]').bounding_box()
    target = button["x"] + button["width"] / 2, button["y"] + button["height"] / 2
    film.glide(end, target, 10)
    mouse.down()
    mouse.up()
    watched(window, film)
    film.roll(1.0)
    slider(window, film, target)
    film.write(path)
    window.close()


def watched(window, film):
    """The edit until its result is shown."""
    shown = window.page.locator('.dd-show[aria-pressed="true"]')
    deadline = time.monotonic() + 30
    while shown.count() == 0 and time.monotonic() < deadline:
        film.shoot()
    window.finished()


def slider(window, film, start):
    """The line between before and after goes left and right."""
    button = window.page.get_by_text("Before and after", exact=True).locator("visible=true").first.bounding_box()
    at = button["x"] + button["width"] / 2, button["y"] + button["height"] / 2
    film.glide(start, at, 8)
    window.page.mouse.down()
    window.page.mouse.up()
    film.roll(0.4)
    box = window.page.locator("canvas.dd-stage").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.45
    film.glide(at, middle, 6)
    window.page.mouse.down()
    film.glide(middle, (middle[0] + 150, middle[1]), 10)
    film.glide((middle[0] + 150, middle[1]), (middle[0] - 170, middle[1]), 16)
    window.page.mouse.up()
    film.roll(0.3)


def stills(browser, server, folder):
    """In the middle of a drag, and the result beside what was before."""
    window = opened_with(browser, server, None)
    window.tap(THING)
    window.selected()
    start, end = window.at(THING), window.at(tuple(np.add(THING, OFFSET)))
    window.page.mouse.move(*start)
    window.page.mouse.down()
    window.page.mouse.move(*end, steps=10)
    window.page.wait_for_timeout(300)
    window.page.screenshot(path=folder / "web-drag.png")
    window.page.mouse.up()
    window.said("This is a preview")
    window.choose("Edit")
    window.page.locator('.dd-show[aria-pressed="true"]').wait_for()
    window.page.wait_for_timeout(400)
    window.choose("Before and after")
    window.page.wait_for_timeout(500)
    window.page.screenshot(path=folder / "web-result.png")
    window.close()


def phone(browser, server, path):
    """The preview on a small screen."""
    window = opened_with(browser, server, PHONE)
    x, y = window.at(THING)
    window.page.touchscreen.tap(x, y)
    window.selected()
    window.carry(THING, OFFSET)
    window.said("This is a preview")
    window.page.wait_for_timeout(600)
    window.page.screenshot(path=path)
    window.close()


def main():
    """Takes all images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as name, chromium() as browser, Server(Path(name), threads=1) as server:
        stills(browser, server, folder)
        phone(browser, server, folder / "web-phone.png")
        animation(browser, server, folder / "web.gif")


if __name__ == "__main__":
    main()
