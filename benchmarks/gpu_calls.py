"""Single calls of the network for `benchmarks/gpu.py`: how fast they are, and what each optimisation gains."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from gpu_place import Place, Row, seconds, synchronise

from dragondiffusion import Editor
from dragondiffusion.backbones.compiled import compiled
from dragondiffusion.bench.runs.cost import FlopMeter
from dragondiffusion.method.bank import GridMemory

PULL = 2.0**-8
"""Gradient at the features; in half precision neither it nor what becomes of it vanishes."""


def calls(place: Place) -> Iterator[Row]:
    """Single calls of the network, as they are and with each optimisation: its gain, what it changes, its warm-up."""
    editor, size = place.editor("sd-1.5"), place.size("sd-1.5")
    unet = editor.backbone.pipe.unet
    rows = call_rows(editor, size, place)
    base: dict[str, torch.Tensor] = {}
    meter, rate = FlopMeter(), place.rate()
    for name, work in rows.items():
        with meter.phase(name):
            work()
    flops = meter.flops

    def measured(variant: str) -> Iterator[Row]:
        for name, work in rows.items():
            if place.toy and variant != "as it is" and name != "guided step":
                continue
            begin = time.perf_counter()
            result = work()
            synchronise()
            warm = time.perf_counter() - begin
            base.setdefault(name, result)
            change = float((result - base[name]).norm() / base[name].norm())
            taken = seconds(work, place, 2 if place.toy else 20)
            share = flops[name] / taken / rate
            row = {"variant": variant, "call": name, "seconds": taken, "flops": flops[name], "share": share}
            yield {**row, "warm_up": warm, "change": change}

    yield from measured("as it is")
    backend = {"backend": "eager"} if place.toy else {}
    for variant, around in (
        ("channels last", lambda: in_layout(unet, torch.channels_last)),
        ("compiled regions", lambda: compiled(unet, **backend)),
    ):
        if place.late():
            return
        with around():
            yield from measured(variant)


@contextmanager
def in_layout(net: torch.nn.Module, layout: torch.memory_format) -> Iterator[None]:
    """Context manager: a network's weights in another layout."""
    net.to(memory_format=layout)
    try:
        yield
    finally:
        net.to(memory_format=torch.contiguous_format)


def call_rows(editor: Editor, size: tuple[int, int], place: Place) -> dict[str, Callable[[], torch.Tensor]]:
    """The calls that runs are made of, by name."""
    backbone = editor.backbone
    canvas = backbone.canvas(size, 2)
    z = torch.randn((1, 4, *canvas.latent), generator=torch.Generator().manual_seed(0)).to(place.device)
    condition, negative = (backbone.describe([text], canvas) for text in ("an image", ""))
    t = backbone.level(401)
    with torch.no_grad():
        (memory,) = backbone.predict(z, t, condition, record=True).memory

    def bank(layer: str, _own: Any) -> list[GridMemory]:
        return [memory[layer]]

    @torch.no_grad()
    def noise(**options: Any) -> torch.Tensor:
        return backbone.predict(z, t, condition, **options).eps

    def pulled() -> torch.Tensor:
        with torch.enable_grad():
            at = z.clone().requires_grad_()
            features = backbone.partial_forward(at, t, condition).features
            pulls = [torch.full_like(f, PULL) for f in features]
            return torch.autograd.grad(features, at, pulls)[0]

    def guided() -> torch.Tensor:
        with torch.enable_grad():
            at = z.clone().requires_grad_()
            begun = backbone.partial_forward(at, t, condition)
            torch.autograd.grad(begun.features, at, [torch.full_like(f, PULL) for f in begun.features])
        return noise(attention=bank, resume=begun)

    return {
        "noise": noise,
        "noise, conditional and unconditional": lambda: noise(negative=negative, guidance_scale=5.0),
        "noise with the bank": lambda: noise(attention=bank),
        "features and their gradient": pulled,
        "guided step": guided,
    }
