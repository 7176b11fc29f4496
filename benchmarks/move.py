"""Print how well moves of held-out scenes come out: `python benchmarks/move.py`.

Rows: the picture left alone; the authors' setting (preset `reference`) without and with guidance; our
default. Columns: PSNR to the truth in dB (whole picture, destination, vacated region, rest), how much of a
ghost is left, in how many scenes the old object is gone (ghost under 0.25), which share of the pixels 6 px
off the edit visibly changed, seconds per edit.
"""

from __future__ import annotations

import argparse
import ast
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dragondiffusion import Editor, Move, Settings, Window
from dragondiffusion.bench import metrics
from dragondiffusion.bench.tasks import HELD_OUT, TUNING, MoveTask, moves

COLUMNS = ("whole", "destination", "vacated", "rest", "ghost", "gone", "changed outside", "seconds")
GONE = 0.25


def rows(names: list[str], steps: int | None) -> dict[str, Settings | None]:
    """The settings of each row."""
    change = {} if steps is None else {"steps": steps}
    known = {
        "left alone": None,
        "reference without guidance": Settings.preset("reference", energy_scale=0.0, **change),
        "reference": Settings.preset("reference", **change),
        "default": Settings.preset("default", **change),
    }
    return {name: known[name] for name in names} if names else known


def varied(text: str, steps: int | None) -> Settings:
    """The default settings with changes written as `name=value name=value`; a window is `start:stop`."""
    change: dict[str, Any] = {} if steps is None else {"steps": steps}
    for part in text.split():
        name, _, value = part.partition("=")
        ends = [float(end) for end in value.split(":")] if ":" in value else []
        window = Window(*ends) if ends else None
        change[name] = ast.literal_eval(value) if window is None else (window,) if name == "guidance" else window
    return Settings.preset("default", **change)


def run(editor: Editor, task: MoveTask, settings: Settings) -> Tensor:
    """The edited picture, (3, h, w) in [0, 1]."""
    before = (task.before * 255).round().byte().permute(1, 2, 0).numpy()
    edit = Move(
        task.mask.numpy(), offset=task.offset, scale=task.scale, angle=task.angle, anchor=anchor(task, settings)
    )
    image = editor(before, edit, prompt=task.caption, settings=settings).image
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1) / 255


def anchor(task: MoveTask, settings: Settings) -> tuple[float, float] | None:
    """The object's centre; the authors' geometry has no anchor."""
    return None if settings.geometry is Settings.preset("reference").geometry else task.centre


def score(image: Tensor, task: MoveTask, margin: int = 6) -> dict[str, float]:
    """Every metric of one result; regions a task lacks are left out."""
    regions = task.regions(margin)
    scores = {"whole": metrics.psnr(image, task.truth)}
    for name in ("destination", "vacated", "rest"):
        if regions[name].any():
            scores[name] = metrics.psnr(image, task.truth, regions[name])
    scores["ghost"] = metrics.ghost(image, task.before, task.truth, regions["vacated"])
    scores["gone"] = float(scores["ghost"] < GONE)
    scores["changed outside"] = metrics.changed(image, task.before, regions["outside"])
    return scores


def table(results: dict[str, list[dict[str, float]]]) -> str:
    """A Markdown table of the means over scenes."""
    lines = ["| setting | " + " | ".join(COLUMNS) + " |", "|---|" + "---|" * len(COLUMNS)]
    for name, scores in results.items():
        cells: list[str] = []
        for column in COLUMNS:
            values = [s[column] for s in scores if column in s]
            mean = sum(values) / len(values) if values else float("nan")
            percent = column in ("gone", "changed outside")
            cells.append(f"{100 * mean:.1f} %" if percent else f"{mean:.2f}" if column == "ghost" else f"{mean:.1f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a pipeline folder; the package's own without")
    parser.add_argument("--scenes", type=int, default=64)
    parser.add_argument("--steps", type=int, help="50 without")
    parser.add_argument("--rows", nargs="*", default=[], help="which rows; all without")
    parser.add_argument(
        "--vary", nargs="*", default=[], help="rows of the default with changes: 'steps=10 recall=False'"
    )
    parser.add_argument("--tuning", action="store_true", help="on the scenes set apart for choosing settings")
    parser.add_argument("--scale", type=float, nargs=2, default=(1.0, 1.0))
    parser.add_argument("--angle", type=float, nargs=2, default=(0.0, 0.0))
    parser.add_argument("--json", type=Path, help="where to write every score")
    parser.add_argument("--sheet", type=Path, help="where to write the first 12 scenes: before, each row, truth")
    args = parser.parse_args()
    editor = Editor.from_pretrained(args.model)
    chosen = rows(args.rows, args.steps) | {text: varied(text, args.steps) for text in args.vary}
    results: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    columns: list[Tensor] = []
    first = TUNING if args.tuning else HELD_OUT
    for task in moves(args.scenes, first, scale=tuple(args.scale), angle=tuple(args.angle)):
        shown = [task.before]
        for name, settings in chosen.items():
            begin = time.perf_counter()
            image = task.before if settings is None else run(editor, task, settings)
            results[name].append(score(image, task) | {"seconds": time.perf_counter() - begin})
            shown += [] if settings is None else [image]
        columns.append(torch.cat([*shown, task.truth], dim=1))
        if args.json:
            args.json.write_text(json.dumps(results, indent=1))
        if args.sheet and len(columns) <= 12:
            sheet = torch.cat(columns, dim=2).permute(1, 2, 0)
            Image.fromarray((sheet * 255).round().byte().numpy()).save(args.sheet)
    print(f"{args.scenes} scenes, {torch.get_num_threads()} threads\n\n{table(results)}")


if __name__ == "__main__":
    main()
