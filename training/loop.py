"""What the trainings of the UNet and of the flow transformer share: batches, held-out losses, the loop, its options."""

from __future__ import annotations

import argparse
import math
from abc import ABC, abstractmethod
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from torch import Tensor, nn

from common import Average, Log, learning_rate, pictures, restore, save, save_sheet
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT
from optimizer import MatrixOptimizer
from photographs import Photographs

SIZES = ((128, 128), (128, 128), (128, 128), (96, 128), (128, 96))
LARGER = (*SIZES, (160, 160), (128, 192), (192, 192), (192, 128))
"""Sizes of the last steps, without and with photographs."""
DROPPED = 0.1
"""Share of captions that are replaced by the empty one, for classifier-free guidance."""


class Trainer(ABC):
    """The frozen autoencoder and what is trained on its latents.

    Args:
        args: the options of `options`.
        autoencoder: its folder.
    """

    model: nn.Module
    """What is trained."""

    def __init__(self, args: argparse.Namespace, autoencoder: Path) -> None:
        self.device = args.device
        self.vae = AutoencoderTiny.from_pretrained(autoencoder).to(self.device).eval().requires_grad_(False)
        self.vae.to(memory_format=torch.channels_last)
        self.photographs = Photographs(args.photographs) if args.photographs else None

    @abstractmethod
    def times(self, count: int) -> Tensor:
        """Random times of a batch."""

    @abstractmethod
    def spread_times(self, count: int) -> Tensor:
        """Times evenly spread, for held-out losses."""

    @abstractmethod
    def loss(self, images: Tensor, captions: list[str], t: Tensor, noise_seed: int | None = None) -> Tensor:
        """The mean loss of a batch at some times."""

    @abstractmethod
    def samples(self, captions: list[str]) -> Tensor:
        """Pictures of captions."""

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Writes the trained parts."""

    @torch.no_grad()
    def latents(self, images: Tensor) -> Tensor:
        """Clean latents of pictures in [-1, 1]."""
        return self.vae.encoder(images.contiguous(memory_format=torch.channels_last)).float()

    def noise(self, z: Tensor, seed: int | None) -> Tensor:
        """Noise for latents, the same for the same seed."""
        generator = None if seed is None else torch.Generator(self.device).manual_seed(seed)
        return torch.randn(z.shape, device=z.device, generator=generator)

    def batch(self, step: int, args: argparse.Namespace) -> tuple[Tensor, list[str]]:
        """Pictures of one size and their captions; a larger size makes a smaller batch."""
        sizes = LARGER if self.photographs else SIZES
        size = (96, 96) if step < args.small_pictures * args.steps else sizes[step % len(sizes)]
        count = round(args.batch * min(1.0, 128 * 128 / math.prod(size)))
        drawn = count if self.photographs is None else round((1 - args.share) * count)
        images, captions = pictures(args.first_scene + step * args.batch, drawn, size, self.device, args.alone)
        if self.photographs:
            crops, said = self.photographs.crops(count - drawn, size)
            images, captions = torch.cat((images, crops.to(self.device))), captions + said
        return images, ["" if u < DROPPED else c for u, c in zip(torch.rand(count).tolist(), captions, strict=True)]

    def held_out(self, count: int = 64) -> dict[str, tuple[Tensor, list[str]]]:
        """What is never trained on: scenes, and squares of photographs at two sizes, with their captions."""
        scenes = S.sample(range(HELD_OUT, HELD_OUT + count))
        kept = {"scenes": (S.render(scenes).image * 2 - 1, S.captions(scenes))}
        for side, part in ((128, count), (256, count // 4)) if self.photographs else ():
            chosen = self.photographs.held_out[:part]
            kept[f"photographs_{side}"] = self.photographs.squares(chosen, side), [p.caption for p in chosen]
        return kept

    @torch.no_grad()
    def held_out_loss(self, images: Tensor, captions: list[str]) -> float:
        """The loss on pictures never trained on, at fixed times and noise."""
        losses: list[float] = []
        for k in range(0, len(images), 16):
            part, said = images[k : k + 16].to(self.device), captions[k : k + 16]
            losses.append(float(self.loss(part, said, self.spread_times(len(part)), noise_seed=k)))
        return sum(losses) / len(losses)


def options(description: str | None) -> argparse.ArgumentParser:
    """The options that both trainings have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--small-pictures", type=float, default=0.75, help="share of the steps on 96x96 pictures")
    parser.add_argument("--alone", type=float, default=0.25, help="share of the pictures that have one object only")
    parser.add_argument("--photographs", type=Path, help="a pack of photographs; scenes only without")
    parser.add_argument("--share", type=float, default=0.7, help="of photographs in a batch")
    parser.add_argument("--decay", type=float, default=0.9993, help="of the averaged weights")
    parser.add_argument("--sheet-every", type=int, default=2000, help="steps between sheets of samples")
    parser.add_argument("--save-every", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--first-scene", type=int, default=0, help="seed of the first scene; those before were seen")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser


def train(trainer: Trainer, optimizer: MatrixOptimizer, args: argparse.Namespace) -> None:
    """Train; go on from the last checkpoint where there is one."""
    model = trainer.model
    average, checkpoint = Average(model, args.decay), args.out / "checkpoint.pt"
    first = restore(checkpoint, model, optimizer, average, args.device)
    log, running, held_out = Log(args.out), 0.0, trainer.held_out()
    for step in range(first, args.steps):
        torch.manual_seed(step)
        optimizer.set_rate(learning_rate(step, args.steps, args.rate, 200))
        images, captions = trainer.batch(step, args)
        t = trainer.times(len(images))
        with torch.autocast(args.device, torch.bfloat16):
            loss = trainer.loss(images, captions, t)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        running = float(loss.detach()) if step == first else 0.99 * running + 0.01 * float(loss.detach())
        if (step + 1) % 50 == 0:
            log.write(step=step + 1, loss=running, pictures=(step + 1) * args.batch)
        if (step + 1) % args.save_every == 0 or step + 1 == args.steps:
            current = {k: v.clone() for k, v in model.state_dict().items()}
            model.load_state_dict(average.values)
            with torch.autocast(args.device, torch.bfloat16):
                losses = {f"held_out_{name}": trainer.held_out_loss(*kept) for name, kept in held_out.items()}
                log.write(step=step + 1, **losses)
                if (step + 1) % args.sheet_every == 0 or step + 1 == args.steps:
                    sheet = trainer.samples([caption for _, said in held_out.values() for caption in said[:8]])
                    save_sheet(sheet, args.out / "sheets" / f"{step + 1:06d}.png")
            trainer.write(args.out / "average")
            model.load_state_dict(current)
            save(checkpoint, model, optimizer, average, step + 1)
