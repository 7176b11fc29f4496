"""Things drawn at any pose: turned, scaled, mirrored, displaced or bent, from one supersampled image of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float

from .arrays import Image, Mask, Points, averaged, blurred, mapped, pixel_centres
from .cutouts import Cutout

SUPERSAMPLING = 4
"""Samples of a pixel along each axis."""
DETAIL = 2.0
"""Pixels of a sprite for a pixel of the canvas at its first pose."""

Backward = Callable[[Points], Points]
"""Where points of the canvas come from."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A thing on a canvas.

    Args:
        image: its colours, anything where it is not.
        alpha: its weight.
    """

    image: Image
    alpha: Mask

    def over(self, below: Image) -> Image:
        """The thing laid over an image."""
        alpha = self.alpha[..., None]
        return below * (1 - alpha) + alpha * self.image


@dataclass(frozen=True, eq=False)
class Sprite:
    """A thing, `DETAIL` times as fine as the canvas at its first pose.

    Args:
        image: its colours, continued beyond its border.
        alpha: its weight.
        pose: from its pixels to the canvas, homogeneous.
    """

    image: Image
    alpha: Mask
    pose: Float[np.ndarray, "3 3"]

    def moved(self, by: Float[np.ndarray, "3 3"]) -> Sprite:
        """The thing after a map of the canvas."""
        return replace(self, pose=by @ self.pose)

    def lit(self, gain: Float[np.ndarray, "3"]) -> Sprite:
        """The thing, its channels multiplied."""
        return replace(self, image=np.clip(self.image * gain, 0, 1).astype(np.float32))

    def drawn(self, size: tuple[int, int], bend: Backward | None = None) -> Layer:
        """The thing on a canvas.

        Args:
            size: (height, width) of the canvas.
            bend: where points of the canvas come from, on the canvas, if the thing is bent.
        """
        points = pixel_centres(size, SUPERSAMPLING)
        source = mapped(points if bend is None else bend(points), np.linalg.inv(self.pose)) - 0.5
        x, y = source[..., 0].astype(np.float32), source[..., 1].astype(np.float32)
        image = cv2.remap(self.image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.remap(self.alpha, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        weight = averaged(alpha, SUPERSAMPLING)
        mixed = averaged(image * alpha[..., None], SUPERSAMPLING) / np.maximum(weight, 1e-6)[..., None]
        return Layer(mixed.astype(np.float32), np.clip(weight, 0, 1))


def make_sprite(cut: Cutout, radius: float, centre: tuple[float, float], angle: float, blur: float = 0.0) -> Sprite:
    """A thing at its first pose.

    Args:
        cut: the thing.
        radius: of the disc that has its area, pixels of the canvas.
        centre: where the middle of its box comes to lie, pixels of the canvas.
        angle: degrees, clockwise as seen on the screen.
        blur: standard deviation of a Gaussian filter of its colours and border, pixels of the canvas.
    """
    factor = DETAIL * radius / np.sqrt(float(cut.alpha.sum()) / np.pi)
    width, height = (max(2, round(side * factor)) for side in (cut.alpha.shape[1], cut.alpha.shape[0]))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    image, alpha = (np.clip(cv2.resize(v, (width, height), interpolation=how), 0, 1) for v in (cut.image, cut.alpha))
    turn, a = np.eye(3), np.radians(angle)
    turn[:2, :2] = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) / DETAIL
    middle = np.eye(3)
    middle[:2, 2] = -width / 2, -height / 2
    place = np.eye(3)
    place[:2, 2] = centre
    return Sprite(
        blurred(image, blur * DETAIL).astype(np.float32),
        blurred(alpha, blur * DETAIL).astype(np.float32),
        place @ turn @ middle,
    )
