"""Source holes made up for the proxy: smoothly, or copied from places around that continue what is seen.

Which of them predicts places around the hole better decides. Convention: pictures are in [-1, 1], offsets (dy, dx) lead
from a pixel of the hole to the pixel it is copied from.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from ..core.geometry import bounding_box, dilate, fill
from ..core.types import Mask, Pictures, Region, Size

Inpaint: TypeAlias = Callable[[Pictures, Region], Pictures]
"""Makes up the unknown pixels of one picture from the known ones."""

Offset: TypeAlias = tuple[int, int]
"""(dy, dx) in pixels."""

CONTEXT = 1.5
"""How much around a hole is looked at on every side, in longer sides of it. Source: chosen."""
LEAST_CONTEXT = 24
"""The same, at least, in pixels. Source: chosen."""
SEARCHED = 192
"""Side in pixels to which what is looked at is reduced before offsets are searched. Source: chosen, for time."""
RING = (0.3, 3, 12)
"""Width of the border that must continue: in radii of the hole, at least and at most in pixels. Source: chosen."""
ALIKE = 0.03
"""Pixels this near to a smooth ground belong to it. Source: chosen, four levels of 8 bits."""
SMOOTH = 0.4
"""From this share of such pixels in the border on, the ground is smooth and the others are other things."""
FOREIGN = 0.3
"""Errors count up to here: something else is there, and how far off it is says nothing. Source: chosen."""
OFFSETS = 10
"""Offsets that are tried. Source: He and Sun use 60; chosen, for time."""
EXACT = 1 / 127.5
"""Up to this error, a level of 8 bits, a smooth hole is not to be improved. Source: chosen."""
VISIBLE = 4 / 127.5
"""From this error on, a hole made up smoothly visibly lacks the ground's texture. Source: chosen, four levels."""
RELUCTANCE = 2.2
"""Where texture is lacking, copies may err by this many times the smooth one's squares: two samples of one texture
differ by twice its variance, and a blur from either by once."""
CELLS = 64
"""Cells along the longer side of the grid on which parts of a hole are told apart. Source: chosen."""
TRIALS = 3
"""Places around a hole at which candidates are tried. Source: chosen, for time."""
OVERALL = 3.0
"""What continuing all of the border counts beside continuing the nearest part of it, so that few offsets are laid side
by side. Source: chosen."""
SAMPLES = 1500
"""Pixels of the border at which offsets are refined. Source: chosen, for time."""
DRAWS = 48
"""Planes through three pixels that are tried. Source: with half of the pixels on the plane, one fails in 600."""


def inpaint(x: Pictures, hole: Region) -> Pictures:
    """A picture whose hole is made up by what predicts its surroundings best: smoothly, or by copies from around.

    Args:
        x: one picture.
        hole: pixels that are made up.
    """
    if not bool(hole.any()) or bool(hole.all()):
        return x
    result = x.clone()
    for piece in _pieces(hole):
        near = _surroundings(piece)
        part, unknown, here = x[..., near[0], near[1]].cpu().float(), hole[near], piece[near]
        made = chosen(part, unknown, here)(part, unknown)
        result[..., near[0], near[1]] = torch.where(here, made, result[..., near[0], near[1]].cpu().float()).to(x)
    return result


def _pieces(hole: Region) -> list[Region]:
    """The parts of a hole that lie apart, told on a coarse grid."""
    side = max(1, math.ceil(max(hole.shape) / CELLS))
    cells = nnf.max_pool2d(hole[None, None].float(), side, ceil_mode=True)[0, 0] > 0
    pieces: list[Region] = []
    while bool(cells.any()):
        part = torch.zeros_like(cells)
        part.view(-1)[int(cells.flatten().int().argmax())] = True
        while not torch.equal(grown := dilate(part, 1) & cells, part):
            part = grown
        cells &= ~part
        whole = part.repeat_interleave(side, 0).repeat_interleave(side, 1)[: hole.shape[0], : hole.shape[1]]
        pieces.append(whole & hole)
    return pieces


def _surroundings(hole: Region) -> tuple[slice, slice]:
    left, top, right, bottom = bounding_box(hole)
    by = max(LEAST_CONTEXT, round(CONTEXT * max(right - left, bottom - top)))
    return slice(max(0, top - by), bottom + by), slice(max(0, left - by), right + by)


