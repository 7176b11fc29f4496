"""What the seconds of an edit are spent on, by phase and by kind of operator.

    python benchmarks/operators.py [--shape demo] [--side 128] [--steps 20] [--free] [--dtype float32]

Operators are those of torch's profiler, each without what it calls, forward and backward together. What is left are
Python, numpy and the painting of the proxy. The second of two edits is looked at, with its own inversion.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

import torch
from torch.profiler import ProfilerActivity, profile

from dragondiffusion import Editor, Request, Settings
from dragondiffusion.backbones.loading import default_device
from dragondiffusion.bench.speed.cases import edits, picture
from dragondiffusion.bench.speed.published import pipeline
from dragondiffusion.core.clock import Clock

KINDS: Mapping[str, tuple[str, ...]] = {
    "convolutions": ("conv",),
    "attention": ("scaled_dot_product", "flash_attention", "softmax"),
    "matrix products": ("mm", "linear", "matmul"),
    "normalisation": ("norm",),
    "activations": ("silu", "gelu", "sigmoid"),
    "interpolation and sampling": ("upsample", "interpolate", "grid_sampl"),
    "copies": ("copy", "cat", "clone", "contiguous", "_to_copy", "index", "empty", "fill", "zero", "reorder"),
}
"""Kinds of operators by parts of their names, the first that fits."""


TOP = 10
"""Operators that are named at the end."""


def kind_of(name: str) -> str:
    """The kind of an operator."""
    return next((kind for kind, parts in KINDS.items() if any(part in name for part in parts)), "other operators")


def main() -> None:
    """Profiles one edit and prints shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shape", default="demo", help="demo, or a published shape with random weights")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--free", action="store_true", help="all steps are made: clamp_hole=None")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "float16"))
    given = parser.parse_args()
    size, dtype, device = (given.side, given.side), getattr(torch, given.dtype), default_device()
    if given.shape == "demo":
        editor = Editor.from_pretrained(device=device, dtype=dtype)
    else:
        editor = Editor(pipeline(given.shape, device, dtype))
    settings = Settings(steps=given.steps, clamp_hole=None) if given.free else Settings(steps=given.steps)
    request = Request(picture(size)[0], edits("move", size)[0], "an image", settings=settings)
    editor.batch([request])
    clock = Clock()
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
    begin, busy = time.perf_counter(), time.process_time()
    with profile(activities=activities) as found:
        editor.batch([request], clock=clock)
        passed, own = time.perf_counter() - begin, time.process_time() - busy
    print(f"{given.shape}, {given.side}x{given.side}, {given.steps} steps, {given.dtype}, {device}: ", end="")
    print(f"{passed:.2f} s, {own:.2f} s of the process, with the profiler")
    print("| phase | share |\n|---|---|")
    for name, seconds in clock.seconds.items():
        print(f"| {name} | {seconds / passed:.0%} |")
    kinds: dict[str, float] = {}
    events = found.key_averages()
    for event in events:
        spent = event.self_device_time_total if device == "cuda" else event.self_cpu_time_total
        kinds[kind_of(event.key)] = kinds.get(kind_of(event.key), 0.0) + spent / 1e6
    kinds["outside operators"] = max(0.0, passed - sum(kinds.values()))
    print("| operators | share |\n|---|---|")
    for name, seconds in sorted(kinds.items(), key=lambda pair: -pair[1]):
        print(f"| {name} | {seconds / passed:.1%} |")
    print(f"\nThe {TOP} that take longest:")
    longest = sorted(events, key=lambda event: -event.self_cpu_time_total)[:TOP]
    print(", ".join(f"{e.key} {e.self_cpu_time_total / 1e6 / passed:.1%} ({e.count} times)" for e in longest))


if __name__ == "__main__":
    main()
