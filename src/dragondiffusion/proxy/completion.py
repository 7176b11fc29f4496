"""Holes completed by patches of what is around them: each patch of what is made up looks like one that is known.

Convention: pictures are in [-1, 1]; places are (row, column); offsets lead from a pixel to the one it is copied from.

Source: Y. Wexler, E. Shechtman and M. Irani, "Space-time completion of video", PAMI 2007, for the iteration; C. Barnes
et al., "PatchMatch", SIGGRAPH 2009, for the search; A. Newson et al., "Video inpainting of complex scenes", SIAM J.
Imaging Sciences 2014, for how it begins and for texture attributes. All of it is on grids that whole tensors cover.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as nnf
from jaxtyping import Float, Int64
from torch import Tensor

from ..core.geometry import dilate, fill
from ..core.stopping import go_on
from ..core.types import Pictures, Region
from .exemplars import SEARCHED, reduced, reduced_region
from .smooth import smoothly

SIDES, LARGE = (5, 7), 160
"""Of patches, in pictures below and from this side on, pixels. Source: Newson et al., 5; docs/experiments.md."""
COARSEST = 48
"""Side of the coarsest copy, pixels, at least. Source: docs/experiments.md."""
EXACT = 64
"""Up to this side all known patches are compared. Source: chosen, for time."""
ROUNDS = (12, 10)
"""Iterations at the coarsest copy and at finer ones. Source: chosen, for time."""
TEXTURE = 7.0
"""Weight of texture, mean lengths of differences of neighbours, beside colours. Source: Newson et al., root of 50."""
TRIED = 2
"""Random places that are tried for every patch and iteration, besides those of its neighbours. Source: chosen."""


def completed(x: Pictures, hole: Region, piece: Region | None = None) -> Pictures:
    """A hole made of patches of what is around it.

    Args:
        x: one picture.
        hole: unknown pixels.
        piece: the part of them that is wanted; None is all of it.

    Returns:
        The picture; the hole is filled smoothly where nothing known is as large as a patch.
    """
    shrink = max(1, math.ceil(max(hole.shape) / SEARCHED))
    small, unknown = reduced(x, hole, shrink)
    wanted = unknown if piece is None else reduced_region(piece, shrink) & unknown
    found = _solved(small, unknown, wanted)
    if found is None:
        return smoothly(x, hole)
    level, matches = found
    if shrink == 1:
        return torch.where(wanted, level.picture[None, :3], x).clamp(-1, 1)
    return _enlarged(x, hole if piece is None else piece & hole, level, matches, shrink)


@dataclass(eq=False)
class _Level:
    """One scale.

    Args:
        picture: colours and texture, the unknown made up.
        wanted: pixels that are made up.
        targets: centres of patches that hold any of them, flat.
        sources: centres of patches that are known, flat.
        side: of patches, pixels.
    """

    picture: Float[Tensor, "channels height width"]
    wanted: Region
    targets: Int64[Tensor, " _"]
    sources: Int64[Tensor, " _"]
    side: int

    @property
    def reach(self) -> int:
        return self.side // 2

    def within(self, centres: Int64[Tensor, " n"]) -> Int64[Tensor, "n places"]:
        """Numbers of the pixels of patches, in a picture with a border of `reach` pixels."""
        width = self.size[1]
        wide = width + 2 * self.reach
        span = torch.arange(self.side)
        first = (centres // width) * wide + centres % width
        return first[:, None] + (wide * span[:, None] + span).flatten()

    def at(self, rows: Int64[Tensor, " n"], columns: Int64[Tensor, " n"]) -> tuple[Int64[Tensor, " n"], Region]:
        """Numbers of pixels, the nearest ones of places beyond the border, and which places lie within it."""
        height, width = self.size
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        return rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1), inside

    def offsets(self, matches: Int64[Tensor, " n"]) -> Int64[Tensor, "2 pixels"]:
        """How far down and across the match of every pixel lies; 0 for those that are no target."""
        width = self.size[1]
        offsets = torch.zeros(2, self.wanted.numel(), dtype=torch.long)
        offsets[0, self.targets] = matches // width - self.targets // width
        offsets[1, self.targets] = matches % width - self.targets % width
        return offsets

    @cached_property
    def known(self) -> Float[Tensor, "_ values"]:
        """The patches of the sources."""
        return _patches(self, self.sources)

    @cached_property
    def number(self) -> Int64[Tensor, " _"]:
        """For every pixel which source it is; -1 if it is none."""
        number = torch.full((self.wanted.numel(),), -1)
        number[self.sources] = torch.arange(len(self.sources))
        return number

    def source_patches(self, matches: Int64[Tensor, " n"]) -> Float[Tensor, "n values"]:
        """The patches around sources."""
        return self.known[self.number[matches]]

    @property
    def size(self) -> tuple[int, int]:
        return self.wanted.shape[0], self.wanted.shape[1]


def _patches(level: _Level, centres: Int64[Tensor, " n"], picture: Tensor | None = None) -> Float[Tensor, "n values"]:
    """The patches around pixels of a level, or of another picture of its size, mirrored at the border."""
    picture = level.picture if picture is None else picture
    mirrored = nnf.pad(picture[None], (level.reach,) * 4, mode="reflect")[0].flatten(1).T.contiguous()
    return mirrored[level.within(centres)].flatten(1)


def _level(picture: Tensor, unknown: Region, wanted: Region, side: int) -> _Level | None:
    """A scale with what is unknown filled smoothly; None where no patch is known."""
    reach = side // 2
    if min(unknown.shape) <= side:
        return None
    inner = torch.zeros_like(unknown)
    inner[reach:-reach, reach:-reach] = True
    sources = (inner & ~dilate(unknown, reach)).flatten().nonzero()[:, 0]
    targets = dilate(wanted, reach).flatten().nonzero()[:, 0]
    made = fill(picture[None], unknown)[0]
    return _Level(made, wanted, targets, sources, side) if len(sources) else None


def _solved(x: Pictures, unknown: Region, wanted: Region) -> tuple[_Level, Int64[Tensor, " _"]] | None:
    """The finest level and the match of every one of its targets."""
    levels: list[_Level] = []
    for one in _pyramid(x, unknown, wanted):
        level = _level(*one, SIDES[max(unknown.shape) >= LARGE])
        if level is None:
            break
        levels.append(level)
    if not levels:
        return None
    generator = torch.Generator().manual_seed(0)
    level = levels[-1]
    _peeled(level)
    matches = _all_compared(level)
    for _ in range(ROUNDS[0] - 1):
        go_on()
        _vote(level, matches)
        matches = _all_compared(level)
    _vote(level, matches)
    for finer in reversed(levels[:-1]):
        matches = _inherited(level, finer, matches)
        level = finer
        _vote(level, matches)
        for _ in range(ROUNDS[1]):
            go_on()
            matches = _all_compared(level) if max(level.size) <= EXACT else _searched(level, matches, generator)
            _vote(level, matches)
    return level, matches


def _pyramid(x: Pictures, unknown: Region, wanted: Region) -> list[tuple[Tensor, Region, Region]]:
    known = (~unknown).to(x)
    right = (x[..., :, 1:] - x[..., :, :-1]).abs().mean(1, keepdim=True) * (known[:, 1:] * known[:, :-1])
    down = (x[..., 1:, :] - x[..., :-1, :]).abs().mean(1, keepdim=True) * (known[1:] * known[:-1])
    slopes = torch.cat([nnf.pad(right, (0, 1)), nnf.pad(down, (0, 0, 0, 1))], 1)
    share = nnf.avg_pool2d(known[None, None], 9, 1, 4)
    texture = TEXTURE * nnf.avg_pool2d(slopes, 9, 1, 4) / share.clamp_min(1e-3)
    picture = torch.cat([x, texture], 1)
    levels, shrink = [(picture[0], unknown, wanted)], 1
    while min(unknown.shape) // (2 * shrink) >= COARSEST:
        shrink *= 2
        coarse, lacking = reduced(picture, unknown, shrink)
        levels.append((coarse[0], lacking, reduced_region(wanted, shrink)))
    return levels


def _peeled(level: _Level) -> None:
    """Makes up the unknown from its border inwards, by what of every patch is known by then."""
    known = ~level.wanted
    width, channels = level.size[1], len(level.picture)
    while bool((~known).any()):
        go_on()
        layer = (~known & dilate(known, 1)).flatten().nonzero()[:, 0]
        here, there = _patches(level, layer), level.known
        own = _patches(level, layer, known[None].to(level.picture)).repeat_interleave(channels, 1)
        cost = own @ there.square().T - 2 * (own * here) @ there.T
        best = level.sources[cost.argmin(1)]
        rows, columns = layer // width, layer % width
        level.picture[:, rows, columns] = level.picture[:, best // width, best % width]
        known[rows, columns] = True


def _all_compared(level: _Level) -> Int64[Tensor, " _"]:
    """The most alike of all known patches, for every target."""
    here, there = _patches(level, level.targets), level.known
    squares = there.square().sum(1)
    best = [(squares - 2 * part @ there.T).argmin(1) for part in here.split(2048)]
    return level.sources[torch.cat(best)]


def _vote(level: _Level, matches: Tensor) -> None:
    """Every unknown pixel becomes the mean of what the patches over it say, the better matched the more."""
    here, there = _patches(level, level.targets), level.source_patches(matches)
    cost = (here - there).square().mean(1)
    weight = torch.exp(-cost / (2 * torch.quantile(cost, 0.75).clamp_min(1e-6)))
    (height, width), reach, channels = level.size, level.reach, len(level.picture)
    told = there.view(len(there), -1, channels)
    told = torch.cat([told, torch.ones_like(told[..., :1])], -1) * weight[:, None, None]
    total = torch.zeros((height + 2 * reach) * (width + 2 * reach), channels + 1)
    total.index_add_(0, level.within(level.targets).flatten(), told.flatten(0, 1))
    total = total.view(height + 2 * reach, -1, channels + 1)[reach : reach + height, reach : reach + width]
    mean = (total[..., :-1] / total[..., -1:].clamp_min(1e-12)).permute(2, 0, 1)
    level.picture = torch.where(level.wanted, mean, level.picture)


def _inherited(coarse: _Level, fine: _Level, matches: Tensor) -> Int64[Tensor, " _"]:
    """Matches of a coarser level at a finer one; where they are no source, the source next in reading order."""
    offsets, width = coarse.offsets(matches), fine.size[1]
    rows, columns = fine.targets // width, fine.targets % width
    there, _ = coarse.at(rows // 2, columns // 2)
    place, _ = fine.at(rows + 2 * offsets[0, there], columns + 2 * offsets[1, there])
    nearest = torch.searchsorted(fine.sources, place).clamp(max=len(fine.sources) - 1)
    return fine.sources[nearest]


def _searched(level: _Level, matches: Tensor, generator: torch.Generator) -> Int64[Tensor, " _"]:
    """Better matches among those of neighbours and random ones around."""
    height, width = level.size
    here = _patches(level, level.targets)
    rows, columns = level.targets // width, level.targets % width
    place = torch.full((height * width,), -1)
    place[level.targets] = torch.arange(len(level.targets))
    best, cost = matches, (here - level.source_patches(matches)).square().sum(1)

    def offer(row: Tensor, column: Tensor) -> None:
        nonlocal best, cost
        flat, inside = level.at(row, column)
        chosen = (inside & (level.number[flat] >= 0) & (flat != best)).nonzero()[:, 0]
        new = (here[chosen] - level.source_patches(flat[chosen])).square().sum(1)
        better = new < cost[chosen]
        cost = cost.index_put((chosen[better],), new[better])
        best = best.index_put((chosen[better],), flat[chosen[better]])

    for step in (4, 1):
        for dy, dx in ((0, step), (0, -step), (step, 0), (-step, 0)):
            flat, inside = level.at(rows + dy, columns + dx)
            neighbour = torch.where(inside & (place[flat] >= 0), place[flat], torch.arange(len(rows)))
            source = best[neighbour]
            offer(source // width - (rows[neighbour] - rows), source % width - (columns[neighbour] - columns))
    for k in range(TRIED):
        reach = max(2, max(height, width) // 8 ** (k + 1))
        jump = torch.randint(-reach, reach + 1, (2, len(rows)), generator=generator)
        offer(best // width + jump[0], best % width + jump[1])
    return best


def _enlarged(x: Pictures, wanted: Region, level: _Level, matches: Tensor, shrink: int) -> Pictures:
    """The hole of the picture itself: every pixel the mean of its copies by the offsets of the nearest four cells."""
    offsets, (height, width) = level.offsets(matches), wanted.shape
    row_at, column_at = wanted.nonzero().unbind(1)
    down, across = ((at + 0.5) / shrink - 0.5 for at in (row_at, column_at))
    mean = torch.zeros(3, len(row_at))
    for dy in (0, 1):
        for dx in (0, 1):
            go_on()
            row, column = down.floor() + dy, across.floor() + dx
            share = (1 - (down - row).abs()) * (1 - (across - column).abs())
            cell, _ = level.at(row.long(), column.long())
            from_row = (row_at + shrink * offsets[0, cell]).clamp(0, height - 1)
            from_column = (column_at + shrink * offsets[1, cell]).clamp(0, width - 1)
            mean += share * x[0][:, from_row, from_column]
    made = x.clone()
    made[0][:, row_at, column_at] = mean
    return made
