"""A thing's mask from clicks without a network: the best of many regions, cut along edges by GrabCut.

Source: C. Rother, V. Kolmogorov, A. Blake, "GrabCut", SIGGRAPH 2004, as OpenCV has it. It needs a first guess that is
nearly right; `regions` and `judging` find it.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ..core.stopping import go_on
from ..imaging.files import Pixels
from .borders import refined
from .clicks import Clicks
from .judging import score
from .regions import Cells, LabImage, Pixel, filled, grown, regions, shrunk, unlike_rim

SIDE = 256
"""Longer side of the copy on which regions are looked for, pixels. Source: chosen, a fifth of a second on one core."""
ROUNDS = 2
"""Iterations of GrabCut."""
SEED = 2
"""Radius of what a click is sure of, pixels of the copy."""
BAND = 4
"""Distance from the guess's border up to which GrabCut decides, pixels of the copy."""
AROUND = 0.25
"""How much of the surroundings of a box is looked at, in its sides."""
STARTS = ((2, 2), (1, 2), (3, 2), (2, 1), (2, 3))
"""Places in a box where the thing may be clicked, in quarters of its sides."""
TIGHT = 3.0
"""Weight of how much of a box a region takes, beside what `judging.score` weighs. Source: chosen on scenes."""


def cut_out(picture: Pixels, clicks: Clicks) -> Float[np.ndarray, "_ _"]:
    """The mask of a thing, with a soft border.

    Args:
        picture: RGB.
        clicks: where it is; inside of the image.

    Returns:
        Values in [0, 1], (height, width).

    Raises:
        ValueError: if nothing is found there.
    """
    factor = min(1.0, SIDE / max(picture.shape[:2]))
    small = picture
    if factor < 1:
        height, width = (max(1, round(side * factor)) for side in picture.shape[:2])
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    region = find_region(LabImage.of(small), clicks.scaled(factor))
    if region is None:
        raise ValueError("nothing stands out there; click on another part of the thing or draw a box around it")
    return refined(region, picture)


def find_region(scene: LabImage, clicks: Clicks) -> Cells | None:
    """The thing that clicks mean in a small image; None if nothing stands out."""
    size = scene.gradient.shape
    points, outside = (_pixels(listed, size) for listed in (clicks.points, clicks.outside))
    allowed = _inside(clicks.box, size)
    starts = [list(regions(scene, at)) for at in points] or [list(_in_box(scene, clicks))]
    guess = _guessed([list(_allowed(found, allowed, outside)) for found in starts], points, scene, clicks, allowed)
    if guess is None:
        return None
    return _cut(guess, scene, points, outside, allowed)


def _pixels(points: Iterable[tuple[float, float]], size: tuple[int, ...]) -> list[Pixel]:
    return [(min(int(x), size[1] - 1), min(int(y), size[0] - 1)) for x, y in points]


def _inside(box: tuple[float, float, float, float] | None, size: tuple[int, ...]) -> Cells:
    """Pixels that a box allows."""
    if box is None:
        return np.ones(size, bool)
    allowed = np.zeros(size, bool)
    x0, y0, x1, y1 = box
    allowed[max(0, int(y0)) : int(np.ceil(y1)), max(0, int(x0)) : int(np.ceil(x1))] = True
    return allowed


def _allowed(found: Iterable[Cells], allowed: Cells, outside: list[Pixel]) -> Iterator[Cells]:
    """Regions within a box that do not hold what is outside."""
    for region in found:
        go_on()
        if not any(region[y, x] for x, y in outside):
            yield region & allowed


def _best(found: Iterable[Cells], scene: LabImage, box: Cells | None = None) -> Cells | None:
    """The region that looks most like a thing; it had better reach to the sides of the box, if there is one."""
    different = {region.tobytes(): region for region in found}.values()
    scored = [(score(region, scene) + (TIGHT * _reach(region, box)), region) for region in different]
    best, region = max(scored, key=lambda pair: pair[0], default=(-np.inf, None))
    return region if best > -np.inf else None


def _reach(region: Cells, box: Cells | None) -> float:
    """Share of a box that the smallest box around a region takes."""
    if box is None or not region.any():
        return 0.0
    sides = [np.flatnonzero(region.any(axis)) for axis in (0, 1)]
    width, height = (int(v[-1] - v[0]) + 1 for v in sides)
    return width * height / int(box.sum())


