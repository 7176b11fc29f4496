"""Names for the arrays of this benchmark, and small arithmetic on them.

Convention: images are (height, width, 3), float in [0, 1] or uint8; masks float in [0, 1]; points are (x, y) in pixels
with pixel centres at +0.5, as in `core.geometry`.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from ...core.geometry import Affine

Image: TypeAlias = Float[np.ndarray, "h w 3"]
"""RGB in [0, 1]."""
Bytes: TypeAlias = UInt8[np.ndarray, "h w 3"]
"""RGB with 8 bits a channel."""
Mask: TypeAlias = Float[np.ndarray, "h w"]
"""0 outside, 1 inside."""
Region: TypeAlias = Bool[np.ndarray, "h w"]
"""Pixels."""
Points: TypeAlias = Float[np.ndarray, "*n 2"]
"""Points (x, y)."""

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of the channels in luminance. Source: ITU-R BT.709."""


def to_bytes(image: Image) -> Bytes:
    """An image with 8 bits a channel, rounded."""
    return np.rint(np.clip(image, 0.0, 1.0) * 255).astype(np.uint8)


def to_image(pixels: Bytes) -> Image:
    """An image in [0, 1]."""
    return pixels.astype(np.float32) / 255


def luminance(image: Image) -> Mask:
    """Weighted sum of the channels, in [0, 1]."""
    return image @ LUMA


def dilated(region: Region, radius: int) -> Region:
    """A region and everything within `radius` pixels of it, in the Euclidean sense."""
    if radius < 1:
        return region.copy()
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(region.astype(np.uint8), kernel) > 0


def blurred(values: Mask | Image, sigma: float) -> Mask | Image:
    """Values after a Gaussian filter, borders mirrored."""
    return values if sigma <= 0 else cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def matrix(affine: Affine) -> Float[np.ndarray, "3 3"]:
    """The homogeneous matrix of an affine map."""
    return np.array([*affine.rows, (0.0, 0.0, 1.0)])


def mapped(points: Points, m: Float[np.ndarray, "3 3"]) -> Points:
    """Points under a homogeneous affine matrix."""
    return points @ m[:2, :2].T + m[:2, 2]


def pixel_centres(size: tuple[int, int], supersampling: int = 1) -> Float[np.ndarray, "h w 2"]:
    """The centres of all pixels, or of their `supersampling` x `supersampling` parts, as points."""
    height, width = (side * supersampling for side in size)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([(x + 0.5) / supersampling, (y + 0.5) / supersampling], axis=-1)


def averaged(values: Float[np.ndarray, "h w ..."], supersampling: int) -> Float[np.ndarray, "h w ..."]:
    """Means of blocks of `supersampling` x `supersampling` values."""
    height, width = values.shape[0] // supersampling, values.shape[1] // supersampling
    blocks = values.reshape(height, supersampling, width, supersampling, *values.shape[2:])
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def bounding_box(region: Region) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a region, right and bottom excluded.

    Raises:
        ValueError: the region is empty.
    """
    if not region.any():
        raise ValueError("region is empty; it has no bounding box")
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def centre_of(mask: Mask) -> tuple[float, float]:
    """The centroid of a mask as a point."""
    y, x = np.indices(mask.shape)
    total = float(mask.sum())
    return float((mask * (x + 0.5)).sum() / total), float((mask * (y + 0.5)).sum() / total)
