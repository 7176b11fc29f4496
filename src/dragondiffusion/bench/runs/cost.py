"""The cost of an edit: seconds, peak memory and floating-point operations of each of its phases."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ...core.clock import Clock

PHASES = ("encode", "invert", "sample", "decode")
"""Phases of `Editor.batch`, as `EditResult.seconds` names them."""

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Meter(Clock):
    """A clock that also knows the peak memory of each phase: what `Editor.batch` takes as its `clock`.

    Memory is what CUDA had allocated at most where there is such a device; elsewhere the process's largest resident
    set, which Linux alone can tell by phase (`proc(5)`, VmHWM).

    Args:
        seconds: by phase.
        memory: peak bytes by phase; without the phases whose peak the system does not tell.
    """

    memory: dict[str, int] = field(default_factory=dict[str, int])

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        known = _forget_peak()
        with super().phase(name):
            yield
            if torch.cuda.is_available():
                torch.cuda.synchronize()  # work that was only asked for belongs to its phase
        peak = _peak() if known else None
        if peak is not None:
            self.memory[name] = max(self.memory.get(name, 0), peak)


@dataclass
class FlopMeter(Clock):
    """A clock that counts floating-point operations by phase, a multiplication with its addition as two.

    Only matrix products and convolutions count, forward and backward, by the formulas of `torch.utils.flop_counter`.
    Its `FlopCounterMode` itself cannot be used: it raises a RuntimeError at `torch.autograd.grad` inside of a module.
    Attention runs as two matrix products meanwhile, because fused kernels of the CPU are not counted. Counting makes a
    run slower, so its seconds mean nothing.

    Args:
        seconds: by phase.
        flops: operations by phase.
    """

    flops: dict[str, int] = field(default_factory=dict[str, int])

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        with super().phase(name), sdpa_kernel(SDPBackend.MATH), _Counter() as counter:
            yield
        self.flops[name] = self.flops.get(name, 0) + counter.total


class _Counter(TorchDispatchMode):
    """Context manager: adds up the operations of every call."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += int(formula(*args, **(kwargs or {}), out_val=result))
        return result


def _forget_peak() -> bool:
    """Begins to look for a new peak; says whether the system can."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return True
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


def _peak() -> int | None:
    """Peak memory since it was last forgotten, bytes; None where nobody knows."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    line = next((line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM")), "")
    return 1024 * int(line.split()[1]) if line else None
