"""A small network, trained on scenes, that reads a picture of one object: its kind, its colour, the background."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT

HEADS = (len(S.KINDS), len(S.COLOURS), len(S.BACKGROUNDS))


class Probe(nn.Module):
    """Strided convolutions, pooled; one linear head each for kind, colour and background."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 48, 96, 160)
        self.body = nn.Sequential(
            *(
                layer
                for a, b in zip(widths, widths[1:], strict=False)
                for layer in (nn.Conv2d(a, b, 3, 2, 1), nn.BatchNorm2d(b), nn.ReLU())
            )
        )
        self.heads = nn.ModuleList(nn.Linear(2 * widths[-1], n) for n in HEADS)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Logits for pictures (n, 3, 128, 128) in [0, 1]."""
        f = self.body(images - 0.5)
        f = torch.cat([f.mean(dim=(2, 3)), f.amax(dim=(2, 3))], dim=1)
        return [head(f) for head in self.heads]


def labels(scenes: S.Scenes) -> list[Tensor]:
    """Kind, colour and background of the front object of each scene."""
    return [scenes.kind[:, -1], scenes.colour[:, -1], scenes.ground]


def train(steps: int = 500, batch: int = 64) -> Probe:
    """A probe trained on pictures of one object, some softened and made noisy as a model's samples are."""
    torch.manual_seed(0)
    probe = Probe()
    optimizer = torch.optim.AdamW(probe.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for step in range(steps):
        first = 500_000_000 + step * batch
        scenes = S.sample(range(first, first + batch), objects=1)
        images = soften(S.render(scenes).image)
        loss = torch.stack([F.cross_entropy(a, b) for a, b in zip(probe(images), labels(scenes), strict=True)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return probe.eval()


def soften(images: Tensor) -> Tensor:
    """Half of the pictures blurred by two pixels, all with a little noise."""
    blurred = F.interpolate(F.avg_pool2d(images, 2), scale_factor=2, mode="bilinear", align_corners=False)
    images = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, blurred, images)
    return images + 0.02 * torch.randn_like(images)


@torch.no_grad()
def accuracy(probe: Probe, images: Tensor, scenes: S.Scenes) -> dict[str, float]:
    """Shares of pictures whose kind, colour, both, and background the probe finds as the scenes say."""
    logits = [torch.cat(parts) for parts in zip(*(probe(part) for part in images.split(64)), strict=True)]
    right = [a.argmax(dim=1) == b for a, b in zip(logits, labels(scenes), strict=True)]
    shares = {"kind": right[0], "colour": right[1], "kind and colour": right[0] & right[1], "background": right[2]}
    return {name: float(value.float().mean()) for name, value in shares.items()}


def held_out_accuracy(probe: Probe, count: int = 512) -> dict[str, float]:
    """The probe's own accuracy, on scenes neither it nor the model was trained on."""
    scenes = S.sample(range(HELD_OUT, HELD_OUT + count), objects=1)
    return accuracy(probe, S.render(scenes).image, scenes)
