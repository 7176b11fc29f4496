"""Things side by side in one process, in turn, so that a busy machine is as busy for all of them.

    python benchmarks/beside.py reference [--kinds move drag] [--limit 4]
    python benchmarks/beside.py diffusers [--side 512] [--steps 4] [--turns 3]
    python benchmarks/beside.py variants [--variants bfloat16] [--shape sd-1.5 --side 128 --steps 2] [--turns 3]

`reference`: presets `reference` (the authors' code, number by number) and `default` with the demo model on held-out
scenes: seconds, operations and distance to the truth. `diffusers`: an unguided step of ours beside one of diffusers'
own pipeline, Stable Diffusion 1.5 with random weights. `variants`: edits of the demo model, or of a shape with random
weights, as it is, with weights in channels-last layout, in bfloat16, and with compiled regions.

On the processor seconds are those of the process, which others on the machine lengthen least; on a GPU those of the
clock.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, TypeVar

import numpy as np
import torch

from dragondiffusion import Editor, Request, Savings, Settings
from dragondiffusion.backbones.loading import default_device, load_pipeline
from dragondiffusion.bench.metrics.pictures import psnr
from dragondiffusion.bench.runs.cost import FlopMeter
from dragondiffusion.bench.speed.cases import edits, picture
from dragondiffusion.bench.speed.published import pipeline
from dragondiffusion.bench.tasks import HELD_OUT, TASKS
from dragondiffusion.core.clock import Clock
from dragondiffusion.edits.settings import Geometry
from dragondiffusion.imaging.tensors import from_tensor, to_tensor

Name = TypeVar("Name")


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of some work, and what it gives."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    begin = clock()
    result = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return clock() - begin, result


def in_turn(works: Mapping[Name, Callable[[], Any]], turns: int) -> dict[Name, list[float]]:
    """Seconds of several works, one after the other, so many times, after one turn that does not count."""
    taken: dict[Name, list[float]] = {name: [] for name in works}
    for turn in range(turns + 1):
        for name, work in works.items():
            seconds, _ = spent(work)
            if turn:
                taken[name].append(seconds)
    return taken


def ratios(taken: Mapping[str, list[float]], base: str) -> None:
    """Prints fastest and median seconds, and the median of the ratios turn by turn."""
    for name, values in taken.items():
        ratio = median(a / b for a, b in zip(values, taken[base], strict=True))
        print(f"| {name} | {min(values):.3f} | {median(values):.3f} | {ratio:.2f} |")


def reference(kinds: list[str], limit: int, device: str) -> None:
    """Both presets on the same scenes."""
    editor = Editor.from_pretrained(device=device)
    print("| kind | preset | seconds | GFLOP | PSNR whole, dB | PSNR, region | seconds, ratio | squared error, ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in kinds:
        found: dict[str, list[tuple[float, float, float]]] = {"reference": [], "default": []}
        flops: dict[str, float] = {}
        for number, task in enumerate(TASKS[kind](limit, HELD_OUT, (128, 128))):
            headline = next(iter(task.regions()))
            for preset, rows in found.items():
                geometry = Geometry.REFERENCE if preset == "reference" else Geometry.AFFINE
                settings = Settings.preset(preset)
                request = Request(
                    from_tensor(task.before[None] * 2 - 1, (128, 128)), task.edit(geometry), settings=settings
                )
                if not number:
                    meter = FlopMeter()
                    editor.batch([request], clock=meter)
                    flops[preset] = sum(meter.flops.values()) / 1e9
                seconds, (result,) = spent(lambda request=request: editor.batch([request]))
                image = (to_tensor(np.asarray(result.image), (128, 128))[0] + 1) / 2
                rows.append((seconds, psnr(image, task.truth), psnr(image, task.truth, task.regions()[headline])))
        shown = {name: [sum(column) / len(rows) for column in zip(*rows, strict=True)] for name, rows in found.items()}
        for name, (seconds, whole, hard) in shown.items():
            base = shown["reference"]
            print(
                f"| {kind} | {name} | {seconds:.2f} | {flops[name]:.0f} | {whole:.2f} | {headline} {hard:.2f} | "
                f"{seconds / base[0]:.3f} | {10 ** ((base[1] - whole) / 10):.3f} |",
                flush=True,
            )


@torch.no_grad()
def diffusers(side: int, steps: int, turns: int, device: str) -> None:
    """An unguided step of ours beside one of diffusers' own pipeline, from the same noise under the same text."""
    torch.manual_seed(0)
    pipe = pipeline("sd-1.5", device, torch.float16 if device == "cuda" else torch.float32)
    pipe.set_progress_bar_config(disable=True)
    backbone = Editor(pipe).backbone
    canvas = backbone.canvas((side, side), 2)
    condition, levels = backbone.describe(["an image"], canvas), backbone.levels(steps, canvas)
    noise = torch.randn((1, 4, side // 8, side // 8), generator=torch.Generator().manual_seed(0)).to(device)

    def ours() -> torch.Tensor:
        z = noise
        for i in range(steps):
            made = backbone.predict(z, levels[i], condition)
            z = levels[i + 1].alpha * made.z_0 + levels[i + 1].sigma * made.eps
        return z

    def theirs() -> torch.Tensor:
        text = condition.text.to(pipe.unet.dtype)
        options: dict[str, Any] = {"num_inference_steps": steps, "guidance_scale": 1.0, "output_type": "latent"}
        return pipe(prompt_embeds=text, latents=noise.to(text), height=side, width=side, **options).images

    distance = float((ours() - theirs()).norm() / theirs().norm())
    print(
        f"Stable Diffusion 1.5, {side}x{side}, {steps} steps, {device}; latents differ by {distance:.1e} of their norm"
    )
    print("| | fastest, s | median, s | ratio |\n|---|---|---|---|")
    ratios(in_turn({"diffusers": theirs, "ours": ours}, turns), "diffusers")


VARIANTS: Mapping[str, tuple[Savings, torch.dtype]] = {
    "plain": (Savings(), torch.float32),
    "channels-last": (Savings(channels_last=True), torch.float32),
    "bfloat16": (Savings(), torch.bfloat16),
    "compiled": (Savings(compiled=True), torch.float32),
}
"""Ways to run the demo model, the first of which others are compared with."""


def variants(names: list[str], turns: int, device: str, shape: str, side: int, steps: int) -> None:
    """Moves by the demo model, or by a published shape with random weights, as it is and otherwise."""
    size = (side, side)
    first, second = edits("move", size)
    pixels, _ = picture(size)
    # Random weights make steps of noise, so the published shape makes all of few; the demo model makes a default edit.
    settings = None if shape == "demo" else Settings(steps=steps, clamp_hole=None)
    made: dict[str, tuple[Editor, Any]] = {}
    for name in dict.fromkeys(("plain", *names)):
        savings, dtype = VARIANTS[name]
        torch.manual_seed(0)
        if shape == "demo":
            pipe = load_pipeline(None, device, dtype, savings)
        else:
            pipe = savings.apply(pipeline(shape, device, dtype), device)
        editor = Editor(pipe, savings)
        request = Request(pixels, first, "an image", settings=settings)
        warm, (result,) = spent(lambda editor=editor, request=request: editor.batch([request]))
        made[name] = editor, result
        base = made["plain"][1].latents
        change = float((result.latents - base).norm() / base.norm())
        print(f"{name}: first edit {warm:.2f} s, differs by {change:.1e}", flush=True)
    print("| first edit | fastest, s | median, s | ratio |\n|---|---|---|---|")
    works = {name: lambda e=editor: e.batch([request]) for name, (editor, _) in made.items()}
    ratios(in_turn(works, turns), "plain")
    editor, result = made["plain"]
    clock = Clock()
    again = Request(result.reference, second, "an image", settings=settings)
    seconds, _ = spent(lambda: editor.batch([again], clock=clock))
    print(f"second edit, plain: {seconds:.2f} s")


def main() -> None:
    """Reads what is asked for and prints it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("reference", "diffusers", "variants"))
    parser.add_argument("--kinds", nargs="+", default=["move", "drag"], choices=list(TASKS))
    parser.add_argument("--limit", type=int, default=4)
    parser.add_argument("--shape", default="demo", help="of variants: demo, or a published shape with random weights")
    parser.add_argument("--side", type=int, help="pixels; without it 128 for the demo model, 512 otherwise")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=VARIANTS)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--device", default=default_device())
    given = parser.parse_args()
    given.side = given.side or (128 if given.what == "variants" and given.shape == "demo" else 512)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {given.device}")
    if given.what == "reference":
        reference(given.kinds, given.limit, given.device)
    elif given.what == "diffusers":
        diffusers(given.side, given.steps, given.turns, given.device)
    else:
        variants(given.variants, given.turns, given.device, given.shape, given.side, given.steps)


if __name__ == "__main__":
    main()
