"""A folder of photographs: what is in it, in which order it is used, and which photographs are held out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

HELD_OUT_FROM = 1_000_000
"""Seeds from here on are held out; settings are chosen on smaller ones."""

ONE_IN = 20
"""One photograph in so many is used with held-out seeds only."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"})
"""Files that are taken for photographs, in small letters."""


def is_held_out(name: str) -> bool:
    """Whether a photograph is kept for held-out seeds: SHA-256 of its file name is a multiple of `ONE_IN`."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % ONE_IN == 0


def find_photographs(folder: Path) -> tuple[Path, ...]:
    """All photographs of a folder and its subfolders, in an order that depends on their names alone.

    The order is that of the SHA-256 of the path below the folder, so that any beginning of it is a random sample.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is a file, or holds no photograph.
    """
    if not folder.exists():
        raise FileNotFoundError(f"DIR {folder} does not exist; name a folder of photographs")
    if not folder.is_dir():
        raise ValueError(f"DIR {folder} is a file; name the folder that holds it")
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not found:
        raise ValueError(f"DIR {folder} holds no photograph ({', '.join(sorted(SUFFIXES))}); name another folder")
    return tuple(sorted(found, key=lambda path: _hash(path.relative_to(folder).as_posix())))


def split(photographs: Iterable[Path], held_out: bool) -> tuple[Path, ...]:
    """The photographs of held-out seeds, or those of tuning seeds."""
    return tuple(path for path in photographs if is_held_out(path.name) == held_out)


def digest_of_folder(folder: Path, photographs: Sequence[Path]) -> str:
    """A digest of the names and sizes of all photographs: composites are the same where it is the same."""
    lines = sorted(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}" for path in photographs)
    return _hash("\n".join(lines))[:16]


def digest_of_file(path: Path) -> str:
    """A digest of the content of a file.

    Raises:
        OSError: it cannot be read.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()[:24]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
