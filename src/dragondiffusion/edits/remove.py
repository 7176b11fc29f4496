"""Taking an object away."""

from dataclasses import dataclass, replace

from ..core.geometry import coverage, covered_cells
from ..core.types import Canvas, Pictures, Size
from ..imaging.frames import Box, Frame, box_of_mask
from ..imaging.masks import MaskLike, read_mask
from ..method.bank import replacing
from ..pipeline.settings import Settings
from ..proxy.shadows import find_shadow
from .base import Edit, Objective, nowhere, object_mask
from .footprint import hint_within, leaving_box, with_hint
from .hole import hint_region, hole_terms, pixels_of_hole
from .move import Move
from .shading import with_shadow


@dataclass(frozen=True)
class Remove(Edit):
    """Removes an object; what was behind it is made up. A move whose object goes nowhere.

    Args:
        mask: the object; a picture, array or path of the size of the picture.
        hint: region whose look the hole place should take; None is the rest of the picture.
    """

    mask: MaskLike
    hint: MaskLike | None = None

    # Source: chosen, those of moving, of which this is the part that concerns the place left.
    STRENGTHS = Move.STRENGTHS

    def extent(self, size: Size, settings: Settings) -> Box:
        mask = read_mask(self.mask, size)
        return with_hint(self.hint, leaving_box(mask, box_of_mask(mask), size, settings), size)

    def within(self, frame: Frame, settings: Settings) -> "Remove":
        if frame.is_whole:
            return self
        return replace(self, mask=frame.mask(self.mask), hint=hint_within(self.hint, frame))

    def objective(self, canvas: Canvas, settings: Settings) -> Objective:
        mask = object_mask(self.mask, canvas)
        source, left = covered_cells(mask, canvas.energy), coverage(mask, canvas.latent) > 0
        w = self.STRENGTHS.under(settings)
        hint = hint_region(self.hint, canvas, settings)
        return Objective(
            edit_terms=(),
            content_terms=hole_terms(source, nowhere(canvas.energy), hint, w, settings.raw_cosine),
            inside=nowhere(canvas.latent),
            touched=source,
            changed=mask,
            stays=nowhere(canvas.latent),
            hole_pixels=pixels_of_hole(mask, left, canvas),
            recalls=(replacing(w.recall_window),),
            carries=(),
            hole=left,
            noise_region=left,
            strengths=w,
        )

    def refine(self, objective: Objective, x: Pictures, canvas: Canvas, settings: Settings) -> Objective:
        if not (settings.shadows and settings.proxy):
            return objective
        mask = object_mask(self.mask, canvas)
        shadow = find_shadow(x, mask)
        if shadow is None:
            return objective
        return with_shadow(objective, shadow, mask, None, 1.0, canvas)
