"""The energies of each edit of the paper, made of regions and correspondences on the energy grid."""

from ..core.geometry import Correspondence
from ..core.types import Canvas, Number, Pairs, Region
from .energies import Contrast, Energy, GlobalSimilarity, LocalSimilarity, PatchSimilarity
from .objective import Strengths
from .patches import SIDE, cell_patches, patch_region, point_patches


def content_term(rest: Region, weight: Number, raw: bool = False) -> tuple[Energy, ...]:
    """The content energy: what is not edited looks as it did. None of it where everything is edited.

    Args:
        rest: cells of the energy grid that are not edited.
        weight: of the term.
        raw: compare by the raw cosine, see `LocalSimilarity`.
    """
    if not bool(rest.any()):
        return ()
    return (LocalSimilarity("content", weight, 0, Correspondence.same(rest), raw),)


def patch_term(pairs: Pairs, weight: Number, canvas: Canvas, by_cells: bool = False) -> PatchSimilarity:
    """The energy that is low when the patch around every end looks as the one around its start did.

    Args:
        pairs: points (start, end), pixels.
        weight: of the term.
        canvas: grids.
        by_cells: patches of whole cells, as in the released code; otherwise around the points, bilinear.
    """
    starts, ends = [start for start, _ in pairs], [end for _, end in pairs]
    patches, size = (cell_patches, canvas.energy) if by_cells else (point_patches, canvas.padded)
    target, source = patches(ends, canvas), patches(starts, canvas)
    return PatchSimilarity("edit", weight, 0, target, source, SIDE**2, size, bilinear=not by_cells)


def left_terms(pairs: Pairs, w: Strengths, canvas: Canvas) -> tuple[Energy, ...]:
    """What leaves a patch no longer looks as it did."""
    terms: list[Energy] = []
    for start, end in pairs:
        left = patch_region(start, canvas) & ~patch_region(end, canvas)
        if bool(left.any()):
            terms.append(Contrast("inpaint", 0.5 * w.w_inpaint / len(pairs), 0, Correspondence.same(left)))
    return tuple(terms)


def hole_terms(source: Region, target: Region, hint: Region | None, w: Strengths, raw: bool) -> tuple[Energy, ...]:
    """Content, contrast and inpainting energies.

    Args:
        source: cells of the energy grid that something leaves.
        target: cells it goes to; none for a removal.
        hint: cells that the hole should look like; None is everything the edit does not touch.
        w: weights.
        raw: compare by the raw cosine, see `LocalSimilarity`.

    Source: docs/method.md, section 5.
    """
    rest, hole = ~(source | target), source & ~target
    terms = [*content_term(rest, 0.5 * w.w_content, raw)]
    if bool(hole.any()):
        terms.append(Contrast("contrast", 0.5 * w.w_contrast, 0, Correspondence.same(hole)))
        like = rest if hint is None else hint
        if bool(like.any()):
            terms.append(GlobalSimilarity("inpaint", w.w_inpaint, 0, hole, like))
    return tuple(terms)
