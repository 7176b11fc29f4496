"""A known map of colour and texture: what a thing would look like in other cloth, its folds and shades kept."""

from __future__ import annotations

import numpy as np

from .arrays import Image, Mask, blurred, luminance
from .drawn import colour, draw_ground
from .sprites import Layer

SHADES = (0.55, 1.6)
"""Darkest and brightest shade, relative to the mean of a thing."""
EXPONENT = 0.7
"""How much of a thing's own shades is kept: they are its light and, where it is printed, its print."""
PATTERNS = ("stripes", "checks")
"""Patterns of cloth."""


def cloth(size: tuple[int, int], rng: np.random.Generator) -> tuple[Image, str]:
    """Cloth that covers a canvas, and its name: one colour, or a pattern, each as often."""
    if rng.uniform() < 0.5:
        plain = colour(rng, (0.35, 0.9), (0.35, 0.85))
        return np.broadcast_to(plain, (*size, 3)).astype(np.float32), "colour"
    name = PATTERNS[int(rng.integers(len(PATTERNS)))]
    return draw_ground(name, size, rng), name


def dressed(layer: Layer, cloth_: Image) -> Layer:
    r"""A thing in other cloth.

    $I' = c\,(Y / \bar Y)^{0.7}$ with the cloth $c$, the thing's luminance $Y$ and its mean $\bar Y$, the ratio in
    `SHADES`; the cloth lies on the canvas, not on the thing.
    """
    return Layer(np.clip(cloth_ * shades(layer)[..., None], 0, 1).astype(np.float32), layer.alpha)


def shades(layer: Layer) -> Mask:
    """Light and dark of a thing relative to its mean, in `SHADES`."""
    value = luminance(layer.image)
    mean = float((value * layer.alpha).sum() / max(float(layer.alpha.sum()), 1e-6))
    return np.clip((value + 0.02) / (mean + 0.02), *SHADES) ** EXPONENT


def printed(layer: Layer) -> float:
    """How much a thing's luminance varies over more than its grain: small for plain cloth."""
    inside = layer.alpha > 0.5
    return float(blurred(luminance(layer.image), 1.5)[inside].std()) if inside.any() else 1.0
