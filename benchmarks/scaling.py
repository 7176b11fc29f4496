"""How time and memory grow: with pixels, steps, edits made together and images in a batch; plots beside the figures.

    python benchmarks/scaling.py [-o docs/images/scaling.png] [--json scaling.json] [--calls] [--quick] [--turns 3]

Pixels: operations and peak memory of a noise call and of a guided step of Stable Diffusion 1.5 and XL in half
precision, counted of shapes alone, from 256 to 2048 pixels a side. Steps, edits and images: seconds of the demo model
where it runs, the fastest of some turns, of the process on a processor, of the clock on a GPU; peak memory of Stable
Diffusion 1.5, counted. Jobs and workers are `benchmarks/batch.py`'s.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from beside import in_turn
from torch import Tensor

from dragondiffusion import Editor, Request, Settings
from dragondiffusion.backbones.base import Backbone, Condition
from dragondiffusion.bench.report.plots import ACCENT, INK, PLAIN, STYLE
from dragondiffusion.bench.runs.cost import FlopMeter
from dragondiffusion.bench.speed.cases import edits, picture
from dragondiffusion.bench.speed.command import SHAPES
from dragondiffusion.bench.speed.dry import META, dry, remembering
from dragondiffusion.bench.speed.published import networks, pipeline
from dragondiffusion.core.levels import Level
from dragondiffusion.edits import Move

SIDES = (256, 512, 768, 1024, 1536, 2048)
Curve = list[tuple[float, float]]


@torch.no_grad()
def noise(backbone: Backbone, z: Tensor, level: Level, condition: Condition) -> None:
    """A call for noise."""
    backbone.predict(z, level, condition)


def guided(backbone: Backbone, z: Tensor, level: Level, condition: Condition) -> None:
    """A guided step: features, their gradient, and the call for noise that goes on from them."""
    with torch.enable_grad():
        at = z.clone().requires_grad_()
        begun = backbone.partial_forward(at, level, condition)
        torch.autograd.grad(begun.features, at, [torch.ones_like(f) for f in begun.features])
    with torch.no_grad():
        backbone.predict(z, level, condition, resume=begun)


def by_pixels(shape: str, sides: Sequence[int]) -> dict[str, dict[str, Curve]]:
    """TFLOP and GB of single calls of a published shape, by side."""
    backbone = Editor(pipeline(shape, "meta", torch.float16)).backbone
    parts = {"unet": cast(Any, backbone).pipe.unet}
    found: dict[str, dict[str, Curve]] = {"TFLOP": {"noise": [], "guided": []}, "GB": {"noise": [], "guided": []}}
    for side in sides:
        canvas = backbone.canvas((side, side), 2)
        with dry():
            inputs = torch.zeros((1, 4, *canvas.latent), device=META), backbone.level(401)
            inputs = *inputs, backbone.describe(["an image"], canvas)
        for name, work in (("noise", noise), ("guided", guided)):
            flops = FlopMeter()
            with dry(), flops.phase(name):
                work(backbone, *inputs)
            with remembering(parts) as meter, meter.phase(name):
                work(backbone, *inputs)
            found["TFLOP"][name].append((side, flops.flops[name] / 1e12))
            found["GB"][name].append((side, meter.memory[name] / 1e9))
            print(shape, side, name, found["TFLOP"][name][-1][1], found["GB"][name][-1][1], flush=True)
    return found


AMOUNTS = {"steps": (5, 10, 20), "edits made together": (1, 2, 4, 8), "images in a batch": (1, 2, 4, 8)}
"""Numbers of each at which runs are looked at, the others 5 steps, one edit and one image: all begin with one run."""
FREE = Settings(clamp_hole=None)
"""Runs begin at the noisiest level, so that the image does not decide how many steps they take."""


def work_of(name: str, count: int, size: tuple[int, int]) -> list[Request]:
    """Requests of one run of so many of something."""
    steps = count if name == "steps" else 5
    edit = parts(count, size) if name == "edits made together" else edits("move", size)[0]
    settings = replace(FREE, steps=steps)
    seeds = range(count if name == "images in a batch" else 1)
    return [Request(picture(size, seed)[0], edit, "an image", settings=settings) for seed in seeds]


def parts(count: int, size: tuple[int, int]) -> list[Move]:
    """Moves of so many horizontal slices of one object, which cover together what one move of it covers."""
    _, mask = picture(size)
    held = np.flatnonzero(mask.any(1))
    moves = list[Move]()
    for rows in np.array_split(held, count):
        own = np.zeros_like(mask)
        own[rows] = mask[rows]
        moves.append(Move(own, (size[1] / 4, 0.0)))
    return moves


def by_work(editor: Editor, quick: bool, turns: int) -> dict[str, Curve]:
    """Seconds of default edits of the demo model by steps, by edits made together, and of each image of a batch.

    All are made in turn, several times; the fastest of each counts, because other programs only lengthen them.
    """
    every = amounts(quick)
    works = {row: partial(editor.batch, work_of(*row, (128, 128))) for row in every}
    taken = in_turn(works, turns)
    seconds = {row: min(values) for row, values in taken.items()}
    found = joined({(name, n): s / (n if name == "images in a batch" else 1) for (name, n), s in seconds.items()})
    print(json.dumps(found), flush=True)
    return found


def by_amount(shape: str, quick: bool) -> dict[str, Curve]:
    """Peak GB of the same edits with a published shape in half precision, counted of shapes alone."""
    editor = Editor(pipeline(shape, "meta", torch.float16))
    modules, side = networks(cast(Any, editor.backbone).pipe), SHAPES[shape]
    found: dict[tuple[str, int], float] = {}
    for row in amounts(quick):
        with remembering(modules) as meter:
            editor.batch(work_of(*row, (side, side)), clock=meter)
        found[row] = max(meter.memory.values()) / 1e9
        print(shape, *row, found[row], flush=True)
    return joined(found)


def amounts(quick: bool) -> list[tuple[str, int]]:
    """What is run: the first count of all once, because it is one run, then the other counts of each."""
    rest = [(name, count) for name, counts in AMOUNTS.items() for count in (counts[1:2] if quick else counts[1:])]
    return [("steps", AMOUNTS["steps"][0]), *rest]


def joined(found: Mapping[tuple[str, int], float]) -> dict[str, Curve]:
    """Figures of runs as curves, each beginning with the run that they share."""
    result: dict[str, Curve] = {name: [(counts[0], found[amounts(True)[0]])] for name, counts in AMOUNTS.items()}
    for name, count in found:
        if count != AMOUNTS[name][0]:
            result[name].append((count, found[name, count]))
    return result


def plotted(
    pixels: Mapping[str, dict[str, dict[str, Curve]]],
    work: Mapping[str, Curve],
    memory: Mapping[str, Curve],
    where: Path,
) -> None:
    """One picture of all curves."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        rows = 1 + bool(work) + bool(memory)
        chart = Figure(figsize=(11, 2.7 * rows), layout="constrained")
        FigureCanvasAgg(chart)
        axes = chart.subplots(rows, 3).flatten()
        for axis, unit in zip(axes, ("TFLOP", "GB"), strict=False):
            for (shape, curves), colour in zip(pixels.items(), (ACCENT, PLAIN), strict=False):
                for (call, curve), style in zip(curves[unit].items(), ("--", "-"), strict=True):
                    name = f"{shape}, {call}"
                    axis.plot(*zip(*curve, strict=True), style, color=colour, marker="o", markersize=3, label=name)
            axis.legend(frameon=False, fontsize=7.5)
            axis.set_xscale("log", base=2)
            axis.set_yscale("log")
            axis.set_xticks(SIDES, [str(side) for side in SIDES])
            ticks = (0.2, 1, 5, 20, 80) if unit == "TFLOP" else (2, 5, 10, 20)
            axis.set_yticks(ticks, [str(tick) for tick in ticks])
            axis.minorticks_off()
            axis.set_title(f"{unit} of one call, by side in pixels")
        below = [
            *(
                (f"s by {name}{', each' * name.startswith('images')}, demo model", curve)
                for name, curve in work.items()
            ),
            *((f"GB at most by {name}, sd-1.5", curve) for name, curve in memory.items()),
        ]
        for axis, (title, curve) in zip(axes[3:], below, strict=True):
            axis.plot(*zip(*curve, strict=True), "-", color=ACCENT, marker="o", markersize=4)
            axis.set_xticks([x for x, _ in curve])
            axis.set_ylim(0, 1.1 * max(y for _, y in curve))
            axis.set_title(title)
        shares = {
            shape: [(side, 1e6 * t / side**2) for side, t in curves["TFLOP"]["noise"]]
            for shape, curves in pixels.items()
        }
        for (shape, curve), colour in zip(shares.items(), (ACCENT, PLAIN), strict=False):
            axes[2].plot(*zip(*curve, strict=True), "-", color=colour, marker="o", markersize=3, label=shape)
        axes[2].legend(frameon=False, fontsize=7.5)
        axes[2].set_xscale("log", base=2)
        axes[2].set_xticks(SIDES, [str(side) for side in SIDES])
        axes[2].minorticks_off()
        axes[2].set_ylim(0, 1.15 * max(y for curve in shares.values() for _, y in curve))
        axes[2].set_title("MFLOP a pixel of a noise call")
        for axis in axes:
            axis.grid(color="#eceff1", linewidth=0.8)
            axis.tick_params(colors=INK)
        chart.savefig(where, dpi=90, metadata={"Software": None})


