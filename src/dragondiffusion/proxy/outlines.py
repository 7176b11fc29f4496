"""Whether an object has hard edges, as in flat art and pixel art: no pixel mixes it with what is behind it."""

import torch
from jaxtyping import Bool
from torch import Tensor

from ..core.geometry import dilate, erode, surroundings
from ..core.types import Mask, Pictures, Region

ALIKE = 4 / 255
"""Colours that differ by no more, in units of [-1, 1], are the same one: two levels of 255. Source: chosen."""

SHARE = 0.8
"""Share of the pixels along an outline, on either side of it, that continue what lies behind them. Source: chosen."""

FLAT = 0.8
"""Share of an object's pixels of the same colour as the next one in their row, to the bit, at least. Source: chosen; of
80 photographs it was 0.27 at most."""

LEAST = 8
"""Pixels of an outline that can tell, at least. Source: chosen."""


def has_hard_edges(x: Pictures, mask: Mask) -> bool:
    """Whether an object is of flat colours, and the pixels on both sides of its outline are pure.

    A pixel is, if it is like one of its neighbours on the side away from the outline. Photographs and smoothly drawn
    edges mix object and ground there.

    Args:
        x: one picture in [-1, 1].
        mask: the object, 0 to 1; where it is soft, edges are taken for soft.
    """
    inside = mask > 0.5
    if not bool(inside.any()) or bool(((mask > 0) & (mask < 1)).any()):
        return False
    near = surroundings(inside, 2)
    part, inside = x[0][:, near[0], near[1]].float().cpu(), inside[near].cpu()
    return _is_flat(part, inside) and _is_pure(part, inside) and _is_pure(part, ~inside)


def _is_flat(x: Tensor, region: Region) -> bool:
    """Whether most pixels of a region have the colour of the next one."""
    pairs = region[:, 1:] & region[:, :-1]
    return bool(pairs.any()) and float((x[:, :, 1:] == x[:, :, :-1]).all(0)[pairs].float().mean()) >= FLAT


def _is_pure(x: Tensor, side: Region) -> bool:
    """Whether pixels of one side that touch the other continue those behind them."""
    at = side & dilate(~side, 1)
    behind = erode(side, 1)
    like = torch.zeros_like(side)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            there, known = (torch.roll(values, (dy, dx), (-2, -1)) for values in (x, behind))
            like |= known & _alike(x, there)
    told = at & dilate(behind, 1)
    return int(told.sum()) >= LEAST and float(like[told].float().mean()) >= SHARE


def _alike(x: Tensor, y: Tensor) -> Bool[Tensor, "height width"]:
    return ((x - y).abs() <= ALIKE).all(0)
