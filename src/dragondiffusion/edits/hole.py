"""What is asked of a source hole: shared by moving and removing."""

from dataclasses import replace

import torch

from ..core.geometry import coverage, covered_cells, dilate, holds_any, resize_nearest
from ..core.types import Canvas, Mask, Pictures, Region
from ..imaging.masks import MaskLike, pad_mask, read_mask
from ..proxy.leftovers import leftovers, width_of
from ..proxy.shading import scaled
from .base import Compiled

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


def found_leftovers(compiled: Compiled, x: Pictures, canvas: Canvas) -> Region:
    """Pixels beside the source hole that still show what is taken away.

    What other edits work on stays, and so does what lies beside the object in its new place: turned or mirrored in its
    place, it has its rim and its contact shadow there again.

    Args:
        compiled: one edit or several.
        x: the padded image in [-1, 1].
        canvas: grids.
    """
    rows, columns = canvas.picture
    lit = x if compiled.lit is None else scaled(x, compiled.lit)
    found = torch.zeros_like(compiled.hole_pixels)
    found[:rows, :columns] = leftovers(lit[..., :rows, :columns], compiled.hole_pixels[:rows, :columns])
    width = width_of(float(compiled.hole_pixels.sum()))
    for placed in compiled.placed:
        if placed.is_content and placed.paint is not None:
            found &= ~dilate(placed.paint.region, width)
    return found & ~(resize_nearest(compiled.stays.float(), canvas.padded) > 0)


def with_leftovers(compiled: Compiled, left: Region, canvas: Canvas) -> Compiled:
    """Edits whose source hole takes in what a mask leaves of its object outside.

    Args:
        compiled: without.
        left: these pixels.
        canvas: grids.
    """
    if not holds_any(left):
        return compiled
    cells = (coverage(left.float(), canvas.latent) > 0) & ~compiled.stays & ~compiled.objective.inside
    grid = covered_cells(left.float(), canvas.energy)
    kept = (term.without(grid) if term.name == "content" else term for term in compiled.objective.content_terms)
    content = tuple(term for term in kept if term is not None)
    noise = compiled.objective.noise_region | cells
    return replace(
        compiled,
        objective=replace(compiled.objective, content_terms=content, noise_region=noise),
        touched=compiled.touched | grid,
        changed=compiled.changed.maximum(left.float()),
        hole=compiled.hole | cells,
        hole_pixels=compiled.hole_pixels | left,
        leftovers=left,
        outright=None if compiled.outright is None else compiled.outright | left,
    )
