"""The part of a large image that is edited: which it is, how far it is scaled down, and the way there and back.

Convention: boxes are (left, top, right, bottom) in pixels, right and bottom exclusive. A point (x, y) of the image
lies at ((x - left) s, (y - top) s) in the frame of scale s, the same along both axes; pixel centres are at +0.5.
"""

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image

from ..core.geometry import Affine, bounding_box, centroid
from ..core.types import Mask, Number, Pairs, Point, PointList, Size
from .files import Pixels
from .masks import MaskLike, read_mask

Box: TypeAlias = tuple[int, int, int, int]
"""(left, top, right, bottom) in pixels, right and bottom exclusive."""

LARGEST = 1.5
"""An image with no side longer than this many working sizes is edited whole. Source: chosen; Stable Diffusion 1.5,
made at 512, holds together up to 768."""

CONTEXT = 0.25
"""How much is shown on every side of what is edited, in longer sides of it. Source: chosen, a third of the frame is
context along each axis then."""

NEARLY_SQUARE = 1.25
"""Up to this ratio of its sides a frame is scaled as a square. Source: chosen."""


@dataclass(frozen=True)
class Frame:
    """A part of an image, scaled down where it is larger than a model works on.

    Args:
        picture: size of the image, pixels.
        box: the part.
        scale: pixels of the frame per pixel of the image, at most 1.
        working: side in pixels of what the model works on; None where no model will see the frame, which then shows
            no more than it must, at the image's own scale.
    """

    picture: Size
    box: Box
    scale: float
    working: int | None

    @staticmethod
    def whole(picture: Size, working: int | None) -> "Frame":
        """All of an image as it is."""
        return Frame(picture, everything(picture), 1.0, working)

    @staticmethod
    def reduced(picture: Size, working: int) -> "Frame":
        """All of an image, scaled down if it is too large to be edited as it is."""
        if fits(picture, working):
            return Frame.whole(picture, working)
        return Frame(picture, everything(picture), _scale(picture, working), working)

    @staticmethod
    def around(extent: Box, picture: Size, working: int) -> "Frame":
        """What is edited of an image, with `CONTEXT`; all of it, as it is, if it is small enough.

        The frame is a square where the image has room for one, at least of the working size and, where it is
        larger, scaled down to it. In flat images it is longer, up to `LARGEST` working sizes.
        """
        if fits(picture, working):
            return Frame.whole(picture, working)
        longer = max(extent[2] - extent[0], extent[3] - extent[1])
        side = max(working, math.ceil((1 + 2 * CONTEXT) * longer))
        size = (min(side, picture[0]), min(side, picture[1]))
        left, right = _span(extent[0], extent[2], size[1], picture[1])
        top, bottom = _span(extent[1], extent[3], size[0], picture[0])
        return Frame(picture, (left, top, right, bottom), _scale(size, working), working)

    @staticmethod
    def tight(box: Box, picture: Size) -> "Frame":
        """A part of an image at its own scale that no model will see."""
        return Frame(picture, clipped(box, picture), 1.0, None)

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the image as it is."""
        return self.scale == 1 and self.box == everything(self.picture)

    @property
    def size(self) -> Size:
        """(height, width) of the frame in its own pixels."""
        left, top, right, bottom = self.box
        return _reduced_side(bottom - top, self.scale), _reduced_side(right - left, self.scale)

    def holds(self, box: Box) -> bool:
        """Whether a box of the image lies inside."""
        return all(a <= b for a, b in zip(self.box[:2], box[:2], strict=True)) and all(
            a >= b for a, b in zip(self.box[2:], box[2:], strict=True)
        )

    def point(self, point: Point) -> Point:
        """A point of the image."""
        return (point[0] - self.box[0]) * self.scale, (point[1] - self.box[1]) * self.scale

    def points(self, points: PointList) -> PointList:
        """Points of the image."""
        return tuple(self.point(point) for point in points)

    def pairs(self, pairs: Pairs) -> Pairs:
        """Pairs of points of the image."""
        return tuple((self.point(start), self.point(end)) for start, end in pairs)

    def offset(self, offset: Point) -> Point:
        """A displacement in the image."""
        return offset[0] * self.scale, offset[1] * self.scale

    def mask(self, source: MaskLike, name: str = "mask") -> Mask:
        """A mask of the image, area by area where it is scaled down.

        Raises:
            FileNotFoundError: if the path does not exist.
            ValueError: as `read_mask`, which is given the whole mask.
        """
        left, top, right, bottom = self.box
        values = read_mask(source, self.picture, name)[top:bottom, left:right]
        if self.scale == 1:
            return values.clone()
        small = _shrunk(Image.fromarray(values.numpy()), self.scale, Image.Resampling.BOX)
        share = torch.from_numpy(np.array(small)).clamp(0, 1)
        # What is smaller than a pixel of the frame still counts.
        most = float(share.max())
        return share / most if 0 < most <= 0.5 and bool((values > 0.5).any()) else share

    def pixels(self, pixels: Pixels) -> Pixels:
        """The image's pixels, antialiased where they are scaled down."""
        left, top, right, bottom = self.box
        part = np.ascontiguousarray(pixels[top:bottom, left:right])
        return part if self.scale == 1 else shrunk(part, self.scale)

    def enlarged(self, pixels: Pixels, box: Box) -> Pixels:
        """A box of the image, inside the frame, as the frame's pixels show it."""
        picture = Image.fromarray(pixels).resize(_extent(box), Image.Resampling.BICUBIC, self._inside(box))
        return np.array(picture)

    def enlarged_mask(self, mask: Mask, box: Box) -> Mask:
        """The same of a mask in [0, 1]; exactly 0 more than a pixel of the frame away from where it is above 0."""
        image = Image.fromarray(mask.float().contiguous().numpy())
        values = np.array(image.resize(_extent(box), Image.Resampling.BILINEAR, self._inside(box)))
        return torch.from_numpy(values).clamp(0, 1)

    def box_of(self, inside: Box) -> Box:
        """A box in pixels of the frame as one of the image, a pixel of the frame wider on every side."""
        left, top, right, bottom = (v / self.scale for v in inside)
        by = 0.0 if self.scale == 1 else 1 / self.scale
        outer = (math.floor(left - by), math.floor(top - by), math.ceil(right + by), math.ceil(bottom + by))
        x, y = self.box[:2]
        return intersection(shifted_box(outer, (x, y)), self.box)

    def fading(self, width: int) -> Mask:
        """1 inside, falling to 0 towards those borders beyond which the image goes on.

        Args:
            width: pixels of the frame over which it falls.
        """
        ends = ((self.box[1] > 0, self.box[3] < self.picture[0]), (self.box[0] > 0, self.box[2] < self.picture[1]))
        rows, columns = (_faded(n, width, *which) for n, which in zip(self.size, ends, strict=True))
        return rows[:, None] * columns[None, :]

    def second(self, marked: Box, picture: Size, magnified: Number) -> "Frame":
        """The frame of a second image, from which something is brought into this one.

        Args:
            marked: what is brought.
            picture: size of the second image.
            magnified: pixels of this image per pixel of the second one, of what is brought.
        """
        wanted = min(1.0, magnified * self.scale)
        if self.working is None:
            return replace(Frame.tight(grown(marked, 2 + 2 / wanted), picture), scale=wanted)
        frame = Frame.around(marked, picture, self.working)
        # Bilinear sampling takes half the pixels well, and no fewer.
        if frame.is_whole or frame.scale <= 2 * wanted:
            return frame
        side = max(frame.box[2] - frame.box[0], frame.box[3] - frame.box[1])
        wide = Frame.around(grown(marked, side / (2 * wanted) * frame.scale), picture, self.working)
        return wide if wide.scale < frame.scale else frame

    def _inside(self, box: Box) -> tuple[float, float, float, float]:
        x, y = self.box[:2]
        left, top, right, bottom = (v * self.scale for v in shifted_box(box, (-x, -y)))
        height, width = self.size
        return left, top, min(right, width), min(bottom, height)


