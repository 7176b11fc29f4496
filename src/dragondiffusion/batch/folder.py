"""The output folder of a batch: whose it is, who writes there, what is finished, and what is said of it at the end.

`batch.json` says what batch it is, `journal*.jsonl` what became of its jobs, `manifest*.json` the same for reading.
"""

import contextlib
import json
import os
import re
import socket
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from .. import __version__
from ..core.strict_json import Json, json_line, shown
from ..imaging.png import is_png, read_texts
from ..imaging.writing import partial_stem, write_file
from .jobs import BatchJob
from .journal import Standing, read

FORMAT = 1
JOB_TEXT = "dragondiffusion-job"
"""Keyword of the text with a job's id that results in PNG carry."""

OWN_FILES = (".lock", ".driver", ".batch")
"""How files begin that may be there before a batch is."""

RECORDS = ("journal", "manifest")
"""How files begin that say what became of jobs."""

PARTIAL = re.compile(r"\.(.+)-[a-z0-9_]{8}(\.\w+)")
"""What files are called while they are written, see `imaging.writing.write_file`."""


@dataclass(frozen=True)
class Shard:
    """A share of a batch: number `index` of `count`, from 1 on."""

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ValueError(f"--shard {self.index}/{self.count} must be I/N with I from 1 to N")

    @staticmethod
    def of_text(text: str | None) -> "Shard":
        """The shard of I/N; None is the whole.

        Raises:
            ValueError: if it is none.
        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text or "1/1")
        if match is None:
            raise ValueError(f"--shard {text} must be I/N, such as 2/8")
        return Shard(int(match[1]), int(match[2]))

    def file(self, name: str, suffix: str) -> str:
        """The name of a file of this shard."""
        return f"{name}{suffix}" if self.count == 1 else f"{name}-{self.index}-of-{self.count}{suffix}"

    def share(self, jobs: Sequence[BatchJob]) -> list[BatchJob]:
        """The jobs of this shard. Those that share an inversion stay together, unless they are more than a share."""
        if self.count == 1:
            return list(jobs)
        most = -(-len(jobs) // self.count)
        loads, seen = [0] * self.count, dict[str, list[int]]()
        own: list[BatchJob] = []
        for job in jobs:
            home = seen.get(job.shared)
            if home is None or home[1] >= most:
                home = seen[job.shared] = [loads.index(min(loads)), 0]
            home[1] += 1
            loads[home[0]] += 1
            if home[0] == self.index - 1:
                own.append(job)
        return own


class OutputFolder:
    """The folder of a batch.

    Args:
        path: where results are, or will be.
        shard: which share of the batch is made.
    """

    def __init__(self, path: Path, shard: Shard) -> None:
        self.path, self.shard = path, shard
        self.journal = path / shard.file("journal", ".jsonl")
        self._identity: tuple[int, int] | None = None

    @contextmanager
    def held(self) -> Generator[None]:
        """Context manager: nobody else makes the same share. The lock of a process that died is free.

        Raises:
            ValueError: if somebody does, or shares of other sizes are being made.
            OSError: if the folder cannot be made or written.
        """
        if self.path.is_file():
            raise ValueError(f"--out {self.path} is a file; name a folder")
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"--out {self.path}: the folder {self.path.parent} does not exist; make it first")
        self._check_empty()
        self.path.mkdir(exist_ok=True)
        own = self.path / self.shard.file(".lock", "")
        with contextlib.ExitStack() as stack:
            for other in self.path.glob(".lock*"):
                if other != own and not self._same_count(other):
                    _try_lock(other, stack, f"--out {self.path}: shards of another number are being made there")
            note = own.with_name(own.name.replace(".lock", ".driver"))
            _try_lock(own, stack, f"--out {self.path} is being written by {_noted(note)}")
            self._identity = _identity(self.path)
            note.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
            try:
                yield
            finally:
                note.unlink(missing_ok=True)

    def _same_count(self, lock: Path) -> bool:
        """Whether a lock is that of another shard of as many."""
        return self.shard.count > 1 and lock.name.endswith(f"-of-{self.shard.count}")

    @property
    def is_there(self) -> bool:
        """Whether the folder is that which is held, and nobody removed or replaced it."""
        return self._identity is not None and _identity(self.path) == self._identity

    def check_there(self) -> None:
        """Checks that the folder is still there.

        Raises:
            FileNotFoundError: if it was removed, or another is in its place.
        """
        if not self.is_there:
            raise FileNotFoundError(
                f"--out {self.path} was removed or replaced while the batch ran; the same command makes again what is "
                "missing"
            )

    def _check_empty(self) -> None:
        """A folder without `batch.json` may hold what is left of a batch, and nothing else."""
        if not self.path.is_dir() or (self.path / "batch.json").exists():
            return
        for path in self.path.rglob("*"):
            if path.is_file() and not path.name.startswith(OWN_FILES + RECORDS) and _job_of(path) is None:
                raise ValueError(
                    f"--out {self.path} holds {path.relative_to(self.path)} and is no folder of a batch; name another "
                    "or an empty one"
                )

    def _check_results(self, known: Mapping[str, BatchJob]) -> None:
        """Checks that all results in a folder that has lost its `batch.json` are those of these jobs.

        Raises:
            ValueError: if one is not, which would be overwritten.
        """
        for path in self.path.rglob("*"):
            found, name = _job_of(path) if path.is_file() else None, path.relative_to(self.path).as_posix()
            if found is not None and (name not in known or known[name].id != found):
                raise ValueError(f"--out {self.path} holds the result {name} of another batch; name another folder")

    def open(self, about: Mapping[str, Json], jobs: Sequence[BatchJob]) -> dict[str, Standing]:
        """Prepares the folder for a batch, or goes on with it.

        Args:
            about: what all results have in common; where a value is None, that of the folder is taken.
            jobs: all jobs of the batch.

        Returns:
            What is known of jobs by name.

        Raises:
            ValueError: if the folder is that of another batch.
        """
        held = self.about()
        for name in held.keys() | about.keys() if held else ():
            old, new = held.get(name), about.get(name)
            if new is not None and name != "models" and old != new:
                raise ValueError(
                    f"--out {self.path} holds a batch with {name} {shown(old)}, not {shown(new)}; name another folder"
                )
        standings: dict[str, Standing] = {}
        for journal in sorted(self.path.glob("journal*.jsonl")):
            read(journal, standings)
        known = {job.name: job for job in jobs}
        for name, one in standings.items():
            if name not in known or known[name].id != one.id:
                what = f"of another job than {known[name].place}" if name in known else "that is none of these jobs"
                raise ValueError(f"--out {self.path} holds the result {name}, {what}; name another folder")
        if not held:
            self._check_results(known)
            self._write_about({"format": FORMAT, "version": __version__, "models": {}, **about})
        return standings

    def about(self) -> dict[str, Json]:
        """What `batch.json` says; nothing if there is none.

        Raises:
            ValueError: if it is of another version of the package, or broken.
        """
        path = self.path / "batch.json"
        if not path.is_file():
            return {}
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            version = held["version"] if held["format"] == FORMAT else None
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no record of a batch ({error!r}); name another folder") from error
        if version != __version__:
            raise ValueError(
                f"--out {self.path} holds a batch of dragondiffusion {version} and this is {__version__}; name another "
                "folder"
            )
        return held

    def confirm_model(self, model: str, fingerprint: str) -> None:
        """Notes the weights of a checkpoint; results of others do not come into the same folder.

        Raises:
            ValueError: if the checkpoint had other weights when the batch began.
            FileNotFoundError: if the folder is gone.
        """
        self.check_there()
        held = self.about()
        known = held.setdefault("models", {})
        if known.setdefault(model, fingerprint) != fingerprint:
            raise ValueError(
                f"--out {self.path} was begun with other weights of {model}; name another folder, or use those again"
            )
        self._write_about(held)

    def finished(self, job: BatchJob, one: Standing | None) -> bool:
        """Whether a result is there: written down and in its place, or in its place with the job's id."""
        path = self.path / job.name
        if one is not None and one.made is not None:
            try:
                return path.stat().st_size == one.made.bytes
            except OSError:
                return False
        return path.is_file() and _job_of(path) == job.id

    def place(self, job: BatchJob, data: bytes, beside: Mapping[str, bytes]) -> None:
        """Puts a result in its place, whole.

        Args:
            job: whose it is.
            data: the file.
            beside: further files by name that it refers to.

        Raises:
            FileNotFoundError: if the folder is gone.
        """
        self.check_there()
        target = self.path / job.name
        for folder in reversed(target.relative_to(self.path).parents[:-1]):
            (self.path / folder).mkdir(exist_ok=True)
        for name, content in beside.items():
            write_file(target.parent / name, lambda file, content=content: file.write(content))
        write_file(target, lambda file: file.write(data))

    def clean(self, jobs: Iterable[BatchJob]) -> None:
        """Takes away what of these jobs was being written when somebody was killed."""
        targets = [self.path / job.name for job in jobs]
        names = {(target.parent, partial_stem(target), target.suffix) for target in targets}
        for folder in {target.parent for target in targets}:
            if folder.is_dir():
                for entry in os.scandir(folder):
                    match = PARTIAL.fullmatch(entry.name)
                    if match and (folder, match[1], match[2]) in names:
                        Path(entry.path).unlink(missing_ok=True)

    def write_manifest(self, jobs: Sequence[BatchJob], standings: Mapping[str, Standing], finished: set[str]) -> Path:
        """Writes state, seconds, report, error and attempts of all jobs of the shard, for reading."""
        states = [_state(standings.get(job.name), job.name in finished) for job in jobs]
        counts = {state: states.count(state) for state in ("finished", "failed", "waiting")}

        def fill(file: IO[bytes]) -> None:
            file.write(f'{{"counts": {json.dumps(counts)}, "jobs": ['.encode())
            for k, (job, state) in enumerate(zip(jobs, states, strict=True)):
                entry = json_line(_entry(job, standings.get(job.name), state))
                file.write(f"{',' if k else ''}\n{entry}".encode())
            file.write(b"\n]}\n")

        return write_file(self.path / self.shard.file("manifest", ".json"), fill)

    def _write_about(self, held: Mapping[str, Any]) -> None:
        data = json.dumps(held, indent=1).encode()
        write_file(self.path / "batch.json", lambda file: file.write(data))


def _state(one: Standing | None, finished: bool) -> str:
    return "finished" if finished else "failed" if one is not None and one.error is not None else "waiting"


def _entry(job: BatchJob, one: Standing | None, state: str) -> dict[str, Any]:
    made = one.made if one is not None and state == "finished" else None
    return {
        "name": job.name,
        "place": job.place,
        "seed": job.seed,
        "id": job.id,
        "state": state,
        "attempts": 0 if one is None else one.attempts,
        **({} if made is None else asdict(made)),
        "error": None if one is None else one.error,
    }


def _identity(folder: Path) -> tuple[int, int] | None:
    """A folder of the file system, whatever it is called; None if there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _job_of(path: Path) -> str | None:
    """The id of the job that a result carries; None if it carries none."""
    try:
        return read_texts(path).get(JOB_TEXT) if is_png(path) else None
    except (OSError, ValueError):
        return None


def _try_lock(path: Path, stack: contextlib.ExitStack, otherwise: str) -> None:
    lock = FileLock(path)
    try:
        stack.enter_context(lock.acquire(timeout=0))
    except Timeout as error:
        raise ValueError(f"{otherwise}; wait for it, or name another folder") from error


def _noted(note: Path) -> str:
    try:
        return note.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"
