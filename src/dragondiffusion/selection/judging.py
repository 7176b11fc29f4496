"""How much a region looks like a thing: its border lies on edges, its colours are not those around it."""

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
WEIGHTS = np.array((1.0, -0.7, 1.0, 0.1, 0.3, -0.5, 0.5, -0.3, -0.5))
"""Of what `features` lists. Source: fitted on 100 things of scenes (seeds from 7000), rounded, checked on photographs;
benchmarks/masks.py measures them on others."""


def score(region: Cells, scene: LabImage) -> float:
    """How much a region looks like a thing; -inf where it is much too large or small."""
    found = features(region, scene)
    return -np.inf if found is None else float(found @ WEIGHTS)


def features(region: Cells, scene: LabImage) -> Float[np.ndarray, " 9"] | None:
    """What is seen of a region.

    Returns:
        How much of its border is on edges; how much is on none; contrast across it; logarithm of its share of the
        image; roundness; share of the image's border; how busy it is inside; share of its colours that are also
        around it; share of the colours around it that are also in it. None where it is much too large or small.
    """
    area, whole = int(region.sum()), region.size
    if area < SMALLEST or area > LARGEST * whole:
        return None
    frame = np.concatenate((region[0], region[-1], region[:, 0], region[:, -1])).mean()
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
        )
    )


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
