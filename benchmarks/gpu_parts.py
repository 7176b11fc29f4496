"""The parts of `benchmarks/gpu.py`: each measures one thing and hands on every row as soon as it has it."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpu_calls import calls
from gpu_place import Place, Row, peak, seconds

from dragondiffusion import Editor, Offload, Request, Savings, Settings, Window
from dragondiffusion.backbones.loading import load_pipeline
from dragondiffusion.bench.kinds import KINDS
from dragondiffusion.bench.runs.cost import Meter
from dragondiffusion.bench.speed.cases import edits, picture
from dragondiffusion.bench.speed.costs import cost
from dragondiffusion.bench.speed.crossings import waiting
from dragondiffusion.bench.speed.published import networks
from dragondiffusion.bench.speed.tables import fraction
from dragondiffusion.edits.settings import Geometry
from dragondiffusion.pipeline.preview import preview

TINY = Path(__file__).parents[1] / "tests" / "data" / "tiny-sd"
ALIKE = 33.0
"""PSNR between images in half and in single precision, dB. Source: tests/method/test_precision.py."""


def rates(place: Place) -> Iterator[Row]:
    """What the device can do at most: products of large matrices, and copies on itself."""
    device = torch.device(place.device)
    for dtype in (torch.float32, torch.bfloat16, *((torch.float16,) if place.device == "cuda" else ())):
        yield {
            "what": str(dtype).removeprefix("torch."),
            "flops": place.rate(dtype),
        }
    x = torch.randn((1 if place.toy else 256) * 2**20, device=device)
    y = torch.empty_like(x)
    yield {"what": "copy", "bytes": 2 * x.nbytes / seconds(lambda: y.copy_(x), place, 10)}


def exact(place: Place) -> Iterator[Row]:
    """Half precision against single on the device, and single against the processor, for every kind of edit."""
    raw = {"guidance": (Window(0.0, 0.5),), "composite": False, "restore_detail": False, "clamp_hole": None}
    cases = [("single", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)]
    for model, source in (("demo", None), ("tiny", TINY)):
        if source is not None and not source.is_dir():
            yield {"model": model, "kind": "all", "precision": "all", "skipped": f"no {source}"}
            continue
        editors = {name: Editor(load_pipeline(source, place.device, dtype)) for name, dtype in cases}
        editors["processor"] = Editor(load_pipeline(source, "cpu", torch.float32))
        for kind in ("move", "drag") if place.toy else KINDS:
            if place.late():
                return
            turned = {"geometry": Geometry.AFFINE} if KINDS[kind].turns else {}
            settings = place.settings("default", **raw, **turned, **({} if place.toy else {"steps": 6}))
            size = (64, 64) if place.toy else (128, 128)
            request = Request(picture(size)[0], edits(kind, size)[0], "a cup", settings=settings)
            found: dict[str, Any] = {}
            for name, editor in editors.items():
                peak()
                found[name] = (*editor.batch([request]), peak())
            for name, base in (("single", "processor"), ("bfloat16", "single"), ("float16", "single")):
                (one, memory), (other, _) = found[name], found[base]
                a, b = one.latents.float().cpu(), other.latents.float().cpu()
                distance, alike = float((a - b).norm() / b.norm()), psnr(one.image, other.image)
                row = {"model": model, "kind": kind, "precision": name, "against": base, "distance": distance}
                yield {**row, "psnr": alike, "memory": memory, "right": bool(a.isfinite().all()) and alike >= ALIKE}


def psnr(a: Any, b: Any) -> float:
    """Ratio of peak to difference of two images, dB; 99 for equal ones."""
    error = float(np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64)).mean())
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def waits(place: Place) -> Iterator[Row]:
    """How often a step waits for the device, for every kind of edit: by CUDA's own debug mode, or counted dry."""
    if not TINY.is_dir():
        yield {"kind": "all", "skipped": f"no {TINY}"}
        return
    editor = Editor(load_pipeline(TINY, place.device, place.half))
    if place.device == "cpu":
        for part in networks(editor.backbone.pipe).values():
            part.to("meta")
    few = 1 if place.toy else 6
    for kind in ("move",) if place.toy else KINDS:
        if place.late():
            return
        if place.device == "cuda":  # numbers that are brought once for all edits
            waits_of(editor, kind, few, place)
        counts, where = zip(*(waits_of(editor, kind, steps, place) for steps in (few, 2 * few)), strict=True)
        row = {"kind": kind, "steps": [few, 2 * few], "waits": counts, "per_step": (counts[1] - counts[0]) / few}
        yield {**row, "right": counts[0] == counts[1], "where": where[1]}


