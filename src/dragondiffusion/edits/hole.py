"""What is asked of a source hole: shared by moving and removing."""

from ..core.geometry import covered_cells, dilate
from ..core.types import Canvas, Mask, Region
from ..imaging.masks import MaskLike, pad_mask, read_mask

SHOWS = 0.02
"""Share of a pixel from which on an object shows in it: five levels of 8 bits at most. Source: chosen."""
FRINGE = 1
"""Pixels around a mask that still show its object. Source: chosen; drawn edges are soft over a pixel."""


def hint_region(hint: MaskLike | None, canvas: Canvas) -> Region | None:
    """Cells of the energy grid that the source hole should look like; None where nothing is said."""
    if hint is None:
        return None
    mask = pad_mask(read_mask(hint, canvas.picture, name="hint"), canvas.padded)
    return covered_cells(mask, canvas.energy)


def pixels_of_hole(mask: Mask) -> Region:
    """Pixels that the proxy inpaints: those of the object, with a fringe."""
    return dilate(mask > SHOWS, FRINGE)
