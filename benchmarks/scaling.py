"""How time and memory grow: with pixels, steps, edits made together and images in a batch; plots beside the figures.

    python benchmarks/scaling.py [-o docs/images/scaling.png] [--json scaling.json] [--quick]

Pixels: operations and peak memory of a noise call and of a guided step of Stable Diffusion 1.5 and XL in half
precision, counted of shapes alone, from 256 to 2048 pixels a side. The rest is measured with the demo model where it
runs: seconds of the process on a processor, of the clock on a GPU. Jobs and workers are `benchmarks/batch.py`'s.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from beside import spent
from torch import Tensor

from dragondiffusion import Editor, Request, Settings
from dragondiffusion.backbones.base import Backbone, Condition
from dragondiffusion.bench.report.plots import ACCENT, INK, PLAIN, STYLE
from dragondiffusion.bench.runs.cost import FlopMeter
from dragondiffusion.bench.speed.cases import edits, picture
from dragondiffusion.bench.speed.dry import META, dry, remembering
from dragondiffusion.bench.speed.published import pipeline
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


def by_work(editor: Editor, quick: bool) -> dict[str, Curve]:
    """Seconds of default edits of the demo model by steps, by edits made together, and of each edit of a batch."""
    size, plain = (128, 128), Settings(clamp_hole=None)
    move, (pixels, mask) = edits("move", size)[0], picture(size)
    editor.batch([Request(pixels, move, settings=replace(plain, steps=2))])

    def seconds(*requests: Request) -> float:
        return min(spent(lambda: editor.batch(list(requests)))[0] for _ in range(1 if quick else 2))

    def one(seed: int = 0, steps: int = 5, edit: Any = move) -> Request:
        return Request(picture(size, seed)[0], edit, settings=replace(plain, steps=steps))

    def parts(count: int) -> list[Move]:
        rows = [slice(round(k * size[0] / count), round((k + 1) * size[0] / count)) for k in range(count)]
        cut = []
        for some in rows:
            own = mask.copy()
            own[:] = False
            own[some] = mask[some]
            cut.append(Move(own, (size[1] / 4, 0.0)))
        return [part for part in cut if part.mask.any()]

    counts = (1, 2) if quick else (1, 2, 4, 8)
    found = {
        "steps": [(n, seconds(one(steps=n))) for n in ((2, 4) if quick else (5, 10, 20, 40))],
        "edits made together": [(n, seconds(one(edit=parts(n)))) for n in counts[:3]],
        "images in a batch, each": [(n, seconds(*(one(seed) for seed in range(n))) / n) for n in counts],
    }
    print(json.dumps(found), flush=True)
    return found


def plotted(pixels: Mapping[str, dict[str, dict[str, Curve]]], work: Mapping[str, Curve], where: Path) -> None:
    """One picture of all curves."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        chart = Figure(figsize=(11, 5.6), layout="constrained")
        FigureCanvasAgg(chart)
        axes = chart.subplots(2, 3).flatten()
        for axis, unit in zip(axes, ("TFLOP", "GB"), strict=False):
            for (shape, curves), colour in zip(pixels.items(), (ACCENT, PLAIN), strict=False):
                for (call, curve), style in zip(curves[unit].items(), ("--", "-"), strict=True):
                    axis.plot(*zip(*curve, strict=True), style, color=colour, marker="o", markersize=3)
                    axis.annotate(
                        f"{shape}, {call}", curve[-1], (-4, 4), textcoords="offset points", ha="right", fontsize=7.5
                    )
            axis.set_xscale("log", base=2)
            axis.set_yscale("log")
            axis.set_xticks(SIDES, [str(side) for side in SIDES])
            axis.minorticks_off()
            axis.set_title(f"{unit} of one call, by side in pixels")
        for axis, (name, curve) in zip(axes[3:], work.items(), strict=True):
            axis.plot(*zip(*curve, strict=True), "-", color=ACCENT, marker="o", markersize=4)
            axis.set_xticks([x for x, _ in curve])
            axis.set_ylim(0, None)
            axis.set_title(f"seconds by {name}")
        shares = {
            shape: [(side, 1e6 * t / side**2) for side, t in curves["TFLOP"]["noise"]]
            for shape, curves in pixels.items()
        }
        for (shape, curve), colour in zip(shares.items(), (ACCENT, PLAIN), strict=False):
            axes[2].plot(*zip(*curve, strict=True), "-", color=colour, marker="o", markersize=3)
            axes[2].annotate(shape, curve[-1], (-4, 4), textcoords="offset points", ha="right", fontsize=7.5)
        axes[2].set_xscale("log", base=2)
        axes[2].set_xticks(SIDES, [str(side) for side in SIDES])
        axes[2].minorticks_off()
        axes[2].set_ylim(0, None)
        axes[2].set_title("MFLOP a pixel of a noise call")
        for axis in axes:
            axis.grid(color="#eceff1", linewidth=0.8)
            axis.tick_params(colors=INK)
        chart.savefig(where, dpi=110, metadata={"Software": None})


def main() -> None:
    """Counts, measures, writes and plots."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, default=Path("scaling.png"))
    parser.add_argument("--json", type=Path, help="figures; read where they are there already")
    parser.add_argument("--quick", action="store_true", help="two points of each curve")
    given = parser.parse_args()
    found = json.loads(given.json.read_text(encoding="utf-8")) if given.json and given.json.is_file() else {}
    for shape in ("sd-1.5", "sdxl"):
        if shape not in found.setdefault("pixels", {}):
            found["pixels"][shape] = by_pixels(shape, SIDES[:2] if given.quick else SIDES)
            keep(found, given.json)
    if "work" not in found:
        found["work"] = by_work(Editor.from_pretrained(), given.quick)
        keep(found, given.json)
    plotted(found["pixels"], found["work"], given.out)


def keep(found: dict[str, Any], path: Path | None) -> None:
    """Writes what is there so far."""
    if path is not None:
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
