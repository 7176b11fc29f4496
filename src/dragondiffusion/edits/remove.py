"""Taking an object away."""

from dataclasses import dataclass

from ..core.geometry import coverage, covered_cells
from ..core.types import Canvas, Pictures, Size
from ..imaging.frames import Box, Frame, box_of_mask
from ..imaging.masks import MaskLike, ReadMask
from ..method import strengths
from ..method.bank import replacing
from ..method.objective import Objective
from ..method.terms import hole_terms
from ..proxy.shadows import find_shadow
from .base import Compiled, Edit, nowhere, object_mask, read_object, with_fields
from .footprint import hint_within, leaving_box, with_hint
from .hole import hint_region, pixels_of_hole
from .settings import Settings
from .shading import with_shadow


@dataclass(frozen=True)
class Remove(Edit):
    """Removes an object; what was behind it is inpainted. A move whose object goes nowhere.

    Args:
        mask: the object; an image, array or path of the size of the image.
        hint: region that the source hole should look like; None is the rest of the image.
    """

    mask: MaskLike
    hint: MaskLike | None = None

    # Source: chosen, those of moving, of which this is the part that concerns the place left.
    STRENGTHS = strengths.MOVE

    def extent(self, size: Size, settings: Settings) -> Box:
        mask = read_object(self.mask, size, settings)
        return with_hint(self.hint, leaving_box(mask, box_of_mask(mask), size, settings), size)

    def within(self, frame: Frame, settings: Settings) -> "Remove":
        if frame.is_whole:
            return self
        return with_fields(self, mask=ReadMask(frame.mask(self.mask)), hint=hint_within(self.hint, frame))

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        mask = object_mask(self.mask, canvas, settings=settings)
        source, left = covered_cells(mask, canvas.energy), coverage(mask, canvas.latent) > 0
        w, nothing = self.STRENGTHS.under(settings), nowhere(canvas.energy)
        objective = Objective(
            edit_terms=(),
            content_terms=hole_terms(source, nothing, hint_region(self.hint, canvas), w, settings.raw_cosine),
            inside=nowhere(canvas.latent),
            recalls=(replacing(w.recall_window),),
            transports=(),
            noise_region=left,
            strengths=w,
        )
        return Compiled(
            objective=objective,
            placed=(),
            touched=source,
            changed=mask,
            stays=nowhere(canvas.latent),
            hole=left,
            hole_pixels=pixels_of_hole(mask),
        )

    def refine(self, compiled: Compiled, x: Pictures, canvas: Canvas, settings: Settings) -> Compiled:
        if not (settings.shadows and settings.proxy):
            return compiled
        mask = object_mask(self.mask, canvas, settings=settings)
        shadow = find_shadow(x, mask)
        if shadow is None:
            return compiled
        return with_shadow(compiled, shadow, mask, None, 1.0, self.clamp(settings), canvas)
