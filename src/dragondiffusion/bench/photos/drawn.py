"""Drawn grounds that are hard to continue: stripes, checks, bricks, a floor in perspective, text, and others."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from .arrays import Image, Mask, averaged, pixel_centres

SUPERSAMPLING, LARGE = (4, 2), 512
"""Samples of a pixel along each axis, of canvases below `LARGE` pixels and of others."""

Draw = Callable[[Float[np.ndarray, "_ _ 2"], np.random.Generator], Image]
TEXT = "the quick brown fox jumps over a lazy dog while five boxing wizards pack my liquor jugs again"
"""Two pangrams."""


def colour(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> np.ndarray:
    """A colour of any hue, its saturation and value drawn from ranges."""
    rgb = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(*saturation), rng.uniform(*value))
    return np.array(rgb, np.float32)


def draw_ground(name: str, size: tuple[int, int], rng: np.random.Generator) -> Image:
    """A drawn ground.

    Args:
        name: one of `GROUNDS`.
        size: (height, width) in pixels.
        rng: what is drawn.

    Raises:
        ValueError: there is no such ground.
    """
    if name not in GROUNDS:
        raise ValueError(f"ground {name!r} is unknown; use one of {', '.join(GROUNDS)}")
    if name == "text":
        return _text(size, rng)
    samples = supersampling(size)
    return averaged(DRAWN[name](pixel_centres(size, samples) / min(size), rng), samples)


def supersampling(size: tuple[int, int]) -> int:
    """Samples of a pixel along each axis."""
    return SUPERSAMPLING[max(size) >= LARGE]


def _two(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A lighter and a darker colour."""
    return colour(rng, (0.1, 0.6), (0.75, 0.95)), colour(rng, (0.3, 0.9), (0.2, 0.6))


def _mixed(share: Mask, one: np.ndarray, other: np.ndarray) -> Image:
    share = share[..., None].astype(np.float32)
    return (1 - share) * one + share * other


def _turned(points: Float[np.ndarray, "_ _ 2"], angle: float) -> tuple[Mask, Mask]:
    x, y = points[..., 0], points[..., 1]
    cos, sin = np.cos(angle), np.sin(angle)
    return x * cos + y * sin, y * cos - x * sin


def stripes(points: Float[np.ndarray, "_ _ 2"], rng: np.random.Generator) -> Image:
    """Stripes of two colours in any direction, 8 to 16 a side."""
    u, _ = _turned(points, rng.uniform(0, np.pi))
    return _mixed(np.floor(u * rng.uniform(8, 16)) % 2, *_two(rng))


def checks(points: Float[np.ndarray, "_ _ 2"], rng: np.random.Generator) -> Image:
    """A board of two colours, 6 to 12 fields a side."""
    u, v = _turned(points, rng.uniform(-0.3, 0.3))
    count = rng.uniform(6, 12)
    return _mixed((np.floor(u * count) + np.floor(v * count)) % 2, *_two(rng))


def bricks(points: Float[np.ndarray, "_ _ 2"], rng: np.random.Generator) -> Image:
    """Courses of bricks of different tones with light mortar."""
    count = rng.uniform(8, 13)
    course = np.floor(points[..., 1] * count)
    across = points[..., 0] * count / 2.2 + 0.5 * (course % 2)
    tone = 0.85 + 0.3 * _hashed(course, np.floor(across), rng.uniform(1, 9))
    brick = colour(rng, (0.4, 0.7), (0.5, 0.75)) * tone[..., None]
    mortar = ((points[..., 1] * count) % 1 < 0.12) | (across % 1 < 0.055)
    return np.where(mortar[..., None], np.float32(0.78), brick).astype(np.float32)


def _hashed(a: Mask, b: Mask, salt: float) -> Mask:
    """A value in [0, 1) for every pair of whole numbers."""
    return np.modf(np.abs(np.sin(a * 12.9898 + b * 78.233 + salt)) * 43758.5453)[0]


def floor(points: Float[np.ndarray, "_ _ 2"], rng: np.random.Generator) -> Image:
    """A tiled floor up to a horizon in the upper third, and a plain wall above it."""
    horizon, one, other = rng.uniform(0.12, 0.3), *_two(rng)
    depth = 1 / np.maximum(points[..., 1] - horizon, 1e-3)
    u, v = (points[..., 0] - rng.uniform(0.3, 0.7)) * depth, depth
    count = rng.uniform(1.5, 2.5)
    tiles = _mixed((np.floor(u * count) + np.floor(v * count)) % 2, one, other)
    far = np.clip((depth - 5) / 15, 0, 1)[..., None]
    tiles = (1 - far) * tiles + far * (one + other) / 2
    wall = colour(rng, (0.1, 0.4), (0.6, 0.9))
    return np.where((points[..., 1] < horizon)[..., None], wall, tiles).astype(np.float32)


def gradient(points: Float[np.ndarray, "_ _ 2"], rng: np.random.Generator) -> Image:
    """From one colour to another along any direction."""
    u, _ = _turned(points - 0.5, rng.uniform(0, 2 * np.pi))
    return _mixed(np.clip(u / 1.4 + 0.5, 0, 1), *_two(rng))


def plain(points: Float[np.ndarray, "_ _ 2"], rng: np.random.Generator) -> Image:
    """One pale colour."""
    return np.broadcast_to(colour(rng, (0.0, 0.25), (0.7, 0.95)), (*points.shape[:2], 3)).astype(np.float32)


def saturated(points: Float[np.ndarray, "_ _ 2"], rng: np.random.Generator) -> Image:
    """One saturated colour: channels near 0 and near 1."""
    return np.broadcast_to(colour(rng, (0.85, 1.0), (0.55, 1.0)), (*points.shape[:2], 3)).astype(np.float32)


def _text(size: tuple[int, int], rng: np.random.Generator) -> Image:
    """Lines of words, dark on pale."""
    pale, ink = colour(rng, (0.0, 0.2), (0.85, 0.97)), colour(rng, (0.2, 0.8), (0.1, 0.35))
    scale = supersampling(size)
    page = Pictures.new("L", (size[1] * scale, size[0] * scale))
    draw, height = ImageDraw.Draw(page), max(7, round(min(size) / rng.uniform(12, 18))) * scale
    font = ImageFont.load_default(size=height)
    for k, top in enumerate(range(-height // 2, page.height, round(height * 1.35))):
        words = rng.permutation(TEXT.split())
        draw.text((-(k % 4) * height, top), " ".join(words), fill=255, font=font)
    return averaged(_mixed(np.asarray(page, np.float32) / 255, pale, ink), scale)


DRAWN: dict[str, Draw] = {
    "stripes": stripes,
    "checks": checks,
    "bricks": bricks,
    "floor": floor,
    "gradient": gradient,
    "plain colour": plain,
    "saturated": saturated,
}
"""Drawn patterns by name: a function of points (x, y), where 1 is the shorter side, and of a generator."""

GROUNDS = (*DRAWN, "text")
"""All drawn grounds."""
