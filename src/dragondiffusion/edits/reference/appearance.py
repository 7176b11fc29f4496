"""Appearance replacement as the released code does it: both images of one size, regions by nearest cells.

Source: behaviour of the authors' released code, docs/method.md, section 9.
"""

from ...core.geometry import resize_nearest
from ...core.types import Canvas, Mask, Region
from ...method.bank import by_region
from ...method.energies import GlobalSimilarity
from ...method.objective import Objective, Strengths
from ...method.terms import content_term


def appearance(mask: Mask, like: Mask, canvas: Canvas, w: Strengths) -> Objective:
    """The objective of appearance replacement.

    Args:
        mask: the object, on the padded image.
        like: the object whose appearance is taken, on the second image, of the same size.
        canvas: grids.
        w: strengths.
    """
    region, region_gud = cells(mask, canvas), cells(like, canvas)
    inside = resize_nearest(region.float(), canvas.latent) > 0
    return Objective(
        edit_terms=(GlobalSimilarity("edit", w.w_edit, 1, region, region_gud),),
        content_terms=content_term(~region, w.w_content),
        inside=inside,
        recalls=(by_region(w.recall_window, mask, like),),
        transports=(),
        noise_region=inside,
        strengths=w,
    )


def cells(mask: Mask, canvas: Canvas) -> Region:
    """Cells of the energy grid that belong to an object."""
    return resize_nearest((mask > 0.5).float(), canvas.energy) > 0.5
