"""The results of a benchmark in a folder, so that an interrupted run goes on where it stopped.

`run.json` says what all results have in common; `scores/KIND/ROW/SEED.json` and `.png` hold what a row made of a scene,
`costs/KIND/ROW.json` what one edit of it costs. Every file is written whole, so several processes can write at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image

from ...imaging.writing import write_file, write_picture
from ..metrics import Picture
from ..tasks import pixels
from ..tasks.difficulty import Difficulty
from .scores import Scores

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """Scores and difficulty of one scene, edited by one row."""

    scores: Scores
    difficulty: Difficulty


class Results:
    """The folder of one benchmark run; it is gone on with if it exists.

    Args:
        folder: where results are, or will be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def load(folder: Path) -> Results:
        """Results that are there.

        Raises:
            ValueError: The folder holds none.
        """
        results = Results(folder)
        results.read()
        return results

    def read(self) -> dict[str, Any]:
        """The contents of `run.json`: `about`, `rows` by kind, `commands`.

        Raises:
            ValueError: There is no such file, or it is something else.
        """
        path = self.folder / "run.json"
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            if held["format"] != FORMAT or not {"about", "rows", "commands"} <= held.keys():
                raise KeyError("format")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self.folder} holds no results of a benchmark ({error!r}); name a folder that `bench` has written"
            ) from error
        return held

    def open(self, about: Mapping[str, Any], rows: Mapping[str, Mapping[str, str]], command: str) -> None:
        """Prepares the folder for a run, and writes down what it is about.

        Args:
            about: what all results have in common, such as the model and the size of images.
            rows: what tells the settings of each row, by kind.
            command: what was called.

        Raises:
            ValueError: The folder holds results of something else, or other files.
        """
        about = json.loads(json.dumps(about))
        held: dict[str, Any] = {"rows": {}, "commands": []}
        if self.folder.exists() and any(self.folder.iterdir()):
            held = self.read()
            for name in sorted(held["about"].keys() | about.keys()):
                old, new = held["about"].get(name), about.get(name)
                if old != new:
                    raise ValueError(
                        f"--out {self.folder} holds results with {name} {old}, not {new}; name another folder"
                    )
        kept: dict[str, dict[str, str]] = held["rows"]
        for kind, named in rows.items():
            for name, text in named.items():
                if kept.setdefault(kind, {}).setdefault(name, text) != text:
                    raise ValueError(
                        f"--out {self.folder} holds row {name!r} of {kind} with other settings; name another folder"
                    )
        commands = [*held["commands"], *([command] if command not in held["commands"] else [])]
        self.folder.mkdir(parents=True, exist_ok=True)
        for part in self.folder.rglob(".*-*"):  # left by a run that was killed while writing
            part.unlink(missing_ok=True)
        _write(self.folder / "run.json", {"format": FORMAT, "about": about, "rows": kept, "commands": commands})

    def known(self, kind: str, row: str, seed: int) -> bool:
        """Whether a row's result on a scene is there."""
        return self._place(kind, row, seed).with_suffix(".json").is_file()

    def add(self, kind: str, row: str, seed: int, entry: Entry, image: Picture) -> None:
        """Keeps what a row made of a scene: the image first, so that scores never stand without it."""
        place = self._place(kind, row, seed)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_picture(Image.fromarray(pixels(image)), place.with_suffix(".png"))
        _write(place.with_suffix(".json"), asdict(entry))

    def entries(self, kind: str, row: str) -> dict[int, Entry]:
        """Everything that a row made, by seed."""
        found = sorted(self._place(kind, row, 0).parent.glob("*.json"))
        held = {int(path.stem): json.loads(path.read_text(encoding="utf-8")) for path in found}
        return {seed: Entry(one["scores"], one["difficulty"]) for seed, one in sorted(held.items())}

    def picture(self, kind: str, row: str, seed: int) -> Picture:
        """A scene edited by a row, in [0, 1]."""
        with Image.open(self._place(kind, row, seed).with_suffix(".png"), formats=("PNG",)) as image:
            picture = np.asarray(image.convert("RGB")).copy()
        return torch.from_numpy(picture).permute(2, 0, 1) / 255

    def cost(self, kind: str, row: str) -> dict[str, int] | None:
        """Floating-point operations of one edit by phase; None if they were not counted."""
        path = self.folder / "costs" / kind / f"{slug(row)}.json"
        return cast("dict[str, int]", json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def add_cost(self, kind: str, row: str, flops: Mapping[str, int]) -> None:
        """Keeps the floating-point operations of one edit by phase."""
        path = self.folder / "costs" / kind / f"{slug(row)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, dict(flops))

    def _place(self, kind: str, row: str, seed: int) -> Path:
        return self.folder / "scores" / kind / slug(row) / str(seed)


def slug(row: str) -> str:
    """A folder's name for a row: what can be read of it, and a digest where that is not all."""
    name = "".join(c if c.isalnum() or c in "=.-" else "_" for c in row)
    return (
        name
        if name == row and 0 < len(name.strip(".")) < 60
        else f"{name[:60]}-{hashlib.sha256(row.encode()).hexdigest()[:8]}"
    )


def _write(path: Path, held: Mapping[str, Any]) -> None:
    write_file(path, lambda file: file.write(json.dumps(held, indent=1).encode()))


def parts(values: Sequence[int], size: int) -> Iterator[list[int]]:
    """Values in order, so many at a time."""
    for first in range(0, len(values), size):
        yield list(values[first : first + size])
