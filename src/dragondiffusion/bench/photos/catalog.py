"""What a folder of photographs offers: things and grounds, found once and kept under the output folder.

`cutouts/DIGEST.json` says what was found in the photograph of that digest; `DIGEST.png` beside it is the thing's alpha.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image as Pictures

from ...batch.engine import each
from ...batch.local import LocalEngine
from ...imaging.files import read_picture
from ...imaging.writing import write_file, write_picture
from .arrays import Bytes
from .collection import digest_of_file, digest_of_folder, find_photographs, split
from .cutouts import Cutout, cutout, find_thing
from .grounds import CLASSES, Crop, find_grounds

FORMAT = 2
"""Of what is kept; what an older version has kept is found again."""
LOOKED_AT = 900
"""Photographs that are looked at, the first of their split."""
Report = Callable[[int, int], None]
"""Told the number of finished photographs and their total."""


@dataclass(frozen=True)
class Finding:
    """What one photograph offers.

    Args:
        path: of the photograph.
        alpha: path of the alpha of its thing; None if there is none.
        why: why there is no thing; "unreadable" if nothing could be read.
        grounds: what can be a ground.
    """

    path: Path
    alpha: Path | None
    why: str | None
    grounds: tuple[Crop, ...]


@dataclass(frozen=True)
class Catalog:
    """Things and grounds of one split of a folder.

    Args:
        findings: what every photograph offers, in order.
        digest: see `digest_of_folder`.
    """

    findings: tuple[Finding, ...]
    digest: str

    @property
    def things(self) -> tuple[Finding, ...]:
        """Photographs with a thing."""
        return tuple(found for found in self.findings if found.alpha is not None)

    def grounds(self, label: str) -> tuple[tuple[Path, Crop], ...]:
        """Grounds of a class."""
        return tuple((f.path, crop) for f in self.findings for crop in f.grounds if crop.label == label)

    @property
    def unreadable(self) -> int:
        """Photographs that could not be read."""
        return sum(found.why == "unreadable" for found in self.findings)

    def described(self) -> str:
        """What was found, in a sentence."""
        crops = ", ".join(f"{len(self.grounds(label))} {label}" for label in CLASSES)
        return (
            f"{len(self.findings)} photographs looked at: {len(self.things)} things, grounds: {crops}; "
            f"{self.unreadable} unreadable"
        )

    def check(self, folder: Path, things: bool = True) -> None:
        """Checks that there is enough to make problems of.

        Args:
            folder: for messages.
            things: things are needed.

        Raises:
            ValueError: no photograph can be read, or fewer than two things are there and needed.
        """
        reasons = Counter(found.why for found in self.findings if found.why is not None)
        text = ", ".join(f"{why}: {count}" for why, count in reasons.most_common())
        if self.unreadable == len(self.findings):
            raise ValueError(f"DIR {folder}: none of {self.unreadable} photographs can be read; name another folder")
        if things and len(self.things) < 2:
            raise ValueError(
                f"DIR {folder}: {len(self.things)} of {len(self.findings)} photographs show a thing that can be cut "
                f"out, at least 2 are needed ({text}); add photographs of single objects that stand out from what is "
                "behind them, or use --set holes"
            )


@dataclass(frozen=True)
class Finder:
    """Looks at photographs.

    Args:
        kept: folder in which findings are kept.
    """

    kept: Path

    def do(self, path: Path, files: Mapping[str, bytes]) -> tuple[str, dict[str, Any]]:
        """The path of a photograph, and what it offers as JSON."""
        cv2.setNumThreads(1)
        return str(path), self.look(path)

    def look(self, path: Path) -> dict[str, Any]:
        """What a photograph offers, looked up or found."""
        try:
            place = self.kept / f"{digest_of_file(path)}.json"
        except OSError:
            return _unreadable()
        known = _read(place)
        if known is not None:
            return known
        found = self._find(path, place)
        write_file(place, lambda file: file.write(json.dumps(found).encode()))
        return found

    def _find(self, path: Path, place: Path) -> dict[str, Any]:
        try:
            photograph = read_picture(path)
        except (ValueError, OSError):
            return _unreadable()
        thing = find_thing(photograph)
        alpha = None if isinstance(thing, str) else thing
        if alpha is not None:
            write_picture(Pictures.fromarray(alpha), place.with_suffix(".png"))
        crops = find_grounds(photograph, alpha)
        return {
            "format": FORMAT,
            "alpha": None if alpha is None else place.with_suffix(".png").name,
            "why": thing if isinstance(thing, str) else None,
            "grounds": [asdict(crop) for crop in crops],
        }


def _unreadable() -> dict[str, Any]:
    return {"format": FORMAT, "alpha": None, "why": "unreadable", "grounds": []}


def _read(place: Path) -> dict[str, Any] | None:
    """What is kept of a photograph; None if it is missing, damaged, or of another format."""
    try:
        known = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    usable = isinstance(known, dict) and known.get("format") == FORMAT
    if not usable or (known["alpha"] is not None and not (place.parent / known["alpha"]).is_file()):
        return None
    return known


def build_catalog(
    folder: Path, kept: Path, held_out: bool, looked_at: int = LOOKED_AT, jobs: int = 1, report: Report | None = None
) -> Catalog:
    """Looks at the first photographs of a split of a folder.

    Args:
        folder: of photographs.
        kept: folder in which findings are kept; made if it is missing.
        held_out: the photographs of held-out seeds, not those of tuning seeds.
        looked_at: how many.
        jobs: processes.
        report: told how far it is.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds no photograph, or none of this split.
    """
    every = find_photographs(folder)
    chosen = split(every, held_out)[:looked_at]
    if not chosen:
        kind = "held-out" if held_out else "tuning"
        raise ValueError(f"DIR {folder}: none of its {len(every)} photographs is one of the {kind} ones; add more")
    kept.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Any]] = {}
    for path, finding in _looked(Finder(kept), chosen, jobs):
        found[path] = finding
        if report is not None:
            report(len(found), len(chosen))
    return Catalog(tuple(_finding(path, found[str(path)], kept) for path in chosen), digest_of_folder(folder, every))


def _looked(finder: Finder, chosen: Sequence[Path], jobs: int) -> Any:
    if jobs == 1:
        return (finder.do(path, {}) for path in chosen)
    return each(LocalEngine(MakeFinder(finder), min(jobs, len(chosen))), "do", chosen)


@dataclass(frozen=True)
class MakeFinder:
    """Gives a process its finder."""

    finder: Finder

    def __call__(self, place: int) -> Finder:
        return self.finder


def _finding(path: Path, found: Mapping[str, Any], kept: Path) -> Finding:
    alpha = None if found["alpha"] is None else kept / found["alpha"]
    return Finding(path, alpha, found["why"], tuple(Crop(**crop) for crop in found["grounds"]))


@lru_cache(maxsize=64)
def photograph_of(path: Path) -> Bytes:
    """A photograph's pixels.

    Raises:
        ValueError: it cannot be read any more.
    """
    return read_picture(path)


@lru_cache(maxsize=64)
def cutout_of(found: Finding) -> Cutout:
    """The thing of a photograph.

    Raises:
        ValueError: the photograph shows none.
    """
    if found.alpha is None:
        raise ValueError(f"{found.path} shows nothing that can be cut out ({found.why}); choose another photograph")
    return cutout(photograph_of(found.path), _alpha(found.alpha))


def _alpha(path: Path) -> UInt8[np.ndarray, "_ _"]:
    with Pictures.open(path) as image:
        return np.asarray(image.convert("L")).copy()
