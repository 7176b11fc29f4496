"""What a large batch takes, simulated from what a small one took."""

import heapq
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..imaging.writing import write_file
from .journal import Standing, read

SIMULATED = 20
"""Jobs of each worker that are simulated, at least; the others take as long. Source: chosen."""

WRITES = 20
"""Results that are written to measure what writing one takes. Source: chosen."""


@dataclass(frozen=True)
class MeasuredBatch:
    """What jobs took.

    Args:
        seconds: of each job, on its worker.
        bytes: of a result, on average.
        writing: seconds that the driver takes to write a result and a line of its journal, on this disk.
        failed: share of the jobs that failed.
    """

    seconds: tuple[float, ...]
    bytes: float
    writing: float
    failed: float


def measured(folder: Path) -> MeasuredBatch:
    """What the jobs of a batch took.

    Raises:
        ValueError: if there is no batch with results.
    """
    standings: dict[str, Standing] = {}
    for journal in sorted(folder.glob("journal*.jsonl")):
        read(journal, standings)
    made = [one.made for one in standings.values() if one.made is not None]
    if not made:
        raise ValueError(f"{folder} holds no results of a batch; make a small one first, dragondiffusion batch --out")
    size = statistics.fmean(one.bytes for one in made)
    failed = sum(one.error is not None for one in standings.values()) / len(standings)
    return MeasuredBatch(tuple(one.seconds for one in made), size, writing_seconds(folder, int(size)), failed)


def writing_seconds(folder: Path, size: int) -> float:
    """Seconds to put a result of so many bytes into a folder, with a line on the disk before it."""
    data, line = os.urandom(size), b"x" * 500
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".batch-") as place,
        (Path(place) / "lines").open("wb", 0) as file,
    ):
        begin = time.perf_counter()
        for k in range(WRITES):
            file.write(line)
            os.fsync(file.fileno())
            write_file(Path(place) / f"{k}.bin", lambda opened: opened.write(data))
        return (time.perf_counter() - begin) / WRITES


def simulated(one: MeasuredBatch, pictures: int, workers: int, seed: int = 0) -> float:
    """Seconds that a batch takes: workers that are given the next job while a driver writes what they made.

    Args:
        one: what a job takes; durations are drawn from those measured.
        pictures: jobs.
        workers: that work at once.
        seed: of the draws.
    """
    rng, count = random.Random(seed), min(pictures, max(2000, SIMULATED * workers))  # noqa: S311  # not a secret
    # Of each worker: when its job ends, and when the driver had taken the result before.
    working = [(rng.choice(one.seconds), 0.0) for _ in range(min(workers, count))]
    heapq.heapify(working)
    left, written = count - len(working), 0.0
    while working:
        end, taken = heapq.heappop(working)
        written = max(written, end) + one.writing
        if left:
            # A worker is one job ahead: it waits only where the driver is behind by more than that.
            left -= 1
            heapq.heappush(working, (max(end, taken) + rng.choice(one.seconds), written))
    return written * pictures / count


def table(one: MeasuredBatch, pictures: int, workers: Sequence[int]) -> str:
    """The plan, for people to read."""
    mean, median = statistics.fmean(one.seconds), statistics.median(one.seconds)
    took = (
        f"{len(one.seconds)} jobs measured: {mean:.3f} s each (median {median:.3f}), {one.bytes / 1e3:.1f} kB a result"
    )
    whole = f"{pictures * one.bytes / 1e9:.1f} GB of results, {pictures * mean / 3600:.0f} hours of one worker"
    lines = [
        f"{took}, {1e3 * one.writing:.2f} ms to write it, {100 * one.failed:.1f} % failed",
        f"{pictures} images: {whole}",
        "",
        "| workers | hours | images a second | of the workers' time used | drivers (--shard) |",
        "|---|---|---|---|---|",
    ]
    for count in workers:
        drivers = max(1, -(-int(count / mean * one.writing * 100) // 80))
        seconds = simulated(one, -(-pictures // drivers), max(1, count // drivers))
        used = pictures * mean / (seconds * count)
        lines.append(f"| {count} | {seconds / 3600:.1f} | {pictures / seconds:.1f} | {100 * used:.0f} % | {drivers} |")
    return "\n".join(lines)
