"""What is asked of a place whose content goes away: shared by moving and removing."""

from ..core.geometry import covered_cells, dilate, resize_nearest
from ..core.types import Canvas, Mask, Region
from ..imaging.masks import MaskLike, pad_mask, read_mask

FRINGE = 1
"""Pixels around a mask that still show its object. Source: chosen; drawn edges are soft over a pixel."""


def hint_region(hint: MaskLike | None, canvas: Canvas) -> Region | None:
    """Cells of the energy grid whose look the source hole should take; None where nothing is said."""
    if hint is None:
        return None
    mask = pad_mask(read_mask(hint, canvas.picture, name="hint"), canvas.padded)
    return covered_cells(mask, canvas.energy)


def pixels_of_hole(mask: Mask, hole: Region, canvas: Canvas) -> Region:
    """Pixels that the proxy smooths over: those of the object, with a fringe, and of the cells it leaves."""
    cells = resize_nearest(hole.float(), canvas.padded) > 0.5
    return dilate(mask > 0, FRINGE) | cells
