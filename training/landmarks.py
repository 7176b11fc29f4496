"""Train the network that finds landmarks of faces: `training/landmarks.py --out runs/landmarks`.

Crops of faces are drawn once; every batch softens, tints and smudges its own, so that the network also reads what a
model makes of a face. It is written to the package, and its own error on held-out faces is printed.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from common import Average, Log, learning_rate, restore, save
from dragondiffusion import Editor
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.metrics import landmarks as L
from dragondiffusion.bench.scenes.faces import landmarks_68
from dragondiffusion.bench.tasks import HELD_OUT, TUNING, Task, face_landmarks

UNIT = 0.5 / L.REACH
"""One unit of a face's local frame, as a fraction of a crop's side."""


def close_ups(seeds: range) -> S.Scenes:
    """Scenes seen as through a crop: the front object a face that nearly fills the picture, not quite in its middle."""
    if seeds.stop > HELD_OUT:
        raise ValueError(f"seed {seeds.stop - 1} is one of the held-out seeds (from {HELD_OUT})")
    scenes = S.sample(seeds)
    u = S.uniform(scenes.seed, 200, 8)
    count = scenes.present.sum(dim=1)
    size = (0.21 + 0.08 * u[:, 0]) * torch.tensor([1.0, 1.0, 0.9, 0.82])[count]
    zoom, face = (UNIT / size)[:, None], scenes.position[:, -1]
    scenes = replace(
        scenes,
        position=0.5 + (scenes.position - face[:, None]) * zoom[:, None],
        size=scenes.size * zoom,
        light=0.5 + (scenes.light - face) * zoom,
        ground_frequency=scenes.ground_frequency / zoom[:, 0],
    )
    off = 2 * u - 1
    return scenes.with_object(
        S.OBJECTS - 1,
        kind=S.FACE,
        texture=0,
        flip=False,
        shape=1.2 * scenes.shape[:, -1] - 0.1,
        position=0.5 + 0.1 * UNIT * off[:, 1:3],
        size=UNIT * (0.08 * off[:, 3]).exp(),
        aspect=(0.06 * off[:, 4]).exp(),
        angle=6 * off[:, 5],
    )


def draw(count: int, first_seed: int, batch: int = 64) -> tuple[Tensor, Tensor]:
    """Crops (n, 3, c, c) of faces, 8 bits a channel, and their landmarks in the crops' frame (n, 68, 2)."""
    images: list[Tensor] = []
    points: list[Tensor] = []
    for first in range(first_seed, first_seed + count, batch):
        scenes = close_ups(range(first, first + batch))
        images.append((S.render(scenes, (L.CROP, L.CROP)).image * 255).round().byte())
        frame = S.frame_of(scenes, S.OBJECTS - 1, (L.CROP, L.CROP))
        points.append((frame.picture(landmarks_68(scenes.of_object("shape", S.OBJECTS - 1))) - 0.5) / UNIT)
    return torch.cat(images), torch.cat(points)


def degrade(images: Tensor) -> Tensor:
    """Softened, tinted, smudged and noisy, each picture by its own amount."""
    n = len(images)
    small = F.interpolate(images, scale_factor=0.5, mode="bilinear", antialias=True)
    soft = F.interpolate(small, scale_factor=2, mode="bilinear")
    images = torch.lerp(images, soft, 1.2 * torch.rand(n, 1, 1, 1).clamp_max(0.83))
    images = images * (1 + 0.1 * torch.randn(n, 3, 1, 1)) + 0.05 * torch.randn(n, 3, 1, 1)
    smudge = F.interpolate(torch.randn(n, 3, 12, 12), images.shape[-2:], mode="bilinear")
    amount = torch.rand(2, n, 1, 1, 1)
    return images + 0.06 * amount[0] * smudge + 0.04 * amount[1] * torch.randn_like(images)


def report(count: int, first_seed: int = HELD_OUT) -> dict[str, float]:
    """The network's own error on faces nobody trained on: pixels of 128x128 pictures and relative to edits of them."""
    tasks = list(face_landmarks(count, first_seed))
    backbone = Editor.from_pretrained().backbone
    truths = torch.stack([task.truth for task in tasks])
    made = backbone.decode(backbone.encode(truths * 2 - 1)).clamp(-1, 1) / 2 + 0.5
    noisy = truths + 0.03 * torch.randn(truths.shape, generator=torch.Generator().manual_seed(0))
    figures = {"faces": float(len(tasks)), "displacement (px)": mean([displacement(task) for task in tasks])}
    for name, images in (("truth", truths), ("autoencoder", made), ("noise of 0.03", noisy)):
        errors = [error(image, task) for image, task in zip(images, tasks, strict=True)]
        figures[f"{name}, error (px)"] = mean(errors)
        figures[f"{name}, largest error (px)"] = max(errors)
        ratios = [e / displacement(task) for e, task in zip(errors, tasks, strict=True)]
        figures[f"{name}, error / displacement"] = mean(ratios)
    return figures


def error(image: Tensor, task: Task) -> float:
    """Mean distance of the landmarks found in a picture to the true ones after the edit, pixels."""
    frame = S.frame_of(task.scenes, task.index, (image.shape[1], image.shape[2]))
    return L.distance(L.find(image[None], frame)[0], torch.tensor(task.points_to))


def displacement(task: Task) -> float:
    """Mean distance the landmarks go, pixels."""
    return L.distance(torch.tensor(task.points_from), torch.tensor(task.points_to))


def mean(values: list[float]) -> float:
    """The mean."""
    return math.fsum(values) / len(values)


def train(args: argparse.Namespace) -> None:
    """Train; go on from the last checkpoint where there is one."""
    torch.manual_seed(0)
    net, log = L.LandmarkNet(), Log(args.out)
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=0.01)
    average = Average(net, 0.998)
    checkpoint = args.out / "checkpoint.pt"
    first = restore(checkpoint, net, optimizer, average, "cpu")
    images, points = draw(args.faces, args.first_scene)
    log.write(step=first, faces=len(images))
    with torch.no_grad():
        net.head[-1].bias.add_(points.mean(dim=0).flatten() if first == 0 else 0.0)
    running = 0.0
    for step in range(first, args.steps):
        chosen = torch.randint(len(images), (args.batch,), generator=torch.Generator().manual_seed(step))
        loss = (net(degrade(images[chosen] / 255)) - points[chosen]).square().sum(dim=-1).add(1e-5).sqrt().mean()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, args.steps, args.rate, warmup=50)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(net)
        running += float(loss.detach())
        if (step + 1) % 250 == 0 or step + 1 == args.steps:
            log.write(step=step + 1, error_in_pixels=running / (step % 250 + 1) * 32)
            running = 0.0
            save(checkpoint, net, optimizer, average, step + 1)
    net.load_state_dict(average.values)
    L.save(net, args.weights)


def main() -> None:
    """Train and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint and the log")
    parser.add_argument("--weights", type=Path, default=L.WEIGHTS, help="where the network goes")
    parser.add_argument("--faces", type=int, default=24576)
    parser.add_argument("--first-scene", type=int, default=600_000_000, help="seed of the first face")
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--report", type=int, default=48, help="how many held-out faces; 0 for none")
    parser.add_argument("--tuning", action="store_true", help="report on the faces set apart for choosing settings")
    args = parser.parse_args()
    train(args)
    if args.report:
        figures = report(args.report, TUNING if args.tuning else HELD_OUT)
        print(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=2))


if __name__ == "__main__":
    main()
