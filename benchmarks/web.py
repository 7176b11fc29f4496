"""What the web page takes: to answer, to preview, to cancel, to edit, also 24 megapixels; and its memory (Linux).

    python benchmarks/web.py [--edits 50] [--chromium /usr/bin/chromium]

Starts `dragondiffusion web` with the demo model. Times are those of a client on the same machine. The page needs
Playwright and a Chromium; without one its times are left out, with the reason.
"""

import argparse
import io
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from dragondiffusion.bench.demo import DemoCase, draw_case

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
WARM = 5
"""Edits before memory is looked at."""
ROUNDS = 10
"""Previews of each kind of edit."""
LARGE = (4000, 6000)
"""Height and width of the large photograph, pixels."""
SENSOR = 4.0
"""Standard deviation of its noise, of 255."""


class Visitor:
    """A session of a server."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=f"{url}api/", timeout=120)
        self.client.headers["X-Session"] = self.client.post("session").json()["session"]

    def post(self, path: str, **options: Any) -> httpx.Response:
        """The answer to a request that must succeed."""
        return self.client.post(path, **options).raise_for_status()

    def send(self, image: Image.Image) -> str:
        """Sends a picture; gives its name."""
        data = io.BytesIO()
        image.save(data, format="PNG")
        return self.post("pictures", content=data.getvalue()).json()["name"]

    def recipe(self, case: DemoCase, **more: Any) -> dict[str, Any]:
        """The recipe of a case, its pictures sent."""
        image = self.send(case.before)
        names = {"image": image, "prompt": case.caption, "recipe": 1}
        return names | {"edits": [self._edit(case, image)]} | more

    def _edit(self, case: DemoCase, image: str) -> dict[str, Any]:
        edit = case.edit
        kind = {"ReplaceAppearance": "appearance"}.get(type(edit).__name__, type(edit).__name__.lower())
        fields: dict[str, Any] = {"edit": kind}
        for name in edit.__dataclass_fields__:
            value = getattr(edit, name)
            if name in ("mask", "reference_mask", "image"):
                if value is not None:
                    fields[name] = self.send(_picture(value))
            elif isinstance(value, (int, float, bool, tuple, list, str)) and name != "pattern":
                fields[name] = value
        return {name: value for name, value in fields.items() if name not in ("flip",) or value}

    def job(self, recipe: dict[str, Any]) -> str:
        """Asks for an edit; gives its name."""
        return self.post("jobs", json={"recipe": recipe}).json()["id"]

    def states(self, job: str) -> Iterator[dict[str, Any]]:
        """What is told of a job."""
        with self.client.stream("GET", f"jobs/{job}/events") as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])

    def finished(self, job: str) -> dict[str, Any]:
        """A job after its end."""
        *_, last = self.states(job)
        if last["state"] != "done":
            raise RuntimeError(f"the edit is {last['state']}: {last['error']}")
        return last


def _picture(value: Any) -> Image.Image:
    if isinstance(value, Image.Image):
        return value
    values = np.asarray(value)
    return Image.fromarray(values if values.dtype == np.uint8 else np.uint8(np.rint(values.astype(np.float32) * 255)))


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """Context manager: the address and process of a server."""
    command = [sys.executable, "-m", "dragondiffusion", "web", "--port", "0", "--data", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    url = process.stderr.readline().split()[-1]
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        while httpx.get(f"{url}api/health").json()["status"] == "loading":
            time.sleep(0.1)
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def memory(process: int) -> float:
    """What a process holds in memory, MB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def timed(work: Callable[[], object]) -> float:
    """Seconds of some work."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def show_previews(visitor: Visitor) -> None:
    """Seconds of previews of 512x512 pictures by kind of edit, from request to answer."""
    everything: list[float] = []
    for kind in ("move", "rotate", "remove", "paste", "appearance", "drag", "landmarks"):
        recipe = visitor.recipe(draw_case(3, (512, 512), kind))
        visitor.post("previews", json={"recipe": recipe})
        spent = [timed(lambda r=recipe: visitor.post("previews", json={"recipe": r})) for _ in range(ROUNDS)]
        everything += spent
        print(
            f"preview of {kind}, 512x512: median {1e3 * statistics.median(spent):.0f} ms, most {1e3 * max(spent):.0f}"
        )
    print(f"all previews: median {1e3 * statistics.median(everything):.0f} ms, most {1e3 * max(everything):.0f} ms")


def large_photograph() -> bytes:
    """A JPEG of 24 megapixels: one of scikit-image's photographs enlarged, with the noise of a camera."""
    from skimage import data

    image = Image.fromarray(data.coffee()).resize(LARGE[::-1], Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, SENSOR, (*LARGE, 1)).astype(np.float32)
    pixels, file = np.asarray(image) + noise, io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, format="JPEG", quality=92)
    return file.getvalue()


