"""Results in a folder, so that an interrupted run goes on where it stopped.

`results.jsonl` has a line for every case and row; `images/ROW/CASE.png` is what the row made of the case. A line
counts as long as its digest is that of the problem set, the row's settings, the model and the code that edits: nothing
old is taken for new.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image as Pictures

from ...imaging.writing import write_file, write_picture
from .arrays import Bytes

Line: TypeAlias = dict[str, Any]
"""case, kind, seed, ground, row, digest, seconds, scores and the method's verdict; or error in place of these."""

METHOD = ("core", "imaging", "method", "backbones", "proxy", "edits", "pipeline")
"""Folders of the package that decide what the proxy and the method make of an edit."""


class Record:
    """The results of a folder.

    Args:
        folder: where they are, or will be; made if it is missing.

    Raises:
        ValueError: it is a file.
        FileNotFoundError: the folder above it is missing.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"--out {folder} is a file; name a folder")
        if not folder.parent.is_dir():
            raise FileNotFoundError(f"--out {folder}: the folder {folder.parent} does not exist; make it first")
        folder.mkdir(exist_ok=True)
        self.folder, self.lines_file = folder, folder / "results.jsonl"

    def lines(self) -> list[Line]:
        """All results, in the order in which they came; what a killed run left half-written is cut off."""
        if not self.lines_file.is_file():
            return []
        data = self.lines_file.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with self.lines_file.open("r+b") as file:
                file.truncate(whole)
        return [json.loads(line) for line in data[:whole].decode().splitlines()]

    def add(self, lines: Iterable[Line]) -> None:
        """Keeps results."""
        text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
        with self.lines_file.open("ab") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())

    def known(self, digests: Mapping[str, str]) -> dict[tuple[str, str], Line]:
        """Results that count, by case and row.

        Args:
            digests: of what decides them, by row.
        """
        return {
            (line["case"], line["row"]): line for line in self.lines() if line["digest"] == digests.get(line["row"])
        }

    def write(self, name: str, held: Any) -> Path:
        """Writes a file of text or JSON, whole or not at all."""
        text = held if isinstance(held, str) else json.dumps(held, indent=1)
        return write_file(self.folder / name, lambda file: file.write(text.encode()))

    def picture_path(self, row: str, case: str) -> Path:
        """Where the picture of a result is."""
        return self.folder / "images" / row.replace(" ", "-") / f"{case}.png"

    def add_picture(self, row: str, case: str, picture: Bytes) -> None:
        """Keeps the picture of a result."""
        path = self.picture_path(row, case)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(Pictures.fromarray(picture), path)

    def picture(self, row: str, case: str) -> Bytes | None:
        """The picture of a result, if there is one."""
        path = self.picture_path(row, case)
        if not path.is_file():
            return None
        with Pictures.open(path) as image:
            return np.asarray(image.convert("RGB")).copy()


def digest(*decisive: object) -> str:
    """A digest of what decides a result; anything that JSON knows."""
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]


@cache
def digest_of_method() -> str:
    """A digest of the code that makes edits, as it was when a process first asked: what it has loaded."""
    package, found = Path(__file__).parents[2], hashlib.sha256()
    for name in METHOD:
        for path in sorted((package / name).rglob("*.py")):
            found.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:16]
