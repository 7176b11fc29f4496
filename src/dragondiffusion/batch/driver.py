"""The loop of a batch: jobs to workers, results into their places, lost workers replaced, all of it written down."""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .engine import BatchEngine, Lost, Raised, Returned
from .folder import OutputFolder
from .jobs import BatchJob, Model
from .journal import Journal, Made, Standing
from .losses import Losses
from .waiting import Waiting
from .worker import JobRequest, Outcome

IN_A_ROW = 5
"""Workers of each place that are lost, with nothing back in between, before the batch gives up. Source: chosen."""

AHEAD_BYTES = 2**15
"""Longest recipe that a worker is given before it asks, bytes. Source: what a pipe takes without being read."""

Told = Callable[[int, int], None]
"""Called with the number of jobs that are finished and of those that failed."""


@dataclass
class Hands:
    """A worker and what it was asked for.

    Args:
        place: its number among those that work at once.
        asked: checkpoints to load and jobs to make, in order, that it has not answered.
        model: the last checkpoint that it was asked for.
        since: when it began with the first of them.
    """

    place: int
    asked: deque[Model | BatchJob] = field(default_factory=deque["Model | BatchJob"])
    model: Model | None = None
    since: float = field(default_factory=time.monotonic)


@dataclass
class Driver:
    """A batch that is being made.

    Args:
        engine: workers that hold an `EditWorker`.
        folder: where results go; held by this process.
        journal: of this share of the batch.
        standings: what is known of jobs by name; is changed.
        finished: names of jobs that are finished; is changed.
        source: the folder that paths of images are relative to.
        retries: how often a job is tried again that did not fail for a reason that stays.
        told: is told how far it is.
        failed: jobs that failed.
        timeout: seconds after which a job's worker is killed; None lets it be.
    """

    engine: BatchEngine
    folder: OutputFolder
    journal: Journal
    standings: dict[str, Standing]
    finished: set[str]
    source: Path
    retries: int
    told: Told
    failed: int = 0
    timeout: float | None = None
    _hands: dict[int, Hands] = field(default_factory=dict[int, Hands])
    _losses: Losses = field(default_factory=Losses)

    def run(self, jobs: Sequence[BatchJob]) -> None:
        """Makes jobs.

        Raises:
            ValueError: if a model cannot be loaded, or is another than that of the results that are there.
            OSError: if results cannot be written, or workers are lost whatever they do.
        """
        waiting = Waiting(jobs)
        places = range(min(self.engine.places, len(jobs)))
        try:
            self._occupy(places, waiting)
            while waiting.count or any(
                isinstance(one, BatchJob) for hands in self._hands.values() for one in hands.asked
            ):
                self.folder.check_there()
                for event in self.engine.wait(1.0):
                    if event.worker in self._hands:
                        self._on(event, waiting)
                self._end_late(waiting)
                self._occupy(places, waiting)
        finally:
            self.engine.close()

    def _occupy(self, places: Iterable[int], waiting: Waiting) -> None:
        """Begins workers where there is none, and gives idle ones something to do, as long as there is some."""
        held = {hands.place for hands in self._hands.values()}
        for place in places:
            if waiting.count and place not in held:
                self._begin(place, waiting)
        for worker in [worker for worker, hands in self._hands.items() if not hands.asked]:
            self._feed(worker, waiting)

    def _end_late(self, waiting: Waiting) -> None:
        """Kills workers whose job takes too long."""
        now = time.monotonic()
        for worker, hands in list(self._hands.items()):
            if self.timeout is None or not hands.asked or not isinstance(hands.asked[0], BatchJob):
                continue
            if now - hands.since > self.timeout:
                self.engine.end(worker)
                self._lost(Lost(worker, f"it took longer than {self.timeout:g} s"), hands, waiting)

    def _begin(self, place: int, waiting: Waiting) -> None:
        worker = self.engine.add(place)
        self._hands[worker] = Hands(place)
        self._feed(worker, waiting)

    def _feed(self, worker: int, waiting: Waiting) -> None:
        """Gives a worker as much as it should have."""
        hands = self._hands[worker]
        while sum(isinstance(one, BatchJob) for one in hands.asked) < self.engine.ahead:
            job = waiting.following(worker, hands.model)
            if job is None or (hands.asked and not self._can_wait(job, hands, waiting)):
                return
            if job.model != hands.model:
                # Jobs follow when it is loaded: a worker that does not come to be holds none.
                hands.model = job.model
                hands.asked.append(job.model)
                self.engine.call(worker, "prepare", job.model)
                return
            self._ask(worker, hands, waiting.take(worker, hands.model), waiting)

    def _can_wait(self, job: BatchJob, hands: Hands, waiting: Waiting) -> bool:
        """Whether a worker is given a job before it is done with the last, which then is no other's."""
        enough = waiting.count > self.engine.places
        return (
            enough
            and isinstance(hands.asked[-1], BatchJob)
            and job.model == hands.model
            and len(job.recipe) <= AHEAD_BYTES
        )

    def _ask(self, worker: int, hands: Hands, job: BatchJob, waiting: Waiting) -> None:
        task = JobRequest(job.recipe, job.seed, job.name, job.id, job.model)
        try:
            self.engine.call(worker, "do", task, {text: self.source / text for text in job.pictures})
        except OSError as error:  # an image that cannot be read
            self._problem(job, str(error), False, waiting)
        else:
            if not hands.asked:
                hands.since = time.monotonic()
            hands.asked.append(job)

    def _on(self, event: Returned | Raised | Lost, waiting: Waiting) -> None:
        hands = self._hands[event.worker]
        if isinstance(event, Lost):
            self._lost(event, hands, waiting)
            return
        asked, hands.since = hands.asked.popleft(), time.monotonic()
        self._losses.answered(asked)
        if isinstance(asked, Model):
            if isinstance(event, Raised):
                raise event.error
            self.folder.confirm_model(str(asked), event.value)
            self._feed(event.worker, waiting)
            return
        outcome = Outcome(error=repr(event.error)) if isinstance(event, Raised) else event.value
        if outcome.broken:
            self.engine.end(event.worker)
            self._drop(event.worker, waiting)
        else:
            self._feed(event.worker, waiting)
        self._came(asked, outcome, waiting)

    def _lost(self, event: Lost, hands: Hands, waiting: Waiting) -> None:
        """Counts against the call that was being made; gives up where workers are lost whatever they do."""
        first = hands.asked.popleft() if hands.asked else None
        self._drop(event.worker, waiting)
        new = isinstance(first, BatchJob) and not self._standing(first).attempts
        if isinstance(first, BatchJob):
            why = f"its worker was lost ({event.why})"
            self._problem(first, why, self._losses.hopeless(first), waiting, aside=True)
            if self._standing(first).error is not None:
                self._losses.failed(first)
        self._losses.add(first, new)
        if self._losses.count >= IN_A_ROW * self.engine.places:
            for job in self._losses.images.values():
                self.journal.again(job.name, job.id)
                del self.standings[job.name]
            raise OSError(self._losses.said(first, event.why))

    def _drop(self, worker: int, waiting: Waiting) -> None:
        """Forgets a worker; what it had not started is for others."""
        for asked in reversed(self._hands.pop(worker).asked):
            if isinstance(asked, BatchJob):
                waiting.back(asked)

    def _came(self, job: BatchJob, outcome: Outcome, waiting: Waiting) -> None:
        if outcome.error:
            self._problem(job, outcome.error, outcome.final, waiting)
            return
        one = self._standing(job)
        one.attempts += 1
        one.made = Made(
            len(outcome.data),
            hashlib.sha256(outcome.data).hexdigest(),
            round(outcome.seconds, 4),
            round(outcome.edit_seconds, 4),
            outcome.report,
            outcome.notes,
        )
        self.journal.made(job.name, job.id, one.attempts, one.made)
        self.folder.place(job, outcome.data, outcome.beside)
        self.finished.add(job.name)
        self._tell()

    def _problem(self, job: BatchJob, why: str, final: bool, waiting: Waiting, aside: bool = False) -> None:
        """Counts an attempt; the job is tried again, after all others if it is set aside, or has failed."""
        one = self._standing(job)
        one.attempts += 1
        if not final and one.attempts <= self.retries:
            self.journal.tried(job.name, job.id, one.attempts, why)
            (waiting.set_aside if aside else waiting.back)(job)
            return
        one.error = why if one.attempts == 1 else f"{why}, {one.attempts} attempts"
        self.journal.failed(job.name, job.id, one.attempts, one.error)
        self.failed += 1
        self._tell()

    def _standing(self, job: BatchJob) -> Standing:
        return self.standings.setdefault(job.name, Standing(job.id))

    def _tell(self) -> None:
        self.told(len(self.finished), self.failed)


def left(
    jobs: Sequence[BatchJob], folder: OutputFolder, standings: Mapping[str, Standing], again: bool
) -> tuple[list[BatchJob], set[str]]:
    """The jobs that are to be made, and the names of those that are finished.

    Args:
        jobs: of this share.
        folder: where results are.
        standings: what is known of jobs by name.
        again: those that failed are to be made too.
    """
    todo, finished = list[BatchJob](), set[str]()
    for job in jobs:
        one = standings.get(job.name)
        if folder.finished(job, one):
            finished.add(job.name)
        elif again or one is None or one.error is None:
            todo.append(job)
    return todo, finished
