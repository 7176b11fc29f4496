"""The border of a region found on a small copy, at the resolution of the image itself.

Along the border every pixel is compared with the mean colours nearby on both sides, level by level, each twice as fine
as the one before, so that the work is that of the border alone.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ..core.stopping import go_on
from .regions import Cells, grown, shrunk

BAND, NEAR = 3, 6
"""Half width of the band in which the border is looked for, and how far beyond its sides colours are taken; pixels of
a level. Source: chosen."""
TELLING = 12.0
"""Distance of the two sides' colours, of 255, below which they do not tell where the border is."""
SPREAD = 2.0
"""Spread of the colours on both sides, in standard deviations, that is taken off their distance before."""
TILE = 96
"""Side of the tiles in which large images are worked on, pixels."""

Alpha = Float[np.ndarray, "_ _"]


def refined(region: Cells, picture: UInt8[np.ndarray, "_ _ 3"]) -> Alpha:
    """The soft mask of a region at the size of the image.

    Args:
        region: on a copy of the image, at most as large.
        picture: RGB.

    Returns:
        Values in [0, 1]: the share of each pixel that belongs to the region.
    """
    size = (picture.shape[0], picture.shape[1])
    alpha = region.astype(np.float32)
    levels = [size]
    while min(levels[0][0] / region.shape[0], levels[0][1] / region.shape[1]) > 2:
        levels.insert(0, (-(-levels[0][0] // 2), -(-levels[0][1] // 2)))
    pyramid = [picture]
    for height, width in reversed(levels[:-1]):
        pyramid.insert(0, cv2.resize(pyramid[0], (width, height), interpolation=cv2.INTER_AREA))
    for level in pyramid:
        alpha = cv2.resize(alpha, (level.shape[1], level.shape[0]), interpolation=cv2.INTER_LINEAR)
        alpha = _sharpened(alpha, level)
    return alpha


def _sharpened(alpha: Alpha, picture: UInt8[np.ndarray, "_ _ 3"]) -> Alpha:
    """A soft mask with its border where the image has it."""
    region = alpha > 0.5
    band = grown(region, BAND) & ~shrunk(region, BAND)
    result = region.astype(np.float32)
    pad = 2 * BAND + NEAR + 1  # colours come from so far: the blur, and the band that both sides keep off
    for rows, columns in _tiles(band):
        go_on()
        y, x = max(0, rows.start - pad), max(0, columns.start - pad)
        wide = (slice(y, rows.stop + pad), slice(x, columns.stop + pad))
        made = _matted(region[wide], alpha[wide], picture[wide].astype(np.float32))
        own = made[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
        result[rows, columns] = np.where(band[rows, columns], own, result[rows, columns])
    return result


def _tiles(band: Cells) -> Iterator[tuple[slice, slice]]:
    """Tiles that hold a part of a band."""
    height, width = band.shape
    for y in range(0, height, TILE):
        for x in range(0, width, TILE):
            rows, columns = slice(y, min(y + TILE, height)), slice(x, min(x + TILE, width))
            if band[rows, columns].any():
                yield rows, columns


def _matted(region: Cells, alpha: Alpha, picture: Float[np.ndarray, "_ _ 3"]) -> Alpha:
    r"""Shares of pixels between the mean colours nearby, $\alpha = (I - B)\cdot(F - B) / |F - B|^2$.

    Where the two colours are alike, the mask stays as it was.
    """
    front, back = shrunk(region, BAND), ~grown(region, BAND)
    (F, f), (B, b) = (_mean_near(picture, side) for side in (front, back))
    spread = sum(_spread_near(picture, side, mean) for side, mean in ((front, F), (back, B)))
    way = F - B
    length = np.einsum("ijk,ijk->ij", way, way)
    found = np.clip(np.einsum("ijk,ijk->ij", picture - B, way) / np.maximum(length, 1.0), 0, 1)
    # Steeper than linear: a thing's own texture near its border is not a soft border.
    found = np.clip(1.5 * (found - 0.5) + 0.5, 0, 1)
    telling = np.clip((np.sqrt(length) - SPREAD * spread) / TELLING - 1, 0, 1) * ((f > 0) & (b > 0))
    soft = np.clip(2 * (alpha - 0.5) + 0.5, 0, 1)
    return (telling * found + (1 - telling) * soft).astype(np.float32)


def _spread_near(picture: Float[np.ndarray, "_ _ 3"], side: Cells, mean: Float[np.ndarray, "_ _ 3"]) -> Alpha:
    """Standard deviation of the colours of one side near every pixel."""
    square = np.einsum("ijk,ijk->ij", picture, picture)[..., None]
    found = _mean_near(np.repeat(square, 3, 2), side)[0][..., 0] - np.einsum("ijk,ijk->ij", mean, mean)
    return np.sqrt(np.maximum(found, 0))


def _mean_near(picture: Float[np.ndarray, "_ _ 3"], side: Cells) -> tuple[Float[np.ndarray, "_ _ 3"], Alpha]:
    """Mean colour of one side near every pixel, and the share of that side there."""
    width = 2 * (BAND + NEAR) + 1
    share = cv2.blur(side.astype(np.float32), (width, width))
    share[share < 1e-5] = 0
    return cv2.blur(picture * side[..., None], (width, width)) / np.maximum(share, 1e-5)[..., None], share
