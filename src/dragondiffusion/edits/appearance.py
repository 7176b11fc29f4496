"""Giving an object the appearance of another image's object."""

from dataclasses import dataclass, replace

from ..core.geometry import Correspondence, coverage, covered_cells
from ..core.paint import Placed
from ..core.types import Canvas, Mask, Pictures, Size, Text
from ..imaging.files import ImageLike, Pixels, read_picture
from ..imaging.frames import Box, Frame, box_of_mask, clipped, grown
from ..imaging.masks import MaskLike, ReadMask, pad_mask, read_mask
from ..imaging.tensors import pad_picture, to_unpadded
from ..method import strengths
from ..method.bank import by_region
from ..method.energies import GlobalSimilarity
from ..method.objective import Objective
from ..method.terms import content_term
from ..proxy.appearance import Dyed, Recoloured, Redressed, Woven
from ..proxy.cloth import has_one_hue, pattern, print_of, printed
from ..proxy.registration import register
from .base import Compiled, Edit, Guide, object_mask, read_object, with_fields
from .footprint import BORDER
from .settings import Settings


@dataclass(frozen=True)
class ReplaceAppearance(Edit):
    """Gives an object the appearance of an object of a second image; its shape and place stay.

    Args:
        mask: the object; an image, array or path of the size of the image.
        image: the second image, of any size.
        reference_mask: the object whose appearance is taken, of the size of the second image.
        prompt: what the second image shows.
        pattern: take over the pattern too: laid on place by place where either object has one and their outlines
            agree, otherwise continued over the object, upright and as large relative to it as it was, where the
            second image's object has one. Without a pattern, and if False, colours alone: one under the object's own
            light and shade, several by their mean and covariance.
    """

    mask: MaskLike
    image: ImageLike
    reference_mask: MaskLike
    prompt: Text = ""
    pattern: bool = True

    STRENGTHS = strengths.APPEARANCE
    CLAMP = 1.0  # chosen, docs/experiments.md

    LEAST_PATTERN = 0.02
    """From this on an object has a pattern, see `pattern`. Source: docs/experiments.md."""
    LEAST_OVERLAP = 0.9
    """From this on outlines agree, see `registration.Registration`. Source: as `LEAST_PATTERN`."""
    LEAST_PRINT = 0.06
    """From this on an object's cloth has a print, see `print_of`. Source: as `LEAST_PATTERN`."""

    def extent(self, size: Size, settings: Settings) -> Box:
        self._second(settings)
        return clipped(grown(box_of_mask(read_object(self.mask, size, settings)), BORDER), size)

    def _second(self, settings: Settings) -> tuple[Pixels, Mask]:
        """The second image and its object."""
        picture = read_picture(self.image)
        size: Size = (picture.shape[0], picture.shape[1])
        return picture, read_object(self.reference_mask, size, settings, "reference_mask")

    def within(self, frame: Frame, settings: Settings) -> "ReplaceAppearance":
        mask = self.mask if frame.is_whole else ReadMask(frame.mask(self.mask))
        picture, like = self._second(settings)
        size: Size = (picture.shape[0], picture.shape[1])
        other = frame.second(box_of_mask(like), size, 1.0 / frame.scale)
        if frame.is_whole and other.is_whole:
            return self
        second = ReadMask(other.mask(ReadMask(like), "reference_mask"))
        return with_fields(self, mask=mask, image=other.pixels(picture), reference_mask=second)

    def guides(self, canvas: Canvas, settings: Settings) -> tuple[Guide, ...]:
        return (Guide(to_unpadded(read_picture(self.image)), self.prompt),)

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        picture = read_picture(self.image)
        other = canvas.of((picture.shape[0], picture.shape[1]))
        mask = object_mask(self.mask, canvas, settings=settings)
        like = pad_mask(read_mask(self.reference_mask, other.picture, "reference_mask"), other.padded)
        region, inside = covered_cells(mask, canvas.energy), coverage(mask, canvas.latent) > 0
        w = self.STRENGTHS.under(settings)
        objective = Objective(
            edit_terms=(GlobalSimilarity("edit", w.w_edit, 1, region, covered_cells(like, other.energy)),),
            content_terms=content_term(~region, w.w_content),
            inside=inside,
            recalls=(by_region(w.recall_window, mask, like),),
            transports=(),
            noise_region=inside,
            strengths=w,
        )
        match = Correspondence.to_self(inside, canvas.padded)
        placed = Placed(0, match, Recoloured(mask, 1, like), self.clamp(settings))
        return Compiled.in_place(objective, mask, canvas, (placed,) if settings.proxy else (), fades=False)

    def refine(self, compiled: Compiled, x: Pictures, canvas: Canvas, settings: Settings) -> Compiled:
        if not settings.proxy:
            return compiled
        (placed,) = compiled.placed
        (guide,) = self.guides(canvas, settings)
        paint, other = placed.paint, pad_picture(guide.x, canvas.of(guide.size).padded)
        if not isinstance(paint, Recoloured):
            return compiled
        found = self._patterned(placed, paint, (x, other), canvas) if self.pattern else None
        if found is None and has_one_hue(other, paint.like):
            found = replace(placed, paint=Dyed(paint))
        return compiled if found is None else replace(compiled, placed=(found,))

    def _patterned(
        self, placed: Placed, paint: Recoloured, images: tuple[Pictures, Pictures], canvas: Canvas
    ) -> Placed | None:
        """The content with the other object's pattern, of the image and the second one; None where there is none."""
        x, other = images
        patterned = max(pattern(x, paint.mask), pattern(other, paint.like)) >= self.LEAST_PATTERN
        found = register(paint.mask, paint.like) if patterned else None
        if found is not None and found.overlap >= self.LEAST_OVERLAP:
            size: Size = (paint.like.shape[0], paint.like.shape[1])
            match = Correspondence.along(found.affine, paint.mask > 0, canvas.padded, size)
            return replace(placed, paint=Redressed(paint, match))
        regular = printed(other, paint.like)
        if regular is not None or print_of(other, paint.like) >= self.LEAST_PRINT:
            return replace(placed, paint=Woven(paint, regular))
        return None
