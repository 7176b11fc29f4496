"""The results of a benchmark run, in `dragbench.json`, so that an interrupted one goes on where it stopped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...core.strict_json import Json, read_json, write_json
from ...imaging.files import Pixels, read_picture
from ...imaging.writing import write_file, write_picture
from ...recipes import versions
from .cases import Case

FORMAT = 1
NAME = "dragbench.json"
MAX_BYTES = 2**28

Entry = dict[str, Json]
"""Of one result: fingerprints of case and result, scores by column, and the matches of its handles."""


@dataclass
class Record:
    """Results and scores, written whole after each case.

    Args:
        out: the folder; images go into `results` in it.
        edit: what made the results: model, settings, seed. None leaves them as they are.
        measure: how they are measured.
        made: seconds, and the case's fingerprint, by case.
        rows: entries by row and case.
        problems: what could not be done, by row and case; row "" is the case itself.
        notes: what was changed in what a case's files say, by case.
        summary: means and intervals by row and column.
    """

    out: Path
    edit: dict[str, Json] | None
    measure: dict[str, Json]
    made: dict[str, dict[str, Json]] = field(default_factory=dict[str, dict[str, Json]])
    rows: dict[str, dict[str, Entry]] = field(default_factory=dict[str, dict[str, Entry]])
    problems: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    notes: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    summary: Json = None

    @staticmethod
    def open(out: Path, edit: dict[str, Json] | None, measure: dict[str, Json]) -> Record:
        """The record in a folder, which is made if need be.

        Scores that were measured otherwise are left out; images that were made otherwise are an error.

        Raises:
            ValueError: the folder holds results of other settings, or something that is no record.
        """
        out.mkdir(parents=True, exist_ok=True)
        path = out / NAME
        record = Record(out, edit, measure)
        if path.exists():
            record._take(read_json(path, MAX_BYTES, str(path)), path)
        return record

    def _take(self, held: Any, path: Path) -> None:
        try:
            if held["format"] != FORMAT:
                raise ValueError(f"{path} has format {held['format']}, not {FORMAT}; name another folder with --out")
            edit, measure, made, rows = (held[name] for name in ("edit", "measure", "made", "rows"))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is no record of this benchmark ({error!r}); name another with --out") from error
        if self.edit is None:
            self.edit = edit
        elif edit not in (None, self.edit):
            other = [name for name in self.edit if edit.get(name) != self.edit[name]]
            raise ValueError(f"{path} holds results with another {', '.join(other)}; name another folder with --out")
        self.made = made
        self.rows = rows if measure == self.measure else {}

    def picture_path(self, case: Case) -> Path:
        """Where the result of our edit lies."""
        return self.out / "results" / f"{case.name}.png"

    def made_before(self, case: Case) -> Pixels | None:
        """The result of our edit, if it was made from the case as it is now."""
        known, path = self.made.get(case.name), self.picture_path(case)
        if known is None or known["case"] != case.fingerprint() or not path.is_file():
            return None
        return read_picture(path)

    def keep(self, case: Case, pixels: Pixels, seconds: float) -> None:
        """Keeps a result of our edit."""
        path = self.picture_path(case)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(Image.fromarray(pixels), path)
        self.made[case.name] = {"case": case.fingerprint(), "seconds": round(seconds, 2)}
        self.save()

    def scored(self, row: str, case: Case, pixels: Pixels) -> bool:
        """Whether this very result was scored already."""
        entry = self.rows.get(row, {}).get(case.name)
        return entry is not None and (entry["case"], entry["result"]) == (case.fingerprint(), digest(pixels))

    def add(self, row: str, case: Case, pixels: Pixels, scores: dict[str, float], matches: list[Json]) -> None:
        """Adds the scores of a result; `save` writes them."""
        self.rows.setdefault(row, {})[case.name] = {
            "case": case.fingerprint(),
            "result": digest(pixels),
            "scores": scores,
            "matches": matches,
        }

    def problem(self, row: str, case: str, message: str) -> None:
        """Notes what could not be done; scores of an earlier result are no longer true."""
        self.problems.setdefault(row, {})[case] = message
        self.rows.get(row, {}).pop(case, None)

    def save(self) -> Path:
        """Writes everything, whole or not at all."""
        held = {
            "format": FORMAT,
            "versions": {**versions(), "numpy": np.__version__},
            "edit": self.edit,
            "measure": self.measure,
            "notes": self.notes,
            "problems": self.problems,
            "summary": self.summary,
            "made": self.made,
            "rows": self.rows,
        }
        return write_file(self.out / NAME, lambda file: file.write(write_json(held).encode()))


def digest(pixels: Pixels) -> str:
    """Tells a result from another one."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