def waits_of(editor: Editor, kind: str, steps: int, place: Place) -> tuple[int, list[str]]:
    """Waits while an edit is sampled, and the lines that wait."""
    every = Window(0.0, 1.0)
    settings = Settings(steps=steps, clamp_hole=None, guidance=(every,), guidance_scale=3.0, geometry=Geometry.AFFINE)
    request = Request(picture((64, 64))[0], edits(kind, (64, 64))[0], "a cup", settings=settings)
    if place.device == "cpu":
        with waiting() as meter:
            editor.batch([request], clock=meter)
        found = meter.waits["sample"]
        return sum(found.values()), [f"{line} ({what}) {count}" for (what, line), count in found.items()]
    mode = torch.cuda.set_sync_debug_mode

    def progress(phase: str, done: int, total: int) -> None:
        mode(0 if phase == "sample" and done == total else "warn")

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            editor.batch([request], progress)
        finally:
            mode(0)
    lines = [f"{Path(w.filename).name}:{w.lineno}" for w in seen if "synchroniz" in str(w.message)]
    return len(lines), sorted(set(lines))


def speed(place: Place, shape: str, presets: tuple[str, ...]) -> Iterator[Row]:
    """First and second edits of a model by preset and phase, generation of as many steps beside them, and previews."""
    editor, size = place.editor(shape), place.size(shape)
    rate = place.rate()
    first, second = edits("move", size)
    pixels, _ = picture(size)
    yield {"what": "preview", "seconds": seconds(lambda: preview(pixels, first), place)}
    x = torch.randn(1, 4, size[0] // 8, size[1] // 8, device=place.device)
    yield {"what": "decode", "seconds": seconds(lambda: editor.backbone.decode(x), place)}
    for preset in presets:
        settings, before = place.settings(preset), None
        for name, source, edit in (("first", pixels, first), ("second", None, second)):
            if place.late():
                return
            source, prompt = (pixels, "an image") if source is not None else (before, "")
            request = Request(source, edit, prompt, settings=settings)
            found, result = cost(editor, request, (preset, name), min(place.repeat, 2 if preset == "reference" else 5))
            before = result.reference
            row = {"what": "edit", "preset": preset, "edit": name, "steps": settings.steps, "start": found.start}
            yield {**row, "share": fraction(found, rate), **dataclasses.asdict(found)}
        if not place.late():
            yield {"what": "generate", "preset": preset, **generated(editor, settings.steps, size, place)}


def generated(editor: Editor, steps: int, size: tuple[int, int], place: Place) -> Row:
    """Seconds of diffusers' own pipeline, without and with classifier-free guidance, decoded."""
    pipe: Any = editor.backbone.pipe

    def made(scale: float) -> Callable[[], Any]:
        options = {"num_inference_steps": steps, "guidance_scale": scale, "height": size[0], "width": size[1]}
        return lambda: pipe("an image", **options, output_type="pt")

    repeat = 1 if place.toy else 2
    return {"steps": steps, "plain": seconds(made(1.0), place, repeat), "guided": seconds(made(5.0), place, repeat)}


def batches(place: Place, count: int = 8) -> Iterator[Row]:
    """Edits of different images made at once, against one at a time."""
    editor, size = place.editor("sd-1.5"), place.size("sd-1.5")
    count = 2 if place.toy else count
    for preset in ("default", "fast"):
        settings = place.settings(preset)
        requests = [
            Request(picture(size, seed)[0], edits("move", size)[0], "", settings=settings) for seed in range(count)
        ]
        for n in (1, count):
            if place.late():
                return
            peak()
            taken = seconds(partial(editor.batch, requests[:n]), place, 1 if place.toy else 2)
            yield {"preset": preset, "batch": n, "seconds": taken, "each": taken / n, "memory": peak()}


def memory(place: Place) -> Iterator[Row]:
    """Where the bank waits, and models that are offloaded: seconds and peaks."""
    cases = [("sd-1.5", "reference", Savings(bank_on_host=on_host)) for on_host in (False, True)]
    if place.device == "cuda":
        cases += [("sdxl", "default", Savings(offload=offload)) for offload in (Offload.NONE, Offload.MODEL)]
    for shape, preset, savings in cases:
        if place.late():
            return
        editor, size, meter = place.editor(shape, savings), place.size(shape), Meter()
        request = Request(picture(size)[0], edits("move", size)[0], "", settings=place.settings(preset))
        editor.batch([request])
        editor.batch([request], clock=meter)
        row = {"shape": shape, "preset": preset, "bank_on_host": savings.bank_on_host}
        yield {**row, "offload": savings.offload.value, "seconds": meter.seconds, "memory": meter.memory}


PARTS: dict[str, tuple[float, Callable[[Place], Iterator[Row]]]] = {
    "rates": (20, rates),
    "exact": (75, exact),
    "waits": (25, waits),
    "sd-1.5": (90, lambda place: speed(place, "sd-1.5", ("default", "fast", "reference"))),
    "calls": (90, calls),
    "batches": (40, batches),
    "sdxl": (90, lambda place: speed(place, "sdxl", ("default", "fast", "reference"))),
    "memory": (50, memory),
}
"""Every part with the seconds that it may take; they are begun in this order."""
