"""Where `benchmarks/gpu.py` measures, and how it takes seconds and memory."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from dragondiffusion import Editor, Savings, Settings
from dragondiffusion.bench.speed.costs import matrix_rate
from dragondiffusion.bench.speed.published import networks, pipeline

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where and how large things are measured.

    Args:
        device: "cuda" or "cpu".
        toy: everything small, to see that it works.
        deadline: of the part, in `time.monotonic`'s seconds; no row is begun after it.
    """

    device: str
    toy: bool
    deadline: float

    @property
    def half(self) -> torch.dtype:
        """Precision of what is timed."""
        return torch.float32 if self.device == "cpu" else torch.float16

    @property
    def repeat(self) -> int:
        """How often seconds are taken."""
        return 1 if self.toy else 5

    def rate(self, dtype: torch.dtype | None = None) -> float:
        """Operations a second of products of large matrices."""
        return matrix_rate(torch.device(self.device), dtype or self.half, 0.1 if self.toy else 1.0)

    def late(self) -> bool:
        """Whether the part's time is over."""
        return time.monotonic() > self.deadline

    def settings(self, preset: str, **changes: Any) -> Settings:
        """A preset's settings, of three steps in a toy."""
        return Settings.preset(preset, **({"steps": 3} if self.toy else {}), **changes)

    def editor(self, shape: str, savings: Savings | None = None) -> Editor:
        """A model of a published shape with random weights."""
        torch.manual_seed(0)
        pipe = pipeline(shape, self.device, self.half, toy=self.toy)
        for part in networks(pipe).values():
            part.eval()
        pipe.set_progress_bar_config(disable=True)
        return Editor(pipe if savings is None else savings.apply(pipe, self.device), savings)

    def size(self, shape: str) -> tuple[int, int]:
        """Height and width of its images."""
        side = 64 if self.toy else {"sd-1.5": 512, "sdxl": 1024}[shape]
        return side, side


def synchronise() -> None:
    """Waits until the device has done what was asked of it."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(work: Callable[[], Any], place: Place, repeat: int | None = None) -> float:
    """Median seconds of some work, after one run that does not count."""
    taken: list[float] = []
    for _ in range((repeat or place.repeat) + 1):
        synchronise()
        begin = time.perf_counter()
        work()
        synchronise()
        taken.append(time.perf_counter() - begin)
    return median(taken[1:])


def peak() -> float | None:
    """Memory that CUDA had allocated at most since the last call, GB; None elsewhere."""
    if not torch.cuda.is_available():
        return None
    found = torch.cuda.max_memory_allocated() / 1e9
    torch.cuda.reset_peak_memory_stats()
    return found
