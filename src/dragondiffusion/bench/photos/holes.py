"""Holes in photographs: a plain disc is drawn onto one and removed; the truth is the photograph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from .arrays import Image, averaged, pixel_centres, to_bytes
from .catalog import Catalog, photograph_of
from .drawn import colour
from .grounds import CLASSES, classified, roughness, scaled
from .problem import Problem, Source, generator
from .sprites import SUPERSAMPLING

DIAMETER = 36 / 128
"""Of the disc, as a share of the canvas."""
VERSION = 1
TRIES = 200


@dataclass(frozen=True)
class Holes(Source):
    """Discs on photographs.

    Args:
        catalog: photographs; things and grounds are not used.
        side: of the square canvas, pixels.
        grounds: classes of what lies under the disc.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("remove",)
    GROUNDS: ClassVar[tuple[str, ...]] = CLASSES

    catalog: Catalog
    side: int = 128
    grounds: tuple[str, ...] = CLASSES

    def __post_init__(self) -> None:
        self.check_grounds(self.grounds)

    def about(self) -> dict[str, object]:
        names = {"folder": self.catalog.digest, "photographs": len(self.catalog.findings)}
        return {"set": "holes", "version": VERSION, "side": self.side, "grounds": list(self.grounds), **names}

    def problem(self, kind: str, seed: int) -> Problem:
        self.check_kinds((kind,))
        rng = generator(seed, "holes")
        readable = [found.path for found in self.catalog.findings if found.why != "unreadable"]
        for _ in range(TRIES):
            image = self._crop(readable[int(rng.integers(len(readable)))], rng)
            centre, radius = rng.uniform(0.3, 0.7, 2) * self.side, DIAMETER / 2 * self.side
            points = pixel_centres((self.side, self.side), SUPERSAMPLING)
            inside = np.hypot(points[..., 0] - centre[0], points[..., 1] - centre[1]) < radius
            mask = averaged(inside.astype(np.float32), SUPERSAMPLING)
            left, top = (int(c - radius) for c in centre)
            label = classified(roughness(image[top : top + int(2 * radius), left : left + int(2 * radius)]))
            if label in self.grounds:
                rgb = colour(rng, (0.3, 1.0), (0.3, 1.0))
                before = image * (1 - mask[..., None]) + mask[..., None] * rgb
                return Problem(kind, seed, label, to_bytes(before), to_bytes(image), mask)
        raise ValueError(
            f"--grounds {' '.join(self.grounds)}: none of {TRIES} photographs has such a place; name others"
        )

    def _crop(self, path: Path, rng: np.random.Generator) -> Image:
        """A square part of a photograph, four fifths of its shorter side or more."""
        photograph = photograph_of(path)
        height, width = photograph.shape[:2]
        side = int(rng.uniform(0.8, 1.0) * min(height, width))
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        return scaled(photograph[top : top + side, left : left + side].astype(np.float32) / 255, self.side)
