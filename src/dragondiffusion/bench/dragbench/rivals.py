"""Folders of results that other software made of the cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ...core.types import Size
from ...imaging.files import Pixels, read_picture
from .cases import Case

DRAGGED = "dragged_image.png"
"""Name of a result of DragDiffusion in the folder of its case. Source: `run_drag_diffusion.py`."""

ROUNDING = 8
"""Results may have sides that are rounded to multiples of this, pixels: models work on cells of this size."""


def folders(texts: Sequence[str], taken: Iterable[str]) -> dict[str, Path]:
    """Folders by the name of what made their results.

    Args:
        texts: each NAME=FOLDER.
        taken: names of other rows.

    Raises:
        ValueError: a text is something else, or a name is given twice.
        FileNotFoundError: there is no such folder.
    """
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise ValueError(f"--results {text} must be NAME=FOLDER")
        if name in found or name in taken:
            raise ValueError(f"--results {text}: another row is called {name}; choose another name")
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"--results {text}: the folder {folder} does not exist; check the path")
        found[name] = Path(folder)
    return found


def find_result(folder: Path, case: str, cases: Iterable[str]) -> Path:
    """The file of a case: `CASE.png` or `CASE/dragged_image.png`, with or without its category.

    Args:
        folder: results of one software.
        case: its name.
        cases: the names of all cases; without its category a name must be that of one case only.

    Raises:
        FileNotFoundError: there is none.
    """
    last = case.rpartition("/")[2]
    alone = sum(name.rpartition("/")[2] == last for name in cases) <= 1
    for name in (case, last) if alone else (case,):
        for path in (folder / f"{name}.png", folder / name / DRAGGED):
            if path.is_file():
                return path
    raise FileNotFoundError(f"{folder} holds no {case}.png and no {case}/{DRAGGED}")


def read_result(path: Path, case: Case) -> Pixels:
    """A result at the size of the image.

    Source: DragDiffusion, `run_eval_point_matching.py`, which resizes bilinearly.

    Raises:
        ValueError: it is unreadable, or differs from the image by more than rounding of its sides.
    """
    pixels = read_picture(path)
    size = (pixels.shape[0], pixels.shape[1])
    if size == case.size:
        return pixels
    if not rounded(size, case.size):
        raise ValueError(
            f"{path} is {size[0]}x{size[1]} but the image is {case.size[0]}x{case.size[1]} (height x width); only "
            f"sides rounded to multiples of {ROUNDING} are resized, give a result of the image's size"
        )
    height, width = case.size
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def rounded(size: Size, wanted: Size) -> bool:
    """Whether every side is the one wanted, or it rounded up or down to a multiple of `ROUNDING`."""
    return all(a == b or (a % ROUNDING == 0 and abs(a - b) < ROUNDING) for a, b in zip(size, wanted, strict=True))
