"""How well things whose masks are known are selected by taps, boxes, or as the subject, beside simple ways.

    python benchmarks/masks.py --sets scenes [--count 60] [--tuning]
    python benchmarks/masks.py --photographs FOLDER --kept FOLDER [--sets composites photographs outlined]
    python benchmarks/masks.py --large

Sets: things of drawn scenes; of composites of a folder's photographs, where masks are exact; of its photographs in
which GrabCut, started from a box of nearly the whole photograph, found something clean, which is easy for whatever
works like it; and of photographs in which it did not, with outlines drawn by hand (`outlines.json`, of one folder).
What is found in photographs is kept in the folder `--kept`. Held-out seeds and photographs are taken unless `--tuning`
is given; numbers of the selection are chosen on tuning ones. `--sheet` draws what the first tap and the subject select.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from mask_things import SETS, Point, Thing, centre_cut, drawn, flooded, largest_part, things
from PIL import Image

from dragondiffusion.selection import Candidates, Clicks, candidates, select

TAPPED, TAKEN = "one tap", "subject"


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def offered(picture: np.ndarray, clicks: Clicks) -> Candidates | None:
    """What is offered for clicks; None where nothing is found."""
    try:
        return candidates(picture, clicks)
    except ValueError:
        return None


def found(picture: np.ndarray, clicks: Clicks) -> np.ndarray:
    """The mask of clicks; empty where nothing is found."""
    try:
        return select(picture, clicks).mask.numpy() > 0.5
    except ValueError:
        return np.zeros(picture.shape[:2], bool)


def corrected(thing: Thing, at: Point, first: np.ndarray) -> np.ndarray:
    """The mask after a second tap, in the middle of the larger mistake of the first."""
    wrong = max((thing.mask & ~first, first & ~thing.mask), key=lambda v: v.sum())
    if not wrong.any():
        return first
    depth = cv2.distanceTransform(np.pad(wrong.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), wrong.shape)
    second = float(x) + 0.5, float(y) + 0.5
    return found(thing.picture, Clicks((at, second)) if thing.mask[y, x] else Clicks((at,), outside=(second,)))


class Table:
    """Intersections over union of ways, and the time that they take."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = defaultdict(list)
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, way: str, thing: Thing, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Measures a way."""
        begin = time.process_time()
        mask = make()
        self.seconds[way].append(time.process_time() - begin)
        self.values[way].append(iou(mask, thing.mask))
        return mask

    def offer(self, way: str, thing: Thing, clicks: Clicks) -> np.ndarray:
        """Measures what is chosen for clicks, and the best of what is offered."""
        got: list[Candidates | None] = []

        def make() -> np.ndarray:
            got.append(offered(thing.picture, clicks))
            return np.zeros(thing.mask.shape, bool) if got[0] is None else got[0].chosen.mask.numpy() > 0.5

        mask = self.add(way, thing, make)
        others = [] if got[0] is None else [one.mask.numpy() > 0.5 for one in got[0].selections]
        best = max((iou(one, thing.mask) for one in others), default=0.0)
        self.values[f"{way}, best of those offered"].append(best)
        return mask

    def show(self, title: str, count: int) -> None:
        """Prints it, for the docs."""
        print(f"\n| {title}: {count} things | mean | median | at least 0.8 | CPU s |\n|---|---|---|---|---|")
        for way, values in self.values.items():
            seconds = f"{np.mean(self.seconds[way]):.2f}" if way in self.seconds else ""
            print(
                f"| {way} | {np.mean(values):.3f} | {np.median(values):.3f} | {np.mean(np.array(values) >= 0.8):.0%} | "
                f"{seconds} |",
                flush=True,
            )


def measure(table: Table, thing: Thing, taps: list[Point], brief: bool) -> tuple[np.ndarray, np.ndarray]:
    """All ways with one thing; what the first tap and the subject are."""
    first = [table.offer(TAPPED, thing, Clicks((at,))) for at in taps]
    if not brief:
        table.add("a second tap on the larger mistake", thing, lambda: corrected(thing, taps[0], first[0]))
        table.add("a box", thing, lambda: found(thing.picture, Clicks(box=thing.box)))
    subject = table.offer(TAKEN, thing, Clicks(box=thing.everything))
    for at in taps:
        table.add("simple: flood fill by colour from the tap", thing, lambda at=at: flooded(thing.picture, at))
    table.add("simple: GrabCut from a centred box", thing, lambda: centre_cut(thing.picture))
    table.add("simple: largest part by Otsu's threshold", thing, lambda: largest_part(thing.picture))
    return first[0], subject


def overlay(thing: Thing, masks: tuple[np.ndarray, np.ndarray], at: Point) -> np.ndarray:
    """An image of 400 pixels: as it is, what a tap selects, what the subject is."""
    factor = 400 / max(thing.mask.shape)
    parts = []
    for mask in (thing.mask, *masks):
        dark = np.where(mask[..., None], thing.picture, thing.picture // 4 + np.array((60, 0, 60), np.uint8))
        part = cv2.resize(dark, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
        cv2.circle(part, (int(at[0] * factor), int(at[1] * factor)), 4, (0, 255, 0), -1)
        parts.append(np.pad(part, ((0, 400 - part.shape[0]), (0, 404 - part.shape[1]), (0, 0))))
    return np.concatenate(parts, 1)


def main() -> None:
    """Prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=None)
    parser.add_argument("--count", type=int, default=60, help="things of each set at most")
    parser.add_argument("--taps", type=int, default=3, help="random points on each thing")
    parser.add_argument("--tuning", action="store_true", help="tuning seeds and photographs, not held-out ones")
    parser.add_argument("--brief", action="store_true", help="neither second taps nor boxes")
    parser.add_argument("--large", action="store_true", help="time 24 megapixels instead")
    parser.add_argument("--photographs", type=Path, help="a folder of photographs")
    parser.add_argument("--kept", type=Path, help="folder in which is kept what was found in them")
    parser.add_argument("--sheet", type=Path, help="a picture of the first 24 things of each set, SET-NAME")
    given = parser.parse_args()
    sets = given.sets or (SETS[1:] if given.photographs else SETS[:1])
    if set(sets) - {"scenes"} and not (given.photographs and given.kept):
        parser.error(f"--sets {' '.join(sets)} needs --photographs FOLDER and --kept FOLDER")
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    if given.large:
        thing, table = next(drawn(1, 9000, (4000, 6000))), Table()
        table.add(TAPPED, thing, lambda: found(thing.picture, Clicks((thing.taps(1, rng)[0],))))
        table.show("6000x4000", 1)
        return
    for kind in sets:
        table, sheet, count = Table(), [], 0
        for thing in things(kind, given.count, given.tuning, given.photographs, given.kept):
            taps, count = thing.taps(given.taps, rng), count + 1
            masks = measure(table, thing, taps, given.brief)
            if given.sheet and len(sheet) < 24:
                sheet.append(overlay(thing, masks, taps[0]))
        table.show(f"{kind}{', tuning' if given.tuning else ''}", count)
        if sheet:
            rows = [np.concatenate(sheet[k : k + 2], 1) for k in range(0, len(sheet) - 1, 2)]
            Image.fromarray(np.concatenate(rows)).save(given.sheet.with_name(f"{kind}-{given.sheet.name}"))


if __name__ == "__main__":
    main()
