"""Moving, resizing, turning and mirroring an object."""

import math
from dataclasses import dataclass, replace

from ..core.geometry import Affine, centroid, warp_mask
from ..core.types import Canvas, Mask, Number, Pictures, Point, Size, Window
from ..imaging.frames import Box, Frame, box_of_mask, centre_of_mask
from ..imaging.masks import MaskLike, read_mask
from ..method.bank import replacing
from ..method.energies import LocalSimilarity
from ..pipeline.settings import Geometry, Settings
from ..proxy.shadows import find_shadow
from .base import Carry, Edit, Objective, Strengths, nowhere, object_mask
from .footprint import arrival_box, hint_within, leaving_box, with_hint
from .hole import hint_region, hole_terms, pixels_of_hole
from .placement import Placement, check_map, picture_area, place, place_centred
from .shading import with_shadow


@dataclass(frozen=True)
class Move(Edit):
    """Moves an object; what it leaves behind is made up, what it comes to cover is gone.

    Convention: the object is mirrored, scaled, turned about `anchor`, then displaced; x to the right, y down; positive
    angles turn counter-clockwise as seen on the screen.

    Args:
        mask: the object; a picture, array or path of the size of the picture.
        offset: (dx, dy) in pixels, fractions count.
        scale: factor, or (factor along x, factor along y) before the turn.
        angle: degrees.
        flip: mirror left and right.
        anchor: (x, y) in pixels that scaling, turning and mirroring leave in place; None is the mask's centroid.
        hint: region whose look the hole place should take; None is everything the edit does not touch.

    Raises:
        ValueError: if a number is not finite or a scale not positive.
    """

    mask: MaskLike
    offset: Point = (0.0, 0.0)
    scale: Number | Point = 1.0
    angle: Number = 0.0
    flip: bool = False
    anchor: Point | None = None
    hint: MaskLike | None = None

    # Source: docs/method.md, section 9; the recall window is section 6.
    STRENGTHS = Strengths(
        energy_scale=500.0, w_contrast=0.2, w_inpaint=0.8, factor=0.08, recall_window=Window(0.1, 1.0)
    )

    def __post_init__(self) -> None:
        check_map(self.offset, self.scale, self.angle, self.anchor)

    @property
    def scales(self) -> Point:
        """Factors along x and y."""
        return self.scale if isinstance(self.scale, tuple) else (self.scale, self.scale)

    def affine(self, mask: Mask) -> Affine:
        """The object's map, pixels to pixels."""
        return Affine.about(self.anchor or centroid(mask), self.offset, self.scales, self.angle, self.flip)

    def extent(self, size: Size, settings: Settings) -> Box:
        mask = read_mask(self.mask, size)
        box = box_of_mask(mask)
        affine = Affine.about(self._anchor(mask), self.offset, self.scales, self.angle, self.flip)
        arrival = arrival_box(box, affine, size)
        if arrival is None:
            raise ValueError(self._gone(size))
        stretch = math.sqrt(self.scales[0] * self.scales[1])
        return with_hint(self.hint, leaving_box(mask, box, size, settings, (arrival, stretch)), size)

    def within(self, frame: Frame, settings: Settings) -> "Move":
        if frame.is_whole:
            return self
        mask = read_mask(self.mask, frame.picture)
        # The exact point, so that the object lands in the same place at every scale.
        anchor = self._anchor(mask) if settings.geometry is Geometry.AFFINE else self.anchor
        return replace(
            self,
            mask=frame.mask(mask),
            offset=frame.offset(self.offset),
            anchor=None if anchor is None else frame.point(anchor),
            hint=hint_within(self.hint, frame),
        )

    def objective(self, canvas: Canvas, settings: Settings) -> Objective:
        mask = object_mask(self.mask, canvas)
        placement = self._place(mask, canvas, settings)
        if placement is None:
            raise ValueError(self._gone(canvas.picture))
        w = self.STRENGTHS.under(settings)
        edit = LocalSimilarity("edit", 0.5 * w.w_edit, 0, placement.match, settings.raw_cosine)
        target = placement.match.target
        hint = hint_region(self.hint, canvas, settings)
        return Objective(
            edit_terms=(edit,),
            content_terms=hole_terms(placement.source, target, hint, w, settings.raw_cosine),
            inside=placement.inside,
            touched=placement.source | target,
            changed=placement.changed,
            stays=nowhere(canvas.latent),
            hole_pixels=pixels_of_hole(mask, placement.hole, canvas),
            recalls=(replacing(w.recall_window),),
            carries=(Carry(0, placement.latent, placement.paint(0, mask), w.hold),),
            hole=placement.hole,
            noise_region=placement.noise_region,
            strengths=w,
        )

    def refine(self, objective: Objective, x: Pictures, canvas: Canvas, settings: Settings) -> Objective:
        if not (settings.shadows and settings.proxy and settings.geometry is Geometry.AFFINE):
            return objective
        mask = object_mask(self.mask, canvas)
        shadow = find_shadow(x, mask)
        if shadow is None:
            return objective
        arrived = warp_mask(mask, self.affine(mask), canvas.padded) * picture_area(canvas)
        size = math.sqrt(self.scales[0] * self.scales[1])
        return with_shadow(objective, shadow, mask, arrived, size, canvas)

    def _anchor(self, mask: Mask) -> Point:
        return self.anchor or centre_of_mask(mask, box_of_mask(mask))

    def _gone(self, size: Size) -> str:
        return f"offset {self.offset} moves the object out of the {size[1]}x{size[0]} picture; choose a smaller offset"

    def _place(self, mask: Mask, canvas: Canvas, settings: Settings) -> Placement | None:
        if settings.geometry is Geometry.AFFINE:
            return place(mask, self.affine(mask), canvas, settings.proxy)
        if self.angle or self.flip or self.anchor is not None or self.scales[0] != self.scales[1]:
            raise ValueError("geometry CENTRED knows only offset and one scale; use Geometry.AFFINE for this move")
        return place_centred(mask, self.offset, self.scales[0], canvas)
