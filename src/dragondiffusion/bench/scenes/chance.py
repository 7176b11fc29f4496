"""Numbers drawn at random that are a function of a seed alone, the same on every machine."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ...core.types import Number

_GAMMA, _MIX_1, _MIX_2 = -7046029254386353131, -4658895280553007687, -7723592293110705685


def _mix(x: Int64[Tensor, "..."]) -> Int64[Tensor, "..."]:
    """The finaliser of SplitMix64 on wrapping 64-bit integers.

    Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    x = (x ^ ((x >> 30) & ((1 << 34) - 1))) * _MIX_1
    x = (x ^ ((x >> 27) & ((1 << 37) - 1))) * _MIX_2
    return x ^ ((x >> 31) & ((1 << 33) - 1))


def uniform(seed: Int64[Tensor, " b"], stream: int, count: int) -> Float[Tensor, "b count"]:
    """Uniform numbers in [0, 1) that depend on (seed, stream, index) alone, the same on every machine and device."""
    index = torch.arange(1, count + 1, device=seed.device, dtype=torch.int64)
    state = _mix(_mix(seed * _GAMMA + stream)[:, None] + index * _GAMMA)
    return ((state >> 40) & ((1 << 24) - 1)).to(torch.float32) / (1 << 24)


def between(u: Tensor, low: Number, high: Number) -> Tensor:
    """From [0, 1] to [low, high]."""
    return low + (high - low) * u


def choose(u: Tensor, count: int) -> Tensor:
    """From [0, 1) to a whole number below `count`."""
    return (u * count).long().clamp_max(count - 1)
