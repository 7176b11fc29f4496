"""Source holes made up for the proxy: smoothly, copied from places around, or completed by patches of them.

What predicts places around the hole better decides. Convention: pictures are in [-1, 1], offsets (dy, dx) lead
from a pixel of the hole to the pixel it is copied from.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from ..core.geometry import bounding_box, dilate, erode, holds_any, surroundings
from ..core.stopping import go_on
from ..core.types import Pictures, Region
from .completion import completed
from .exemplars import FOREIGN, SEARCHED, copied, enlarged_region, has_offsets, reach, reduced, reduced_region, shifted
from .smooth import foreign, is_plain, smoothly

Inpaint: TypeAlias = Callable[[Pictures, Region], Pictures]
"""Makes up the unknown pixels of one picture from the known ones."""
Fill: TypeAlias = Callable[[Pictures, Region, Region], Pictures]
"""The same for a piece of the unknown pixels; what it makes of the others does not count."""

CONTEXT = 1.5
"""How much around a hole is looked at on every side, in longer sides of it. Source: chosen."""
LEAST_CONTEXT = 24
"""The same, at least, in pixels. Source: chosen."""
EXACT = 1 / 127.5
"""Up to this error, a level of 8 bits, a smooth hole is not to be improved. Source: chosen."""
VISIBLE = 2 / 127.5
"""From this error on, a hole made up smoothly visibly lacks the ground's texture. Source: chosen, two levels."""
RELUCTANCE = 3.0
"""Where texture is lacking, copies may err by this many times the smooth one's squares: two samples of one texture
differ by twice its variance, and a blur from either by once."""
PATTERN = 0.6
"""A pattern that copies continue has at most this share of the error of a smooth filling, by root mean square. Source:
tuning seeds of `bench photos`, docs/experiments.md."""
REACHED = 0.9
"""Share of a hole that copies must reach; a smaller one is no pattern that goes on, whatever trials of parts of it say.
Source: chosen."""
CELLS = 64
"""Cells along the longer side of the grid on which parts of a hole are told apart. Source: chosen."""
TRIALS = 3
"""Places around a hole at which candidates are tried. Source: chosen, for time."""
SIZES = 3
"""Sizes of a hole at which they are tried until there is room. Source: chosen."""


def inpaint(x: Pictures, hole: Region, ways: Sequence[Fill] = (), quick: bool = False) -> Pictures:
    """A picture whose hole is made up smoothly, by copies from around or by patches, as `Tried.way` has it.

    Args:
        x: one picture.
        hole: pixels that are made up.
        ways: what makes up every piece of it, where that is known; otherwise it is tried.
        quick: not by patches, see `Tried.rough_way`.
    """
    if not holds_any(hole) or bool(hole.all()):
        return x
    result = x.clone()
    for k, piece in enumerate(pieces(hole)):
        near, part, unknown, here = cut_out(x, hole, piece)
        if ways:
            way = ways[k]
        else:
            found = tried(part, unknown, here)
            way = found.rough_way if quick else found.way
        made, (rows, columns) = way(part, unknown, here), surroundings(here, 0)
        place = result[..., near[0], near[1]][..., rows, columns]
        place.copy_(torch.where(here[rows, columns].to(x.device), made[..., rows, columns].to(x), place))
    return result


def pieces(hole: Region) -> list[Region]:
    """The parts of a hole that lie apart, told on a coarse grid."""
    side = max(1, math.ceil(max(hole.shape) / CELLS))
    cells = reduced_region(hole, side)
    found: list[Region] = []
    while bool(cells.any()):
        go_on()
        part = torch.zeros_like(cells)
        part.view(-1)[int(cells.flatten().int().argmax())] = True
        part = connected(cells, part)
        cells = cells & ~part
        found.append(enlarged_region(part, side, (hole.shape[0], hole.shape[1])) & hole)
    return found


def connected(region: Region, seeds: Region) -> Region:
    """What of a region is connected with some of its pixels."""
    part = seeds & region
    while not torch.equal(grown := dilate(part, 1) & region, part):
        go_on()
        part = grown
    return part


def context_of(hole: Region) -> int:
    """How many pixels on every side of a hole are looked at."""
    left, top, right, bottom = bounding_box(hole)
    return max(LEAST_CONTEXT, round(CONTEXT * max(right - left, bottom - top)))


def cut_out(x: Pictures, hole: Region, piece: Region) -> tuple[tuple[slice, slice], Pictures, Region, Region]:
    """A piece of a hole and what is around it: where that lies, the picture, what is unknown or foreign, the piece."""
    go_on()
    (left, top, right, bottom), by = bounding_box(piece), context_of(piece)
    near = slice(max(0, top - by), bottom + by), slice(max(0, left - by), right + by)
    part, unknown, here = x[..., near[0], near[1]].cpu().float(), hole[near], piece[near]
    shrink = max(1, math.ceil(max(here.shape) / SEARCHED))
    small, lacking = reduced(part, unknown, shrink)
    things = foreign(small, lacking, reduced_region(here, shrink))
    unknown = unknown | enlarged_region(things, shrink, (here.shape[0], here.shape[1]))
    return near, part, unknown, here


