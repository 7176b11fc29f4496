"""The pattern of one object continued over the outline of another, upright, as cloth is cut for it.

Convention: pictures are in [-1, 1], offsets (dy, dx) lead from a pixel to the pixel it is copied from.
"""

import math

import torch
import torch.nn.functional as nnf

from ..core.geometry import bounding_box, fill
from ..core.stopping import go_on
from ..core.types import Mask, Pictures, Region, Size
from .exemplars import OFFSETS, SEARCHED, Offset, laid, reduced, refined, shifted
from .smooth import border

LEAST = 0.25
"""Shortest offset by which a pattern is continued, in sides of a square as large as what is known of it: shorter ones
would draw out its border. Source: chosen on tuning seeds of `bench photos`."""
COMMON = 0.2
"""Share of what is known that must still be seen after an offset. Source: chosen."""
SECTORS = 8
"""Directions, each of which gives its best offset too: along a grain nothing beside it is reached. Source: chosen."""
PASSES = 8
"""How often what was continued is continued. Source: chosen; an object five times as long as what is known needs 3."""


def woven(x: Pictures, like: Region, target: Region) -> Pictures:
    """A picture whose target shows the pattern of a region of another picture.

    The pattern is laid over the target where both have most in common, and continued by the offsets under which it is
    most like itself: periods of regular patterns, any other place of irregular ones.

    Args:
        x: the other picture.
        like: its pixels that show the pattern.
        target: pixels that get it, of any size of picture.

    Returns:
        A picture of the target's size; it counts on the target alone.
    """
    dy, dx = overlaid(like, target)
    rows, columns = slice(*_hull(like, target, 0, dy)), slice(*_hull(like, target, 1, dx))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    known, wanted = torch.zeros(height, width, dtype=torch.bool), torch.zeros(height, width, dtype=torch.bool)
    made = x.new_zeros(1, 3, height, width)
    _put(known, like, (dy - rows.start, dx - columns.start))
    _put(wanted, target, (-rows.start, -columns.start))
    _put(made[0], x[0] * like, (dy - rows.start, dx - columns.start))
    made = _continued(made, known, wanted)
    result = x.new_zeros(1, 3, *target.shape)
    _put(result[0], made[0], (rows.start, columns.start))
    return result


def _continued(x: Pictures, known: Region, wanted: Region) -> Pictures:
    """A picture whose wanted pixels continue the known ones; smoothly where no offset leads to these."""
    shrink = max(1, math.ceil(max(known.shape) / SEARCHED))
    small, unknown = reduced(x, ~known, shrink)
    offsets = _offsets(small, ~unknown)
    offsets = refined(x, ~known, ~known, offsets, shrink)
    for _ in range(PASSES):
        go_on()
        reached = torch.zeros_like(known)
        for dy, dx in offsets:
            reached |= shifted(known, (-dy, -dx))
        new = reached & wanted & ~known
        if not bool(new.any()):
            break
        x = torch.where(new, laid(x, ~known, border(~known), offsets), x)
        known = known | new
    return fill(x, ~known)


def _offsets(x: Pictures, known: Region) -> list[Offset]:
    """Offsets under which a pattern is most like itself, in every direction and at all; by transforms all at once."""
    size: Size = (2 * known.shape[0], 2 * known.shape[1])
    inside = known.to(torch.float64)
    area = float(inside.sum())
    least = max(2.0, LEAST * math.sqrt(area))
    pixels, colours = torch.fft.rfft2(inside, size), torch.fft.rfft2(x[0].double() * inside, size)
    squares = torch.fft.rfft2(x[0].double().square().sum(0) * inside, size)
    cross = (colours.conj() * colours).sum(0)
    difference = torch.fft.irfft2(squares.conj() * pixels + pixels.conj() * squares - 2 * cross, size)
    common = torch.fft.irfft2(pixels.conj() * pixels, size)
    down, across = (torch.fft.fftfreq(side, 1 / side).round().long() for side in size)
    far = down[:, None].square() + across.square() >= least**2
    serves = (common > COMMON * area) & far
    cost = torch.where(serves, difference.clamp_min(0) / common.clamp_min(1), math.inf)
    sector = torch.atan2(down[:, None].double(), across[None].double()).mul(SECTORS / (2 * math.pi)).round() % SECTORS
    apart, found = max(1, round(least / 4)), list[Offset]()
    near = torch.arange(-apart, apart + 1)
    for k in (*range(SECTORS), *(None for _ in range(OFFSETS))):
        go_on()
        choice = cost if k is None else cost.where(sector == k, math.inf)
        row, column = divmod(int(choice.argmin()), size[1])
        if math.isfinite(float(choice[row, column])):
            found.append((int(down[row]), int(across[column])))
            cost[((row + near) % size[0])[:, None], (column + near) % size[1]] = math.inf
    return found


def overlaid(like: Region, target: Region) -> Offset:
    """The displacement of a region, of any size of picture, under which it covers most of another."""
    size: Size = (like.shape[0] + target.shape[0], like.shape[1] + target.shape[1])
    one, other = (torch.fft.rfft2(region.double(), size) for region in (like, target))
    common = torch.fft.irfft2(one.conj() * other, size)
    dy, dx = divmod(int(common.argmax()), size[1])
    return (dy - size[0] if dy >= target.shape[0] else dy), (dx - size[1] if dx >= target.shape[1] else dx)


def _hull(like: Region, target: Region, axis: int, by: int) -> tuple[int, int]:
    """First and one past the last row (axis 0) or column (1) of a displaced region and of a target together."""
    one, other = bounding_box(like), bounding_box(target)
    first, last = 1 - axis, 3 - axis
    return min(one[first] + by, other[first]), max(one[last] + by, other[last])


def _put(canvas: torch.Tensor, values: torch.Tensor, at: Offset) -> None:
    """Writes values (..., h, w) into a canvas (..., H, W) at an offset, what lies outside excluded."""
    (height, width), (rows, columns), (dy, dx) = canvas.shape[-2:], values.shape[-2:], at
    top, bottom, left, right = max(0, dy), min(height, dy + rows), max(0, dx), min(width, dx + columns)
    if top < bottom and left < right:
        canvas[..., top:bottom, left:right] = values[..., top - dy : bottom - dy, left - dx : right - dx]


def scaled_object(x: Pictures, mask: Mask, factor: float) -> tuple[Pictures, Mask]:
    """A picture and the mask of an object in it, resized; at least 8 pixels a side.

    Args:
        x: one picture.
        mask: the object.
        factor: of its sides.
    """
    size: Size = (max(8, round(factor * mask.shape[0])), max(8, round(factor * mask.shape[1])))
    if size == tuple(mask.shape):
        return x, mask
    picture = nnf.interpolate(x, size, mode="bicubic", antialias=True).clamp(-1, 1)
    return picture, nnf.interpolate(mask[None, None], size, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)