def chosen(x: Pictures, hole: Region, piece: Region) -> Inpaint:
    """Of `smoothly` and `copied` the one that predicts places beside a hole better.

    The hole is laid over known places around it, where both are tried. Copies of a visible texture are preferred to a
    blur that is nearer by squares, see `RELUCTANCE`. Without room for a trial it is `smoothly`.

    Args:
        x: one picture, the hole with what surrounds it.
        hole: unknown pixels.
        piece: those of them that are made up.
    """
    shrink = max(1, math.ceil(max(hole.shape) / SEARCHED))
    small, unknown = _reduced(x, hole, shrink)
    shape = piece if shrink == 1 else nnf.max_pool2d(piece[None, None].float(), shrink, ceil_mode=True)[0, 0] > 0
    trials = _trials(unknown, shape)
    blurs = [_errors(smoothly, small, unknown, trial) for trial in trials]
    if 2 * sum(float(error.mean()) <= EXACT**2 for error in blurs) >= len(trials):
        return smoothly
    blur = torch.cat(blurs)
    copy = torch.cat([_errors(copied, small, unknown, trial) for trial in trials])
    told = torch.minimum(blur, copy) < FOREIGN**2  # elsewhere is something that none can know of
    if not bool(told.any()):
        return smoothly
    smooth, exact = float(blur[told].mean()), float(copy[told].mean())
    return copied if exact < (RELUCTANCE * smooth if smooth > VISIBLE**2 else smooth) else smoothly


def _trials(hole: Region, piece: Region) -> list[Region]:
    """A piece of the hole laid over known places beside it; half of it by size, where the whole has no room."""
    for shape in (piece, _core(piece)):
        if not bool(shape.any()):
            continue
        left, top, right, bottom = bounding_box(shape)
        width, height = right - left + 2, bottom - top + 2
        found: list[Region] = []
        taken = hole
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)):
            for far in (1.0, 1.25):
                moved = _shifted(shape, (round(dy * far * height), round(dx * far * width)))
                whole = int(moved.sum()) == int(shape.sum())
                if whole and not bool((moved & taken).any()):
                    found.append(moved)
                    break
            if len(found) == TRIALS:
                return found
        if found:
            return found
    return []