def fits(picture: Size, working: int) -> bool:
    """Whether an image is small enough to be edited whole."""
    return max(picture) <= LARGEST * working


def everything(picture: Size) -> Box:
    """The box of a whole image."""
    return 0, 0, picture[1], picture[0]


def box_of_mask(mask: Mask) -> Box:
    """The box around all that a mask marks at all."""
    return bounding_box(mask > 0)


def centre_of_mask(mask: Mask, box: Box) -> Point:
    """Centre of gravity of a mask in pixels.

    Args:
        mask: any size.
        box: around what it marks.
    """
    left, top, right, bottom = box
    x, y = centroid(mask[top:bottom, left:right])
    return x + left, y + top


def mapped_box(box: Box, affine: Affine) -> Box:
    """The box around a box that an affine map transports."""
    left, top, right, bottom = box
    corners = [(x, y) for x in (left, right) for y in (top, bottom)]
    return box_of_points(tuple((x, y) for x, y in affine(torch.tensor(corners, dtype=torch.float64)).tolist()))


def box_of_points(points: PointList) -> Box:
    """The box around points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))


def grown(box: Box, by: Number) -> Box:
    """A box with more on every side."""
    left, top, right, bottom = box
    return math.floor(left - by), math.floor(top - by), math.ceil(right + by), math.ceil(bottom + by)


def joined(boxes: "list[Box] | tuple[Box, ...]") -> Box:
    """The box around boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def intersection(one: Box, other: Box) -> Box:
    """What two boxes have in common; without width or height if that is nothing."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    return left, top, max(left, min(one[2], other[2])), max(top, min(one[3], other[3]))


def clipped(box: Box, picture: Size) -> Box:
    """What of a box lies inside an image."""
    return intersection(box, everything(picture))


def is_empty(box: Box) -> bool:
    """Whether a box has no pixel."""
    return box[2] <= box[0] or box[3] <= box[1]


def shifted_box(box: Box, by: tuple[int, int]) -> Box:
    """A box moved by whole pixels (x, y)."""
    return box[0] + by[0], box[1] + by[1], box[2] + by[0], box[3] + by[1]


def shrunk(pixels: Pixels, scale: Number) -> Pixels:
    """An image scaled down, antialiased, by the same factor along both axes."""
    return np.array(_shrunk(Image.fromarray(pixels), scale, Image.Resampling.LANCZOS))


def regrown(pixels: Pixels, scale: Number, size: Size) -> Pixels:
    """What `shrunk` left of an image, at its size (height, width) before."""
    box = (0.0, 0.0, min(size[1] * scale, pixels.shape[1]), min(size[0] * scale, pixels.shape[0]))
    return np.array(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BICUBIC, box))


def _shrunk(image: Image.Image, scale: Number, resampling: Image.Resampling) -> Image.Image:
    """An image scaled down by exactly one factor, the last pixels filled up with copies of the edge's."""
    height, width = (_reduced_side(side, scale) for side in (image.height, image.width))
    box = (0.0, 0.0, width / scale, height / scale)
    beyond = (math.ceil(box[3] - 1e-6) - image.height, math.ceil(box[2] - 1e-6) - image.width)
    if max(beyond) > 0:
        values = np.asarray(image)
        edges = ((0, max(beyond[0], 0)), (0, max(beyond[1], 0)), *[(0, 0)] * (values.ndim - 2))
        image = Image.fromarray(np.pad(values, edges, mode="edge"))
    return image.resize((width, height), resampling, (0.0, 0.0, min(box[2], image.width), min(box[3], image.height)))


def _reduced_side(side: int, scale: Number) -> int:
    return max(1, math.ceil(side * scale - 1e-6))


def _scale(size: Size, working: int) -> float:
    """So much that a square gets the working size, something longer its area."""
    longer, shorter = max(size), min(size)
    if longer <= NEARLY_SQUARE * shorter:  # padding would undo what a longer side brings
        return min(1.0, working / longer)
    return min(1.0, working / math.sqrt(longer * shorter), LARGEST * working / longer)


def _span(start: int, stop: int, length: int, limit: int) -> tuple[int, int]:
    """A span of some length, as near as may be around the middle of another one, between 0 and a limit."""
    first = min(max((start + stop - length) // 2, 0), limit - length)
    return first, first + length


def _extent(box: Box) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]


def _faded(n: int, width: int, before: bool, after: bool) -> Float[torch.Tensor, " _"]:
    ramp = (torch.arange(n) / max(1, width)).clamp(0, 1)
    return (ramp if before else torch.ones(n)) * (ramp.flip(0) if after else torch.ones(n))
