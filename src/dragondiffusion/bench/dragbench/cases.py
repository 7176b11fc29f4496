"""The cases of DragBench as they lie in folders: an image, a mask, and what is to be dragged where.

Nothing is ever unpickled. The original release keeps prompt and points in `meta_data.pkl`, and a pickle can run any
code when it is opened; `docs/dragbench.md` says how to write `drag_instruction.json` from it.

Convention: points in files are indices of pixels (x, y); here they are the centres of those pixels, at +0.5.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ...core.strict_json import Json, read_json, shown
from ...core.types import Size
from ...edits import Drag
from ...imaging.files import MAX_PIXELS, Pixels, load_pixels, open_image, read_picture

PICTURE, MASK, INSTRUCTION = "original_image.png", "mask.png", "drag_instruction.json"

MAX_INSTRUCTION_BYTES = 2**20
"""Largest instruction that is read, bytes. Source: chosen, thousands of points."""

HOLD = 12.0
"""How far a mask is grown around a point that lies outside of it, pixels. Source: chosen, half the side of what
`Drag` compares, 3x3 latent cells of 8 pixels."""

Centre = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Case:
    """One image and what is to be dragged in it.

    Args:
        name: `CASE` or `CATEGORY/CASE`.
        pixels: the image.
        mask: what may change; holds all points.
        pairs: (handle, target), centres of pixels (x, y).
        prompt: what the image shows.
        notes: what was changed in what the files say.
    """

    name: str
    pixels: Pixels
    mask: npt.NDArray[np.bool_]
    pairs: tuple[tuple[Centre, Centre], ...]
    prompt: str
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> Size:
        """(height, width) of the image."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def edit(self) -> Drag:
        """The edit that is asked for; a mask over the whole image is left to `Drag`, which preserves something."""
        return Drag(self.pairs, None if bool(self.mask.all()) else self.mask)

    def fingerprint(self) -> str:
        """Tells this case from what it was before a change."""
        digest = hashlib.sha256(f"{self.size}{self.pairs}{self.prompt}".encode())
        digest.update(self.pixels.tobytes())
        digest.update(np.packbits(self.mask).tobytes())
        return digest.hexdigest()[:16]


