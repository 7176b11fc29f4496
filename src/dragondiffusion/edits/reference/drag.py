"""Drags and landmarks as the released code makes them: patches of whole cells, copied in place.

Source: behaviour of the authors' released code, docs/method.md, section 9.
"""

import itertools

import torch

from ...core.geometry import Correspondence, cell_centres, coverage, resize_nearest
from ...core.types import Canvas, Mask, Pairs
from ...method.bank import appending
from ...method.objective import Objective, Strengths, Transport
from ...method.patches import patch_cell
from ...method.terms import content_term, left_terms, patch_term


def drag(pairs: Pairs, mask: Mask, canvas: Canvas, w: Strengths) -> Objective:
    """The objective of dragging.

    Args:
        pairs: points (start, end), pixels.
        mask: what may change, on the padded image.
        canvas: grids.
        w: strengths.
    """
    solid = (mask > 0).float()
    inside = resize_nearest(solid, canvas.latent) > 0
    rest = resize_nearest(solid, canvas.energy) <= 0.5
    return Objective(
        edit_terms=(patch_term(pairs, 0.5 * w.w_edit, canvas, by_cells=True), *left_terms(pairs, w, canvas)),
        content_terms=content_term(rest, 0.5 * w.w_content),
        inside=inside,
        recalls=(appending(w.recall_window),),
        transports=(copied_patches(pairs, canvas),),
        noise_region=inside,
        strengths=w,
    )


def landmarks(pairs: Pairs, mask: Mask, canvas: Canvas, w: Strengths) -> Objective:
    """The objective of moving landmarks: the edit energy alone, everywhere.

    Args:
        pairs: landmarks (from, to), pixels.
        mask: the image, on the padded one.
        canvas: grids.
        w: strengths.
    """
    inside = coverage(mask, canvas.latent) > 0
    return Objective(
        edit_terms=(patch_term(pairs, 0.5 * w.w_edit, canvas, by_cells=True),),
        content_terms=(),
        inside=inside,
        recalls=(appending(w.recall_window),),
        transports=(),
        noise_region=inside,
        strengths=w,
    )


def copied_patches(pairs: Pairs, canvas: Canvas) -> Transport:
    """The latent cells around every start, copied to the end, as the authors' code starts a drag.

    Convention: that code copies in place, pair after pair, row by row and cell by cell. Where a patch overlaps its own
    start or another pair's, cells therefore read what earlier copies left there.

    Source: behaviour of the authors' released code, docs/method.md, section 9.
    """
    target = torch.zeros(canvas.latent, dtype=torch.bool)
    origin = torch.arange(target.numel()).reshape(canvas.latent)
    for start, end in pairs:
        (from_x, from_y), (to_x, to_y) = (
            [v // canvas.grid for v in patch_cell(point, canvas)] for point in (start, end)
        )
        for dy, dx in itertools.product((-1, 0, 1), repeat=2):
            fits_x = all(0 <= x + dx < canvas.latent[1] for x in (from_x, to_x))
            fits_y = all(0 <= y + dy < canvas.latent[0] for y in (from_y, to_y))
            if fits_x and fits_y:
                target[to_y + dy, to_x + dx] = True
                origin[to_y + dy, to_x + dx] = origin[from_y + dy, from_x + dx]
    source = cell_centres(canvas.latent, canvas.latent)[origin[target]]
    return Transport(0, Correspondence(target, source, canvas.latent, bilinear=False))
