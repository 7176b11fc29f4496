"""The image and the edits whose cost is measured: an object of an eighth of the image, on a texture.

On plain ground a run begins late, because the source hole can be inpainted well. Photographs have textures.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...core.types import Point, Size
from ...edits import Drag, Edit, Landmarks, Move, Paste, Remove, ReplaceAppearance
from ..tasks import HELD_OUT, TASKS

SHARE = 1 / 8
"""Share of the image that the object covers. Source: chosen."""

CENTRE: Point = (0.36, 0.5)
"""Where it is, as fractions of width and height; moved by a quarter of the width it is still inside."""

Pixels = npt.NDArray[np.uint8]
Region = npt.NDArray[np.bool_]


def picture(size: Size, seed: int = 0) -> tuple[Pixels, Region]:
    """A disc on a texture of several scales, and the mask of the disc.

    Args:
        size: (height, width) in pixels.
        seed: of both textures.
    """
    height, width = size
    radius = math.sqrt(SHARE * height * width / math.pi)
    y, x = np.mgrid[:height, :width] + 0.5
    mask = (x - CENTRE[0] * width) ** 2 + (y - CENTRE[1] * height) ** 2 < radius**2
    rng = np.random.default_rng(seed)
    ground, disc = texture(size, rng), texture(size, rng)
    shown = np.where(mask[..., None], 0.5 * disc + 0.5 * np.array((0.8, 0.3, 0.2)), ground)
    return (255 * shown).round().astype(np.uint8), mask


def texture(size: Size, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A pattern (height, width, 3) in [0, 1] with as much contrast at every scale from 2 pixels up."""
    total = np.zeros((*size, 3))
    cells = [2**k for k in range(1, int(math.log2(min(size))))]
    for cell in cells:
        grid = rng.integers(0, 256, (-(-size[0] // cell) + 1, -(-size[1] // cell) + 1, 3), dtype=np.uint8)
        large = Image.fromarray(grid).resize((size[1], size[0]), Image.Resampling.BICUBIC)
        total += np.asarray(large) / 255
    return total / len(cells)


def edits(kind: str, size: Size) -> tuple[Edit, Edit]:
    """Two edits of a kind, one after the other, of the image of a size.

    A kind that has none of its own here gives those of its first two held-out tasks.

    Args:
        kind: a key of `bench.kinds.KINDS`.
        size: (height, width) in pixels.
    """
    (height, width), (_, mask) = size, picture(size)
    other, other_mask = picture(size, seed=1)
    x, y = CENTRE[0] * width, CENTRE[1] * height
    reach = 0.15 * min(size)
    ring = [(x + reach * math.cos(k), y + reach * math.sin(k)) for k in range(6)]
    every: dict[str, tuple[Edit, Edit]] = {
        "move": (Move(mask, (width / 4, 0.0)), Move(mask, (width / 6, height / 8))),
        "resize": (Move(mask, scale=1.25), Move(mask, scale=0.8)),
        "rotate": (Move(mask, angle=30.0), Move(mask, angle=-20.0)),
        "remove": (Remove(mask), Remove(mask)),
        "paste": (Paste(other, other_mask, (width / 4, 0.0)), Paste(other, other_mask, (width / 6, 0.0))),
        "appearance": (ReplaceAppearance(mask, other, other_mask), ReplaceAppearance(mask, other, other_mask)),
        "drag": (Drag([((x, y), (x + reach, y))]), Drag([((x, y), (x, y + reach))])),
        "landmarks": (
            Landmarks(ring, [(u + 0.2 * reach, v) for u, v in ring]),
            Landmarks(ring, [(u, v + 0.2 * reach) for u, v in ring]),
        ),
    }
    return every[kind] if kind in every else _of_tasks(kind, size)


def _of_tasks(kind: str, size: Size) -> tuple[Edit, Edit]:
    first, second = TASKS[kind](2, HELD_OUT, size)
    return first.edit(), second.edit()
