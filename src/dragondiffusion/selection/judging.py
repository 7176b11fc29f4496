"""How much regions look like things: by edges, colours, shape, and how many ways of looking find them."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float

from .regions import Cells, Lab, LabImage, grown, shrunk

SHARP, BLUNT = 12.0, 4.0
"""Gradients, units of Lab a pixel, from which on a border is on an edge and below which it is on none."""
CONTRAST = 25.0
"""Distance of the colours on both sides of a border that is as good as any."""
SAME = 6.0
"""Distance of colours up to which they count as one."""
SAMPLES = 150
MARGIN = 10
"""How far around a region one looks, pixels."""
LARGEST, SMALLEST = 0.85, 30
"""Regions have at most this share of the image, and at least so many pixels."""
FREE = 2
"""Borders of the image that a thing may touch without being taken for background."""
ALIKE = 0.95
"""Intersection over union from which on two regions are the same one, found in two ways."""
WEIGHTS = np.array((0.6, -0.3, -0.2, 0.1, -0.5, -0.5, 1.3, -0.9, -0.8, 1.2, -0.4, 1.7, 0.6))
"""Of what `features` and `agreement` list. Source: fitted on 40 things of scenes (seeds from 7000) and 50 of
composites of photographs (tuning seeds), so that the best region is chosen most often, and rounded; the share of the
image's border was left at -0.5, as composites have no things there. benchmarks/masks.py measures them on others."""


def scores(regions: Sequence[Cells], scene: LabImage, parts: Sequence[Cells] | None = None) -> Float[np.ndarray, " _"]:
    """How much each of several regions that a click may mean looks like a thing; -inf if much too large or small.

    Args:
        regions: what they are.
        scene: where they are.
        parts: what was found of each, where that is a part of it only; the more of them agree, the likelier they are.
    """
    found = [features(region, scene) for region in regions]
    usable = [k for k, values in enumerate(found) if values is not None]
    result = np.full(len(regions), -np.inf)
    if usable:
        own = np.array([found[k] for k in usable])
        agreed = agreement([(parts or regions)[k] for k in usable])
        result[usable] = np.concatenate((own, agreed), 1) @ WEIGHTS
    return result


def overlaps(regions: Sequence[Cells]) -> Float[np.ndarray, "n n"]:
    """Intersection over union of each region with each."""
    flat = np.array([region[::2, ::2].ravel() for region in regions], np.float32)
    common = flat @ flat.T
    area = np.diag(common)
    return common / np.maximum(1, area[:, None] + area - common)


def agreement(regions: Sequence[Cells]) -> Float[np.ndarray, "n 2"]:
    """Mean overlap of every region with all, and the share of them that are the same."""
    overlap = overlaps(regions)
    return np.stack((overlap.mean(1), (overlap > ALIKE).mean(1)), 1)


def features(region: Cells, scene: LabImage) -> Float[np.ndarray, " 11"] | None:
    """What is seen of a region.

    Returns:
        How much of its border is on edges; how much is on none; contrast across it; logarithm of its share of the
        image; roundness; share of the image's border; how busy it is inside; share of its colours that are also
        around it; share of the colours around it that are also in it; its share of its
        convex hull; borders of the image that it touches beyond `FREE`. None where it is much too large or small.
    """
    area, whole = int(region.sum()), region.size
    if area < SMALLEST or area > LARGEST * whole:
        return None
    sides = (region[0], region[-1], region[:, 0], region[:, -1])
    frame = np.concatenate(sides).mean()
    part = _around(region)
    region, gradient, lab = region[part], scene.gradient[part], scene.lab[part]
    inner = shrunk(region, 1)
    border = region & ~inner
    edges = cv2.dilate(gradient, np.ones((3, 3), np.uint8))[border]
    around = grown(region, 7) & ~grown(region, 3)
    busy = np.minimum(1, gradient[inner] / SHARP).mean() if inner.any() else 1.0
    return np.array(
        (
            np.minimum(1, edges / SHARP).mean(),
            (edges < BLUNT).mean(),
            _contrast(region, border, inner, lab),
            np.log(area / whole),
            min(1.0, 4 * np.pi * area / border.sum() ** 2),
            frame,
            busy,
            *_alike(lab[region], lab[around]),
            area / _hull(region),
            max(0, sum(bool(side.any()) for side in sides) - FREE),
        )
    )


def _hull(region: Cells) -> int:
    """Area of the convex hull, pixels."""
    outlines = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    hull = np.zeros(region.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(outlines)), 1)
    return int(hull.sum())


def _around(region: Cells) -> tuple[slice, slice]:
    """The window around a region that holds all that is looked at."""
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    return slice(max(0, rows[0] - MARGIN), rows[-1] + MARGIN + 1), slice(
        max(0, columns[0] - MARGIN), columns[-1] + MARGIN + 1
    )


def _contrast(region: Cells, border: Cells, inner: Cells, lab: Lab) -> float:
    """Mean distance, at most 1, of the colours on both sides of a border."""
    inside, beside = inner & ~shrunk(inner, 2), grown(region, 3) & ~grown(region, 1)
    (one, n), (other, m) = (_local_mean(lab, part) for part in (inside, beside))
    known = border & (n > 0.01) & (m > 0.01)
    if not known.any():
        return 0.0
    return float(np.minimum(1, np.linalg.norm(one[known] - other[known], axis=1) / CONTRAST).mean())


def _local_mean(lab: Lab, part: Cells) -> tuple[Lab, Float[np.ndarray, "_ _"]]:
    """Mean colour of a part near every pixel, and the share of the part there."""
    share = cv2.blur(part.astype(np.float32), (9, 9))
    return cv2.blur(lab * part[..., None], (9, 9)) / np.maximum(share, 1e-6)[..., None], share


def _alike(inside: Float[np.ndarray, "_ 3"], around: Float[np.ndarray, "_ 3"]) -> tuple[float, float]:
    """Shares of the colours of two sets that are also in the other."""
    if not len(around):
        return 1.0, 1.0
    one, other = (v[:: max(1, len(v) // SAMPLES)] for v in (inside, around))
    same = ((one[:, None] - other[None]) ** 2).sum(2) < SAME**2
    return float(same.any(1).mean()), float(same.any(0).mean())
