"""A smooth warp that is known exactly: content inside a disc follows a handle, its rim stays."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .arrays import Image, Points, Region, averaged, pixel_centres

SUPERSAMPLING = 2
"""Samples of a pixel along each axis."""
LONGEST = 0.42
"""Longest displacement of a handle, in radii. Below 0.649 = 1 / max|w'| the warp folds nowhere."""


@dataclass(frozen=True)
class Bend:
    r"""Pulls the content of a disc.

    A point $x$ of the result comes from $x - d\,w(|x - q| / R)$ with $w(r) = (1 - r^2)^2$ for $r < 1$, else 0: the
    handle $q - d$ goes exactly to $q$, the border of the disc and everything outside stay, and the map is smooth.

    Args:
        target: $q$, pixels.
        pull: $d$, pixels.
        radius: $R$, pixels.

    Raises:
        ValueError: the pull is so long that the map folds.
    """

    target: tuple[float, float]
    pull: tuple[float, float]
    radius: float

    def __post_init__(self) -> None:
        if np.hypot(*self.pull) > 0.649 * self.radius:
            raise ValueError(f"pull {self.pull} folds a disc of radius {self.radius}; make it shorter than 0.649 radii")

    def __call__(self, points: Points) -> Points:
        """Where points of the result come from."""
        r2 = ((points - np.array(self.target)) ** 2).sum(axis=-1, keepdims=True) / self.radius**2
        return points - np.array(self.pull) * np.clip(1 - r2, 0, None) ** 2

    def pairs(self, at: tuple[tuple[float, float], ...]) -> tuple[tuple[tuple[float, float], tuple[float, float]], ...]:
        """Pairs (from, to) of points.

        Args:
            at: where points end, in radii from the target.
        """
        ends = np.array(self.target) + self.radius * np.array(at)
        starts = self(ends)
        return tuple(((float(a), float(b)), (float(c), float(d))) for (a, b), (c, d) in zip(starts, ends, strict=True))

    def disc(self, size: tuple[int, int]) -> Region:
        """Pixels that the warp may change."""
        return np.hypot(*(pixel_centres(size) - np.array(self.target)).transpose(2, 0, 1)) < self.radius

    def bent(self, image: Image) -> Image:
        """An image after the warp; outside of the disc it is the image bit for bit."""
        size = image.shape[0], image.shape[1]
        source = self(pixel_centres(size, SUPERSAMPLING)).astype(np.float32) - 0.5
        fine = cv2.remap(image, source[..., 0], source[..., 1], cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT)
        found = np.clip(averaged(fine, SUPERSAMPLING), 0, 1)
        return np.where(self.disc(size)[..., None], found, image).astype(np.float32)
