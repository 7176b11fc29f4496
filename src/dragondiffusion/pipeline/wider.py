"""What of a photo lies around its edited frame, as far as inpainting looks: a tight frame shows too little."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from ..core.geometry import bounding_box
from ..core.types import Pictures, Region
from ..imaging.photos import Shot
from ..imaging.tensors import to_tensor
from ..proxy.inpainting import Fill, context_of, inpaint


@dataclass(frozen=True, eq=False)
class Wider:
    """A frame with its surroundings.

    Args:
        x: the wider picture in [-1, 1], at the frame's scale.
        hole: pixels of it that are made up.
        inside: rows and columns of the frame in it.
    """

    x: Pictures
    hole: Region
    inside: tuple[slice, slice]

    @staticmethod
    def of(x: Pictures, hole: Region, shot: Shot) -> "Wider":
        """As much of the photo around a frame as there is, and as is looked at around a hole.

        Args:
            x: the frame's padded picture.
            hole: its pixels that are made up.
            shot: the photo with the frame.
        """
        frame = shot.frame
        rows, columns = frame.size
        x, hole = x[..., :rows, :columns], hole[:rows, :columns]
        above, below, before, behind = _missing(hole, shot)
        size = rows + above + below, columns + before + behind
        if size == (rows, columns) or not bool(hole.any()):
            return Wider(x, hole, (slice(0, rows), slice(0, columns)))
        inside = slice(above, above + rows), slice(before, before + columns)
        y = _cut(shot, (above, below, before, behind), size).to(x)
        y[..., inside[0], inside[1]] = x
        wide = torch.zeros(size, dtype=torch.bool)
        wide[inside] = hole
        return Wider(y, wide, inside)


def inpaint_within(shot: Shot, x: Pictures, hole: Region, ways: Sequence[Fill] = ()) -> Pictures:
    """As `inpaint`, of a frame's padded picture; what of the photo lies around the frame is looked at too."""
    wider, (rows, columns) = Wider.of(x, hole, shot), shot.frame.size
    result = x.clone()
    result[..., :rows, :columns] = inpaint(wider.x, wider.hole, ways)[..., wider.inside[0], wider.inside[1]]
    return result


def _missing(hole: Region, shot: Shot) -> tuple[int, int, int, int]:
    """Pixels of the frame's scale that are looked at above, below, before and behind it, and that the photo has."""
    if not bool(hole.any()):
        return 0, 0, 0, 0
    frame = shot.frame
    (rows, columns), (height, width) = frame.size, frame.picture
    left, top, right, bottom = bounding_box(hole)
    by, (x0, y0, x1, y1) = context_of(hole), frame.box
    wanted = by - top, bottom + by - rows, by - left, right + by - columns
    there = y0, height - y1, x0, width - x1
    above, below, before, behind = (
        max(0, min(want, math.floor(have * frame.scale))) for want, have in zip(wanted, there, strict=True)
    )
    return above, below, before, behind


def _cut(shot: Shot, by: tuple[int, int, int, int], size: tuple[int, int]) -> Pictures:
    """The photo's pixels of the frame and so many of its pixels around it."""
    above, below, before, behind = (n / shot.frame.scale for n in by)
    (height, width), (x0, y0, x1, y1) = shot.frame.picture, shot.frame.box
    left, right = max(0, round(x0 - before)), min(width, round(x1 + behind))
    top, bottom = max(0, round(y0 - above)), min(height, round(y1 + below))
    part = np.ascontiguousarray(shot.photo.pixels[top:bottom, left:right])
    if part.shape[:2] != size:
        part = np.array(Image.fromarray(part).resize((size[1], size[0]), Image.Resampling.LANCZOS))
    return to_tensor(part, size)
