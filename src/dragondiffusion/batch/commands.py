"""The commands `dragondiffusion batch` and `batch-plan`. Nothing here waits for torch before a command runs."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ..console.command import Command, Incomplete
from ..console.model_options import WithModel

if TYPE_CHECKING:
    from .engine import BatchEngine
    from .folder import OutputFolder
    from .jobs import BatchJob, Source
    from .journal import Standing
    from .worker import Orders

Flag = tyro.conf.FlagCreatePairsOff[bool]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch(WithModel):
    """Run many recipes, one on each line of a file; the same command goes on where it stopped."""

    jobs_file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="JOBS.jsonl")]
    """A recipe on each line, with `name`, `seeds` and `for_each` as further fields."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder of the results and of what becomes of each job."""
    engine: Literal["local", "ray"] = "local"
    """Processes of this machine, or actors of Ray."""
    address: str | None = None
    """Of a Ray cluster, such as auto or ray://HOST:10001; None begins Ray on this machine."""
    jobs: int | None = None
    """Workers; None is one for each GPU, or one where there is none."""
    threads: int | None = None
    """Of each worker; None shares out this machine's processors, or is what the batch began with."""
    shard: str | None = None
    """Make only share I/N of the jobs; shares can be made at once, into the same folder."""
    suffix: str = ".png"
    """Format of results whose name has none."""
    without_recipe: Flag = False
    """PNGs do not carry their recipe and the images they were made from."""
    allow_outside: Flag = False
    """Lines may name files outside of the folder of JOBS."""
    retries: int = 2
    """How often a job is tried again whose worker was lost, or that ran out of memory."""
    timeout: float | None = None
    """Seconds after which a job's worker is killed, which counts as an attempt; None lets it work."""
    retry_failed: Flag = False
    """Jobs that failed for good are tried again too."""
    without_sharing: Flag = False
    """Every job inverts its image itself; the results are the same."""
    references: Path | None = None
    """Folder where inverted images are kept for later jobs and runs."""
    references_size: float = 10.0
    """What they take there at most, GB."""
    check: Flag = False
    """Only check every line, its images read and its edits tried on them without a model."""

    def run(self) -> None:
        from .folder import OutputFolder, Shard
        from .jobs import Source

        self._check_options()
        source = Source(self.jobs_file, self.suffix, self.model, self.lora, self.allow_outside, self.predicts())
        jobs = source.jobs()
        if self.check:
            self._check_all(source, jobs)
            return
        folder = OutputFolder(self.out, Shard.of_text(self.shard))
        with folder.held():
            self._make(jobs, folder)

    def _check_options(self) -> None:
        for name in ("jobs", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"--{name} {value} must be at least 1")
        if self.retries < 0:
            raise ValueError(f"--retries {self.retries} must not be negative")
        if self.timeout is not None and self.timeout <= 0:
            raise ValueError(f"--timeout {self.timeout} must be positive, seconds")
        if self.references_size <= 0:
            raise ValueError(f"--references-size {self.references_size} must be positive")
        if self.address is not None and self.engine != "ray":
            raise ValueError(f"--address {self.address} belongs to Ray; add --engine ray")
        if self.engine == "ray":
            from ..core.libraries import check_libraries

            check_libraries("ray")

    def _check_all(self, source: Source, jobs: list[BatchJob]) -> None:
        """Checks jobs as their workers will, without a model.

        Raises:
            Incomplete: if some are not in order.
        """
        from .checking import problems
        from .showing import shown_jobs

        found = 0
        with shown_jobs("check", len(jobs), 0) as told:
            for done, problem in enumerate(problems(source, jobs), start=1):
                found += problem is not None
                told(done, found)
                if problem is not None:
                    print(problem, file=sys.stderr)
        if found:
            raise Incomplete(f"{found} of {len(jobs)} jobs are not in order")
        print(f"{len(jobs)} jobs are in order")

    def _make(self, jobs: list[BatchJob], folder: OutputFolder) -> None:
        from .driver import left

        threads = self.threads or folder.about().get("threads") or self._threads()
        standings = folder.open(self._about(threads), jobs)
        own = folder.shard.share(jobs)
        todo, finished = left(own, folder, standings, self.retry_failed)
        folder.clean(todo)
        engine = self._engine(self._orders(folder, threads), threads) if todo else None
        failed = len(own) - len(todo) - len(finished)
        try:
            if engine is not None:
                failed = self._drive(engine, folder, todo, standings, finished, failed)
        except (KeyboardInterrupt, OSError, ValueError):
            if folder.is_there:
                with contextlib.suppress(OSError):  # the disk may be full
                    self._say(folder, own, standings, finished)
                print("what is finished stays; the same command goes on", file=sys.stderr)
            raise
        lost = {job.name for job in own if job.name in finished and not folder.finished(job, standings.get(job.name))}
        finished -= lost
        self._say(folder, own, standings, finished)
        if lost:
            raise Incomplete(
                f"{len(lost)} of {len(own)} results were removed while the batch ran; the same command makes them again"
            )
        if failed:
            raise Incomplete(
                f"{failed} of {len(own)} jobs failed, for reasons in the manifest; --retry-failed tries them again"
            )

    def _drive(
        self,
        engine: BatchEngine,
        folder: OutputFolder,
        todo: list[BatchJob],
        standings: dict[str, Standing],
        finished: set[str],
        failed: int,
    ) -> int:
        """Makes jobs; gives the number of those that failed, earlier ones included."""
        from .driver import Driver
        from .journal import Journal
        from .showing import shown_jobs

        done = len(finished) + failed
        with Journal(folder.journal) as journal, shown_jobs("batch", done + len(todo), done) as told:
            for job in todo:
                if job.name in standings and standings[job.name].error is not None:
                    journal.again(job.name, job.id)
                    del standings[job.name]
            driver = Driver(
                engine,
                folder,
                journal,
                standings,
                finished,
                source=self.jobs_file.parent,
                retries=self.retries,
                told=told,
                failed=failed,
                timeout=self.timeout,
            )
            driver.run(todo)
        return driver.failed

    def _say(
        self, folder: OutputFolder, own: list[BatchJob], standings: dict[str, Standing], finished: set[str]
    ) -> None:
        path = folder.write_manifest(own, standings, finished)
        failed = sum(job.name in standings and standings[job.name].error is not None for job in own)
        rest = len(own) - len(finished) - failed
        print(f"{len(finished)} of {len(own)} jobs finished, {failed} failed, {rest} left; wrote {path}")

    def _about(self, threads: int) -> dict[str, Any]:
        """What all results of a folder have in common, beside their lines."""
        named = ("config", "variant", "dtype", "offload", "attention_slicing", "vae_tiling", "layerwise_casting")
        options = {name: getattr(self, name) for name in named}
        options["config"] = None if self.config is None else str(self.config)
        changed = {name: value for name, value in options.items() if value not in (None, False, "none")}
        return {"threads": threads, "without_recipe": self.without_recipe, "options": changed}

    def _threads(self) -> int:
        """Threads of each worker, where nothing says otherwise."""
        if self.engine == "ray" and (self.jobs is None or self.address is not None):
            return 1
        here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, here // (self.jobs or 1))

    def _orders(self, folder: OutputFolder, threads: int) -> Orders:
        from .worker import Orders

        return Orders(
            folder=self.jobs_file.parent.absolute(),
            out=folder.path.absolute(),
            allow_outside=self.allow_outside,
            options=dataclasses.replace(self, config=None if self.config is None else self.config.absolute()),
            devices=(self.device,),
            threads=threads,
            without_recipe=self.without_recipe,
            sharing=not self.without_sharing,
            references=None if self.references is None else self.references.absolute(),
            references_bytes=int(self.references_size * 1e9),
        )

    def _engine(self, orders: Orders, threads: int) -> BatchEngine:
        from functools import partial

        from .worker import EditWorker

        if self.engine == "ray":
            from .on_ray import RayEngine

            gpus = None if self.device is None else self.device.startswith("cuda")
            return RayEngine(partial(EditWorker, orders), self.jobs, threads, gpus, self.address)
        from .local import LocalEngine, devices

        there = devices(self.device)
        orders = dataclasses.replace(orders, devices=there)
        return LocalEngine(partial(EditWorker, orders), self.jobs or len(there))


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchPlan(Command):
    """Tell what a large batch takes, from what a small one took."""

    sample: tyro.conf.Positional[Path]
    """Folder of a batch that was made of the same kind of jobs."""
    pictures: int = 1_000_000
    """Jobs of the large batch."""
    workers: tuple[int, ...] = (1, 8, 64, 512)
    """Numbers of workers to tell it for."""

    def run(self) -> None:
        from .plan import measured, table

        if self.pictures < 1 or not self.workers or min(self.workers) < 1:
            raise ValueError("--pictures and --workers must be at least 1")
        print(table(measured(self.sample), self.pictures, self.workers))
