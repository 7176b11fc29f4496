"""Jobs that wait: a bounded queue that is fair between sessions, and survives the server's end."""

import json
import logging
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from ..core.strict_json import Json
from .answers import JobFacts, ReportFacts, State
from .limits import Limits, RefusedError
from .pictures import picture_facts
from .sessions import Session, Sessions

STOPPED = "the server stopped while this was {}; send it again"
"""Error of jobs that a server did not finish."""
UNRECORDED = "the server could not write down this edit ({}) and forgets it when it ends; download the image"
"""Note on a job without a record."""

LOG = logging.getLogger(__name__)


@dataclass(eq=False)
class EditJob:
    """One edit that a visitor asked for.

    Args:
        session: of the visitor.
        recipe: the edit; it names images of the session.
        tries: seeds that are tried.
        id: its name.
        created: when it was asked for, seconds since 1970.
    """

    session: Session
    recipe: dict[str, Json]
    tries: int = 1
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    created: float = field(default_factory=time.time)
    state: State = "waiting"
    phase: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    seconds: float = 0.0
    frames: int = 0
    frame: tuple[bytes, str] | None = None
    """JPEG of the intermediate image, and its box."""
    error: str | None = None
    seed: int = 42
    report: dict[str, Json] | None = None
    notes: list[str] = field(default_factory=list[str])
    result: str | None = None
    painted: dict[str, str] = field(default_factory=dict[str, str])
    """Images in which the input was painted back, by the masks that say where."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    version: int = 0
    """Grows with every change."""
    _recording: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _is_forgotten: bool = False

    text: str = ""
    """JSON of its recipe, written once: those who follow the job get it with every change."""

    ASKED = ("recipe", "tries", "created")
    BECAME = ("state", "seconds", "error", "seed", "report", "notes", "result", "painted")
    RECORDED = ASKED + BECAME

    def __post_init__(self) -> None:
        self.text = json.dumps(self.recipe)

    @property
    def size(self) -> int:
        """Bytes of its recipe."""
        return len(self.text)

    def change(self, **fields: Any) -> None:
        """Sets fields; the state after all others, so that whoever sees that the job is over sees how it ended."""
        for name in sorted(fields, key=_is_state):
            setattr(self, name, fields[name])
        self.version += 1

    def end(self, **fields: Any) -> None:
        """Writes down what became of the job, then says it: what was said to be done is there after a power cut.

        Where it cannot be written, a note says so.
        """
        try:
            self.save(**fields)
        except OSError as error:
            if self.session.folder.is_dir():
                LOG.error("the record of job %s cannot be written: %s", self.id, error.strerror)
                fields["notes"] = [*fields.get("notes", self.notes), UNRECORDED.format(error.strerror)]
        self.change(**fields)

    def save(self, **fields: Any) -> None:
        """Writes its record, unless it is forgotten.

        Args:
            fields: values that it will have.

        Raises:
            OSError: if it cannot be written.
        """
        with self._recording:
            if not self._is_forgotten:
                self.session.write_job(self.id, {k: fields.get(k, getattr(self, k)) for k in self.RECORDED})

    def forget(self) -> None:
        """Removes its record; none is written any more."""
        with self._recording:
            self._is_forgotten = True
            self.session.remove_job(self.id)

    @property
    def is_over(self) -> bool:
        """Whether the job has ended."""
        return self.state not in ("waiting", "running")

    @staticmethod
    def read(session: Session, name: str, record: Json) -> "EditJob":
        """The job of a record; one that was not finished is over now.

        Raises:
            ValueError: if it is no record of a job.
        """
        try:
            job = EditJob(session, record["recipe"], record["tries"], name, record["created"])
            job.change(**{k: record[k] for k in EditJob.BECAME if k in record})
        except (TypeError, KeyError) as error:
            raise ValueError(f"the record of job {name} is broken ({error})") from error
        if not job.is_over:
            job.change(error=STOPPED.format(job.state), state="interrupted")
            job.save()
        return job


class Queue:
    """All jobs of the server.

    Sessions take turns, so that nobody waits for more than one job of every other session.

    Args:
        limits: how many may wait.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._jobs: dict[str, EditJob] = {}
        self._waiting: dict[str, deque[EditJob]] = {}
        """By session; the session whose turn it is comes first."""
        self._running: set[EditJob] = set()
        self._changed = threading.Condition()
        self._closed = False

    def recover(self, sessions: Sessions) -> None:
        """Takes over the jobs of an earlier server, which is no more."""
        for session in sessions.all():
            session.tidy()
            for name, record in session.jobs().items():
                try:
                    self._jobs[name] = EditJob.read(session, name, record)
                except ValueError as error:
                    LOG.warning("%s; it is removed", error)
                    session.remove_job(name)

    def put(self, job: EditJob) -> EditJob:
        """Puts a job into the queue.

        Raises:
            RefusedError: if too many wait (429).
        """
        with self._changed:
            own = self._waiting.get(job.session.name, deque())
            if len(own) >= self.limits.waiting_each:
                raise RefusedError(429, f"{len(own)} of your edits wait already; let one finish or cancel one")
            if sum(map(len, self._waiting.values())) >= self.limits.waiting:
                raise RefusedError(429, f"{self.limits.waiting} edits wait already; try again in a minute")
            self._check_room(job)
            job.save()  # before it can run, which is written later
            self._jobs[job.id] = job
            self._waiting.setdefault(job.session.name, own).append(job)
            self._changed.notify()
        return job

    def _check_room(self, job: EditJob) -> None:
        """Checks that there is room for a job's recipe, beside those that are kept already.

        Raises:
            RefusedError: if there is none (413).
        """
        kept = tuple(self._jobs.values())
        own = sum(one.size for one in kept if one.session.name == job.session.name) + job.size
        if own > self.limits.jobs_bytes // 4 or sum(one.size for one in kept) + job.size > self.limits.jobs_bytes:
            raise RefusedError(
                413,
                f"the recipes of your edits take {own / 1e6:.0f} MB and there is no room for more; forget some "
                "(DELETE api/jobs/NAME) or begin a new session",
            )

    def take(self) -> EditJob | None:
        """The next job, which is running from now on; waits for one. None when the queue is closed."""
        with self._changed:
            while not self._closed:
                for name, own in list(self._waiting.items()):
                    del self._waiting[name]
                    job = own.popleft()
                    if own:
                        self._waiting[name] = own  # at the end: the others come first
                    self._running.add(job)
                    job.change(state="running")
                    return job
                self._changed.wait()
        return None

    def finished(self, job: EditJob) -> None:
        """Notes that a job is over."""
        with self._changed:
            self._running.discard(job)

    def find(self, session: Session, name: str) -> EditJob:
        """A job of a session.

        Raises:
            RefusedError: if it has none of that name (404).
        """
        job = self._jobs.get(name)
        if job is None or job.session.name != session.name:
            raise RefusedError(404, f"there is no job {name[:80]!r} in this session")
        return job

    def of(self, session: Session) -> list[EditJob]:
        """The jobs of a session, the oldest first."""
        return sorted(self._of(session.name), key=_created)

    def _of(self, name: str) -> list[EditJob]:
        # A copy: others put jobs into the queue meanwhile.
        return [job for job in tuple(self._jobs.values()) if job.session.name == name]

    def cancel(self, job: EditJob) -> None:
        """Takes a job out of the queue, or asks the one that runs to stop."""
        job.cancelled.set()
        with self._changed:
            own = self._waiting.get(job.session.name)
            if job.state != "waiting" or own is None or job not in own:
                return
            own.remove(job)
            if not own:
                del self._waiting[job.session.name]
            job.change(state="cancelled")
        job.save()

    def forget(self, job: EditJob) -> None:
        """Cancels a job and forgets it."""
        job.forget()
        self.cancel(job)
        self._jobs.pop(job.id, None)

    def forget_session(self, name: str) -> None:
        """Cancels and forgets all jobs of a session."""
        for job in self._of(name):
            self.forget(job)

    def close(self) -> None:
        """Closes the queue; running jobs are asked to stop."""
        with self._changed:
            self._closed = True
            for job in self._running:
                job.cancelled.set()
            self._changed.notify_all()

    @property
    def counts(self) -> tuple[int, int]:
        """How many jobs wait, and how many run. Asks nobody to wait, not even for a record that is being written."""
        return sum(map(len, tuple(self._waiting.values()))), len(self._running)

    def position(self, job: EditJob) -> int:
        """How many jobs come before a job that waits."""
        if job.state != "waiting":
            return 0
        with self._changed:
            turns = [
                (turn, order, other)
                for order, own in enumerate(self._waiting.values())
                for turn, other in enumerate(own)
            ]
        order = [other.id for _, _, other in sorted(turns, key=_turn)]
        return order.index(job.id) if job.id in order else 0

    def event(self, job: EditJob) -> str:
        """The JSON of a job's description."""
        rest = self.facts(job).model_dump_json(exclude={"recipe"})
        return f'{rest[:-1]},"recipe":{job.text}}}'

    def facts(self, job: EditJob) -> JobFacts:
        """The description of a job that clients get."""
        try:
            result = None if job.result is None else picture_facts(job.session, job.result)
        except (RefusedError, ValueError, OSError):  # somebody took its file away
            result = None
        return JobFacts(
            id=job.id,
            state=job.state,
            position=self.position(job),
            phase=job.phase,
            done=job.done,
            total=job.total,
            seconds_left=job.seconds_left,
            seconds=job.seconds,
            frames=job.frames,
            error=job.error,
            seed=job.seed,
            tries=job.tries,
            report=None if job.report is None else ReportFacts(**job.report),
            notes=job.notes,
            result=result,
            painted=sorted(job.painted.values()),
            recipe=job.recipe,
            created=job.created,
        )


def _is_state(name: str) -> bool:
    return name == "state"


def _created(job: EditJob) -> float:
    return job.created


def _turn(found: tuple[int, int, EditJob]) -> tuple[int, int]:
    return found[:2]
