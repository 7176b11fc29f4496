"""Light: what makes a thing of one photograph fit into another, and the shadow at its foot.

The shadows are not those that `proxy.shadows` fits (a silhouette, displaced and blurred): a standing thing has a dark
ellipse under its foot and a penumbra that widens away from a lamp, a lying one darkens the ground along its border. The
lamp stands at a point, so that shadows fall differently at different places.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from .arrays import Image, Mask, Region, blurred, bounding_box, dilated, luminance, pixel_centres

GAIN = (0.65, 1.5)
"""Least and largest factor of a channel when light is matched."""
VISIBLE = 1 / 256
"""Shadows below this are cut off, so that they end."""
NOISE = 3 / 255
"""Largest standard deviation of noise that is added, as a share of white."""
STEPS = 10
"""Ellipses of which a penumbra is made."""


@dataclass(frozen=True)
class Lamp:
    """What lights a scene.

    Args:
        place: (x, y) in pixels, in or beside the canvas.
        strength: of shadows, in [0, 1].
        standing: things stand upright; otherwise they lie flat.
    """

    place: tuple[float, float]
    strength: float
    standing: bool

    @staticmethod
    def drawn(rng: np.random.Generator, size: tuple[int, int]) -> Lamp:
        """A lamp beside or in the upper part of a canvas."""
        height, width = size
        place = (float(rng.uniform(-0.6, 1.6) * width), float(rng.uniform(-0.8, 0.15) * height))
        return Lamp(place, float(rng.uniform(0.3, 0.55)), bool(rng.uniform() < 0.4))

    def shadow(self, alpha: Mask) -> Mask:
        """What a thing takes from the brightness of the ground, 0 to 1; exactly 0 far away.

        Args:
            alpha: the thing on the canvas.
        """
        solid = alpha > 0.5
        if not solid.any():
            return np.zeros_like(alpha)
        found = self._standing(solid) if self.standing else self._lying(solid)
        return np.where(found < VISIBLE, 0.0, found).astype(np.float32)

    def _away(self, x: float, y: float) -> Float[np.ndarray, "2"]:
        """The unit vector from the lamp to a point."""
        way = np.array([x - self.place[0], y - self.place[1]])
        return way / max(float(np.hypot(*way)), 1e-6)

    def _standing(self, solid: Region) -> Mask:
        """A dark ellipse under the foot, and ellipses that grow and fade away from the lamp."""
        left, _, right, bottom = bounding_box(solid)
        foot = np.flatnonzero(solid[max(0, bottom - max(2, (right - left) // 12)) : bottom].any(axis=0))
        half = max(2.0, (foot[-1] + 1 - foot[0]) / 2)
        x, y, points = (foot[0] + foot[-1] + 1) / 2, float(bottom), pixel_centres((solid.shape[0], solid.shape[1]))
        way, found = self._away(x, y) * np.array([1.0, 0.45]), np.zeros(solid.shape, np.float32)
        for k in range(STEPS):
            share = k / (STEPS - 1)
            reach, spread = 1.5 * half * share, 1 + 0.7 * share
            r = np.hypot(
                (points[..., 0] - x - reach * way[0]) / (half * spread),
                (points[..., 1] - y - reach * way[1] + 0.12 * half) / (0.3 * half * spread),
            )
            soft = 0.25 + 0.6 * share
            found = np.maximum(found, (1 - share) ** 1.3 * _falling((r - 1 + soft) / (2 * soft)))
        return self.strength * found

    def _lying(self, solid: Region) -> Mask:
        """Dark along the border, more on the side away from the lamp, exponentially less with the distance."""
        distance = cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5)
        down, across = np.gradient(blurred(distance, 1.0))
        left, top, right, bottom = bounding_box(solid)
        way = self._away((left + right) / 2, (top + bottom) / 2)
        length = 1.0 + 0.06 * np.sqrt(float(solid.sum()))
        side = np.clip(across * way[0] + down * way[1], 0, 1)
        found = np.exp(-np.maximum(distance - 0.5, 0) / (length * (0.4 + 0.8 * side))) * (0.35 + 0.65 * side)
        return self.strength * blurred(found.astype(np.float32), 0.6)


def _falling(t: Mask) -> Mask:
    """1 below 0, 0 above 1, smooth between."""
    t = np.clip(t, 0, 1)
    return 1 - t * t * (3 - 2 * t)


def shaded(ground: Image, shadow: Mask) -> Image:
    """A ground under a shadow."""
    return ground * (1 - shadow[..., None])


def gain_at(ground: Image, alpha: Mask, surroundings: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """The factors of the channels that bring a thing from the light of its photograph to that of a place.

    The square root of the ratio of mean colours: half of it is taken for light, the other half for the grounds' own
    colour.

    Args:
        ground: the canvas.
        alpha: the thing on it.
        surroundings: mean colour of what surrounded the thing in its photograph.
    """
    near = dilated(alpha > 0.5, max(3, round(0.1 * min(alpha.shape))))
    there = ground[near].mean(axis=0)
    return np.clip(np.sqrt((there + 0.02) / (surroundings + 0.02)), *GAIN).astype(np.float32)


def noise_of(image: Image) -> float:
    """Standard deviation of the noise of an image, as a share of white.

    Source: J. Immerkaer, "Fast noise variance estimation", CVIU 1996; the median in place of the mean, against texture.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    found = cv2.filter2D(luminance(image), -1, kernel)[1:-1, 1:-1]
    return float(np.median(np.abs(found))) / (6 * 0.6745)


def with_noise(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """An image with white noise, the same in all channels, of at most `NOISE`."""
    grain = rng.normal(0.0, min(max(sigma, 0.0), NOISE), image.shape[:2])
    return np.clip(image + grain[..., None], 0, 1).astype(np.float32)
