"""Drive a batch in this process, with a worker that costs nothing: `python benchmarks/batch_driver.py FOLDER`.

FOLDER holds `jobs.jsonl`; results go into `out` in it. It prints the seconds until the first job, milliseconds of the
driver for each job, and its peak memory in MB. `benchmarks/batch.py` calls it in processes of their own.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import psutil

from dragondiffusion.batch.engine import BatchEngine, Held, Raised, Returned
from dragondiffusion.batch.journal import Standing, read
from dragondiffusion.batch.worker import JobRequest, Outcome


class Quick:
    """A worker that costs nothing."""

    def __init__(self, place: int) -> None:
        self.data = b"x" * 30_000

    def prepare(self, model: Any, files: Any) -> str:
        """No model."""
        return "none"

    def do(self, task: JobRequest, files: Any) -> Outcome:
        """A result of the usual size."""
        return Outcome(
            data=self.data, report={"arrived": 0.95, "ghost": 0.01, "background": 0.0, "error": 1e-3, "score": 0}
        )


class Inside(BatchEngine):
    """One worker in this process, so that what is measured is the driver."""

    def __init__(self) -> None:
        self.calls: deque[tuple[str, Any]] = deque()
        self.held = Held(Quick, 0)
        self.begun = 0.0

    @property
    def places(self) -> int:
        return 1

    def add(self, place: int) -> int:
        self.begun = time.perf_counter()
        return 0

    def call(self, worker: int, method: str, argument: Any, files: Any = None) -> None:
        self.calls.append((method, argument))

    def wait(self, seconds: float) -> list[Any]:
        fine, value = self.held.call(*self.calls.popleft(), {})
        return [Returned(0, value) if fine else Raised(0, value)]

    def end(self, worker: int) -> None:
        self.calls.clear()

    def close(self) -> None:
        self.calls.clear()


def drive(folder: Path) -> None:
    """Drives a batch through the command itself, with a worker that costs nothing, and prints what it took."""
    from dragondiffusion.batch.commands import Batch
    from dragondiffusion.cli import main as cli

    engine = Inside()
    Batch._engine = lambda *_: engine
    out, sys.stdout = sys.stdout, sys.stderr
    begun = psutil.Process().create_time()
    code = cli.main(["batch", str(folder / "jobs.jsonl"), "--out", str(folder / "out")])
    sys.stdout = out
    assert code == 0, code
    end, wall = time.perf_counter(), time.time()
    standings: dict[str, Standing] = {}
    read(folder / "out" / "journal.jsonl", standings)
    first = (wall - begun) - (end - engine.begun if engine.begun else 0.0)
    each = 1000 * (end - engine.begun) / len(standings) if engine.begun else 0.0
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    held = int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    print(first, each, held)


if __name__ == "__main__":
    drive(Path(sys.argv[1]))
