"""How likely each of many regions is what a tap means, or the subject of the image: a small network's opinion.

`ranking.json` holds its weights. `python training/ranking.py` fits them, so that the region chosen overlaps most with
the thing, on composites of tuning seeds, tuning photographs, photographs with outlines drawn by hand, and scenes, some
of them cropped so that the thing reaches the image's border. benchmarks/masks.py measures them on others.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from .judging import SHARP, agreement, features, overlaps
from .regions import Cells, LabImage, Pixel, grown

WEIGHTS = Path(__file__).with_name("ranking.json")
NAMES = (
    *("on edges", "on no edge", "contrast", "share", "roundness", "frame", "busy", "inside also around"),
    *("around also inside", "solidity", "sides beyond two", "reached", "surroundings reached", "sides", "depth"),
    *("off centre", "ruggedness", "holes", "busier", "off the tap", "elongation", "filling", "agreement", "same"),
)
"""What is seen of a region: `judging.features`, `_placed`, `judging.agreement`."""
VISIBLE = 0.05
"""What a border has at least of edges or of contrast, see `judging.features`; others divide nothing."""
MARGIN = 10
"""How far around a region one looks, pixels."""
ROUNDED = 0.06
"""Standard deviation of the filter whose result has a smooth outline, in square roots of areas."""
ALIKE = 0.85
"""Intersection over union from which on two regions are as good as the same."""


def likelihoods(found: Sequence[Cells], scene: LabImage, at: Pixel | None) -> Float[np.ndarray, " _"]:
    """Logarithms, up to a constant, of how likely regions are what is meant; -inf if much too large or small.

    Args:
        found: regions.
        scene: where they are.
        at: the place of a tap that they hold; None asks for the subject of the image.
    """
    usable, values = seen(found, scene, at)
    result = np.full(len(found), -np.inf)
    if usable:
        first, offset, last = _network("subject" if at is None else "tap")
        result[usable] = np.tanh(values @ first + offset) @ last
    return result


def seen(found: Sequence[Cells], scene: LabImage, at: Pixel | None) -> tuple[list[int], Float[np.ndarray, "n m"]]:
    """What is seen of regions; see `likelihoods`.

    Returns:
        Places of those that are neither much too large nor too small, nor without a border that is seen;
        what `NAMES` lists, of each of them.
    """
    rows: dict[int, tuple[float, ...]] = {}
    for k, region in enumerate(found):
        values = features(region, scene)
        if values is not None and max(values[0], values[2]) > VISIBLE:
            rows[k] = (*values.tolist(), *_placed(region, scene, at))
    if not rows:
        return [], np.zeros((0, len(NAMES)))
    return list(rows), np.concatenate((np.array(list(rows.values())), agreement([found[k] for k in rows])), 1)


def certainty(found: Sequence[Cells], likely: Float[np.ndarray, " _"]) -> float:
    """Share of the likelihood of all regions that the likeliest has, with all that are as good as the same."""
    usable = np.isfinite(likely)
    if not usable.any():
        return 1.0
    kept = [region for region, good in zip(found, usable, strict=True) if good]
    share = np.exp(likely[usable] - likely[usable].max())
    return float(share[overlaps(kept)[int(share.argmax())] > ALIKE].sum() / share.sum())


@cache
def _network(name: str) -> tuple[Float[np.ndarray, "n m"], Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """Weights of the first layer, its offset, and weights of the second."""
    known = json.loads(WEIGHTS.read_text(encoding="utf-8"))[name]
    return np.array(list(known["inputs"].values())), np.array(known["offset"]), np.array(known["output"])


def _placed(region: Cells, scene: LabImage, at: Pixel | None) -> tuple[float, ...]:
    """What is seen of a region's place and outline.

    Returns:
        How easily the image's border reaches it, and its surroundings; borders of the image that it touches; depth of
        the tap in it, relative to the deepest place, or without a tap depth of that, relative to the root of the area;
        distance of its middle from the image's, in sides; length of its outline relative to a smooth one; area
        of its holes relative to its own; how much busier it is than its surroundings; distance of the tap from its
        middle, in roots of the area; square of the logarithm of its box's sides' ratio; share of its box that it fills.
    """
    height, width = region.shape
    ys, xs = np.nonzero(region)
    area, middle = len(ys), (xs.mean(), ys.mean())
    top, bottom, left, right = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
    rows, columns = slice(max(0, top - MARGIN), bottom + MARGIN), slice(max(0, left - MARGIN), right + MARGIN)
    part = region[rows, columns]
    ring = grown(part, 7) & ~grown(part, 2)
    reached, busy = scene.reached[rows, columns], np.minimum(1, scene.gradient[rows, columns] / SHARP)
    depths = cv2.distanceTransform(np.pad(part.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    if at is None:
        depth, distance = depths.max() / np.sqrt(area), 0.0
    else:
        depth = depths[at[1] - rows.start, at[0] - columns.start] / depths.max()
        distance = np.hypot(at[0] - middle[0], at[1] - middle[1]) / np.sqrt(area)
    return (
        float(reached[part].mean()),
        float(reached[ring].mean()) if ring.any() else 0.0,
        sum(bool(side.any()) for side in (region[0], region[-1], region[:, 0], region[:, -1])),
        float(depth),
        float(np.hypot(middle[1] / height - 0.5, middle[0] / width - 0.5)),
        _ruggedness(part, area),
        min(1.0, _holes(part, area)),
        float(busy[part].mean() - (busy[ring].mean() if ring.any() else 0.0)),
        float(distance),
        float(np.log((bottom - top) / (right - left)) ** 2),
        area / float((bottom - top) * (right - left)),
    )


def _ruggedness(part: Cells, area: int) -> float:
    """Length of an outline relative to that after a Gaussian filter, at most 3."""
    smooth = cv2.GaussianBlur(part.astype(np.float32), (0, 0), max(1.0, ROUNDED * np.sqrt(area))) > 0.5
    return min(3.0, _outline(part) / max(1, _outline(smooth)))


def _outline(part: Cells) -> int:
    """Pixels of a region that lie on its border."""
    inside = part.astype(np.uint8)
    return int((inside != cv2.erode(inside, np.ones((3, 3), np.uint8))).sum())


def _holes(part: Cells, area: int) -> float:
    """Area of the holes of a region relative to its own."""
    outlines = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    whole = np.zeros(part.shape, np.uint8)
    cv2.drawContours(whole, outlines, -1, 1, -1)
    return float(whole.sum() - area) / area