def read_cases(root: Path) -> tuple[list[Case], dict[str, str]]:
    """All cases of a folder, by name, and what is wrong with those that cannot be read.

    Args:
        root: a folder of `CASE` or `CATEGORY/CASE` folders.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds no cases.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"folder {root} does not exist; give the one that holds the cases of DragBench")
    cases: list[Case] = []
    problems: dict[str, str] = {}
    for folder in case_folders(root):
        name = folder.relative_to(root).as_posix()
        try:
            cases.append(read_case(folder, name))
        except (ValueError, OSError) as error:
            problems[name] = str(error)
    if not cases and not problems:
        raise ValueError(f"{root} holds no cases; give a folder of folders that hold {PICTURE}, {MASK}, {INSTRUCTION}")
    return cases, problems


def case_folders(root: Path) -> Iterator[Path]:
    """The folders of cases, sorted by name: those in the folder, and those in its categories.

    A folder that holds folders and nothing of a case is a category. Names that begin with a dot or an underscore, such
    as `__MACOSX`, belong to neither.
    """
    for child in _folders(root):
        inner = list(_folders(child))
        yield from [child] if _is_case(child) or not inner else inner


def read_case(folder: Path, name: str) -> Case:
    """The case in a folder.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is damaged, or nothing is to be dragged.
    """
    if not (folder / INSTRUCTION).is_file():
        pickles = sorted(path.name for path in folder.glob("*.pkl"))
        if pickles:
            raise ValueError(
                f"{pickles[0]} is not opened, because a pickle can run any code; write {INSTRUCTION} from it as "
                "docs/dragbench.md says"
            )
        raise FileNotFoundError(f"{INSTRUCTION} does not exist; it holds the prompt and the points")
    pixels = read_picture(folder / PICTURE)
    size = (pixels.shape[0], pixels.shape[1])
    mask = _read_mask(folder / MASK, size)
    prompt, points = _read_instruction(folder / INSTRUCTION)
    notes: list[str] = []
    pairs = _pairs(points, size, notes)
    if not pairs:
        raise ValueError("no pair of points has a displacement; there is nothing to drag")
    return Case(name, pixels, _holding(mask, pairs, notes), pairs, prompt, tuple(notes))


def _folders(root: Path) -> Iterator[Path]:
    return (child for child in sorted(root.iterdir()) if child.is_dir() and child.name[0] not in "._")


def _is_case(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (PICTURE, MASK, INSTRUCTION, "meta_data.pkl"))


def _read_mask(path: Path, size: Size) -> npt.NDArray[np.bool_]:
    """The mask, of any mode: what is brighter than one half of the brightest that the mode, or 0 and 1, can hold."""
    with open_image(path, MAX_PIXELS, f"mask {path}") as image:
        image = load_pixels(image, f"mask {path}")
        values = np.asarray(image if image.mode[0] in "IF1" else image.convert("L")).astype(np.float64)
    top = next(top for top in (1, 255, 65535, math.inf) if values.max(initial=0) <= top)
    if values.shape != size:
        raise ValueError(
            f"{MASK} has shape {values.shape} but the image is {size[0]}x{size[1]} (height x width); "
            "draw the mask on the image itself"
        )
    return values > top / 2


def _read_instruction(path: Path) -> tuple[str, list[Centre]]:
    """Prompt and points, as they stand there."""
    held = read_json(path, MAX_INSTRUCTION_BYTES, path.name)
    if not isinstance(held, dict):
        raise ValueError(f"{INSTRUCTION} holds {shown(held)}; it must be an object with the fields prompt and points")
    fields = cast("dict[str, Json]", held)
    prompt, points = fields.get("prompt"), fields.get("points")
    if not isinstance(prompt, str):
        raise ValueError(f"{INSTRUCTION}: prompt is {shown(prompt)}; it must be a text, which may be empty")
    if not isinstance(points, list) or not points or len(cast("list[Json]", points)) % 2:
        raise ValueError(f"{INSTRUCTION}: points must be a list of handle, target, handle, target, ...; correct it")
    return prompt, [_point(k, point) for k, point in enumerate(cast("list[Json]", points))]


def _point(k: int, value: Json) -> Centre:
    parts = cast("list[Any]", value) if isinstance(value, list) else []
    if len(parts) != 2 or any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in parts):
        raise ValueError(f"{INSTRUCTION}: points[{k}] is {shown(value)}; it must be two numbers [x, y]")
    return float(parts[0]), float(parts[1])


def _pairs(points: list[Centre], size: Size, notes: list[str]) -> tuple[tuple[Centre, Centre], ...]:
    """Pairs of points inside of the image that lie apart."""
    inside = [_clamped(point, size, notes) for point in points]
    pairs: list[tuple[Centre, Centre]] = []
    for handle, target in zip(inside[::2], inside[1::2], strict=True):
        if handle == target:
            notes.append(f"a pair at ({handle[0] - 0.5:g}, {handle[1] - 0.5:g}) has no displacement and is left out")
        else:
            pairs.append((handle, target))
    return tuple(pairs)


def _clamped(point: Centre, size: Size, notes: list[str]) -> Centre:
    """The centre of a pixel, or of the nearest one in the image."""
    x, y = point
    u, v = min(max(x, 0.0), size[1] - 1.0), min(max(y, 0.0), size[0] - 1.0)
    if (u, v) != point:
        notes.append(
            f"point ({x:g}, {y:g}) lies outside of the {size[1]}x{size[0]} image and is taken as ({u:g}, {v:g})"
        )
    return u + 0.5, v + 0.5


def _holding(
    mask: npt.NDArray[np.bool_], pairs: tuple[tuple[Centre, Centre], ...], notes: list[str]
) -> npt.NDArray[np.bool_]:
    """The mask, grown by discs around points that lie outside of it."""
    held, (ys, xs) = mask.copy(), np.indices(mask.shape) + 0.5
    for x, y in (point for pair in pairs for point in pair):
        if not mask[int(y), int(x)]:
            held |= np.hypot(xs - x, ys - y) <= HOLD
            notes.append(f"point ({x - 0.5:g}, {y - 0.5:g}) lies outside of the mask, which is grown around it")
    return held
