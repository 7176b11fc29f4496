"""Names for the arrays of this benchmark, and small arithmetic on them.

Convention: images are (height, width, 3), float in [0, 1] or uint8; masks float in [0, 1]; points are (x, y) in pixels
with pixel centres at +0.5, as in `core.geometry`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from scipy.ndimage import distance_transform_edt

from ...core.geometry import Affine

Image: TypeAlias = Float[np.ndarray, "_ _ 3"]
"""RGB in [0, 1]."""
Bytes: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
"""RGB with 8 bits a channel."""
Mask: TypeAlias = Float[np.ndarray, "_ _"]
"""0 outside, 1 inside."""
Region: TypeAlias = Bool[np.ndarray, "_ _"]
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


def convex_hull(region: Region) -> Region:
    """The smallest convex region that holds another, which is not empty."""
    y, x = np.nonzero(region)
    corners = cv2.convexHull(np.stack([x, y], axis=1).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros(region.shape, np.uint8), corners, 1) > 0


def nearest(known: Region) -> Int[np.ndarray, "2 _ _"]:
    """Row and column of the pixel of a region that is nearest to each pixel.

    Raises:
        ValueError: the region is empty.
    """
    if not known.any():
        raise ValueError("region is empty; nothing is near it")
    found: Any = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return found


def distance_to(region: Region) -> Float[np.ndarray, "_ _"]:
    """Euclidean distance of each pixel to a region, 0 inside of it."""
    found: Any = distance_transform_edt(~region)
    return found


def blurred(values: Mask | Image, sigma: float) -> Mask | Image:
    """Values after a Gaussian filter, borders mirrored."""
    return values if sigma <= 0 else cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def matrix(affine: Affine) -> Float[np.ndarray, "3 3"]:
    """The homogeneous matrix of an affine map."""
    return np.array([*affine.rows, (0.0, 0.0, 1.0)])


def mapped(points: Points, m: Float[np.ndarray, "3 3"]) -> Points:
    """Points under a homogeneous affine matrix."""
    m = m.astype(points.dtype)
    return points @ m[:2, :2].T + m[:2, 2]


@lru_cache(maxsize=8)
def pixel_centres(size: tuple[int, int], supersampling: int = 1) -> Float[np.ndarray, "_ _ 2"]:
    """The centres of all pixels, or of their `supersampling` x `supersampling` parts, as points."""
    height, width = (side * supersampling for side in size)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    points = np.stack([(x + 0.5) / supersampling, (y + 0.5) / supersampling], axis=-1)
    points.flags.writeable = False
    return points


def averaged(values: Float[np.ndarray, "_ _ ..."], supersampling: int) -> Float[np.ndarray, "_ _ ..."]:
    """Means of blocks of `supersampling` x `supersampling` values."""
    size = values.shape[1] // supersampling, values.shape[0] // supersampling
    return np.asarray(cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA))


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
