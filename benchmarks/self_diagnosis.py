"""Print how well results judge themselves: `python benchmarks/self_diagnosis.py --scenes 48`.

For each kind of edit the rank correlation (Spearman) over scenes of `EditResult.report.error`, which knows no truth,
with the true mean squared error; then that over all kinds together.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch

from dragondiffusion import Editor, Request, Settings
from dragondiffusion.bench.tasks import HELD_OUT, TASKS, TUNING, Task, pixels


def ranks(values: Sequence[float]) -> np.ndarray:
    """Places of values in their order; ties do not occur among errors."""
    return np.argsort(np.argsort(values))


def correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's rank correlation."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def measure(editor: Editor, tasks: Sequence[Task], settings: Settings) -> list[tuple[float, float]]:
    """Estimated and true error of each task's result."""
    requests = [Request(pixels(t.before), t.edit(), prompt=t.caption, settings=settings) for t in tasks]
    found: list[tuple[float, float]] = []
    for task, result in zip(tasks, editor.batch(requests), strict=True):
        picture = torch.from_numpy(np.asarray(result.image).copy()).permute(2, 0, 1) / 255
        found.append((result.report.error, float((picture - task.truth).square().mean())))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a pipeline folder; the package's own without")
    parser.add_argument("--scenes", type=int, default=48, help="of each kind")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--tuning", action="store_true", help="on the scenes set apart for choosing settings")
    args = parser.parse_args()
    editor, settings = Editor.from_pretrained(args.model), Settings.preset(args.preset)
    every: list[tuple[float, float]] = []
    print("| kind | rank correlation |\n|---|---|")
    for kind, make in TASKS.items():
        walk, found = make(args.scenes, TUNING if args.tuning else HELD_OUT), []
        while some := list(islice(walk, args.batch)):
            found += measure(editor, some, settings)
        every += found
        print(f"| {kind} | {correlation(*zip(*found, strict=True)):.2f} |", flush=True)
    print(f"| all | {correlation(*zip(*every, strict=True)):.2f} |")


if __name__ == "__main__":
    main()
