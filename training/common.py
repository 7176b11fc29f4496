"""What both training scripts share: pictures drawn on the fly, an average of the weights, checkpoints, a log."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT


def pictures(
    first_seed: int, batch: int, size: tuple[int, int], device: str, alone: float = 0.0
) -> tuple[Tensor, list[str]]:
    """A batch of scenes in [-1, 1] and their captions; a share `alone` of them has one object only."""
    if first_seed + batch > HELD_OUT:
        raise ValueError(f"seed {first_seed} + {batch} reaches into the held-out seeds (from {HELD_OUT})")
    between, last = first_seed + round(alone * batch), first_seed + batch
    parts = [
        S.sample(seeds, objects).to(device)
        for seeds, objects in ((range(first_seed, between), 1), (range(between, last), None))
        if seeds
    ]
    images = torch.cat([S.render(scenes, size).image for scenes in parts])
    return images * 2 - 1, [caption for scenes in parts for caption in S.captions(scenes)]


def learning_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up, then half a cosine down to 1 % of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup)))))


@torch.no_grad()
def start_from(model: nn.Module, state: dict[str, Tensor], zero: bool = False) -> None:
    """Load weights of a narrower model: what they lack stays fresh, or is zero where `zero` asks for it."""
    for name, own in model.state_dict().items():
        start = state[name]
        if zero:
            own.zero_()
        own[tuple(slice(0, n) for n in start.shape)] = start.to(own.dtype)


class Average:
    """Exponential moving average of a model's parameters, with the usual warm-up of the decay."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.values = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for k, v in model.state_dict().items():
            if v.is_floating_point():
                self.values[k].lerp_(v, 1 - decay)
            else:
                self.values[k].copy_(v)


class Stateful(Protocol):
    """An optimizer, as far as checkpoints are concerned."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Go back to what a checkpoint kept."""
        ...


def save(path: Path, model: nn.Module, optimizer: Stateful, average: Average, step: int) -> None:
    """Write a checkpoint so that a half-written one never takes the place of a whole one."""
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average.values,
        "updates": average.updates,
        "step": step,
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def restore(path: Path, model: nn.Module, optimizer: Stateful, average: Average, device: str) -> int:
    """Go back to a checkpoint, where there is one; the step to go on from."""
    if not path.exists():
        return 0
    state = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    average.values, average.updates = state["average"], state["updates"]
    return int(state["step"])


def save_sheet(images: Tensor, path: Path, columns: int = 8) -> None:
    """Write pictures (n, 3, h, w) in [-1, 1] as one sheet."""
    n, _, h, w = images.shape
    rows = -(-n // columns)
    sheet = np.zeros((rows * h, columns * w, 3), np.uint8)
    for k, image in enumerate(images):
        r, c = divmod(k, columns)
        pixels = ((image.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
        sheet[r * h : (r + 1) * h, c * w : (c + 1) * w] = pixels
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path)


class Log:
    """One JSON line per report in `log.jsonl`, and the same on the screen."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.start = folder / "log.jsonl", time.monotonic()

    def write(self, **values: float) -> None:
        """Report values."""
        record = {"seconds": round(time.monotonic() - self.start, 1)} | {k: round(v, 6) for k, v in values.items()}
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(record, flush=True)


def psnr(a: Tensor, b: Tensor, span: float = 2.0) -> float:
    """Mean over pictures of the peak signal-to-noise ratio in dB, for values that span `span`."""
    mse = (a.float() - b.float()).square().flatten(1).mean(dim=1).clamp_min(1e-10)
    return float((10 * torch.log10(span**2 / mse)).mean())
