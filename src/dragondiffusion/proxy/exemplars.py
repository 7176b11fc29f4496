"""Source holes whose pixels are copied from other places that continue what is seen around them.

Convention: pictures are in [-1, 1], offsets (dy, dx) lead from a pixel of the hole to the pixel it is copied from.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from ..core.geometry import dilate, fill, surroundings
from ..core.stopping import go_on
from ..core.types import Mask, Pictures, Region, Size
from .smooth import border, smoothly

Offset: TypeAlias = tuple[int, int]
"""(dy, dx) in pixels."""

SEARCHED = 192
"""Side in pixels to which what is looked at is reduced before offsets are searched. Source: chosen, for time."""
FOREIGN = 0.3
"""Errors count up to here: something else is there, and how far off it is says nothing. Source: chosen."""
OFFSETS = 10
"""Offsets that are tried. Source: He and Sun use 60; chosen, for time."""
OVERALL = 3.0
"""What continuing all of the border counts beside continuing the nearest part of it, so that few offsets are laid side
by side. Source: chosen."""
SAMPLES = 1500
"""Pixels of the border at which offsets are refined. Source: chosen, for time."""
RIM = 3
"""Width of the rim at which copies are made to join, pixels. Source: chosen on tuning seeds of `bench photos`."""


def copied(x: Pictures, hole: Region, piece: Region | None = None) -> Pictures:
    """A hole whose pixels are copied from other places, by few offsets that continue its border best.

    The offsets of least squared difference are found for the whole border at once, on a reduced copy where the picture
    is large; every pixel takes the one that continues the nearest of the border. Smooth differences of light between
    both places are taken off.

    Args:
        x: one picture.
        hole: unknown pixels.
        piece: the part of them whose border is continued; None is all of it.

    Source: K. He and J. Sun, "Statistics of patch offsets for image completion", ECCV 2012, for few offsets that serve
    the whole hole; how they are found and laid out is ours.
    """
    shrink = max(1, math.ceil(max(hole.shape) / SEARCHED))
    piece = hole if piece is None else piece
    small, unknown = reduced(x, hole, shrink)
    offsets = _offsets(small, unknown, reduced_region(piece, shrink))
    offsets = refined(x, hole, piece, offsets, shrink)
    return laid(x, hole, border(piece) & ~hole, offsets, piece) if offsets else smoothly(x, hole)


def has_offsets(x: Pictures, hole: Region, piece: Region) -> bool:
    """Whether there are places that a piece of a hole can be copied from."""
    return bool(_offsets(x, hole, piece, 1))


def _offsets(x: Pictures, hole: Region, piece: Region, count: int = OFFSETS) -> list[Offset]:
    """Offsets under which the border of a piece of a hole looks most alike, best first, all found by transforms."""
    ring, known = border(piece) & ~hole, (~hole).to(x)
    size: Size = (2 * hole.shape[0], 2 * hole.shape[1])

    def spectrum(v: Tensor) -> Tensor:
        return torch.fft.rfft2(v.double(), size)

    here, there = ring.to(x), known
    pixels, places = spectrum(here), spectrum(there)
    own, other = spectrum(x[0] * here), spectrum(x[0] * there)
    squares, their = spectrum((x[0] ** 2).sum(0) * here), spectrum((x[0] ** 2).sum(0) * there)
    cross = (own.conj() * other).sum(0)
    difference = torch.fft.irfft2(squares.conj() * places + pixels.conj() * their - 2 * cross, size)
    common = torch.fft.irfft2(pixels.conj() * places, size)
    landing = torch.fft.irfft2(spectrum(piece.to(x)).conj() * places, size)
    serves = (common > 0.7 * float(ring.sum())) & (landing > 0.6 * float(piece.sum()))
    cost = torch.where(serves, difference.clamp_min(0) / common.clamp_min(1), math.inf)
    found: list[Offset] = []
    while len(found) < count:
        go_on()
        at = int(cost.argmin())
        dy, dx = divmod(at, size[1])
        if not math.isfinite(float(cost[dy, dx])):
            break
        rows = torch.arange(dy - 1, dy + 2) % size[0]
        columns = torch.arange(dx - 1, dx + 2) % size[1]
        cost[rows[:, None], columns] = math.inf
        found.append((dy - size[0] if dy > size[0] // 2 else dy, dx - size[1] if dx > size[1] // 2 else dx))
    return found


def refined(x: Pictures, hole: Region, piece: Region, offsets: Sequence[Offset], shrink: int) -> list[Offset]:
    """Offsets of a reduced picture in whole pixels of the picture itself, found on ever finer copies of it.

    Args:
        x: one picture.
        hole: unknown pixels.
        piece: the part of them whose border is continued.
        offsets: those of the reduced picture.
        shrink: how far it was reduced.
    """
    found = list(offsets)
    while shrink > 1 and found:
        shrink, ratio = shrink // 2, shrink / (shrink // 2)
        small, unknown = reduced(x, hole, shrink)
        ring = border(reduced_region(piece, shrink)) & ~unknown
        near = [(round(dy * ratio), round(dx * ratio)) for dy, dx in found]
        found = [_finer(small, unknown, ring, offset, math.ceil(ratio)) for offset in near]
    return found


def _finer(x: Pictures, hole: Region, ring: Region, offset: Offset, by: int) -> Offset:
    """The offset near one, in whole pixels, under which some pixels of the border look most alike."""
    rows, columns = ring.nonzero().unbind(1)
    step = max(1, len(rows) // SAMPLES)
    rows, columns = rows[::step], columns[::step]
    best, least = offset, math.inf
    for dy in range(offset[0] - by, offset[0] + by + 1):
        for dx in range(offset[1] - by, offset[1] + by + 1):
            there = _inside(rows + dy, columns + dx, hole)
            if int(there.sum()) < 0.5 * len(rows):
                continue
            r, c = rows[there], columns[there]
            error = float((x[0][:, r, c] - x[0][:, r + dy, c + dx]).square().mean(0).clamp(max=FOREIGN**2).mean())
            if error < least:
                best, least = (dy, dx), error
    return best


def _inside(rows: Tensor, columns: Tensor, hole: Region) -> Tensor:
    """Whether pixels lie in the picture and are known."""
    height, width = hole.shape
    within = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return within & ~hole[rows.clamp(0, height - 1), columns.clamp(0, width - 1)]


@dataclass(frozen=True, eq=False)
class _Copy:
    """A hole filled by one offset.

    Args:
        made: the colours.
        cost: how ill they continue the border, at every pixel.
    """

    made: Float[Tensor, "3 height width"]
    cost: Mask


def laid(x: Pictures, hole: Region, ring: Region, offsets: Sequence[Offset], piece: Region | None = None) -> Pictures:
    """A hole filled by offsets, every pixel by the one that continues the border nearest to it best.

    What the copies lack at the hole's rim is added all over the hole, ever smoother inwards, so that no seam shows.

    Args:
        x: one picture.
        hole: unknown pixels.
        ring: known pixels that are continued.
        offsets: (dy, dx), from pixels of the hole to those they are copied from.
        piece: the part of the hole that is wanted; None is all of it.

    Source: for the membrane, P. Perez et al., "Poisson image editing", SIGGRAPH 2003, and Z. Farbman et al.,
    "Coordinates for instant image cloning", SIGGRAPH 2009.
    """
    near = surroundings(ring | (hole if piece is None else piece), RIM)
    here, unknown, ring = x[..., near[0], near[1]], hole[near], ring[near]
    copies = [_copy(here, _taken(x, hole, near, offset), ring) for offset in offsets]
    costs = torch.stack([copy.cost for copy in copies])
    best = costs.argmin(0)
    made = torch.stack([copy.made for copy in copies])
    taken = made.gather(0, best[None, None].expand(1, 3, -1, -1))
    copies_end = ~costs.amin(0).isfinite()
    nothing = unknown & copies_end
    rim = dilate(unknown, RIM) & ~unknown & ~copies_end
    joined = taken + fill((here - taken).where(rim, torch.zeros_like(here)), ~rim)
    result = x.clone()
    result[..., near[0], near[1]] = fill(torch.where(unknown & ~nothing, joined, here).clamp(-1, 1), nothing)
    return result


def _taken(
    x: Pictures, hole: Region, near: tuple[slice, slice], offset: Offset
) -> tuple[Float[Tensor, "3 height width"], Region]:
    """What lies an offset away from a part of a picture, and where that is known."""
    rows, columns = (torch.arange(n)[span] + by for n, span, by in zip(hole.shape, near, offset, strict=True))
    down, across = ((at >= 0) & (at < n) for at, n in zip((rows, columns), hole.shape, strict=True))
    rows, columns = rows.clamp(0, hole.shape[0] - 1), columns.clamp(0, hole.shape[1] - 1)
    known = down[:, None] & across & ~hole[rows][:, columns]
    return x[0][:, rows][:, :, columns], known


def _copy(x: Pictures, taken: tuple[Float[Tensor, "3 height width"], Region], ring: Region) -> _Copy:
    """A part of a picture filled by what lies an offset away."""
    (there, valid), (height, width) = taken, ring.shape
    difference = x[0] - there
    error = difference.square().mean(0).clamp(max=FOREIGN**2)
    error = torch.where(valid, error, FOREIGN**2)
    alike = ring & valid & (error < (FOREIGN / 2) ** 2)
    light = torch.zeros_like(x[0])
    if bool(alike.any()):
        side = max(4, round(math.sqrt(float(ring.sum())) / 2))
        share = nnf.avg_pool2d(alike[None, None].to(x), side, ceil_mode=True)
        mean = nnf.avg_pool2d((difference * alike)[None], side, ceil_mode=True) / share.clamp_min(1e-6)
        mean = fill(mean, share[0, 0] == 0)
        light = nnf.interpolate(mean, (height, width), mode="bilinear")[0]
    left = (x[0] - there - light).square().mean(0).clamp(max=FOREIGN**2)
    left = torch.where(valid, left, FOREIGN**2)
    overall = float(left[ring].mean())
    near = fill(left[None, None], ~ring)[0, 0]
    return _Copy(there + light, torch.where(valid, near + OVERALL * overall, math.inf))


def shifted(region: Region, by: Offset) -> Region:
    """A region moved by (dy, dx); what leaves the picture is lost."""
    moved = torch.zeros_like(region)
    (height, width), (dy, dx) = region.shape, by
    if abs(dy) >= height or abs(dx) >= width:
        return moved
    moved[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] = region[
        max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)
    ]
    return moved


def reduced(x: Pictures, hole: Region, shrink: int) -> tuple[Pictures, Region]:
    """A picture scaled down by area, and the pixels that show any of its hole."""
    if shrink == 1:
        return x, hole
    unknown = hole[None, None].to(x)
    share = nnf.avg_pool2d(unknown, shrink, ceil_mode=True)
    known = nnf.avg_pool2d(x * (1 - unknown), shrink, ceil_mode=True) / (1 - share).clamp_min(1e-6)
    return known, share[0, 0] > 0


def reduced_region(region: Region, shrink: int) -> Region:
    """Pixels of a reduced picture that show any of a region."""
    return region if shrink == 1 else nnf.max_pool2d(region[None, None].float(), shrink, ceil_mode=True)[0, 0] > 0


def enlarged_region(reduced: Region, shrink: int, size: Size) -> Region:
    """Pixels of a picture of a size that pixels of a region of its reduced copy show."""
    return reduced.repeat_interleave(shrink, 0).repeat_interleave(shrink, 1)[: size[0], : size[1]]
