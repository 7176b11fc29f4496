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

from ..core.geometry import bounding_box, dilate, fill, holds_any, surroundings
from ..core.resampling import sample_bilinear
from ..core.residents import remembered
from ..core.stopping import go_on
from ..core.types import Pictures, Region, Size
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


def reach(x: Pictures, hole: Region, piece: Region) -> float:
    """Share of a piece of a hole that can be copied from known places by the offsets that continue its border best."""
    everywhere, found = (slice(None), slice(None)), torch.zeros_like(hole)
    for offset in _offsets(x, hole, piece):
        found |= _known(hole, everywhere, offset)
    return float(found[piece].float().mean())


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
    dy, dx = (torch.arange(at - by, at + by + 1) for at in offset)
    below, beside = rows + dy[:, None, None], columns + dx[:, None]  # (dy, 1, pixels) and (dx, pixels)
    there = _inside(below, beside, hole)
    found = x[0][:, below.clamp(0, hole.shape[0] - 1), beside.clamp(0, hole.shape[1] - 1)]
    error = (x[0][:, rows, columns][:, None, None] - found).square().mean(0).clamp(max=FOREIGN**2)
    common = there.sum(2)
    cost = torch.where(common >= 0.5 * len(rows), (error * there).sum(2) / common.clamp_min(1), math.inf)
    best = int(cost.argmin())
    if not len(rows) or not math.isfinite(float(cost.view(-1)[best])):
        return offset
    return int(dy[best // len(dx)]), int(dx[best % len(dx)])


def _inside(rows: Tensor, columns: Tensor, hole: Region) -> Tensor:
    """Whether pixels lie in the picture and are known."""
    height, width = hole.shape
    within = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return within & ~hole[rows.clamp(0, height - 1), columns.clamp(0, width - 1)]


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
    fits = [_fit(x, hole, near, ring, offset) for offset in offsets]
    least, best = torch.full(ring.shape, math.inf), torch.zeros(ring.shape, dtype=torch.int64)
    for k, (fit, offset, left) in enumerate(zip(fits, offsets, _continued(fits, ring), strict=True)):
        better = _known(hole, near, offset) & (left + fit.overall < least)
        least, best = torch.where(better, left + fit.overall, least), best.masked_fill(better, k)
    copies_end = ~least.isfinite()
    taken = here.clone()
    for k, (fit, offset) in enumerate(zip(fits, offsets, strict=True)):
        go_on()
        chosen = (best == k) & ~copies_end
        if bool(chosen.any()):
            _lay(taken, x, near, offset, fit.light, chosen)
    nothing = unknown & copies_end
    rim = dilate(unknown, RIM) & ~unknown & ~copies_end
    joined = taken + fill((here - taken).where(rim, torch.zeros_like(here)), ~rim)
    result = x.clone()
    result[..., near[0], near[1]] = fill(torch.where(unknown & ~nothing, joined, here).clamp(-1, 1), nothing)
    return result


@dataclass(frozen=True, eq=False)
class _Fit:
    """How one offset continues a border.

    Args:
        light: what both places differ by, smoothly; on a coarse grid over the part of the picture.
        left: squared differences of the border's pixels without that.
        overall: what their mean counts.
    """

    light: Float[Tensor, "1 3 rows columns"]
    left: Float[Tensor, " pixels"]
    overall: Float[Tensor, ""]


def _fit(x: Pictures, hole: Region, near: tuple[slice, slice], ring: Region, offset: Offset) -> _Fit:
    """How an offset continues the border in a part of a picture."""
    go_on()
    rows, columns = ring.nonzero().unbind(1)
    size: Size = (ring.shape[0], ring.shape[1])
    (top, left), (dy, dx) = (span.indices(n)[0] for span, n in zip(near, hole.shape, strict=True)), offset
    below, beside = rows + top + dy, columns + left + dx
    valid = _inside(below, beside, hole)
    there = x[0][:, below.clamp(0, hole.shape[0] - 1), beside.clamp(0, hole.shape[1] - 1)]
    difference = x[0][:, rows + top, columns + left] - there
    alike = valid & (difference.square().mean(0) < (FOREIGN / 2) ** 2)
    side = max(4, round(math.sqrt(len(rows)) / 2))
    light = _smoothed(difference, rows // side, columns // side, alike, (-(-size[0] // side), -(-size[1] // side)))
    centres = torch.stack((columns, rows), 1).double() + 0.5
    error = (difference - sample_bilinear(light, centres, size)[0]).square().mean(0).clamp(max=FOREIGN**2)
    error = torch.where(valid, error, FOREIGN**2)
    return _Fit(light, error, OVERALL * error.mean())


def _smoothed(values: Float[Tensor, "3 _"], rows: Tensor, columns: Tensor, count: Tensor, size: Size) -> Tensor:
    """Means of the values that count in the cells of a grid, continued to cells without any; 0 if none counts."""
    total, share = values.new_zeros(1, 3, *size), values.new_zeros(size)
    if bool(count.any()):
        at = rows * size[1] + columns
        total.view(3, -1).index_add_(1, at, values * count)
        share.view(-1).index_add_(0, at, count.to(values))
    return fill(total / share.clamp_min(1), share == 0)


def _continued(fits: Sequence[_Fit], ring: Region) -> Float[Tensor, "offsets height width"]:
    """Squared differences of the border's pixels under every offset, smoothly all over its part of the picture."""
    left = fits[0].left.new_zeros(1, len(fits), *ring.shape)
    left[0][:, ring] = torch.stack([fit.left for fit in fits])
    return fill(left, ~ring)[0]


def _shared(near: slice, n: int, by: int) -> tuple[slice, slice]:
    """Rows of a part whose place an offset away is in the picture, counted in the part; and those places."""
    first, last, _ = near.indices(n)
    begin, end = max(first, -by), min(last, n - by)
    end = max(begin, end)
    return slice(begin - first, end - first), slice(begin + by, end + by)


def _known(hole: Region, near: tuple[slice, slice], offset: Offset) -> Region:
    """Pixels of a part of a picture whose place an offset away is known."""
    known = torch.zeros_like(hole[near])
    rows, columns = (_shared(span, n, by) for span, n, by in zip(near, hole.shape, offset, strict=True))
    known[rows[0], columns[0]] = ~hole[rows[1], columns[1]]
    return known


def _lay(
    taken: Pictures, x: Pictures, near: tuple[slice, slice], offset: Offset, light: Pictures, chosen: Region
) -> None:
    """Lays what lies an offset away over chosen pixels of a part of a picture, in place, in the light there."""
    size: Size = (chosen.shape[0], chosen.shape[1])
    rows, columns = chosen.nonzero().unbind(1)
    (top, left), (dy, dx) = (span.indices(n)[0] for span, n in zip(near, x.shape[2:], strict=True)), offset
    there = x[0][:, rows + top + dy, columns + left + dx]
    lit = nnf.interpolate(light, size, mode="bilinear")[0][:, rows, columns]
    taken[0][:, rows, columns] = there + lit


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
    unknown = reduced_region(hole, shrink)
    known = remembered(x, ("reduced", shrink), lambda: nnf.avg_pool2d(x, shrink, ceil_mode=True)).clone()
    if bool(unknown.any()):
        small, large = _boxes(hole, shrink)
        share = hole[large][None, None].to(x)
        seen = nnf.avg_pool2d(x[..., large[0], large[1]] * (1 - share), shrink, ceil_mode=True)
        known[..., small[0], small[1]] = seen / (1 - nnf.avg_pool2d(share, shrink, ceil_mode=True)).clamp_min(1e-6)
    return known, unknown


def reduced_region(region: Region, shrink: int) -> Region:
    """Pixels of a reduced picture that show any of a region."""
    if shrink == 1:
        return region
    found = region.new_zeros([math.ceil(n / shrink) for n in region.shape])
    if holds_any(region):
        small, large = _boxes(region, shrink)
        found[small] = nnf.max_pool2d(region[large][None, None].float(), shrink, ceil_mode=True)[0, 0] > 0
    return found


def _boxes(region: Region, shrink: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The box of pixels of a reduced picture that show any of a region, and that of the pixels they show."""
    left, top, right, bottom = bounding_box(region)
    rows, columns = slice(top // shrink, -(-bottom // shrink)), slice(left // shrink, -(-right // shrink))
    below, beside = (slice(span.start * shrink, span.stop * shrink) for span in (rows, columns))
    return (rows, columns), (below, beside)


def enlarged_region(reduced: Region, shrink: int, size: Size) -> Region:
    """Pixels of a picture of a size that pixels of a region of its reduced copy show."""
    return reduced.repeat_interleave(shrink, 0).repeat_interleave(shrink, 1)[: size[0], : size[1]]