def show_large(visitor: Visitor) -> None:
    """Seconds of what a person does with a large photograph; those that are done often, several times."""
    data, picture = large_photograph(), dict[str, Any]()

    def opened() -> None:
        picture.update(visitor.post("pictures", content=data).json())
        visitor.client.get(f"pictures/{picture['name']}/view", params={"side": 1600}).raise_for_status()

    def selected(at: list[float]) -> dict[str, Any]:
        mask = visitor.post("selections", json={"picture": picture["name"], "points": [at]}).json()["mask"]
        visitor.client.get(f"pictures/{mask['name']}/view", params={"side": 1600}).raise_for_status()
        return mask

    print(f"24 megapixels, {len(data) / 1e6:.0f} MB: open {timed(opened):.2f} s")
    places = [[2000.0 + 300 * k, 1600.0 + 100 * k] for k in range(ROUNDS)]
    spent = [timed(lambda at=at: selected(at)) for at in places]
    print(f"24 megapixels: select, median {statistics.median(spent):.2f} s, most {max(spent):.2f} s")
    mask = selected([3000.0, 2000.0])["name"]
    recipes = [
        {
            "recipe": 1,
            "image": picture["name"],
            "edits": [{"edit": "move", "mask": mask, "offset": [300 + 20 * k, 100]}],
        }
        for k in range(ROUNDS)
    ]
    spent = [timed(lambda r=r: visitor.post("previews", json={"recipe": r})) for r in recipes]
    print(f"24 megapixels: preview, median {1e3 * statistics.median(spent):.0f} ms, most {1e3 * max(spent):.0f} ms")
    begin, phases = time.perf_counter(), dict[str, float]()
    for state in visitor.states(visitor.job(recipes[0])):
        phases.setdefault(state["phase"] or "begun", time.perf_counter() - begin)
    shown = f"pictures/{state['result']['name']}/view"
    took = timed(lambda: visitor.client.get(shown, params={"side": 1600}).raise_for_status())
    begun = ", ".join(f"{phase} from {at:.1f}" for phase, at in phases.items() if phase != "begun")
    print(f"24 megapixels: edit {time.perf_counter() - begin - took:.1f} s ({begun}), its view {took:.2f} s")


def show_cancel(visitor: Visitor) -> None:
    """Seconds and steps from asking for a job's end to its end, in an edit that would take much longer."""
    steps = visitor.client.get("session").json()["limits"]["steps"]
    recipe = visitor.recipe(draw_case(6, (256, 256)), settings={"steps": steps, "proxy": False})
    for phase in ("invert", "edit"):
        job, asked, before, last = visitor.job(recipe), 0.0, 0, dict[str, Any]()
        for last in visitor.states(job):
            if not asked and last["phase"] == phase and 3 <= last["done"] < last["total"]:
                asked, before = time.perf_counter(), last["done"]
                visitor.post(f"jobs/{job}/cancel")
        if last["state"] != "cancelled":
            raise RuntimeError(f"cancel: the edit was {last['state']} before it could be cancelled; give it more steps")
        took, more = 1e3 * (time.perf_counter() - asked), last["done"] - before
        print(f"cancel in phase {phase!r}: {took:.0f} ms, {more} more of {last['total']} steps")


def show_memory(visitor: Visitor, process: int, edits: int) -> None:
    """Seconds of edits of ever new pictures and kinds, and how the server's memory grows with them."""
    kinds, spent, begin = ("move", "remove", "rotate", "paste", "drag"), list[float](), 0.0
    for k in range(WARM + edits):
        recipe = visitor.recipe(draw_case(100 + k, (256, 256), kinds[k % len(kinds)]))
        spent.append(timed(lambda r=recipe: visitor.finished(visitor.job(r))))
        if k + 1 == WARM:
            begin = memory(process)
    end = memory(process)
    spent = spent[WARM:]
    print(f"edit of a 256x256 scene: median {statistics.median(spent):.2f} s, most {max(spent):.2f} s")
    print(f"memory after {WARM} edits {begin:.0f} MB, after {edits} more {end:.0f} MB: {end - begin:+.0f} MB")


def show_page(url: str, chromium: str | None) -> None:
    """Seconds until the page answers a click, and from the click on Edit to the result."""
    if chromium is None:
        print("page: not measured, no Chromium was found; name one by --chromium")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for name in ("first visit", "second visit", "third visit"):
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            begin = time.perf_counter()
            page.goto(url)
            page.wait_for_selector("[data-dd=pulse]:not([hidden])")
            shown = time.perf_counter() - begin
            box = page.locator("[data-dd=pulse]").bounding_box()
            assert box is not None
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            page.mouse.click(x, y)
            page.wait_for_function("document.querySelector('[data-dd=status]').textContent.startsWith('Selected')")
            selected = time.perf_counter() - begin
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x - 60, y - 10, steps=6)
            page.mouse.up()
            page.wait_for_function("!document.querySelector('[data-dd=run]').disabled")
            begin = time.perf_counter()
            page.locator("[data-dd=run]").click()
            page.wait_for_function("document.querySelector('[data-dd=status]').textContent.startsWith('Done')")
            took = time.perf_counter() - begin
            print(f"page, {name}: ready {shown:.2f} s, thing selected {selected:.2f} s; Edit to result {took:.2f} s")
        browser.close()


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=50, help="edits over which memory is looked at")
    found = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    parser.add_argument("--chromium", default=found, help="the browser; by default the one on the PATH")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as (url, process):
        visitor = Visitor(url)
        show_page(url, options.chromium)
        show_previews(visitor)
        show_large(Visitor(url))
        show_cancel(visitor)
        show_memory(visitor, process, options.edits)


if __name__ == "__main__":
    main()
