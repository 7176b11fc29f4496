"""Giving an object the appearance of another picture's object."""

from dataclasses import dataclass, replace

from ..energies import GlobalSimilarity, LocalSimilarity
from ..frames import Box, Frame, box_of_mask, clipped, grown
from ..geometry import Correspondence, coverage, covered_cells, resize_nearest
from ..images import ImageLike, marked, pad_mask, read_mask, read_picture, resized, to_unpadded
from ..memory import by_region
from ..settings import Geometry, Settings
from ..types import Canvas, Mask, Region, Size, Window
from .base import Carry, Edit, Guide, Objective, Strengths, nowhere, object_mask
from .draft import Recoloured
from .extents import BORDER


@dataclass(frozen=True)
class ReplaceAppearance(Edit):
    """Gives an object the look of an object of a second picture; its shape and place stay.

    Args:
        mask: the object; a picture, array or path of the size of the picture.
        image: the second picture, of any size.
        reference_mask: the object whose look is taken, of the size of the second picture.
        prompt: what the second picture shows.
    """

    mask: ImageLike
    image: ImageLike
    reference_mask: ImageLike
    prompt: str = ""

    # Source: docs/method.md, section 9; how long the draft is held is chosen, docs/experiments.md.
    STRENGTHS = Strengths(
        guidance_scale=5.0, w_edit=3.5, w_content=5.0, recall_window=Window(0.0, 0.72), hold=Window(0.0, 0.9)
    )

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
            emptied=nowhere(canvas.padded),
            recalls=(by_region(w.recall_window, mask, like),),
            carries=(carry,) if settings.draft else (),
            vacated=nowhere(canvas.latent),
            noise_region=inside,
            strengths=w,
        )


def _cells(mask: Mask, grid: Size, centred: bool) -> Region:
    """Cells of the energy grid that belong to an object."""
    return resize_nearest((mask > 0.5).float(), grid) > 0.5 if centred else covered_cells(mask, grid)
