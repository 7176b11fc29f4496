"""What is asked of a place whose content goes away: shared by moving and removing."""

from ..core.geometry import Correspondence, covered_cells, dilate, resize_nearest
from ..core.types import Canvas, Mask, Region
from ..imaging.masks import MaskLike, pad_mask, read_mask
from ..method.energies import Contrast, Energy, GlobalSimilarity, LocalSimilarity
from ..pipeline.settings import Geometry, Settings
from .base import Strengths

FRINGE = 1
"""Pixels around a mask that still show its object. Source: chosen; drawn edges are soft over a pixel."""


def hint_region(hint: MaskLike | None, canvas: Canvas, settings: Settings) -> Region | None:
    """Cells of the energy grid whose look a hole place should take; None where nothing is said."""
    if hint is None:
        return None
    mask = pad_mask(read_mask(hint, canvas.picture, name="hint"), canvas.padded)
    if settings.geometry is Geometry.AFFINE:
        return covered_cells(mask, canvas.energy)
    return resize_nearest((mask > 0).float(), canvas.energy) > 0.5


def pixels_of_hole(mask: Mask, hole: Region, canvas: Canvas) -> Region:
    """Pixels that the proxy smooths over: those of the object, with a fringe, and of the cells it leaves."""
    cells = resize_nearest(hole.float(), canvas.padded) > 0.5
    return dilate(mask > 0, FRINGE) | cells


def hole_terms(source: Region, target: Region, hint: Region | None, w: Strengths, raw: bool) -> tuple[Energy, ...]:
    """Content, contrast and inpainting energies.

    Args:
        source: cells of the energy grid that something leaves.
        target: cells it goes to; none for a removal.
        hint: see `hint_region`.
        w: weights.
        raw: compare by the raw cosine, see `LocalSimilarity`.

    Source: docs/method.md, section 5.
    """
    terms: list[Energy] = []
    rest, hole = ~(source | target), source & ~target
    if bool(rest.any()):
        terms.append(LocalSimilarity("content", 0.5 * w.w_content, 0, Correspondence.same(rest), raw))
    if bool(hole.any()):
        terms.append(Contrast("contrast", 0.5 * w.w_contrast, 0, Correspondence.same(hole)))
        like = rest if hint is None else hint
        if bool(like.any()):
            terms.append(GlobalSimilarity("inpaint", w.w_inpaint, 0, hole, like))
    return tuple(terms)
