"""What edits change where nothing should change: pixels of random photographs, to the bit.

    python benchmarks/untouched.py PHOTOGRAPHS [--count 200] [--first 0] [--preset default]

Each photograph gets one kind of edit, in turn, with an ellipse at a random place as its mask. Counted are

- pixels that differ from the photograph where `EditResult.region` says that none does;
- those outside of what the user marked, for kinds whose mask is a limit (drag, appearance);
- for kinds that move, remove or bring something, with `shadows=False`: how far from the mask and its new place the
  farthest changed pixel lies, in pixels of the frame that is edited. Cast shadows are part of an edit.
"""

import argparse
import dataclasses
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt
from tqdm import tqdm

from dragondiffusion import Drag, Editor, Landmarks, Move, Paste, Remove, ReplaceAppearance, Settings
from dragondiffusion.bench.photos.collection import find_photographs
from dragondiffusion.console.terminal import load_editor

KINDS = ("move", "resize", "rotate", "flip", "remove", "paste", "appearance", "drag", "landmarks")
LIMITED = ("appearance", "drag")
LARGEST = 1024
"""Photographs are cut to this side, for time."""


def ellipse(
    rng: np.random.Generator, size: tuple[int, int]
) -> tuple[np.ndarray, tuple[float, float], tuple[float, float]]:
    """A mask, its centre and its radii (x, y)."""
    height, width = size
    a, b = rng.uniform(0.06, 0.16, 2) * min(size)
    x, y = rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height
    rows, columns = np.mgrid[:height, :width] + 0.5
    return ((columns - x) / a) ** 2 + ((rows - y) / b) ** 2 <= 1, (x, y), (a, b)


def edit_of(kind: str, photo: np.ndarray, other: np.ndarray, rng: np.random.Generator):
    """An edit, the user's mask, and where its object comes to (None where it does not)."""
    mask, (x, y), (a, b) = ellipse(rng, photo.shape[:2])
    offset = tuple(rng.uniform(0.5, 2.0, 2) * (a, b) * rng.choice((-1, 1), 2))
    changes = {
        "move": {"offset": offset},
        "resize": {"scale": float(rng.uniform(0.6, 1.5))},
        "rotate": {"angle": float(rng.uniform(-170, 170))},
        "flip": {"flip": True, "offset": (offset[0], 0.0)},
    }
    if kind in changes:
        change = changes[kind]
        return Move(mask, **change), mask, arrived(photo.shape[:2], (x, y), (a, b), change)
    if kind == "remove":
        return Remove(mask), mask, None
    if kind in ("paste", "appearance"):
        theirs, place, radii = ellipse(rng, other.shape[:2])
        if kind == "appearance":
            return ReplaceAppearance(mask, other, theirs), mask, None
        onto = {"offset": (x - place[0], y - place[1])}
        return Paste(other, theirs, **onto), np.zeros_like(mask), arrived(photo.shape[:2], place, radii, onto)
    if kind == "drag":
        return Drag([((x, y), (x + 0.4 * a, y - 0.3 * b))], mask), mask, None
    angles = np.linspace(0, 2 * math.pi, 17)[:-1]
    before = [(x + 0.8 * a * math.cos(t), y + 0.8 * b * math.sin(t)) for t in angles]
    after = [(x + 0.8 * a * math.cos(t), y + 0.7 * b * math.sin(t)) for t in angles]
    return Landmarks(before, after), mask, None


def arrived(size: tuple[int, int], centre, radii, change) -> np.ndarray:
    """Where an ellipse comes to, by its own formula."""
    dx, dy = change.get("offset", (0.0, 0.0))
    turn, scale = math.radians(change.get("angle", 0.0)), change.get("scale", 1.0)
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    u, v = columns - centre[0] - dx, rows - centre[1] - dy
    # Positive angles turn counter-clockwise as seen on the screen.
    along, across = u * math.cos(turn) - v * math.sin(turn), u * math.sin(turn) + v * math.cos(turn)
    return (along / (radii[0] * scale)) ** 2 + (across / (radii[1] * scale)) ** 2 <= 1


def read(path: Path) -> np.ndarray:
    """A photograph's pixels, cut to `LARGEST`."""
    with Image.open(path) as image:
        image.draft("RGB", (LARGEST, LARGEST))
        pixels = np.array(image.convert("RGB"))
    return np.ascontiguousarray(pixels[:LARGEST, :LARGEST])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="which photograph is the first")
    parser.add_argument("--preset", default="default")
    args = parser.parse_args()
    found = sorted(find_photographs(args.folder))
    rng = np.random.default_rng(args.first)
    chosen = [
        found[k] for k in np.random.default_rng(0).permutation(len(found))[args.first : args.first + args.count + 1]
    ]
    editor: Editor = load_editor(None)
    settings = Settings.preset(args.preset)
    told: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for k, path in enumerate(tqdm(chosen[:-1])):
        photo, other, kind = read(path), read(chosen[k + 1]), KINDS[k % len(KINDS)]
        edit, mask, place = edit_of(kind, photo, other, rng)
        told[kind].append(counted(editor, photo, (kind, edit, mask, place), settings))
    print("| kind | photographs | changed where `region` is 0 | outside of the mask | farthest without shadows, px |")
    print("|---|---:|---:|---:|---:|")
    for kind in KINDS:
        if told[kind]:
            quiet, outside, far = zip(*told[kind], strict=True)
            limit = str(sum(outside)) if kind in LIMITED else "-"
            reach = "-" if all(map(math.isnan, far)) else f"{np.nanmax(far):.1f}"
            print(f"| {kind} | {len(quiet)} | {sum(quiet)} | {limit} | {reach} |")


def counted(editor: Editor, photo: np.ndarray, about, settings: Settings) -> tuple[int, int, float]:
    """Changed pixels where none should be, and how far the farthest lies; NaN where that is not asked."""
    kind, edit, mask, place = about
    result = editor(photo, edit, seed=1, settings=settings)
    changed = (np.asarray(result.image) != photo).any(-1)
    quiet, outside = int((changed & (result.region == 0)).sum()), int((changed & ~mask).sum())
    if kind in LIMITED or kind == "landmarks":
        return quiet, outside, math.nan
    plain = dataclasses.replace(settings, shadows=False)
    changed = (np.asarray(editor(photo, edit, seed=1, settings=plain).image) != photo).any(-1)
    touched = mask if place is None else mask | place
    scale = min(1.0, editor.backbone.working_size / max(1, box_side(touched)))
    return quiet, outside, float(distance_transform_edt(~touched)[changed].max(initial=0)) * scale


def box_side(region: np.ndarray) -> int:
    """Longer side of the box around a region, at least."""
    rows, columns = region.any(1).nonzero()[0], region.any(0).nonzero()[0]
    return int(max(np.ptp(rows), np.ptp(columns))) + 1


if __name__ == "__main__":
    main()
