"""Running a benchmark: which edits are left to do, and doing them, in this process or in several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from ...backbones.base import weights_digest
from ...backbones.savings import network
from ...batch.engine import each
from ...batch.local import LocalEngine
from ...core.types import Size
from ...edits.settings import Settings
from ...pipeline.editor import Editor
from ...pipeline.request import Request
from ..metrics import Picture
from ..tasks import HELD_OUT, TASKS, TUNING, Task, pixels
from ..tasks.difficulty import describe, matching
from .baselines import Baseline
from .cost import FlopMeter, Meter
from .results import Entry, Results, parts
from .rows import Rows
from .scores import Scores, score

EditsDone = Callable[[int, int], None]
"""Called with the number of finished edits and their total."""


@dataclass(frozen=True)
class Sets:
    """The sets of tasks of a run.

    Args:
        kinds: keys of `TASKS`.
        limit: tasks of each kind.
        size: (height, width) in pixels.
        tuning: from the seeds set apart for choosing settings.
        filters: level by axis of difficulty.
        asked: what is asked of the tasks of each kind, see their generators.
    """

    kinds: tuple[str, ...]
    limit: int
    size: Size = (128, 128)
    tuning: bool = False
    filters: Mapping[str, str] = field(default_factory=dict[str, str])
    asked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    def seeds(self, kind: str) -> list[int]:
        """The seeds of a kind's tasks.

        Raises:
            ValueError: No task has the levels asked for.
        """
        first = TUNING if self.tuning else HELD_OUT
        own = self.asked.get(kind, {})
        return [task.seed for task in matching(kind, self.limit, first, self.size, self.filters, **own)]

    def task(self, kind: str, seed: int) -> Task:
        """The task of a seed."""
        return next(TASKS[kind](1, seed, self.size, **self.asked.get(kind, {})))


@dataclass(frozen=True)
class Work:
    """Some scenes that one row has to edit together; without scenes to score, one edit whose operations are counted."""

    kind: str
    row: str
    seeds: tuple[int, ...]
    counted: bool = False


@dataclass(frozen=True)
class Benchmark:
    """A run, as every process of it knows it.

    Args:
        results: where results are kept.
        sets: the tasks.
        seeds: of each kind's tasks (`Sets.seeds`).
        rows: the rows of each kind.
        batch: edits made together.
        after: the prompt describes the image after the edit, not before.
    """

    results: Results
    sets: Sets
    seeds: Mapping[str, Sequence[int]]
    rows: Mapping[str, Rows]
    batch: int
    after: bool = False

    def left(self) -> list[Work]:
        """The work that is not done yet. Batches are cut the same way however many processes there are."""
        work: list[Work] = []
        for kind in self.sets.kinds:
            seeds = self.seeds[kind]
            for row, made in self.rows[kind].items():
                if isinstance(made, Settings) and self.results.cost(kind, row) is None:
                    work.append(Work(kind, row, (seeds[0],), counted=True))
                for some in parts(seeds, self.batch):
                    new = tuple(seed for seed in some if not self.results.known(kind, row, seed))
                    if new:
                        work.append(Work(kind, row, new))
        return work

    def do(self, work: Work, editor: Editor | None) -> int:
        """Does some work and keeps what comes of it; gives the number of edits."""
        tasks = [self.sets.task(work.kind, seed) for seed in work.seeds]
        row = self.rows[work.kind][work.row]
        if work.counted:
            meter = FlopMeter()
            self._edit(editor, tasks, row, meter)
            self.results.add_cost(work.kind, work.row, meter.flops)
            return 1
        meter = Meter()
        pictures = self._edit(editor, tasks, row, meter)
        costs = _costs(meter, len(tasks))
        for task, picture in zip(tasks, pictures, strict=True):
            entry = Entry(score(picture, task) | costs, describe(task))
            self.results.add(work.kind, work.row, task.seed, entry, picture)
        return len(tasks)

    def _edit(
        self, editor: Editor | None, tasks: Sequence[Task], row: Settings | Baseline, clock: Meter | FlopMeter
    ) -> list[Picture]:
        """The edited images, each (3, h, w) in [0, 1] with 8 bits a channel."""
        if not isinstance(row, Settings):
            return [_picture(pixels(row(task))) for task in tasks]
        if editor is None:
            raise ValueError("editor is missing; only rows without a model can do without")
        requests = [
            Request(
                pixels(task.before),
                task.edit(row.geometry),
                prompt=task.caption_after if self.after else task.caption,
                settings=row,
            )
            for task in tasks
        ]
        return [_picture(np.asarray(result.image).copy()) for result in editor.batch(requests, clock=clock)]


def _picture(array: Any) -> Picture:
    return torch.from_numpy(array).permute(2, 0, 1) / 255


def _costs(meter: Meter, count: int) -> Scores:
    """Seconds of one edit of a batch, and megabytes of the whole batch, as scores."""
    if not meter.seconds:
        return {}
    found = {f"seconds {phase}": spent / count for phase, spent in meter.seconds.items()}
    found["seconds"] = sum(meter.seconds.values()) / count
    return found | {f"memory {phase}": peak / 1e6 for phase, peak in meter.memory.items()}


def fingerprint(editor: Editor) -> str:
    """A name for the weights of a model: a digest of the beginning of every tensor of its network and autoencoder."""
    pipe = cast(Any, editor.backbone).pipe
    return weights_digest(value for part in (network(pipe), pipe.vae) for value in part.parameters())


def run(bench: Benchmark, load: Callable[[], Editor], jobs: int, report: EditsDone) -> int:
    """Does what is left of a run.

    Args:
        bench: the run.
        load: gives the editor; called once in every process. It must be picklable for several.
        jobs: processes; the threads of this one are shared out among them. More or fewer threads may round a result
            differently in its last bit, nothing else depends on their number.
        report: called with the number of finished edits and their total.

    Returns:
        The number of edits that were done.

    Raises:
        OSError: a process was killed.
    """
    work = bench.left()
    total, done = sum(len(one.seeds) for one in work), 0
    report(0, total)
    for count in _each(bench, work, load, jobs):
        done += count
        report(done, total)
    return done


def _each(bench: Benchmark, work: Sequence[Work], load: Callable[[], Editor], jobs: int) -> Iterator[int]:
    """Does the work; yields the number of edits as they are done."""
    if jobs == 1 or len(work) < 2:
        editor = load() if any(isinstance(bench.rows[one.kind][one.row], Settings) for one in work) else None
        yield from (bench.do(one, editor) for one in work)
        return
    threads = max(1, torch.get_num_threads() // jobs)
    engine = LocalEngine(partial(Worker, bench, load, threads), min(jobs, len(work)))
    yield from each(engine, "do", work)


class Worker:
    """A process of a benchmark.

    Args:
        bench: the run.
        load: gives the editor.
        threads: of the process.
        place: its number.
    """

    def __init__(self, bench: Benchmark, load: Callable[[], Editor], threads: int, place: int) -> None:
        torch.set_num_threads(threads)
        self._bench, self._editor = bench, load()

    def do(self, work: Work, files: Mapping[str, bytes]) -> int:
        """Does some work; gives the number of edits."""
        return self._bench.do(work, self._editor)


def check_folder(folder: Path) -> None:
    """Checks that results can be kept in a folder.

    Raises:
        ValueError: it is a file.
        OSError: the folder above is missing.
    """
    if folder.is_file():
        raise ValueError(f"--out {folder} is a file; name a folder")
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"--out {folder}: the folder {folder.parent} does not exist; make it first")
