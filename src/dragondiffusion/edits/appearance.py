"""Giving an object the appearance of another picture's object."""

from dataclasses import dataclass, replace

from ..core.geometry import Correspondence, coverage, covered_cells, resize_nearest
from ..core.types import Canvas, Mask, Pictures, Region, Size, Window
from ..imaging.files import ImageLike, read_picture
from ..imaging.frames import Box, Frame, box_of_mask, clipped, grown
from ..imaging.masks import MaskLike, marked, pad_mask, read_mask
from ..imaging.tensors import pad_picture, resized, to_unpadded
from ..method.bank import by_region
from ..method.energies import GlobalSimilarity, LocalSimilarity
from ..pipeline.settings import Geometry, Settings
from ..proxy.appearance import Recoloured, Redressed, pattern
from ..proxy.registration import register
from .base import Carry, Edit, Guide, Objective, Strengths, nowhere, object_mask
from .footprint import BORDER


@dataclass(frozen=True)
class ReplaceAppearance(Edit):
    """Gives an object the look of an object of a second picture; its shape and place stay.

    Args:
        mask: the object; a picture, array or path of the size of the picture.
        image: the second picture, of any size.
        reference_mask: the object whose look is taken, of the size of the second picture.
        prompt: what the second picture shows.
        pattern: take over the pattern too, where either object has one and their outlines agree; otherwise colours
            alone.
    """

    mask: MaskLike
    image: ImageLike
    reference_mask: MaskLike
    prompt: str = ""
    pattern: bool = True

    # Source: docs/method.md, section 9; how long the proxy is held is chosen, docs/experiments.md.
    STRENGTHS = Strengths(
        guidance_scale=5.0, w_edit=3.5, w_content=5.0, recall_window=Window(0.0, 0.72), hold=Window(0.0, 0.95)
    )

    LEAST_PATTERN = 0.02
    """From this on an object has a pattern, see `look.pattern`. Source: docs/experiments.md."""
    LEAST_OVERLAP = 0.7
    """From this on outlines agree, see `registration.Registration`. Source: as `LEAST_PATTERN`."""

    def extent(self, size: Size, settings: Settings) -> Box:
        return clipped(grown(box_of_mask(read_mask(self.mask, size)), BORDER), size)

    def within(self, frame: Frame, settings: Settings) -> "ReplaceAppearance":
        mask = self.mask if frame.is_whole else frame.mask(self.mask)
        if settings.geometry is Geometry.CENTRED:  # the second picture gets the size of the frame
            return replace(self, mask=mask)
        picture = read_picture(self.image)
        size: Size = (picture.shape[0], picture.shape[1])
        like = read_mask(self.reference_mask, size, "reference_mask")
        other = frame.second(box_of_mask(like), size, 1.0 / frame.scale)
        if frame.is_whole and other.is_whole:
            return self
        return replace(self, mask=mask, image=other.pixels(picture), reference_mask=other.mask(like, "reference_mask"))

    def guides(self, canvas: Canvas, settings: Settings) -> tuple[Guide, ...]:
        pixels = read_picture(self.image)
        if settings.geometry is Geometry.CENTRED:
            pixels = resized(pixels, canvas.padded)
        return (Guide(to_unpadded(pixels), self.prompt),)

    def objective(self, canvas: Canvas, settings: Settings) -> Objective:
        picture = read_picture(self.image)
        other = canvas.of((picture.shape[0], picture.shape[1]))
        mask, like = object_mask(self.mask, canvas), read_mask(self.reference_mask, other.picture, "reference_mask")
        centred = settings.geometry is Geometry.CENTRED
        if centred:
            other, mask, like = canvas.of(canvas.padded), marked(mask, canvas.padded), marked(like, canvas.padded)
        else:
            like = pad_mask(like, other.padded)
        region, region_gud = _cells(mask, canvas.energy, centred), _cells(like, other.energy, centred)
        inside = resize_nearest(region.float(), canvas.latent) > 0 if centred else coverage(mask, canvas.latent) > 0
        w = self.STRENGTHS.under(settings)
        recoloured = Recoloured(mask, 1, like)
        carry = Carry(0, Correspondence.to_self(inside, canvas.padded), recoloured, w.hold)
        return Objective(
            edit_terms=(GlobalSimilarity("edit", w.w_edit, 1, region, region_gud),),
            content_terms=(LocalSimilarity("content", w.w_content, 0, Correspondence.same(~region)),),
            inside=inside,
            touched=region,
            changed=mask,
            stays=inside,
            hole_pixels=nowhere(canvas.padded),
            recalls=(by_region(w.recall_window, mask, like),),
            carries=(carry,) if settings.proxy else (),
            hole=nowhere(canvas.latent),
            noise_region=inside,
            strengths=w,
        )

    def refine(self, objective: Objective, x: Pictures, canvas: Canvas, settings: Settings) -> Objective:
        if not (self.pattern and settings.proxy and settings.geometry is Geometry.AFFINE):
            return objective
        (carry,) = objective.carries
        (guide,) = self.guides(canvas, settings)
        paint, other = carry.paint, pad_picture(guide.x, canvas.of(guide.size).padded)
        if not isinstance(paint, Recoloured):
            return objective
        if max(pattern(x, paint.mask), pattern(other, paint.like)) < self.LEAST_PATTERN:
            return objective
        found = register(paint.mask, paint.like)
        if found.overlap < self.LEAST_OVERLAP:
            return objective
        size: Size = (paint.like.shape[0], paint.like.shape[1])
        match = Correspondence.along(found.affine, paint.mask > 0, canvas.padded, size)
        return replace(objective, carries=(replace(carry, paint=Redressed(paint, match)),))


def _cells(mask: Mask, grid: Size, centred: bool) -> Region:
    """Cells of the energy grid that belong to an object."""
    return resize_nearest((mask > 0.5).float(), grid) > 0.5 if centred else covered_cells(mask, grid)
