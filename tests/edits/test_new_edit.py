"""A new edit is one class and one line: here, making a region look like another place of the same image.

It then works from Python, and in the command line, recipes, the benchmark and the page without another line.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from dragondiffusion import Edit, Settings, Window
from dragondiffusion.core.geometry import Correspondence, coverage, covered_cells
from dragondiffusion.edits import Compiled, Objective, Strengths
from dragondiffusion.edits.base import object_mask
from dragondiffusion.imaging.files import ImageLike
from dragondiffusion.method.bank import replacing
from dragondiffusion.method.energies import GlobalSimilarity, LocalSimilarity


@dataclass(frozen=True)
class Blend(Edit):
    """Gives a region the appearance of another one."""

    mask: ImageLike
    like: ImageLike

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


def test_a_new_edit_runs_through_the_same_loop(editor, picture, mask):
    like = np.roll(mask, 40, axis=1)
    settings = Settings(steps=4, guidance=(Window(0, 1),))
    result = editor(picture, Blend(mask, like), settings=settings)
    without = editor(picture, Blend(mask, like), settings=replace(settings, energy_scale=0.0))
    assert set(result.energies[0][1]) == {"edit", "content"}
    assert not torch.equal(result.latents, without.latents)
