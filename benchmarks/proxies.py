"""Print how good rough edits are before any model works: `python benchmarks/proxies.py --kinds appearance --scenes 96`.

A proxy is what the default starts from and holds to, made in pixels; what the model adds is the difference to the row
`default` of `dragondiffusion bench scenes`. Columns are those of that command, PSNR to the truth in dB.
"""

from __future__ import annotations

import argparse

from dragondiffusion import ReplaceAppearance, Settings
from dragondiffusion.bench.runs.scores import Scores, score, table
from dragondiffusion.bench.tasks import HELD_OUT, TASKS, TUNING, Task
from dragondiffusion.core.types import Canvas
from dragondiffusion.imaging.tensors import pad_picture
from dragondiffusion.pipeline.plan import compile_edits
from dragondiffusion.proxy.rough import painted

MULTIPLE, FACTOR = 16, 4
"""Grids of the demo model."""


def proxy(task: Task, settings: Settings, pattern: bool) -> Scores:
    """Scores of a task's proxy."""
    canvas, edit = Canvas(task.size, MULTIPLE, FACTOR, settings.energy_grid), task.edit()
    if isinstance(edit, ReplaceAppearance):
        edit = ReplaceAppearance(edit.mask, edit.image, edit.reference_mask, edit.prompt, pattern)
    pictures = [2 * picture[None] - 1 for picture in (task.before, *([task.second.picture] if task.second else []))]
    padded = [pad_picture(x, canvas.padded) for x in pictures]
    c = compile_edits([edit], canvas, settings, padded[0])
    x = painted(padded, c.placed, c.hole_pixels, c.lit)
    return score((x[0, :, : task.size[0], : task.size[1]] + 1) / 2, task)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--scenes", type=int, default=32, help="of each kind")
    parser.add_argument("--tuning", action="store_true", help="on the scenes set apart for choosing settings")
    parser.add_argument("--without-shadows", action="store_true")
    parser.add_argument("--without-pattern", action="store_true")
    args = parser.parse_args()
    settings = Settings(shadows=not args.without_shadows)
    for kind in args.kinds:
        tasks = TASKS[kind](args.scenes, TUNING if args.tuning else HELD_OUT)
        found = [proxy(task, settings, not args.without_pattern) for task in tasks]
        print(f"{kind}, {args.scenes} scenes\n{table({'proxy': found})}", flush=True)


if __name__ == "__main__":
    main()
