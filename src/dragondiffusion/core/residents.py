"""Constants on the device where the work is: brought there once, so that a step does not wait for them again.

Regions, places and strengths of an edit are made on the processor. A GPU works by itself, but is waited for at every
copy to it, and at every read of a region on it, because only its numbers say how many cells it has.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias, cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from .types import Number, Region

Places: TypeAlias = tuple[Int64[Tensor, " _"], Int64[Tensor, " _"]]
"""Rows and columns of cells."""

_known: Any = WeakTensorKeyDictionary()
"""For every constant what was made of it; forgotten with it."""


def remembered(constant: Tensor, key: Any, make: Callable[[], Any]) -> Any:
    """What was made of a tensor, made once as long as the tensor lives and is not written to.

    Args:
        constant: the tensor.
        key: what is made, and where.
        make: makes it.
    """
    made: dict[Any, Any] = _known.setdefault(constant, {})
    full = (key, 0 if constant.is_inference() else cast(Any, constant)._version)
    if full not in made:
        with torch.inference_mode(False):  # elsewhere it may be part of a gradient
            made[full] = make()
    return made[full]


def resident(constant: Tensor, device: torch.device) -> Tensor:
    """A constant on a device; itself where it is there."""
    if constant.device == device:
        return constant
    return remembered(constant, device, lambda: constant.to(device))


def cells(region: Region, device: torch.device) -> Places:
    """Rows and columns of the cells of a region, row by row, on a device."""

    def make() -> Places:
        rows, columns = region.nonzero(as_tuple=True)
        return rows.to(device), columns.to(device)

    return remembered(region, ("cells", device), make)


@lru_cache(maxsize=1024)
def numbers(values: tuple[Number, ...], device: torch.device) -> Float[Tensor, " _"]:
    """A few numbers in single precision on a device; not to be written to."""
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=torch.float32, device=device)


@lru_cache(maxsize=1024)
def places(values: tuple[int, ...], device: torch.device) -> Int64[Tensor, " _"]:
    """A few indices on a device; not to be written to."""
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=torch.int64, device=device)
