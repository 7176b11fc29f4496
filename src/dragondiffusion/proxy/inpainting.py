"""Source holes made up for the proxy: smoothly, or copied from places around that continue what is seen.

Which of them predicts places around the hole better decides. Convention: pictures are in [-1, 1], offsets (dy, dx) lead
from a pixel of the hole to the pixel it is copied from.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
import torch.nn.functional as nnf
from torch import Tensor

from ..core.geometry import bounding_box, dilate, erode
from ..core.stopping import go_on
from ..core.types import Pictures, Region
from .exemplars import FOREIGN, SEARCHED, copied, reduced, shifted
from .smooth import smoothly

Inpaint: TypeAlias = Callable[[Pictures, Region], Pictures]
"""Makes up the unknown pixels of one picture from the known ones."""

CONTEXT = 1.5
"""How much around a hole is looked at on every side, in longer sides of it. Source: chosen."""
LEAST_CONTEXT = 24
"""The same, at least, in pixels. Source: chosen."""
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
        go_on()
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
        go_on()
        part = torch.zeros_like(cells)
        part.view(-1)[int(cells.flatten().int().argmax())] = True
        while not torch.equal(grown := dilate(part, 1) & cells, part):
            go_on()
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
    small, unknown = reduced(x, hole, shrink)
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
        go_on()
        if not bool(shape.any()):
            continue
        left, top, right, bottom = bounding_box(shape)
        width, height = right - left + 2, bottom - top + 2
        found: list[Region] = []
        taken = hole
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)):
            for far in (1.0, 1.25):
                moved = shifted(shape, (round(dy * far * height), round(dx * far * width)))
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
    return erode(hole, max(1, min(right - left, bottom - top) // 4))


def _errors(way: Inpaint, x: Pictures, hole: Region, trial: Region) -> Tensor:
    """Squared errors of the pixels of a trial, each up to `FOREIGN` squared."""
    return (way(x, hole | trial) - x)[0, :, trial].square().mean(0).clamp(max=FOREIGN**2)
