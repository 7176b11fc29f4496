"""Bringing an object of a second image into this one."""

import math
from dataclasses import dataclass, replace

from ..core.geometry import Affine, centroid
from ..core.types import Canvas, Mask, Pictures, Point, Size, Text
from ..imaging.files import ImageLike, Pixels, read_picture
from ..imaging.frames import Box, Frame, box_of_mask, centre_of_mask, clipped, grown
from ..imaging.masks import MaskLike, ReadMask, pad_mask, read_mask
from ..imaging.tensors import pad_picture, to_unpadded
from ..method import strengths
from ..method.bank import by_region
from ..method.energies import LocalSimilarity
from ..method.objective import Objective, Transport
from ..method.terms import content_term
from ..proxy.light import fitted_light
from ..proxy.rough import Copied
from .base import Compiled, Edit, Guide, nowhere, read_object, with_fields
from .footprint import BORDER, arrival_box
from .placement import Angle, Scale, arrive
from .settings import Settings


@dataclass(frozen=True)
class Paste(Edit):
    """Pastes an object of a second image.

    Convention: the object is mirrored, scaled, turned about `anchor`, then displaced, from its place in the second
    image (pixels from its top left corner) to its place in the edited one; x to the right, y down; positive angles
    turn counter-clockwise as seen on the screen.

    Args:
        image: the second image, of any size; an image, array or path.
        mask: the object, of the size of the second image.
        offset: (dx, dy) in pixels, fractions count.
        scale: factor, or (factor along x, factor along y) before the turn.
        angle: degrees.
        flip: mirror left and right.
        anchor: (x, y) in the second image that scaling, turning and mirroring leave in place; None is the mask's
            centroid.
        prompt: what the second image shows.
    """

    image: ImageLike
    mask: MaskLike
    offset: Point = (0.0, 0.0)
    scale: Scale | tuple[Scale, Scale] = 1.0
    angle: Angle = 0.0
    flip: bool = False
    anchor: Point | None = None
    prompt: Text = ""

    STRENGTHS = strengths.PASTE
    CLAMP = 1.0  # chosen, docs/experiments.md

    @property
    def scales(self) -> Point:
        """Factors along x and y."""
        return self.scale if isinstance(self.scale, tuple) else (self.scale, self.scale)

    def extent(self, size: Size, settings: Settings) -> Box:
        _, mask, anchor = self._second(settings)
        affine = Affine.about(anchor, self.offset, self.scales, self.angle, self.flip)
        arrival = arrival_box(box_of_mask(mask), affine, size)
        if arrival is None:
            raise ValueError(self.outside(size))
        return clipped(grown(arrival, BORDER), size)

    def within(self, frame: Frame, settings: Settings) -> "Paste":
        picture, mask, (x, y) = self._second(settings)
        size: Size = (picture.shape[0], picture.shape[1])
        other = frame.second(box_of_mask(mask), size, math.sqrt(self.scales[0] * self.scales[1]))
        if frame.is_whole and other.is_whole:
            return self
        ratio = frame.scale / other.scale
        anchor, landing = other.point((x, y)), frame.point((x + self.offset[0], y + self.offset[1]))
        return with_fields(
            self,
            image=other.pixels(picture),
            mask=ReadMask(other.mask(ReadMask(mask))),
            offset=(landing[0] - anchor[0], landing[1] - anchor[1]),
            scale=(self.scales[0] * ratio, self.scales[1] * ratio)
            if isinstance(self.scale, tuple)
            else self.scale * ratio,
            anchor=anchor,
        )

    def guides(self, canvas: Canvas, settings: Settings) -> tuple[Guide, ...]:
        return (Guide(to_unpadded(read_picture(self.image)), self.prompt),)

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        (guide,) = self.guides(canvas, settings)
        mask = pad_mask(read_mask(self.mask, guide.size), canvas.of(guide.size).padded)
        affine = Affine.about(self.anchor or centroid(mask), self.offset, self.scales, self.angle, self.flip)
        placement = arrive(mask, affine, canvas, settings.proxy)
        if placement is None:
            raise ValueError(self.outside(canvas.picture))
        w, target = self.STRENGTHS.under(settings), placement.match.target
        objective = Objective(
            edit_terms=(LocalSimilarity("edit", w.w_edit, 1, placement.match),),
            content_terms=content_term(~target, w.w_content),
            inside=placement.inside,
            recalls=(by_region(w.recall_window, placement.changed, mask),),
            transports=(Transport(1, placement.latent),),
            noise_region=placement.noise_region,
            strengths=w,
        )
        return Compiled(
            objective=objective,
            placed=(placement.placed(1, mask, self.clamp(settings)),),
            touched=target,
            changed=placement.changed,
            stays=nowhere(canvas.latent),
            hole=placement.hole,
            hole_pixels=nowhere(canvas.padded),
        )

    def refine(self, compiled: Compiled, x: Pictures, canvas: Canvas, settings: Settings) -> Compiled:
        (placed,) = compiled.placed
        paint = placed.paint
        if not settings.light or not isinstance(paint, Copied) or paint.mask is None or paint.cover is None:
            return compiled
        (guide,) = self.guides(canvas, settings)
        other = pad_picture(guide.x, canvas.of(guide.size).padded)
        gain = fitted_light(x, paint.cover, other, paint.mask)
        return replace(compiled, placed=(replace(placed, paint=replace(paint, gain=gain)),))

    def outside(self, size: Size) -> str:
        """What is said where the object does not come to lie in an image of a size."""
        return (
            f"offset {self.offset} puts the object outside of the {size[1]}x{size[0]} image; "
            "it is where it lies in the second image plus the offset"
        )

    def _second(self, settings: Settings) -> tuple[Pixels, Mask, Point]:
        """The second image, the object there, and the point about which it is scaled, turned and mirrored."""
        picture = read_picture(self.image)
        mask = read_object(self.mask, (picture.shape[0], picture.shape[1]), settings)
        return picture, mask, self.anchor or centre_of_mask(mask, box_of_mask(mask))
