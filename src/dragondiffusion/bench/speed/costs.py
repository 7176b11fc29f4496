"""The cost of one edit: measured where a model runs, or counted in a dry run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from statistics import median
from typing import Any, cast

import torch

from ...backbones.savings import Offload
from ...core.types import Size
from ...edits.settings import Settings
from ...pipeline.editor import Editor
from ...pipeline.request import Request
from ...pipeline.result import EditResult
from ..runs.cost import FlopMeter, Meter
from .dry import META, dry, remembering
from .published import networks

ByPhase = dict[str, float]

GUIDED = 4.0
"""Guidance scale of a plain generation where settings leave it to the edit; any but 1 makes two calls. Source: authors'
demo."""


@dataclass(frozen=True)
class Cost:
    """The cost of one edit.

    Args:
        setting: name of its settings.
        edit: `first` for a picture that has to be inverted, `second` for another edit of the inverted picture.
        flops: operations by phase.
        memory: peak bytes by phase; empty where nobody can tell.
        offloaded: the same if only the network that runs were on the device; counted in dry runs only.
        grouped: the same if only the layer that works were, and what a backward pass keeps; counted in dry runs only.
        seconds: by phase, the median of all repetitions; empty for dry runs.
        start: noise level at which the run began; 0 is the noisiest.
        bank: bytes of the memory bank of the edited picture.
    """

    setting: str
    edit: str
    flops: ByPhase
    memory: ByPhase
    offloaded: ByPhase = field(default_factory=dict[str, float])
    grouped: ByPhase = field(default_factory=dict[str, float])
    seconds: ByPhase = field(default_factory=dict[str, float])
    start: int = 0
    bank: int = 0


def cost(editor: Editor, request: Request, names: tuple[str, str], repeat: int) -> tuple[Cost, EditResult]:
    """The cost of an edit, and its result.

    Operations are counted in a run of their own, which also warms up what is measured afterwards. A model on the meta
    device is counted without computing.

    Args:
        editor: model.
        request: the edit.
        names: of setting and edit.
        repeat: how often seconds are taken.
    """
    hollow = editor.backbone.device == META
    counter = FlopMeter()
    around: AbstractContextManager[None] = dry() if hollow else nullcontext()
    with around:
        (result,) = editor.batch([request], clock=counter)
    reference = result.reference
    about: dict[str, Any] = {"start": reference.start, "bank": reference.bank.nbytes}
    flops = {name: float(count) for name, count in counter.flops.items()}
    if hollow:
        memory, offloaded, grouped = (_counted(editor, request, offload) for offload in Offload)
        found = Cost(*names, flops, memory, offloaded, grouped, **about)
    else:
        meters = [_measured(editor, request) for _ in range(repeat)]
        seconds = {name: median(meter.seconds[name] for meter in meters) for name in meters[0].seconds}
        memory = {name: float(max(meter.memory[name] for meter in meters)) for name in meters[0].memory}
        found = Cost(*names, flops, memory, seconds=seconds, **about)
    return found, result


def _measured(editor: Editor, request: Request) -> Meter:
    meter = Meter()
    editor.batch([request], clock=meter)
    return meter


@torch.no_grad()
def plain(editor: Editor, size: Size, settings: Settings) -> float:
    """Operations of a plain generation of as many steps and the same guidance scale: text, calls, decoding.

    Args:
        editor: model.
        size: (height, width) in pixels.
        settings: number of steps, and the guidance scale.
    """
    backbone, canvas, counter = editor.backbone, editor.canvas(size, settings), FlopMeter()
    scale = GUIDED if settings.guidance_scale is None else settings.guidance_scale
    level = backbone.levels(settings.steps, canvas)[0]
    z = torch.zeros((1, backbone.latent_channels, *canvas.latent), device=backbone.device)
    with dry() if backbone.device == META else nullcontext():
        with counter.phase("text"):
            text = backbone.describe(["an image"], canvas)
        with counter.phase("call"):
            backbone.predict(z, level, text, negative=text, guidance_scale=scale)
        with counter.phase("decode"):
            backbone.decode(z)
    return float(counter.flops["text"] + settings.steps * counter.flops["call"] + counter.flops["decode"])


def _counted(editor: Editor, request: Request, offload: Offload) -> ByPhase:
    """Peak bytes by phase of a dry run."""
    with remembering(networks(cast(Any, editor.backbone).pipe), offload) as meter:
        editor.batch([request], clock=meter)
    return {name: float(peak) for name, peak in meter.memory.items()}


def matrix_rate(device: torch.device, dtype: torch.dtype, seconds: float = 1.0) -> float:
    """Operations a second that a device reaches in products of large matrices.

    Args:
        device: where.
        dtype: precision.
        seconds: how long is looked at most, beyond the first products.
    """
    n = 8192 if device.type == "cuda" else 1024
    # Random numbers: products of ones or zeros take less power, and a GPU makes more of them a second.
    a = torch.randn(n, n, device=device, dtype=dtype)
    spent = [_seconds(device, lambda: a @ a)]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        spent.append(_seconds(device, lambda: a @ a))
    return 2 * n**3 / min(spent)


def _seconds(device: torch.device, work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    if device.type in ("cuda", "mps"):
        getattr(torch, device.type).synchronize()
    return time.perf_counter() - begin
