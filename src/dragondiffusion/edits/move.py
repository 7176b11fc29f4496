"""Moving, resizing, turning and mirroring an object."""

import math
from dataclasses import dataclass

from ..core.geometry import Affine, centroid, warp_mask
from ..core.types import Canvas, Mask, Pictures, Point, Size
from ..imaging.frames import Box, Frame, box_of_mask, centre_of_mask
from ..imaging.masks import MaskLike, ReadMask, read_mask
from ..method import strengths
from ..method.bank import replacing
from ..method.energies import LocalSimilarity
from ..method.objective import Objective, Transport
from ..method.terms import hole_terms
from ..proxy.shadows import find_shadow
from .base import Compiled, Edit, nowhere, object_mask, read_object, with_fields
from .footprint import arrival_box, hint_within, leaving_box, with_hint
from .hole import hint_region, pixels_of_hole
from .placement import Angle, Scale, picture_area, place
from .settings import Settings
from .shading import with_shadow


@dataclass(frozen=True)
class Move(Edit):
    """Moves an object; what it leaves behind is inpainted, what it comes to cover is gone.

    Convention: the object is mirrored, scaled, turned about `anchor`, then displaced; x to the right, y down; positive
    angles turn counter-clockwise as seen on the screen.

    Args:
        mask: the object; an image, array or path of the size of the image.
        offset: (dx, dy) in pixels, fractions count.
        scale: factor, or (factor along x, factor along y) before the turn.
        angle: degrees.
        flip: mirror left and right.
        anchor: (x, y) in pixels that scaling, turning and mirroring leave in place; None is the mask's centroid.
        hint: region that the source hole should look like; None is everything the edit does not touch.

    Raises:
        ValueError: if offset, scale, angle and flip leave the object as it is.
    """

    mask: MaskLike
    offset: Point = (0.0, 0.0)
    scale: Scale | tuple[Scale, Scale] = 1.0
    angle: Angle = 0.0
    flip: bool = False
    anchor: Point | None = None
    hint: MaskLike | None = None

    STRENGTHS = strengths.MOVE

    def no_effect(self) -> str:
        if any(self.offset) or self.scales != (1, 1) or self.angle % 360 or self.flip:
            return ""
        return "nothing moves: offset, scale, angle and flip leave the object as it is; change one of them"

    @property
    def scales(self) -> Point:
        """Factors along x and y."""
        return self.scale if isinstance(self.scale, tuple) else (self.scale, self.scale)

    def affine(self, mask: Mask) -> Affine:
        """The object's map, pixels to pixels."""
        return Affine.about(self.anchor or centroid(mask), self.offset, self.scales, self.angle, self.flip)

    def extent(self, size: Size, settings: Settings) -> Box:
        mask = read_object(self.mask, size, settings)
        box = box_of_mask(mask)
        affine = Affine.about(self._anchor(mask), self.offset, self.scales, self.angle, self.flip)
        arrival = arrival_box(box, affine, size)
        if arrival is None:
            raise ValueError(self.gone(size))
        stretch = math.sqrt(self.scales[0] * self.scales[1])
        return with_hint(self.hint, leaving_box(mask, box, size, settings, (arrival, stretch)), size)

    def within(self, frame: Frame, settings: Settings) -> "Move":
        if frame.is_whole:
            return self
        mask = read_mask(self.mask, frame.picture)
        return with_fields(
            self,
            mask=ReadMask(frame.mask(ReadMask(mask))),
            offset=frame.offset(self.offset),
            anchor=frame.point(self._anchor(mask)),  # exact, so that the object lands in the same place at every scale
            hint=hint_within(self.hint, frame),
        )

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        mask = object_mask(self.mask, canvas, settings=settings)
        placement = place(mask, self.affine(mask), canvas, settings.proxy)
        if placement is None:
            raise ValueError(self.gone(canvas.picture))
        w, target, raw = self.STRENGTHS.under(settings), placement.match.target, settings.raw_cosine
        placed = placement.placed(0, mask, self.clamp(settings))
        objective = Objective(
            edit_terms=(LocalSimilarity("edit", 0.5 * w.w_edit, 0, placement.match, raw),),
            content_terms=hole_terms(placement.source, target, hint_region(self.hint, canvas), w, raw),
            inside=placement.inside,
            recalls=(replacing(w.recall_window),),
            transports=(Transport(0, placement.latent),),
            noise_region=placement.noise_region,
            strengths=w,
        )
        return Compiled(
            objective=objective,
            placed=(placed,),
            touched=placement.source | target,
            changed=placement.changed,
            stays=nowhere(canvas.latent),
            hole=placement.hole,
            hole_pixels=pixels_of_hole(mask),
        )

    def refine(self, compiled: Compiled, x: Pictures, canvas: Canvas, settings: Settings) -> Compiled:
        if not (settings.shadows and settings.proxy):
            return compiled
        mask = object_mask(self.mask, canvas, settings=settings)
        shadow = find_shadow(x, mask)
        if shadow is None:
            return compiled
        arrived = warp_mask(mask, self.affine(mask), canvas.padded) * picture_area(canvas)
        size = math.sqrt(self.scales[0] * self.scales[1])
        return with_shadow(compiled, shadow, mask, arrived, size, self.clamp(settings), canvas)

    def gone(self, size: Size) -> str:
        """What is said where the object leaves an image of a size."""
        return f"offset {self.offset} moves the object out of the {size[1]}x{size[0]} image; choose a smaller offset"

    def _anchor(self, mask: Mask) -> Point:
        return self.anchor or centre_of_mask(mask, box_of_mask(mask))
