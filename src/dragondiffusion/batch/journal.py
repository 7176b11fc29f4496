"""What became of the jobs of a batch: a file that only grows, one JSON object a line, each on the disk when it counts.

A result is written down before it is put in its place. It is there if and only if both the line and the file are, so
that a crash between the two costs that result at most, and nothing is made twice.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ..core.strict_json import Json, json_line


@dataclass(frozen=True)
class Made:
    """A result.

    Args:
        bytes: length of its file.
        sha256: digest of its file.
        seconds: that the job took its worker.
        edit_seconds: of these, those of the edit itself: encode, invert, sample and decode.
        report: arrived, ghost, background, error and score of the result, see `report.Report`.
        notes: what a user should know of how the image was read.
    """

    bytes: int
    sha256: str
    seconds: float
    edit_seconds: float
    report: Mapping[str, float | None]
    notes: tuple[str, ...] = ()


@dataclass
class Standing:
    """What is known of a job.

    Args:
        id: digest of the job.
        attempts: how often it was tried.
        made: its result, which was about to be put in its place.
        error: why it failed for good.
    """

    id: str
    attempts: int = 0
    made: Made | None = None
    error: str | None = None


@dataclass
class Journal:
    """A journal that is written.

    Args:
        path: the file; it is gone on with if it exists.
    """

    path: Path
    _file: Any = field(default=None, repr=False)

    def __enter__(self) -> "Journal":
        mend(self.path)
        self._file = self.path.open("ab", buffering=0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._file.close()

    def tried(self, name: str, identity: str, attempts: int, why: str) -> None:
        """Writes down that an attempt came to nothing."""
        self._add({"job": name, "id": identity, "attempts": attempts, "tried": why})

    def failed(self, name: str, identity: str, attempts: int, error: str) -> None:
        """Writes down that a job failed for good."""
        self._add({"job": name, "id": identity, "attempts": attempts, "failed": error})

    def made(self, name: str, identity: str, attempts: int, made: Made) -> None:
        """Writes down a result, before it is put in its place."""
        self._add({"job": name, "id": identity, "attempts": attempts, "made": asdict(made)})

    def again(self, name: str, identity: str) -> None:
        """Writes down that a job that failed is to be tried again."""
        self._add({"job": name, "id": identity, "attempts": 0, "again": True})

    def _add(self, line: Json) -> None:
        if not os.fstat(self._file.fileno()).st_nlink:
            raise FileNotFoundError(
                f"{self.path} was removed while the batch ran; the same command makes again what is missing"
            )
        data = json_line(line).encode() + b"\n"
        end = self._file.tell()
        try:
            if self._file.write(data) < len(data):
                raise OSError(28, "no space left for a line of the journal")
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)
            raise


def mend(path: Path) -> None:
    """Takes away the last line of a journal if it was not finished.

    Raises:
        OSError: if the file cannot be written.
    """
    if not path.is_file():
        return
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            end = start
        file.truncate(0)


def read(path: Path, standings: dict[str, Standing]) -> None:
    """Adds what a journal says to what is known of jobs by name. Lines that are none are left out.

    Args:
        path: the file; nothing is known if there is none.
        standings: is changed.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            told = _parsed(line)
            if told is None:
                continue
            name, identity, attempts, entry = told
            one = standings.get(name)
            if one is None or one.id != identity:
                one = standings[name] = Standing(identity)
            one.attempts = attempts
            if "made" in entry:
                one.made = _made(entry["made"])
            one.error = None if "again" in entry else entry.get("failed", one.error)


def _made(told: Any) -> Made:
    fields: dict[str, Any] = {**told, "notes": tuple(told["notes"])}
    return Made(**fields)


def _parsed(line: bytes) -> tuple[str, str, int, dict[str, Json]] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
        if "made" in entry:
            _made(entry["made"])
        return str(entry["job"]), str(entry["id"]), int(entry["attempts"]), entry
    except (ValueError, TypeError, KeyError):
        return None
