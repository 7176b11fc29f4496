"""Grounds that photographs give, and how rough they are."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from .arrays import Bytes, Image, Region, bounding_box, luminance, to_image

ROUGHNESS = (2.5, 5.5)
"""Median change of luminance from pixel to pixel, in levels of 255: below the first a ground is plain, from the second
on textured. Source: chosen, about thirds of 600 photographs of garments and of groceries."""
CLASSES = ("plain", "medium", "textured")
"""Classes of photographic grounds."""
LEAST = 0.4
"""Least side of a ground, as a share of the photograph's shorter side."""
STUDIED = 192
"""Side to which grounds are brought before their roughness is measured, pixels."""


@dataclass(frozen=True)
class Crop:
    """A square part of a photograph.

    Args:
        left: of it, pixels.
        top: of it, pixels.
        side: of it, pixels.
        roughness: see `roughness`.
    """

    left: int
    top: int
    side: int
    roughness: float

    @property
    def label(self) -> str:
        """Its class."""
        return classified(self.roughness)

    def of(self, photograph: Bytes, side: int) -> Image:
        """The part, brought to `side` pixels."""
        part = photograph[self.top : self.top + self.side, self.left : self.left + self.side]
        return scaled(to_image(part), side)


def scaled(image: Image, side: int) -> Image:
    """A square image brought to a side: means of areas where it shrinks, cubic where it grows."""
    how = cv2.INTER_AREA if side < image.shape[0] else cv2.INTER_CUBIC
    return np.clip(cv2.resize(image, (side, side), interpolation=how), 0, 1)


def roughness(image: Image) -> float:
    """Median length of the gradient of luminance, central differences, in levels of 255 a pixel."""
    down, across = np.gradient(luminance(image) * 255)
    return float(np.median(np.hypot(down, across)))


def classified(value: float) -> str:
    """The class of a roughness."""
    return CLASSES[sum(value >= limit for limit in ROUGHNESS)]


def find_grounds(photograph: Bytes, alpha: UInt8[np.ndarray, "_ _"] | None) -> list[Crop]:
    """Squares of a photograph that can be a ground.

    With a thing: the largest squares beside it, and the largest within it (cloth). Without: the middle.

    Args:
        photograph: RGB.
        alpha: of the thing in it, on a copy of any size; None if there is none.
    """
    height, width = photograph.shape[:2]
    if alpha is None:
        side = min(height, width)
        squares = [((width - side) // 2, (height - side) // 2, side)]
    else:
        whole = cv2.resize(alpha, (width, height)) > 0
        squares = [*_beside(whole), _within(whole)]
    least = LEAST * min(height, width)
    found = [square for square in squares if square[2] >= max(least, 32)]
    return [Crop(*square, _rough(photograph, square)) for square in found]


def _rough(photograph: Bytes, square: tuple[int, int, int]) -> float:
    return round(roughness(Crop(*square, 0.0).of(photograph, STUDIED)), 3)


def _beside(thing: Region) -> list[tuple[int, int, int]]:
    """(left, top, side) of the largest squares above, below, to the left and to the right of a thing."""
    height, width = thing.shape
    left, top, right, bottom = bounding_box(thing)
    middle_x, middle_y = (left + right) // 2, (top + bottom) // 2

    def at(x: int, y: int, side: int) -> tuple[int, int, int]:
        return min(max(0, x - side // 2), width - side), min(max(0, y - side // 2), height - side), side

    above, below = min(top, width), min(height - bottom, width)
    before, after = min(left, height), min(width - right, height)
    return [
        at(middle_x, above // 2, above),
        at(middle_x, height - below // 2, below),
        at(before // 2, middle_y, before),
        at(width - after // 2, middle_y, after),
    ]


def _within(thing: Region) -> tuple[int, int, int]:
    """(left, top, side) of the largest square within a thing."""
    distance = cv2.distanceTransform(np.pad(thing, 1).astype(np.uint8), cv2.DIST_C, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    half = max(0, int(distance[y, x]) - 1)
    return int(x) - half, int(y) - half, 2 * half + 1
