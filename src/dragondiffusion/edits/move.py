"""Moving, resizing, turning and mirroring an object."""

import math
from dataclasses import dataclass

from ..energies import Contrast, Energy, GlobalSimilarity, LocalSimilarity
from ..geometry import Affine, Correspondence, centroid, covered_cells, resize_nearest
from ..images import ImageLike, pad_mask, read_mask
from ..memory import Replace
from ..settings import Geometry, Settings
from ..types import Canvas, Mask, Number, Point, Region, Window
from .base import Carry, Edit, Objective, chosen
from .placement import Placement, place, place_centred


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
        hint: region whose look the vacated place should take; None is everything the edit does not touch.

    Raises:
        ValueError: if a number is not finite or a scale not positive.
    """

    mask: ImageLike
    offset: Point = (0.0, 0.0)
    scale: Number | Point = 1.0
    angle: Number = 0.0
    flip: bool = False
    anchor: Point | None = None
    hint: ImageLike | None = None

    # Source: docs/method.md, section 9; the recall window is section 6.
    GUIDANCE_SCALE = 4.0
    ENERGY_SCALE = 500.0
    W_EDIT = 4.0
    W_CONTENT = 6.0
    W_CONTRAST = 0.2
    W_INPAINT = 0.8
    NOISE_INSIDE = 0.4
    FACTOR = 0.08
    RECALL_WINDOW = Window(0.1, 1.0)

    def __post_init__(self) -> None:
        for name, values in (("offset", self.offset), ("scale", self.scales), ("anchor", self.anchor or (0.0, 0.0))):
            if len(values) != 2 or not all(math.isfinite(v) for v in values):
                raise ValueError(f"{name} {values} must be two finite numbers (x, y)")
        if min(self.scales) <= 0:
            raise ValueError(f"scale {self.scale} must be positive; use flip=True to mirror")
        if not math.isfinite(self.angle):
            raise ValueError(f"angle {self.angle} must be a finite number of degrees")

    @property
    def scales(self) -> Point:
        """Factors along x and y."""
        return self.scale if isinstance(self.scale, tuple) else (self.scale, self.scale)

    def affine(self, mask: Mask) -> Affine:
        """The object's map, pixels to pixels."""
        return Affine.about(self.anchor or centroid(mask), self.offset, self.scales, self.angle, self.flip)

    def objective(self, canvas: Canvas, settings: Settings) -> Objective:
        mask = pad_mask(read_mask(self.mask, canvas.picture), canvas.padded)
        placement = self._place(mask, canvas, settings)
        if placement is None:
            raise ValueError(
                f"offset {self.offset} moves the object out of the {canvas.picture[1]}x{canvas.picture[0]} picture; "
                "choose a smaller offset"
            )
        vacated = placement.source & ~placement.match.target
        rest = ~(placement.source | placement.match.target)
        return Objective(
            edit_terms=(self._edit_term(placement, settings),),
            content_terms=self._content_terms(rest, vacated, self._hint(canvas, settings), settings),
            inside=placement.inside,
            touched=placement.source | placement.match.target,
            changed=placement.changed,
            recall=Replace(settings.recall_window or self.RECALL_WINDOW, (0,)) if settings.recall else None,
            carries=(Carry(0, placement.latent, placement.pixels),),
            vacated=placement.vacated,
            noise_region=placement.noise_region,
            guidance_scale=chosen(settings.guidance_scale, self.GUIDANCE_SCALE),
            energy_scale=chosen(settings.energy_scale, self.ENERGY_SCALE),
            factor=self.FACTOR,
            noise_inside=chosen(settings.noise_inside, self.NOISE_INSIDE),
            noise_outside=chosen(settings.noise_outside, 0.0),
        )

    def _place(self, mask: Mask, canvas: Canvas, settings: Settings) -> Placement | None:
        if settings.geometry is Geometry.AFFINE:
            return place(mask, self.affine(mask), canvas, settings.draft)
        if self.angle or self.flip or self.anchor is not None or self.scales[0] != self.scales[1]:
            raise ValueError("geometry CENTRED knows only offset and one scale; use Geometry.AFFINE for this move")
        return place_centred(mask, self.offset, self.scales[0], canvas)

    def _hint(self, canvas: Canvas, settings: Settings) -> Region | None:
        if self.hint is None:
            return None
        hint = pad_mask(read_mask(self.hint, canvas.picture, name="hint"), canvas.padded)
        if settings.geometry is Geometry.AFFINE:
            return covered_cells(hint, canvas.energy)
        return resize_nearest((hint > 0).float(), canvas.energy) > 0.5

    def _edit_term(self, placement: Placement, settings: Settings) -> Energy:
        weight = chosen(settings.w_edit, self.W_EDIT)
        return LocalSimilarity("edit", 0.5 * weight, 0, placement.match, settings.raw_cosine)

    def _content_terms(
        self, rest: Region, vacated: Region, hint: Region | None, settings: Settings
    ) -> tuple[Energy, ...]:
        terms: list[Energy] = []
        if bool(rest.any()):
            weight = 0.5 * chosen(settings.w_content, self.W_CONTENT)
            terms.append(LocalSimilarity("content", weight, 0, Correspondence.same(rest), settings.raw_cosine))
        if bool(vacated.any()):
            weight = 0.5 * chosen(settings.w_contrast, self.W_CONTRAST)
            terms.append(Contrast("contrast", weight, 0, Correspondence.same(vacated)))
            like = rest if hint is None else hint
            if bool(like.any()):
                terms.append(GlobalSimilarity("inpaint", chosen(settings.w_inpaint, self.W_INPAINT), 0, vacated, like))
        return tuple(terms)
