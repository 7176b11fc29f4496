"""The jobs that are left, and which worker makes which: those that share an inversion on one worker, back to back."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from .jobs import BatchJob, Model


@dataclass
class JobGroup:
    """Jobs that share an inversion."""

    model: Model
    jobs: deque[BatchJob] = field(default_factory=deque[BatchJob])


class Waiting:
    """Jobs that are left. The checkpoints of lines come one after the other, so that each is loaded once by a worker.

    Args:
        jobs: in the order in which they should be made.
    """

    def __init__(self, jobs: Iterable[BatchJob]) -> None:
        self._groups: dict[str, JobGroup] = {}
        self._fresh: deque[str] = deque()
        self._own: dict[int, str] = {}
        self._aside: dict[str, JobGroup] = {}
        self.count = 0
        for job in jobs:
            self._put(job, first=False)
        models = list(dict.fromkeys(group.model for group in self._groups.values()))
        self._fresh = deque(sorted(self._groups, key=lambda key: models.index(self._groups[key].model)))

    def following(self, worker: int, model: Model | None) -> BatchJob | None:
        """The next job of a worker, which stays here; None if none is left.

        Args:
            worker: its number.
            model: what it has loaded.
        """
        key = self._own.get(worker)
        if key is None or key not in self._groups:
            key = self._next(model)
            if key is None:
                return None
            self._own[worker] = key
        return self._groups[key].jobs[0]

    def take(self, worker: int, model: Model | None) -> BatchJob:
        """The same job, which then is the worker's."""
        if self.following(worker, model) is None:
            raise LookupError("no job is left")
        key = self._own[worker]
        group = self._groups[key]
        job = group.jobs.popleft()
        self.count -= 1
        if not group.jobs:
            del self._groups[key]
        return job

    def back(self, job: BatchJob) -> None:
        """Takes a job back that was not made."""
        self._put(job, first=True)

    def set_aside(self, job: BatchJob) -> None:
        """Takes a job back that cost its worker: it and those that share its inversion come after all others."""
        self.back(job)
        group = self._groups.pop(job.shared)
        self._aside.setdefault(job.shared, JobGroup(group.model)).jobs.extend(group.jobs)

    def _put(self, job: BatchJob, first: bool) -> None:
        group = self._groups.get(job.shared)
        if group is None:
            group = self._groups[job.shared] = JobGroup(job.model)
            self._fresh.append(job.shared)
        if first:
            group.jobs.appendleft(job)
        else:
            group.jobs.append(job)
        self.count += 1

    def _next(self, model: Model | None) -> str | None:
        """A group that nobody works on, of the model that is loaded if the next ones are; else the largest of all."""
        if not self._groups:
            self._groups, self._aside = self._aside, {}
            self._fresh = deque(self._groups)
        while self._fresh and self._fresh[0] not in self._groups:
            self._fresh.popleft()
        if self._fresh:
            same = next((k for k in self._fresh if k in self._groups and self._groups[k].model == model), None)
            if same is not None and same != self._fresh[0]:
                self._fresh.remove(same)
                return same
            return self._fresh.popleft()
        return max(self._groups, key=lambda key: len(self._groups[key].jobs), default=None)
