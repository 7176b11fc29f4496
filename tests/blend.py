"""A new edit as its one file in `edits/` would be: it makes a region look like another place of the same image."""

from dataclasses import dataclass

from dragondiffusion.core.geometry import Correspondence, coverage, covered_cells
from dragondiffusion.edits.base import Compiled, Edit, object_mask
from dragondiffusion.imaging.masks import MaskLike
from dragondiffusion.method.bank import replacing
from dragondiffusion.method.energies import GlobalSimilarity, LocalSimilarity
from dragondiffusion.method.objective import Objective, Strengths


@dataclass(frozen=True)
class Blend(Edit):
    """Gives a region the appearance of another one.

    Args:
        mask: the region that changes.
        like: the region whose appearance it takes.
    """

    mask: MaskLike
    like: MaskLike

    STRENGTHS = Strengths(energy_scale=2000.0)

    def compiled(self, canvas, settings):
        mask, like = object_mask(self.mask, canvas), object_mask(self.like, canvas, "like")
        region, cells = covered_cells(mask, canvas.energy), coverage(mask, canvas.latent) > 0
        w = self.STRENGTHS.under(settings)
        objective = Objective(
            edit_terms=(GlobalSimilarity("edit", w.w_edit, 0, region, covered_cells(like, canvas.energy)),),
            content_terms=(LocalSimilarity("content", w.w_content, 0, Correspondence.same(~region)),),
            inside=cells,
            recalls=(replacing(w.recall_window),),
            transports=(),
            noise_region=cells,
            strengths=w,
        )
        return Compiled.in_place(objective, mask, canvas)
