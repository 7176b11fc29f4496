"""Things whose masks are known, for masks.py, and simple ways of selecting them.

`outlines.json` holds outlines of things in photographs of the folder that the figures of the docs come from. They were
drawn by hand, with corners some ten pixels apart, and hit the true outline by one or two pixels of 224; small holes are
not in them. The photographs are ones in which GrabCut finds nothing clean.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.photos.catalog import build_catalog, photograph_of
from dragondiffusion.bench.photos.collection import HELD_OUT_FROM
from dragondiffusion.bench.photos.composites import Composites

OUTLINES = Path(__file__).with_name("outlines.json")
SETS = ("scenes", "composites", "photographs", "outlined")
Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Thing:
    """A thing in an image.

    Args:
        picture: RGB.
        mask: where it is.
    """

    picture: np.ndarray
    mask: np.ndarray

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The smallest box around it."""
        y, x = np.nonzero(self.mask)
        return int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1

    @property
    def everything(self) -> tuple[float, float, float, float]:
        """The box that asks for the subject of the image."""
        height, width = self.mask.shape
        return 0.02 * width, 0.02 * height, 0.98 * width, 0.98 * height

    def taps(self, count: int, rng: np.random.Generator) -> list[Point]:
        """Random points on it, at least three pixels or half of its depth inside."""
        depth = cv2.distanceTransform(np.pad(self.mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        ys, xs = np.nonzero(depth >= min(3.0, 0.5 * depth.max()))
        return [(float(xs[k]) + 0.5, float(ys[k]) + 0.5) for k in rng.choice(len(ys), count)]


def things(kind: str, count: int, tuning: bool, folder: Path | None, kept: Path | None) -> Iterator[Thing]:
    """Things of a set.

    Args:
        kind: one of `SETS`.
        count: how many at most.
        tuning: of tuning seeds, not of held-out ones.
        folder: of photographs; scenes need none.
        kept: what is found in them is kept here.
    """
    if kind == "scenes":
        yield from drawn(count, 7000 if tuning else 9000, (512, 512))
        return
    assert folder is not None
    assert kept is not None
    if kind == "outlined":
        yield from outlined(folder, tuning, count)
        return
    catalog = build_catalog(folder, kept, held_out=not tuning)
    if kind == "composites":
        source, first = Composites(catalog), 0 if tuning else HELD_OUT_FROM
        for seed in range(first, first + count):
            problem = source.problem("remove", seed)
            yield Thing(problem.before, problem.mask > 0.5)
        return
    for found in catalog.things[:count]:
        picture = photograph_of(found.path)
        assert found.alpha is not None
        with Image.open(found.alpha) as alpha:
            whole = alpha.convert("L").resize((picture.shape[1], picture.shape[0]), Image.Resampling.BICUBIC)
        yield Thing(picture, np.asarray(whole) > 127)


def drawn(count: int, first: int, size: tuple[int, int]) -> Iterator[Thing]:
    """Things of scenes of which at least 30 % is seen."""
    seed, made = first, 0
    while made < count:
        scene = S.render(S.sample([seed]), size)
        seed += 1
        picture = (scene.image[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        for seen, whole in zip(scene.masks[0].numpy() > 0.5, scene.whole[0].numpy() > 0.5, strict=True):
            if seen.sum() >= max(1, 0.3 * whole.sum()) and made < count:
                made += 1
                yield Thing(picture, seen)


def outlined(folder: Path, tuning: bool, count: int) -> Iterator[Thing]:
    """Things whose outlines were drawn by hand."""
    known = {name: entry for name, entry in json.loads(OUTLINES.read_text()).items() if entry["held"] != tuning}
    for name, entry in list(known.items())[:count]:
        picture = photograph_of(folder / name)
        mask = np.zeros(picture.shape[:2], np.uint8)
        corners = np.round((np.array(entry["outline"]) - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], 1, shift=4)
        yield Thing(picture, mask > 0)


def flooded(picture: np.ndarray, at: Point) -> np.ndarray:
    """What is coloured like a point, within 20 levels of each channel, and hangs together."""
    height, width = picture.shape[:2]
    found = np.zeros((height + 2, width + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    cv2.floodFill(picture.copy(), found, (int(at[0]), int(at[1])), 0, (20,) * 3, (20,) * 3, flags)
    return found[1:-1, 1:-1] > 0


def centre_cut(picture: np.ndarray) -> np.ndarray:
    """What GrabCut makes of the image but for 5 % on each side."""
    height, width = picture.shape[:2]
    x, y = max(2, round(0.05 * width)), max(2, round(0.05 * height))
    label = np.zeros((height, width), np.uint8)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(picture, label, (x, y, width - 2 * x, height - 2 * y), *models, 4, cv2.GC_INIT_WITH_RECT)
    return (label & 1) > 0


def largest_part(picture: np.ndarray) -> np.ndarray:
    """The largest part of what is lighter or darker than Otsu's threshold, whichever holds less of the border."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    light = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1] > 0
    rim = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
    labels, stats = cv2.connectedComponentsWithStats((light == (rim.mean() < 0.5)).astype(np.uint8), connectivity=4)[
        1:3
    ]
    areas = stats[1:, cv2.CC_STAT_AREA]
    return labels == areas.argmax() + 1 if len(areas) else np.zeros(labels.shape, bool)
