"""Where a run waits for its device: seen on shapes alone, so that it can be counted on any machine.

A GPU works on its own while the program asks for more. It is waited for where a number is read off it, where numbers on
it decide the shape of something, and where something is copied to it from memory that is not pinned.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ... import __file__ as package
from ...core.clock import Clock
from .dry import META, dry

HERE = Path(package).parent
"""The package's folder: a wait is told by the innermost line in it."""

_aten = torch.ops.aten
SHAPED_BY_NUMBERS = (_aten.nonzero.default, _aten.masked_select.default, _aten._unique2.default)
"""Operations whose results have as many elements as numbers on the device say."""
INDEXING = (_aten.index.Tensor, _aten.index_put_.default, _aten.index_put.default, _aten._index_put_impl_.default)


class Crossings(TorchDispatchMode):
    """Context manager: notes every wait for the meta device, as a CUDA device would be waited for.

    Args:
        found: for every wait what it is for and the line of the package that waits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        kind = _kind(func, args, kwargs)
        if kind is not None:
            self.found.append((kind, _line()))
        return func(*args, **kwargs)


def _kind(func: Any, args: Any, kwargs: Any) -> str | None:
    """What is waited for; None if nothing is."""
    first = args[0] if args and isinstance(args[0], Tensor) else None
    if first is None:
        return None
    if func is _aten._to_copy.default:
        target = torch.device(kwargs.get("device") or first.device)
        return _copying(first.device, target, bool(kwargs.get("non_blocking")))
    if func is _aten.copy_.default:
        return _copying(args[1].device, first.device, len(args) > 2 and bool(args[2]))
    if first.device != META:
        return None
    if func is _aten._local_scalar_dense.default:
        return "number"
    if func in SHAPED_BY_NUMBERS:
        return "shape"
    if func in INDEXING and any(x is not None and x.dtype == torch.bool for x in args[1]):
        return "region"
    return None


def _copying(source: torch.device, target: torch.device, non_blocking: bool) -> str | None:
    if source == target or non_blocking:
        return None
    return "copy to the device" if target == META else "copy to the host"


def _line() -> str:
    frame, here = inspect.currentframe(), ""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(HERE):
            here = f"{path.relative_to(HERE)}:{frame.f_lineno} {frame.f_code.co_name}"
            if path.parent.name != "speed":
                break
        frame = frame.f_back
    return here


@dataclass
class CrossingMeter(Clock):
    """A clock that counts the waits of each phase of a dry run, by what for and where.

    Args:
        waits: by phase.
    """

    waits: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict[str, Counter[tuple[str, str]]])

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        crossings = Crossings()
        with super().phase(name), crossings:
            yield
        self.waits.setdefault(name, Counter()).update(crossings.found)


@contextmanager
def waiting() -> Generator[CrossingMeter]:
    """Context manager: a dry run whose waits are counted by the meter that is given."""
    with dry():
        yield CrossingMeter()
