"""Bars on standard error: cases that are done, and the steps of the one that is edited."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from rich.progress import TaskID

from ...console.terminal import shown_bars
from ...core.types import Progress


@contextmanager
def shown_progress() -> Generator[Progress]:
    """Context manager: a function of phase, finished steps and total that moves bars on a terminal."""
    with shown_bars() as bars:
        tasks: dict[str, TaskID] = {}

        def report(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(phase, total=total)
            elif done == 0 and phase != "cases":
                bars.reset(tasks[phase])
            bars.update(tasks[phase], completed=done, total=total)

        yield report
