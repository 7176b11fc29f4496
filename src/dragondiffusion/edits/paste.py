"""Bringing an object of a second picture into this one."""

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as nnf

from ..core.geometry import Affine, Correspondence, centroid
from ..core.types import Canvas, Mask, Number, Point, Size, Window
from ..imaging.files import ImageLike, Pixels, read_picture
from ..imaging.frames import Box, Frame, box_of_mask, centre_of_mask, clipped, grown
from ..imaging.masks import MaskLike, marked, pad_mask, read_mask
from ..imaging.tensors import resized, to_unpadded
from ..method.bank import by_region
from ..method.energies import LocalSimilarity
from ..pipeline.settings import Geometry, Settings
from .base import Carry, Edit, Guide, Objective, Strengths, nowhere
from .footprint import BORDER, arrival_box
from .placement import Placement, arrive, arrive_centred, check_map


@dataclass(frozen=True)
class Paste(Edit):
    """Pastes an object of a second picture.

    Convention: the object is mirrored, scaled, turned about `anchor`, then displaced, from its place in the second
    picture (pixels from its top left corner) to its place in the edited one; x to the right, y down; positive angles
    turn counter-clockwise as seen on the screen.

    Args:
        image: the second picture, of any size; a picture, array or path.
        mask: the object, of the size of the second picture.
        offset: (dx, dy) in pixels, fractions count.
        scale: factor, or (factor along x, factor along y) before the turn.
        angle: degrees.
        flip: mirror left and right.
        anchor: (x, y) in the second picture that scaling, turning and mirroring leave in place; None is the mask's
            centroid.
        prompt: what the second picture shows.

    Raises:
        ValueError: if a number is not finite or a scale not positive.
    """

    image: ImageLike
    mask: MaskLike
    offset: Point = (0.0, 0.0)
    scale: Number | Point = 1.0
    angle: Number = 0.0
    flip: bool = False
    anchor: Point | None = None
    prompt: str = ""

    # Source: docs/method.md, section 9; how long the proxy is held is chosen, docs/experiments.md.
    STRENGTHS = Strengths(energy_scale=1500.0, recall_window=Window(0.0, 0.72), hold=Window(0.0, 0.9))

    def __post_init__(self) -> None:
        check_map(self.offset, self.scale, self.angle, self.anchor)

    @property
    def scales(self) -> Point:
        """Factors along x and y."""
        return self.scale if isinstance(self.scale, tuple) else (self.scale, self.scale)

    def extent(self, size: Size, settings: Settings) -> Box:
        _, mask, anchor = self._second()
        affine = Affine.about(anchor, self.offset, self.scales, self.angle, self.flip)
        arrival = arrival_box(box_of_mask(mask), affine, size)
        if arrival is None:
            raise ValueError(self._outside(size))
        return clipped(grown(arrival, BORDER), size)

    def within(self, frame: Frame, settings: Settings) -> "Paste":
        if settings.geometry is Geometry.CENTRED:  # the second picture gets the size of the frame
            return self if frame.is_whole else replace(self, offset=frame.offset(self.offset))
        picture, mask, (x, y) = self._second()
        size: Size = (picture.shape[0], picture.shape[1])
        other = frame.second(box_of_mask(mask), size, math.sqrt(self.scales[0] * self.scales[1]))
        if frame.is_whole and other.is_whole:
            return self
        ratio = frame.scale / other.scale
        anchor, landing = other.point((x, y)), frame.point((x + self.offset[0], y + self.offset[1]))
        return replace(
            self,
            image=other.pixels(picture),
            mask=other.mask(mask),
            offset=(landing[0] - anchor[0], landing[1] - anchor[1]),
            scale=(self.scales[0] * ratio, self.scales[1] * ratio)
            if isinstance(self.scale, tuple)
            else self.scale * ratio,
            anchor=anchor,
        )

    def guides(self, canvas: Canvas, settings: Settings) -> tuple[Guide, ...]:
        pixels = read_picture(self.image)
        if settings.geometry is Geometry.AFFINE:
            return (Guide(to_unpadded(pixels), self.prompt),)
        x = scaled_about_centre(to_unpadded(resized(pixels, canvas.padded)), self.scales[0])
        return (Guide(x, self.prompt),)

    def objective(self, canvas: Canvas, settings: Settings) -> Objective:
        (guide,) = self.guides(canvas, settings)
        mask, placement = self._place(guide, canvas, settings)
        if placement is None:
            raise ValueError(self._outside(canvas.picture))
        w = self.STRENGTHS.under(settings)
        target = placement.match.target
        content = LocalSimilarity("content", w.w_content, 0, Correspondence.same(~target))
        return Objective(
            edit_terms=(LocalSimilarity("edit", w.w_edit, 1, placement.match),),
            content_terms=(content,) if bool((~target).any()) else (),
            inside=placement.inside,
            touched=target,
            changed=placement.changed,
            stays=nowhere(canvas.latent),
            hole_pixels=nowhere(canvas.padded),
            recalls=(by_region(w.recall_window, placement.changed, mask),),
            carries=(Carry(1, placement.latent, placement.paint(1, mask), w.hold),),
            hole=placement.hole,
            noise_region=placement.noise_region,
            strengths=w,
        )

    def _second(self) -> tuple[Pixels, Mask, Point]:
        """The second picture, the object there, and the point about which it is scaled, turned and mirrored."""
        picture = read_picture(self.image)
        mask = read_mask(self.mask, (picture.shape[0], picture.shape[1]))
        return picture, mask, self.anchor or centre_of_mask(mask, box_of_mask(mask))

    def _outside(self, size: Size) -> str:
        return (
            f"offset {self.offset} puts the object outside of the {size[1]}x{size[0]} picture; "
            "it is where it lies in the second picture plus the offset"
        )

    def _place(self, guide: Guide, canvas: Canvas, settings: Settings) -> tuple[Mask, Placement | None]:
        """The mask on the padded second picture, and where the object comes to lie."""
        if settings.geometry is Geometry.AFFINE:
            mask = pad_mask(read_mask(self.mask, guide.size), canvas.of(guide.size).padded)
            affine = Affine.about(self.anchor or centroid(mask), self.offset, self.scales, self.angle, self.flip)
            return mask, arrive(mask, affine, canvas, settings.proxy)
        if self.angle or self.flip or self.anchor is not None or self.scales[0] != self.scales[1]:
            raise ValueError("geometry CENTRED knows only offset and one scale; use Geometry.AFFINE for this paste")
        picture = read_picture(self.image)
        mask = read_mask(self.mask, (picture.shape[0], picture.shape[1]))
        solid = scaled_about_centre(marked(mask, canvas.padded)[None, None], self.scales[0])[0, 0]
        return solid, arrive_centred(solid, self.offset, canvas)


def scaled_about_centre(x: torch.Tensor, scale: Number) -> torch.Tensor:
    """A picture or mask resized (nearest) and cut, or surrounded by zeros, to its own size.

    Source: behaviour of the authors' released code.
    """
    if scale == 1:
        return x
    size: Size = (x.shape[-2], x.shape[-1])
    x = nnf.interpolate(x, (int(size[0] * scale), int(size[1] * scale)))
    top, left = abs(x.shape[-2] - size[0]) // 2, abs(x.shape[-1] - size[1]) // 2
    if scale > 1:
        return x[..., top : top + size[0], left : left + size[1]]
    return nnf.pad(x, (left, size[1] - x.shape[-1] - left, top, size[0] - x.shape[-2] - top))