@dataclass(frozen=True, eq=False)
class Tried:
    """How well known places beside a hole are made up, both ways.

    Args:
        smooth: squared error of every pixel, made up by `smoothly`, units of the picture; none where there is no room.
        copy: the same by `copied`; None where `smoothly` is right already.
        reached: share of the hole itself that copies reach.
        share: how large a part of the hole they stood for, in (0, 1]; 0 where there is no room.
    """

    smooth: Float[Tensor, " pixels"]
    copy: Float[Tensor, " pixels"] | None
    reached: float = 1.0
    share: float = 0.0

    @property
    def way(self) -> Fill:
        """What makes up the hole: patterns are copied, nearly plain ground is smoothed, else patches complete it."""
        if self.copy is None:
            return smoothly
        smooth, exact = self._compared
        if not math.isfinite(smooth) or not (exact <= PATTERN**2 * smooth or smooth <= VISIBLE**2):
            return completed
        return self.rough_way if self.rough_way is smoothly or self.reached >= REACHED else completed

    @property
    def rough_way(self) -> Fill:
        """The better of the two that were tried, both quick.

        Copies of a visible texture are preferred to a blur that is nearer by squares, see `RELUCTANCE`.
        """
        smooth, exact = self._compared
        return copied if exact < (RELUCTANCE * smooth if smooth > VISIBLE**2 else smooth) else smoothly

    @property
    def errors(self) -> Float[Tensor, " pixels"]:
        """Squared errors of the better of the two."""
        return self.copy if self.copy is not None and self.rough_way is copied else self.smooth

    @property
    def _compared(self) -> tuple[float, float]:
        """Mean squared errors of a smooth hole and of copies; endless where nothing told them apart."""
        if self.copy is None:
            return 0.0, math.inf
        blur, copy = self.smooth.clamp(max=FOREIGN**2), self.copy.clamp(max=FOREIGN**2)
        told = torch.minimum(blur, copy) < FOREIGN**2  # elsewhere is something that none can know of
        return (float(blur[told].mean()), float(copy[told].mean())) if bool(told.any()) else (math.inf, math.inf)


def tried(x: Pictures, hole: Region, piece: Region) -> Tried:
    """Lays a piece of a hole over known places around it, and makes them up both ways.

    Args:
        x: one picture, the hole with what surrounds it.
        hole: unknown pixels.
        piece: those of them that are made up.
    """
    shrink = max(1, math.ceil(max(hole.shape) / SEARCHED))
    small, unknown = reduced(x, hole, shrink)
    inner = reduced_region(piece, shrink)
    trials = _trials(small, unknown, inner)
    if not trials:
        nothing = torch.zeros(0)
        return Tried(nothing, None if is_plain(small, unknown, inner) else nothing)
    blurs = [_errors(smoothly, small, unknown, trial) for trial in trials]
    smooth, share = torch.cat(blurs), float(trials[0].sum()) / float(inner.sum())
    if 2 * sum(float(error.clamp(max=FOREIGN**2).mean()) <= EXACT**2 for error in blurs) >= len(trials):
        return Tried(smooth, None, share=share)
    copies = torch.cat([_errors(copied, small, unknown, trial) for trial in trials])
    return Tried(smooth, copies, reach(small, unknown, inner), share)


def _trials(x: Pictures, hole: Region, piece: Region) -> list[Region]:
    """A piece of the hole laid over known places beside it, as large as leaves something to copy from.

    Half of the piece by size, or half of that, where more has no room; copies would lose where none can be made.
    """
    first: list[Region] = []
    whole = piece
    for _ in range(SIZES):
        go_on()
        if not bool(piece.any()):
            break
        found = _beside(hole, whole, piece)
        serving = [trial for trial in found if has_offsets(x, hole | trial, trial)]
        if serving:
            return serving
        first, piece = first or found, _core(piece)
    return first


def _beside(hole: Region, whole: Region, piece: Region) -> list[Region]:
    """Places beside a whole hole where all of the middle piece of it lies on known pixels."""
    left, top, right, bottom = (a + b for a, b in zip(bounding_box(whole), bounding_box(piece), strict=True))
    width, height = (right - left) // 2 + 2, (bottom - top) // 2 + 2
    found: list[Region] = []
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)):
        for far in (1.0, 1.25):
            moved = shifted(piece, (round(dy * far * height), round(dx * far * width)))
            if int(moved.sum()) == int(piece.sum()) and not bool((moved & hole).any()):
                found.append(moved)
                break
        if len(found) == TRIALS:
            break
    return found


def _core(hole: Region) -> Region:
    """What is left of a hole without a border of a quarter of its width."""
    left, top, right, bottom = bounding_box(hole)
    return erode(hole, max(1, min(right - left, bottom - top) // 4))


def _errors(way: Fill, x: Pictures, hole: Region, trial: Region) -> Tensor:
    """Squared errors of the pixels of a trial."""
    return (way(x, hole | trial, trial) - x)[0, :, trial].square().mean(0)
