"""Flat art with exact answers: plain shapes beside and over each other on plain and patterned grounds, no shadows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np
from jaxtyping import Float
from skimage.color import deltaE_cie76, rgb2lab

from .arrays import Image, Mask, Points, mapped, matrix, to_bytes
from .drawn import colour, draw_ground, supersampling
from .problem import Motion, Problem, Source, generator

KINDS = ("translate", "rotate", "scale", "reflect", "remove")
"""Kinds of edit in the order of tables."""
GROUNDS = ("plain colour", "saturated", "gradient", "stripes", "checks")
"""Grounds, keys of `drawn.DRAWN`."""
RADIUS = (0.09, 0.16)
"""Radii of shapes, as shares of the canvas."""
DISTINCT = 25.0
"""Least difference of two colours, units of CIE76."""
TRIES = 500
VERSION = 1


@dataclass(frozen=True, eq=False)
class Shape:
    """A flat shape.

    Args:
        outline: its corners, pixels.
        rgb: its colour, in [0, 1].
    """

    outline: Points
    rgb: Float[np.ndarray, "3"]

    def moved(self, motion: Motion) -> Shape:
        """The shape after a motion."""
        return replace(self, outline=mapped(self.outline, matrix(motion.affine)))

    def alpha(self, size: tuple[int, int], soft: bool) -> Mask:
        """Its coverage of every pixel; where edges are hard, all of a pixel that is covered by half."""
        samples = supersampling(size)
        fine = np.zeros((size[0] * samples, size[1] * samples), np.uint8)
        corners = np.rint((self.outline * samples - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(fine, [corners], 255, lineType=cv2.LINE_8, shift=4)
        covered = cv2.resize(fine, (size[1], size[0]), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        return covered if soft else (covered >= 0.5).astype(np.float32)


def outline(name: str) -> Points:
    """The corners of a shape of radius 1 about 0."""
    turns = np.arange(128) / 128 * 2 * np.pi
    if name == "circle":
        return np.stack([np.cos(turns), np.sin(turns)], axis=1)
    if name == "star":
        angles, radii = np.arange(10) / 10 * 2 * np.pi, np.where(np.arange(10) % 2, 0.5, 1.1)
        return np.stack([radii * np.sin(angles), -radii * np.cos(angles)], axis=1)
    return np.array(CORNERS[name], float)


CORNERS: dict[str, list[tuple[float, float]]] = {
    "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
    "rectangle": [(-1.1, -0.55), (1.1, -0.55), (1.1, 0.55), (-1.1, 0.55)],
    "triangle": [(-1.0, 0.8), (1.0, 0.8), (-0.3, -1.0)],
    "L": [(-0.8, -1.0), (-0.1, -1.0), (-0.1, 0.3), (0.8, 0.3), (0.8, 1.0), (-0.8, 1.0)],
    "flag": [(-0.9, -0.9), (0.9, -0.6), (0.5, 0.0), (0.9, 0.5), (-0.9, 0.9)],
}
NAMES = ("circle", "star", *CORNERS)
ASYMMETRIC = ("triangle", "L", "flag")
"""Shapes that a turn and a reflection change."""


@dataclass(frozen=True)
class FlatArt(Source):
    """Flat art.

    Args:
        side: of the square canvas, pixels.
        grounds: some of `GROUNDS`.
    """

    KINDS: ClassVar[tuple[str, ...]] = KINDS
    GROUNDS: ClassVar[tuple[str, ...]] = GROUNDS

    side: int = 128
    grounds: tuple[str, ...] = GROUNDS

    def __post_init__(self) -> None:
        self.check_grounds(self.grounds)

    def about(self) -> dict[str, object]:
        return {"set": "flat", "version": VERSION, "side": self.side, "grounds": list(self.grounds)}

    def problem(self, kind: str, seed: int) -> Problem:
        self.check_kinds((kind,))
        rng = generator(seed, "flat", kind)
        label = self.grounds[int(rng.integers(len(self.grounds)))]
        size, soft = (self.side, self.side), bool(rng.integers(2))
        ground = draw_ground(label, size, rng)
        for _ in range(TRIES):
            made = _composed(kind, ground, soft, rng)
            if made is not None:
                shapes, moving, motion = made
                return _problem((kind, seed, label), (ground, shapes), (moving, motion), soft)
        raise ValueError(f"seed {seed} of {kind}: no shapes fit; this is a fault of the generator")


def _problem(
    about: tuple[str, int, str], scene: tuple[Image, list[Shape]], moved: tuple[Shape, Motion | None], soft: bool
) -> Problem:
    (ground, shapes), (moving, motion) = scene, moved
    size = ground.shape[0], ground.shape[1]
    behind = _painted(ground, shapes, soft)
    before = _painted(behind, [moving], soft)
    notes = {"edges": "soft" if soft else "hard"}
    mask = moving.alpha(size, soft)
    if motion is None:
        return Problem(*about, to_bytes(before), to_bytes(behind), mask, notes=notes)
    after = moving.moved(motion)
    truth = to_bytes(_painted(behind, [after], soft))
    return Problem(*about, to_bytes(before), truth, mask, after.alpha(size, soft), motion, notes=notes)


def _painted(image: Image, shapes: list[Shape], soft: bool) -> Image:
    for shape in shapes:
        alpha = shape.alpha((image.shape[0], image.shape[1]), soft)[..., None]
        image = image * (1 - alpha) + alpha * shape.rgb
    return image.astype(np.float32)


def _composed(
    kind: str, ground: Image, soft: bool, rng: np.random.Generator
) -> tuple[list[Shape], Shape, Motion | None] | None:
    """Shapes behind, the one that moves, which lies on top, and its motion; None where they do not fit.

    Where it was, the moving shape lies on the ground alone, shapes may touch it; where it goes, it may cover others.
    """
    side = ground.shape[0]
    names = ASYMMETRIC if kind in ("rotate", "reflect") else NAMES
    moving = _shape(names, side, rng, rng.uniform(0.25, 0.75, 2) * side)
    motion = None if kind == "remove" else _motion(kind, moving, side, rng)
    arrived = moving if motion is None else moving.moved(motion)
    if not _inside(moving, side) or not _inside(arrived, side):
        return None
    taken, others = moving.alpha((side, side), soft) > 0, list[Shape]()
    for k in range(int(rng.integers(2, 5))):
        centre = _beside(moving, rng) if k == 0 else rng.uniform(0.1, 0.9, 2) * side
        other = _shape(NAMES, side, rng, centre)
        if not (taken & (other.alpha((side, side), soft) > 0)).any():
            others.append(other)
    every = [*others, moving]
    return (others, moving, motion) if others and _distinct(every, ground) else None


def _beside(moving: Shape, rng: np.random.Generator) -> Float[np.ndarray, "2"]:
    """A place at which another shape about touches this one."""
    left, top, right, bottom = (*moving.outline.min(axis=0), *moving.outline.max(axis=0))
    radius, angle = 0.95 * max(right - left, bottom - top), rng.uniform(0, 2 * np.pi)
    middle = np.array([left + right, top + bottom]) / 2
    return middle + radius * np.array([np.cos(angle), np.sin(angle)])


def _shape(names: tuple[str, ...], side: int, rng: np.random.Generator, centre: Float[np.ndarray, "2"]) -> Shape:
    corners = outline(names[int(rng.integers(len(names)))]) * rng.uniform(*RADIUS) * side
    angle = rng.choice([0.0, 0.0, rng.uniform(0, 2 * np.pi)])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Shape(corners @ turn.T + np.rint(centre), colour(rng, (0.3, 1.0), (0.3, 1.0)))


def _motion(kind: str, moving: Shape, side: int, rng: np.random.Generator) -> Motion:
    low, high = moving.outline.min(axis=0), moving.outline.max(axis=0)
    anchor = float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2
    sign = (-1) ** int(rng.integers(2))
    if kind == "rotate":
        return Motion(anchor, angle=float(rng.choice([sign * 90, sign * rng.uniform(20, 160)])))
    if kind == "scale":
        return Motion(anchor, scale=float(rng.choice([rng.uniform(0.5, 0.8), rng.uniform(1.25, 2.0)])))
    if kind == "reflect":
        return Motion(anchor, flip=True)
    length, angle = rng.uniform(0.15, 0.5) * side, rng.uniform(0, 2 * np.pi)
    return Motion(anchor, (float(round(length * np.cos(angle))), float(round(length * np.sin(angle)))))


def _inside(shape: Shape, side: int) -> bool:
    """Whether a shape keeps 2 % of the side away from the border."""
    margin = 0.02 * side
    return bool((shape.outline >= margin).all() and (shape.outline <= side - margin).all())


def _distinct(shapes: list[Shape], ground: Image) -> bool:
    """Whether all colours differ, and each from all of the ground near it."""
    lab = rgb2lab(np.array([[shape.rgb for shape in shapes]]))[0]
    among = np.linalg.norm(lab[:, None] - lab[None], axis=-1)[np.triu_indices(len(lab), 1)]
    if (among < DISTINCT).any():
        return False
    step = max(1, ground.shape[0] // 64)
    seen = rgb2lab(ground[::step, ::step])
    return all(float(deltaE_cie76(seen, one).min()) >= DISTINCT for one in lab)
