"""Print how well edits of held-out scenes come out: `python benchmarks/edits.py --kind move`.

Rows: the picture left alone; the authors' setting (preset `reference`) without and with guidance; our default with and
without guidance; with `--terms`, our default with each energy term and the memory bank switched off. For `rotate` the
authors' setting is given our geometry, since theirs knows no angle. Columns: `dragondiffusion.bench.scores.COLUMNS`.

With `--json` a run can be stopped at any time and goes on where it stopped when called again. Scores and pictures are
kept by row and scene; a further row, or more scenes, are added to what is there.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dragondiffusion import Editor, Request, Settings
from dragondiffusion.bench.results import Results
from dragondiffusion.bench.rows import Rows, named, rows, varied
from dragondiffusion.bench.scores import score, table
from dragondiffusion.bench.tasks import HELD_OUT, TASKS, TUNING, Task, pixels

SHOWN = 12
"""Scenes on a sheet."""

OPTIONS = {
    "move": ("displacement", "scale", "angle"),
    "resize": ("scale",),
    "rotate": ("angle",),
    "paste": ("scale", "angle"),
    "drag": ("displacement",),
    "landmarks": ("points",),
}
"""What can be asked of the tasks of a kind."""


def asked(args: argparse.Namespace) -> dict[str, Any]:
    """What was asked of the tasks.

    Raises:
        ValueError: The kind does not know it.
    """
    given = {name: getattr(args, name) for name in ("displacement", "scale", "angle", "points")}
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items() if v is not None}
    for name in given:
        if name not in OPTIONS.get(args.kind, ()):
            raise ValueError(f"--{name} is nothing that tasks of kind {args.kind!r} know; leave it out")
    return given


def tasks(args: argparse.Namespace) -> Iterator[Task]:
    """The tasks asked for."""
    return TASKS[args.kind](args.scenes, TUNING if args.tuning else HELD_OUT, tuple(args.size), **asked(args))


def run(editor: Editor, some: Sequence[Task], settings: Settings, prompt: str) -> list[Tensor]:
    """The edited pictures, each (3, h, w) in [0, 1]."""
    requests = [
        Request(
            pixels(task.before),
            task.edit(settings.geometry),
            prompt=task.caption_after if prompt == "after" else task.caption,
            settings=settings,
        )
        for task in some
    ]
    made = (np.asarray(result.image).copy() for result in editor.batch(requests))
    return [torch.from_numpy(picture).permute(2, 0, 1) / 255 for picture in made]


def measure(
    editor: Editor, some: Sequence[Task], name: str, settings: Settings | None, results: Results, prompt: str
) -> list[Tensor]:
    """What a row makes of tasks; scores it where that is not known yet."""
    pictures = {task.seed: kept[1] for task in some if (kept := results.known(name, task.seed))}
    new = [task for task in some if task.seed not in pictures]
    begin = time.perf_counter()
    made = [task.before for task in new] if settings is None else run(editor, new, settings, prompt)
    seconds = (time.perf_counter() - begin) / max(len(new), 1)
    for task, picture in zip(new, made, strict=True):
        results.add(name, task.seed, score(picture, task) | {"seconds": seconds}, picture)
        pictures[task.seed] = picture
    return [pictures[task.seed] for task in some]


def about(args: argparse.Namespace, editor: Editor) -> dict[str, Any]:
    """What all results of a run have in common."""
    names = ("kind", "size", "tuning", "prompt")
    return {name: getattr(args, name) for name in names} | asked(args) | {"model": fingerprint(editor)}


def fingerprint(editor: Editor) -> str:
    """A name for the network's weights."""
    digest = hashlib.sha256()
    for value in editor.backbone.pipe.unet.parameters():
        digest.update(value.detach().flatten()[:1024].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def write_sheet(columns: list[Tensor], path: Path) -> None:
    """Write pictures (3, h, w), one column beside the other."""
    Image.fromarray(pixels(torch.cat(columns, dim=2))).save(path)


def column(task: Task, shown: list[Tensor]) -> Tensor:
    """One column of a sheet: before, the second picture where there is one, the rows' pictures, the truth."""
    second = [] if task.second is None else [task.second.picture]
    return torch.cat([task.before, *second, *shown, task.truth], dim=1)


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=sorted(TASKS), default="move")
    parser.add_argument("--model", help="a pipeline folder; the package's own without")
    parser.add_argument("--scenes", type=int, default=48)
    parser.add_argument("--size", type=int, nargs=2, default=(128, 128), help="height and width in pixels")
    parser.add_argument("--steps", type=int, help="50 without")
    parser.add_argument("--batch", type=int, default=1, help="how many edits at once")
    parser.add_argument("--rows", nargs="*", default=[], help="which rows; all without")
    parser.add_argument("--terms", action="store_true", help="rows with the energy terms switched off one by one")
    parser.add_argument(
        "--vary", nargs="*", default=[], help="rows of the default with changes: 'steps=10 recall=False'"
    )
    parser.add_argument("--tuning", action="store_true", help="on the scenes set apart for choosing settings")
    parser.add_argument("--prompt", choices=("before", "after"), default="before", help="what the prompt describes")
    parser.add_argument("--displacement", type=float, nargs=2, help="range, of moves and drags, see bench.tasks")
    parser.add_argument("--scale", type=float, nargs=2, help="range of the factor, of moves, resizes and pastes")
    parser.add_argument("--angle", type=float, nargs=2, help="range of the angle, of moves, turns and pastes")
    parser.add_argument("--points", type=int, choices=(17, 68), help="of landmarks; 68 without")
    parser.add_argument("--json", type=Path, help="where scores are kept; pictures beside it")
    parser.add_argument("--sheet", type=Path, help=f"where to write the first {SHOWN} scenes")
    return parser.parse_args()


def choose(args: argparse.Namespace) -> Rows:
    """The rows asked for."""
    change = {} if args.steps is None else {"steps": args.steps}
    turned = args.kind == "rotate" or args.angle is not None
    known = rows(args.kind, change, args.terms, turned)
    return named(known, args.rows) | {text: varied(text, change) for text in args.vary}


def main() -> None:
    """Measure and print."""
    args = parse()
    if args.batch < 1:
        raise ValueError(f"--batch {args.batch} must be at least 1")
    chosen = choose(args)
    editor = Editor.from_pretrained(args.model)
    results = Results(args.json, about(args, editor), {name: repr(settings) for name, settings in chosen.items()})
    seeds: list[int] = []
    columns: list[Tensor] = []
    walk = tasks(args)
    while some := list(islice(walk, args.batch)):
        seeds += [task.seed for task in some]
        made = {name: measure(editor, some, name, s, results, args.prompt) for name, s in chosen.items()}
        if args.sheet and len(columns) < SHOWN:
            edited = [pictures for name, pictures in made.items() if chosen[name] is not None]
            columns += [column(task, [pictures[k] for pictures in edited]) for k, task in enumerate(some)]
            write_sheet(columns[:SHOWN], args.sheet)
    scores = {name: [results.scores[name][seed] for seed in seeds] for name in chosen}
    print(f"{args.kind}, {len(seeds)} scenes, {torch.get_num_threads()} threads\n\n{table(scores)}")


if __name__ == "__main__":
    main()
