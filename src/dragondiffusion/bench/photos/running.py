"""Running the benchmark: which cases are left, and doing them, in this process or in several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch

from ...batch.engine import each
from ...batch.local import LocalEngine
from ...edits.settings import Settings
from ...pipeline.editor import Editor
from .metrics import Judge
from .problem import Problem, Source
from .record import Line, Record, digest, digest_of_method
from .rows import Row, proxy_alone, result_of, text_of

VERSION = 2
"""Of metrics and baselines; results of other versions do not count."""

Report = Callable[[int, int], None]
"""Told the number of finished cases and their total."""


@dataclass(frozen=True)
class Case:
    """One problem and the rows that have to solve it.

    Args:
        kind: of edit.
        seed: of the problem.
        rows: names.
    """

    kind: str
    seed: int
    rows: tuple[str, ...]

    @property
    def name(self) -> str:
        """As `Problem.name`."""
        return f"{self.kind}-{self.seed}"


@dataclass(frozen=True)
class Bench:
    """A run, as every process of it knows it.

    Args:
        source: of problems.
        folder: of results.
        kinds: of edit.
        seeds: of every kind.
        rows: by name.
        by_hand: masks as a user gives them, not the true alphas.
        model: name of the weights, see `Backbone.fingerprint`.
    """

    source: Source
    folder: Path
    kinds: tuple[str, ...]
    seeds: range
    rows: Mapping[str, Row]
    by_hand: bool
    model: str

    def digests(self) -> dict[str, str]:
        """What decides the results of every row."""
        method = digest_of_method()
        common = self.source.about(), self.by_hand, VERSION
        return {name: digest(*common, *self._decisive(row, method)) for name, row in self.rows.items()}

    def _decisive(self, row: Row, method: str) -> tuple[str, ...]:
        if isinstance(row, Settings):
            return text_of(row), method, self.model
        return (text_of(row), method) if row is proxy_alone else (text_of(row),)

    def left(self) -> list[Case]:
        """Cases with rows that are not done yet."""
        known = Record(self.folder).known(self.digests())
        every = [Case(kind, seed, tuple(self.rows)) for seed in self.seeds for kind in self.kinds]
        cases = [Case(c.kind, c.seed, tuple(row for row in c.rows if (c.name, row) not in known)) for c in every]
        return [case for case in cases if case.rows]

    def problem(self, kind: str, seed: int) -> Problem:
        """A problem, with the masks of this run."""
        problem = self.source.problem(kind, seed)
        return problem.as_drawn_by_hand() if self.by_hand else problem

    def do(self, case: Case, editor: Editor | None, digests: Mapping[str, str]) -> list[Line]:
        """Solves a case; keeps the pictures and gives the lines."""
        problem, record = self.problem(case.kind, case.seed), Record(self.folder)
        judge, lines = Judge(problem), list[Line]()
        for name in case.rows:
            line: Line = {"case": case.name, "kind": case.kind, "seed": case.seed, "ground": problem.ground}
            line |= {"row": name, "digest": digests[name], "notes": problem.notes}
            begin = time.perf_counter()
            try:
                made = result_of(self.rows[name], problem, editor)
            except ValueError as error:
                lines.append(line | {"error": str(error)})
                continue
            line["seconds"] = round(time.perf_counter() - begin, 3)
            record.add_picture(name, case.name, made.picture)
            line["scores"] = {key: round(value, 6) for key, value in judge.scores(made.picture).items()}
            if made.verdict is not None:
                line["verdict"] = {"error": made.verdict.error, "good": made.verdict.good, "words": str(made.verdict)}
            lines.append(line)
        return lines


def run(bench: Bench, load: Callable[[], Editor], jobs: int, report: Report) -> int:
    """Does what is left of a run.

    Args:
        bench: the run.
        load: gives the editor; called once in every process, if a row needs it. Picklable for several.
        jobs: processes; the threads of this one are shared out among them.
        report: told how far it is.

    Returns:
        The number of cases that were done.

    Raises:
        OSError: a process was killed, or results cannot be written.
    """
    cases, record, done = bench.left(), Record(bench.folder), 0
    report(0, len(cases))
    for lines in _solved(bench, cases, load, jobs):
        record.add(lines)
        done += 1
        report(done, len(cases))
    return done


def _solved(bench: Bench, cases: Sequence[Case], load: Callable[[], Editor], jobs: int) -> Iterator[list[Line]]:
    if jobs == 1 or len(cases) < 2:
        worker = Worker(bench, load)
        yield from (worker.do(case, {}) for case in cases)
        return
    threads = max(1, torch.get_num_threads() // jobs)
    yield from each(LocalEngine(MakeWorker(bench, load, threads), min(jobs, len(cases))), "do", cases)


class Worker:
    """Solves cases; loads the model when the first row needs it.

    Args:
        bench: the run.
        load: gives the editor.
    """

    def __init__(self, bench: Bench, load: Callable[[], Editor]) -> None:
        self._bench, self._load, self._digests = bench, load, bench.digests()
        self._editor: Editor | None = None

    def do(self, case: Case, files: Mapping[str, bytes]) -> list[Line]:
        """The lines of a case."""
        if self._editor is None and any(isinstance(self._bench.rows[row], Settings) for row in case.rows):
            self._editor = self._load()
        return self._bench.do(case, self._editor, self._digests)


@dataclass(frozen=True)
class MakeWorker:
    """Makes the worker of a process.

    Args:
        bench: the run.
        load: gives the editor.
        threads: of the process.
    """

    bench: Bench
    load: Callable[[], Editor]
    threads: int

    def __call__(self, place: int) -> Worker:
        torch.set_num_threads(self.threads)
        cv2.setNumThreads(self.threads)
        return Worker(self.bench, self.load)
