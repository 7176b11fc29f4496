"""Results by row and scene, kept in files so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from .metrics import Picture
from .scores import Scores
from .tasks import pixels

FORMAT = 1


class Results:
    """Scores and pictures of one benchmark run.

    Args:
        path: A JSON file; it is gone on with if it exists, and written whole after each addition. Pictures go into a
            folder of its name without the suffix. None keeps nothing.
        about: What all results have in common, such as model and kind of edit.
        rows: What tells the settings of each row.

    Raises:
        ValueError: The file is no `.json`, or holds results of something else.
    """

    def __init__(self, path: Path | None, about: dict[str, Any], rows: dict[str, str]) -> None:
        if path is not None and path.suffix != ".json":
            raise ValueError(f"results file {path} must end in .json; its pictures go into a folder of the same name")
        self.path, self.about, self.rows = path, about, rows
        self.scores: dict[str, dict[int, Scores]] = {name: {} for name in rows}
        if path is not None and path.exists():
            self._read(path)

    def known(self, row: str, seed: int) -> tuple[Scores, Picture] | None:
        """Scores and picture of a row on a scene, if they are there."""
        scores = self.scores[row].get(seed)
        place = self._place(row, seed)
        if scores is None or place is None or not place.is_file():
            return None
        with Image.open(place) as image:
            picture = np.asarray(image.convert("RGB")).copy()
        return scores, torch.from_numpy(picture).permute(2, 0, 1) / 255

    def add(self, row: str, seed: int, scores: Scores, image: Picture) -> None:
        """Keeps what a row made of a scene."""
        self.scores[row][seed] = scores
        place = self._place(row, seed)
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_suffix(".part")
            Image.fromarray(pixels(image)).save(part, format="PNG")
            os.replace(part, place)
            self._write()

    def _place(self, row: str, seed: int) -> Path | None:
        """Where a picture is kept."""
        if self.path is None:
            return None
        name = "".join(c if c.isalnum() or c in "=.-" else "_" for c in row)
        return self.path.with_suffix("") / name / f"{seed}.png"

    def _read(self, path: Path) -> None:
        try:
            held = json.loads(path.read_text())
            about, rows, scores = held["about"], held["rows"], held["scores"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} holds no results ({error!r}); name another file") from error
        wanted = json.loads(json.dumps(self.about))
        if held.get("format") != FORMAT or about != wanted:
            raise ValueError(f"{path} holds results of {about}, not of {wanted}; name another file")
        for name, settings in self.rows.items():
            if rows.get(name, settings) != settings:
                raise ValueError(f"{path} holds row {name!r} with other settings: {rows[name]}; name another file")
        self.rows = rows | self.rows
        self.scores |= {name: {int(seed): s for seed, s in kept.items()} for name, kept in scores.items()}

    def _write(self) -> None:
        if self.path is None:
            return
        held = {"format": FORMAT, "about": self.about, "rows": self.rows, "scores": self.scores}
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(held, indent=1))
        os.replace(part, self.path)