def _core(hole: Region) -> Region:
    """What is left of a hole without a border of a quarter of its width."""
    left, top, right, bottom = bounding_box(hole)
    return ~dilate(~hole, max(1, min(right - left, bottom - top) // 4))


def _shifted(region: Region, by: Offset) -> Region:
    """A region moved by (dy, dx); what leaves the picture is lost."""
    moved = torch.zeros_like(region)
    (height, width), (dy, dx) = region.shape, by
    if abs(dy) >= height or abs(dx) >= width:
        return moved
    moved[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] = region[
        max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)
    ]
    return moved


def _errors(way: Inpaint, x: Pictures, hole: Region, trial: Region) -> Tensor:
    """Squared errors of the pixels of a trial, each up to `FOREIGN` squared."""
    return (way(x, hole | trial) - x)[0, :, trial].square().mean(0).clamp(max=FOREIGN**2)


def _reduced(x: Pictures, hole: Region, shrink: int) -> tuple[Pictures, Region]:
    """A picture scaled down by area, and the pixels that show any of its hole."""
    if shrink == 1:
        return x, hole
    unknown = hole[None, None].to(x)
    share = nnf.avg_pool2d(unknown, shrink, ceil_mode=True)
    known = nnf.avg_pool2d(x * (1 - unknown), shrink, ceil_mode=True) / (1 - share).clamp_min(1e-6)
    return known, share[0, 0] > 0


def border(hole: Region) -> Region:
    """Known pixels around a hole, as wide as `RING`."""
    share, least, most = RING
    width = min(max(round(share * math.sqrt(float(hole.sum()) / math.pi)), least), most)
    return dilate(hole, width) & ~hole


def smoothly(x: Pictures, hole: Region) -> Pictures:
    """A hole made up smoothly from the ground around it, see `geometry.fill`.

    Where most of the border lies on one plane of colours, a plain or graded ground, the plane goes on into the hole,
    and what departs from it, other things beside the hole, does not bleed in.

    Args:
        x: one picture.
        hole: pixels that are made up.
    """
    ring = border(hole)
    ground = _plane(x, ring)
    if ground is None:
        return fill(x, hole)
    plane, alike = ground
    near = dilate(hole, 2 * max(1, round(math.sqrt(float(ring.sum())))))
    left = torch.where(alike & ~hole & near, x - plane, torch.zeros_like(x))
    made = plane + fill(left, ~(alike & ~hole & ring))
    return torch.where(hole, made, x).clamp(-1, 1)


def _plane(x: Pictures, ring: Region) -> tuple[Pictures, Region] | None:
    """The plane of colours that most pixels of a border lie near, everywhere, and where pixels are near it.

    Source: M. A. Fischler and R. C. Bolles, "Random sample consensus", CACM 1981.
    """
    rows, columns = ring.nonzero().unbind(1)
    count = len(rows)
    if count < 3:
        return None
    height, width = ring.shape
    places = torch.stack((torch.ones(count), columns / width, rows / height), 1)
    colours = x[0][:, ring].T
    draws = torch.randint(count, (DRAWS, 3), generator=torch.Generator().manual_seed(0))
    draws = draws[torch.linalg.det(places[draws]).abs() > 1e-4]
    if not len(draws):
        return None
    planes = torch.linalg.solve(places[draws], colours[draws])
    near = (places @ planes - colours).abs().amax(2) < ALIKE
    best = near[int(near.sum(1).argmax())]
    if int(best.sum()) < max(3, SMOOTH * count):
        return None
    weights = torch.linalg.lstsq(places[best], colours[best]).solution
    down, across = torch.arange(height) / height, torch.arange(width) / width
    plane = weights[0, :, None, None] + weights[1, :, None, None] * across + weights[2, :, None, None] * down[:, None]
    return plane[None], (x - plane[None]).abs().amax((0, 1)) < ALIKE


def copied(x: Pictures, hole: Region) -> Pictures:
    """A hole whose pixels are copied from other places, by few offsets that continue its border best.

    The offsets of least squared difference are found for the whole border at once, on a reduced copy where the picture
    is large; every pixel takes the one that continues the nearest of the border. Smooth differences of light between
    both places are taken off.

    Args:
        x: one picture.
        hole: pixels that are made up.

    Source: K. He and J. Sun, "Statistics of patch offsets for image completion", ECCV 2012, for few offsets that serve
    the whole hole; how they are found and laid out is ours.
    """
    shrink = max(1, math.ceil(max(hole.shape) / SEARCHED))
    small, unknown = _reduced(x, hole, shrink)
    offsets = _offsets(small, unknown)
    if shrink > 1:
        offsets = [_finer(x, hole, (dy * shrink, dx * shrink), shrink) for dy, dx in offsets]
    return _laid(x, hole, offsets) if offsets else smoothly(x, hole)


def _offsets(x: Pictures, hole: Region) -> list[Offset]:
    """Offsets under which the border of a hole looks most alike, best first, all differences at once by transforms."""
    ring, known = border(hole), (~hole).to(x)
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
    landing = torch.fft.irfft2(spectrum(hole.to(x)).conj() * places, size)
    serves = (common > 0.7 * float(ring.sum())) & (landing > 0.6 * float(hole.sum()))
    cost = torch.where(serves, difference.clamp_min(0) / common.clamp_min(1), math.inf)
    found: list[Offset] = []
    while len(found) < OFFSETS:
        at = int(cost.argmin())
        dy, dx = divmod(at, size[1])
        if not math.isfinite(float(cost[dy, dx])):
            break
        rows = torch.arange(dy - 1, dy + 2) % size[0]
        columns = torch.arange(dx - 1, dx + 2) % size[1]
        cost[rows[:, None], columns] = math.inf
        found.append((dy - size[0] if dy > size[0] // 2 else dy, dx - size[1] if dx > size[1] // 2 else dx))
    return found


def _finer(x: Pictures, hole: Region, offset: Offset, by: int) -> Offset:
    """The offset near one, in whole pixels, under which some pixels of the border look most alike."""
    rows, columns = border(hole).nonzero().unbind(1)
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


def _laid(x: Pictures, hole: Region, offsets: Sequence[Offset]) -> Pictures:
    """A hole filled by offsets, every pixel by the one that continues the border nearest to it best."""
    copies = [_copy(x, hole, border(hole), offset) for offset in offsets]
    costs = torch.stack([copy.cost for copy in copies])
    best = costs.argmin(0)
    made = torch.stack([copy.made for copy in copies])
    taken = made.gather(0, best[None, None].expand(1, 3, -1, -1))
    nothing = hole & ~costs.amin(0).isfinite()
    result = torch.where(hole & ~nothing, taken, x).clamp(-1, 1)
    return fill(result, nothing)


def _copy(x: Pictures, hole: Region, ring: Region, offset: Offset) -> _Copy:
    (dy, dx), (height, width) = offset, hole.shape
    there = torch.roll(x[0], (-dy, -dx), (1, 2))
    valid = _shifted(~hole, (-dy, -dx))
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