def main() -> None:
    """Counts, measures, writes and plots."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, default=Path("scaling.png"))
    parser.add_argument("--json", type=Path, help="figures; read where they are there already")
    parser.add_argument("--calls", action="store_true", help="single calls by pixels alone")
    parser.add_argument("--quick", action="store_true", help="two points of each curve")
    parser.add_argument("--turns", type=int, default=3, help="how often seconds are taken; the fastest count")
    given = parser.parse_args()
    found = json.loads(given.json.read_text(encoding="utf-8")) if given.json and given.json.is_file() else {}
    for shape in ("sd-1.5", "sdxl"):
        if shape not in found.setdefault("pixels", {}):
            found["pixels"][shape] = by_pixels(shape, SIDES[:2] if given.quick else SIDES)
            keep(found, given.json)
    if "memory" not in found and not given.calls:
        found["memory"] = by_amount("sd-1.5", given.quick)
        keep(found, given.json)
    if "work" not in found and not given.calls:
        found["work"] = by_work(Editor.from_pretrained(), given.quick, given.turns)
        keep(found, given.json)
    plotted(found["pixels"], found.get("work", {}), found.get("memory", {}), given.out)


def keep(found: dict[str, Any], path: Path | None) -> None:
    """Writes what is there so far."""
    if path is not None:
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
