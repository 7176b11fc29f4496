"""Things cut out of photographs, and why others cannot be cut out.

Source: C. Rother, V. Kolmogorov, A. Blake, "GrabCut", SIGGRAPH 2004, as OpenCV has it, started from a centred box.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from skimage.color import deltaE_cie76, rgb2lab

from .arrays import Bytes, Image, Mask, Region, blurred, bounding_box, nearest, to_image

SIDE = 160
"""Longer side of the copy that is cut, pixels. Source: chosen; a fifth of a second on one core."""
MARGIN = 0.05
"""Distance of the centred box from the border of the photograph, as a share of its sides."""
ROUNDS = 4
"""Iterations of GrabCut."""
AREA = (0.03, 0.35)
"""Share of the photograph that a thing may take."""
SOLIDITY = 0.7
"""Least share of its convex hull that a thing fills: a compact one."""
RAGGED, SMOOTHING = 1.2, 4.0
"""Largest ratio of the outline of a thing to its outline after a Gaussian filter, and the standard deviation of that,
pixels of the copy. Beyond it lie parts of shelves and piles. Source: 124 cut-outs that were looked at."""
CONTRAST, CLEAR = 10.0, 0.88
"""Units of CIE76 between both sides of the border, and the share of the border that must have them."""
GAP = 2
"""Distance from the border at which its two sides are compared, pixels of the copy."""
LARGEST = 0.97
"""Least share of what was found that must hang together."""
SOFTNESS = 0.7
"""Standard deviation of the alpha's border, pixels of the copy."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """A thing that was cut out.

    Args:
        image: its colours, continued beyond its border, so that no colour of the old ground shows in soft edges.
        alpha: its soft mask, of the same size.
    """

    image: Image
    alpha: Mask

    def cropped(self, margin: int = 3) -> Cutout:
        """The part that holds the thing, and `margin` pixels around it."""
        left, top, right, bottom = bounding_box(self.alpha > 0)
        rows = slice(max(0, top - margin), bottom + margin)
        columns = slice(max(0, left - margin), right + margin)
        return Cutout(self.image[rows, columns], self.alpha[rows, columns])


def find_thing(photograph: Bytes) -> UInt8[np.ndarray, "_ _"] | str:
    """The alpha of the thing in the middle of a photograph, 0 to 255, on a copy of `SIDE` pixels, or why there is none.

    Args:
        photograph: RGB.
    """
    height, width = photograph.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if min(size) < 32:
        return "too narrow"
    small = cv2.resize(photograph, size, interpolation=cv2.INTER_AREA)
    found, box = _cut(small)
    why = _why_not(found, box, small)
    if why is not None:
        return why
    return np.rint(_softened(found) * 255).astype(np.uint8)


def cutout(photograph: Bytes, alpha: UInt8[np.ndarray, "_ _"]) -> Cutout:
    """A thing in full resolution.

    Args:
        photograph: RGB, what `find_thing` was given.
        alpha: what it found.
    """
    size = photograph.shape[1], photograph.shape[0]
    whole = cv2.resize(alpha, size, interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    depth = max(1, round(1.5 * max(photograph.shape[:2]) / max(alpha.shape)))
    return Cutout(_continued(to_image(photograph), whole > 0.5, depth), whole).cropped()


def _cut(small: Bytes) -> tuple[Region, tuple[int, int, int, int]]:
    """What GrabCut finds, and the box it was given."""
    height, width = small.shape[:2]
    x, y = max(2, round(MARGIN * width)), max(2, round(MARGIN * height))
    label = np.zeros((height, width), np.uint8)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, label, (x, y, width - 2 * x, height - 2 * y), *models, ROUNDS, cv2.GC_INIT_WITH_RECT)
    opened = cv2.morphologyEx(label & 1, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    return opened > 0, (x, y, width - x, height - y)


def _why_not(found: Region, box: tuple[int, int, int, int], small: Bytes) -> str | None:
    """Why a region is no thing; None if it is one."""
    share = float(found.mean())
    if not AREA[0] <= share <= AREA[1]:
        return "too large" if share > AREA[1] else "too small"
    if _touches(found, box):
        return "touches the border"
    count, _, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=4)
    if count > 2 and stats[1:, cv2.CC_STAT_AREA].max() < LARGEST * found.sum():
        return "several parts"
    if _solidity(found) < SOLIDITY:
        return "not compact"
    if _raggedness(found) > RAGGED:
        return "a ragged outline"
    return None if _clear_border(found, small) >= CLEAR else "no contrast at its border"


def _touches(found: Region, box: tuple[int, int, int, int]) -> bool:
    left, top, right, bottom = bounding_box(found)
    return left <= box[0] or top <= box[1] or right >= box[2] or bottom >= box[3]


def _solidity(found: Region) -> float:
    """Share of its convex hull that a region fills."""
    contours, _ = cv2.findContours(found.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.contourArea(cv2.convexHull(np.concatenate(contours)))
    return float(found.sum()) / max(hull, 1.0)


def _raggedness(found: Region) -> float:
    """Length of a region's outline relative to that of the region after a Gaussian filter."""
    padded = np.pad(found, round(3 * SMOOTHING)).astype(np.float32)
    return _outline(padded > 0.5) / max(_outline(blurred(padded, SMOOTHING) > 0.5), 1.0)


def _outline(region: Region) -> float:
    """Length of all borders of a region, those of its holes included, pixels."""
    contours, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return sum(cv2.arcLength(contour, True) for contour in contours)


def _clear_border(found: Region, small: Bytes) -> float:
    """Share of the border across which colours differ by at least `CONTRAST`."""
    lab = rgb2lab(to_image(small)).astype(np.float32)
    inside = cv2.distanceTransform(found.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~found).astype(np.uint8), cv2.DIST_L2, 5)
    within = _nearest(lab, inside >= GAP)
    beyond = _nearest(lab, outside >= GAP)
    border = found & (inside < 1.5)
    return float((deltaE_cie76(within, beyond)[border] >= CONTRAST).mean())


def _nearest(values: Float[np.ndarray, "_ _ c"], known: Bool[np.ndarray, "_ _"]) -> Float[np.ndarray, "_ _ c"]:
    """Values where they are known, elsewhere those of the nearest pixel where they are."""
    y, x = nearest(known)
    return values[y, x]


def _softened(found: Region) -> Mask:
    """A soft alpha whose middle lies half a pixel inside of the region: pixels of its border are mixed colours."""
    largest = _largest(found)
    distance = cv2.distanceTransform(largest.astype(np.uint8), cv2.DIST_L2, 5)
    core = blurred((distance > 1.0).astype(np.float32), SOFTNESS)
    return np.clip(np.where(largest, core, 0.0), 0.0, 1.0)


def _largest(found: Region) -> Region:
    """The largest part, holes of less than a hundredth of it filled."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=4)
    part = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~part).astype(np.uint8), connectivity=4)
    small = [k for k in range(1, len(stats)) if stats[k, cv2.CC_STAT_AREA] < 0.01 * part.sum()]
    return part | np.isin(labels, small)


def _continued(image: Image, inside: Region, depth: int) -> Image:
    """Colours of the inside, those within `depth` of its border and beyond replaced by the nearest further inside."""
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    core = distance > depth
    return image if not core.any() else _nearest(image, core)