def _guessed(
    starts: list[list[Cells]], points: list[Pixel], scene: LabImage, clicks: Clicks, allowed: Cells
) -> Cells | None:
    """The best region that holds all points, or the best ones of each together, whichever looks more like a thing."""
    box = None if clicks.box is None else allowed
    each = [best for found in starts if (best := _best(found, scene, box)) is not None]
    if not each:
        return None
    whole = [region for found in starts for region in found if all(region[y, x] for x, y in points)]
    return _best([*whole, np.logical_or.reduce(each)], scene, box)


def _in_box(scene: LabImage, clicks: Clicks) -> Iterator[Cells]:
    """What may be meant by a box: what is unlike its surroundings, or the ellipse in it."""
    assert clicks.box is not None
    height, width = scene.gradient.shape
    x0, y0, x1, y1 = clicks.box
    rim = max(2, round(AROUND * min(x1 - x0, y1 - y0)))
    left, top = max(0, int(x0) - rim), max(0, int(y0) - rim)
    right, bottom = min(width, int(np.ceil(x1)) + rim), min(height, int(np.ceil(y1)) + rim)
    allowed = _inside(clicks.box, (height, width))
    for inside in unlike_rim(scene.lab[top:bottom, left:right], rim):
        whole = np.zeros((height, width), bool)
        whole[top:bottom, left:right] = inside
        opened = cv2.morphologyEx((whole & allowed).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        labels, stats = cv2.connectedComponentsWithStats(opened, connectivity=4)[1:3]
        large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] > 0.1 * stats[1:, cv2.CC_STAT_AREA].max(initial=1)) + 1
        yield np.isin(labels, large)
        yield filled(np.isin(labels, large))
    for at in _pixels([(x0 + (x1 - x0) * i / 4, y0 + (y1 - y0) * j / 4) for i, j in STARTS], (height, width)):
        yield from regions(scene, at)
    ellipse = np.zeros((height, width), np.uint8)
    middle, axes = ((x0 + x1) / 2, (y0 + y1) / 2), (x1 - x0, y1 - y0)
    yield (cv2.ellipse(ellipse, (middle, axes, 0.0), 1, -1) > 0) & allowed


def _cut(guess: Cells, scene: LabImage, points: list[Pixel], outside: list[Pixel], allowed: Cells) -> Cells:
    """A guess cut along edges, if that looks better or the guess goes against a click."""
    label = np.full(guess.shape, cv2.GC_BGD, np.uint8)
    label[grown(guess, BAND)] = cv2.GC_PR_BGD
    label[guess] = cv2.GC_PR_FGD
    core = shrunk(guess, BAND)
    label[core] = cv2.GC_FGD if not any(core[y, x] for x, y in outside) else cv2.GC_PR_FGD
    label[~allowed] = cv2.GC_BGD
    for at, kind in (*((p, cv2.GC_FGD) for p in points), *((p, cv2.GC_BGD) for p in outside)):
        cv2.circle(label, at, SEED, kind, -1)
    cut = _grabcut(scene.rgb, label)
    if cut is None:
        return guess
    cut = _kept(cut, points)
    against = any(guess[y, x] for x, y in outside) or any(not guess[y, x] for x, y in points)
    return cut if against or score(cut, scene) >= score(guess, scene) else guess


def _grabcut(rgb: UInt8[np.ndarray, "_ _ 3"], label: UInt8[np.ndarray, "_ _"]) -> Cells | None:
    """What GrabCut makes of labelled pixels, in the part of the image that matters; None if one side is missing."""
    ys, xs = np.nonzero(label != cv2.GC_BGD)
    margin = 4 * BAND
    rows, columns = (slice(max(0, int(v.min()) - margin), int(v.max()) + margin + 1) for v in (ys, xs))
    part = np.ascontiguousarray(label[rows, columns])
    front = (part & 1) > 0
    if front.all() or not front.any():
        return None
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(rgb[rows, columns]), part, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    whole = np.zeros(label.shape, bool)
    whole[rows, columns] = (part & 1) > 0
    return whole


def _kept(region: Cells, points: list[Pixel]) -> Cells:
    """The parts of a region that hold a point; all of it, rid of specks, if there is none."""
    labels, stats = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=4)[1:3]
    if points:
        return np.isin(labels, [label for label in (labels[y, x] for x, y in points) if label])
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.isin(labels, np.flatnonzero(areas > 0.05 * areas.max(initial=1)) + 1)
