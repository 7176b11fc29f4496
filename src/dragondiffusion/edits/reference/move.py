"""Moving, resizing and pasting as the released code does it.

Source: behaviour of the authors' released code, docs/method.md, section 9.
"""

from ...core.types import Canvas, Mask, Number, Point, Region
from ...method.bank import by_region, replacing
from ...method.energies import LocalSimilarity
from ...method.objective import Objective, Strengths, Transport
from ...method.terms import content_term, hole_terms
from .placement import CellPlacement, arrive, place


def move(
    mask: Mask,
    offset: Point,
    scale: Number,
    canvas: Canvas,
    w: Strengths,
    *,
    raw: bool = True,
    hint: Region | None = None,
) -> tuple[Objective, CellPlacement] | None:
    """The objective of moving and resizing, and where the object comes to lie; None if it leaves the image.

    Args:
        mask: the object, on the padded image.
        offset: (dx, dy), pixels.
        scale: about the image's centre.
        canvas: grids.
        w: strengths.
        raw: compare by the raw cosine, see `LocalSimilarity`.
        hint: cells of the energy grid that the source hole should look like.
    """
    placement = place(mask, offset, scale, canvas)
    if placement is None:
        return None
    objective = Objective(
        edit_terms=(LocalSimilarity("edit", 0.5 * w.w_edit, 0, placement.match, raw),),
        content_terms=hole_terms(placement.source, placement.match.target, hint, w, raw),
        inside=placement.inside,
        recalls=(replacing(w.recall_window),),
        transports=(Transport(0, placement.latent),),
        noise_region=placement.noise_region,
        strengths=w,
    )
    return objective, placement


def paste(mask: Mask, offset: Point, canvas: Canvas, w: Strengths) -> tuple[Objective, CellPlacement] | None:
    """The objective of pasting, and where the object comes to lie; None if that is outside of the image.

    Args:
        mask: the object, on the second image, which has the size of the padded one and was scaled already.
        offset: (dx, dy), pixels.
        canvas: grids.
        w: strengths.
    """
    placement = arrive(mask, offset, canvas)
    if placement is None:
        return None
    target = placement.match.target
    objective = Objective(
        edit_terms=(LocalSimilarity("edit", w.w_edit, 1, placement.match),),
        content_terms=content_term(~target, w.w_content),
        inside=placement.inside,
        recalls=(by_region(w.recall_window, placement.changed, mask),),
        transports=(Transport(1, placement.latent),),
        noise_region=placement.noise_region,
        strengths=w,
    )
    return objective, placement
