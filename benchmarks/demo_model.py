"""Print the demo model's figures: `python benchmarks/demo_model.py`.

Autoencoder: PSNR of its reconstructions of held-out scenes. Round trip: DDIM inversion and plain resampling
with the caption and guidance scale 1, PSNR to the autoencoder's own reconstruction. Samples:
StableDiffusionPipeline on captions of one object, judged by a probe trained on scenes.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import probe as P
import torch
from PIL import Image
from torch import Tensor

from dragondiffusion import Editor
from dragondiffusion.backbones import load_pipeline
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT
from dragondiffusion.method import solver


def decibels(a: Tensor, b: Tensor) -> Tensor:
    """PSNR of each picture of two batches in [-1, 1]."""
    return 10 * torch.log10(4 / (a.clamp(-1, 1) - b.clamp(-1, 1)).square().flatten(1).mean(dim=1))


@torch.no_grad()
def round_trips(editor: Editor, count: int, steps: int) -> dict[str, float]:
    """PSNR of reconstructions, and of inverted and resampled pictures to those."""
    backbone = editor.backbone
    levels = backbone.levels(steps, backbone.canvas((128, 128), 2))
    reconstruction: list[Tensor] = []
    trip: list[Tensor] = []
    for first in range(HELD_OUT, HELD_OUT + count, 16):
        scenes = S.sample(range(first, min(first + 16, HELD_OUT + count)))
        images = S.render(scenes).image * 2 - 1
        condition = backbone.describe(S.captions(scenes), backbone.canvas((128, 128), 2))
        z_0 = backbone.encode(images)
        plain = backbone.decode(z_0)
        z = z_0
        for i in levels.up():
            z = solver.step(z, backbone.predict(z, levels[i], condition).eps, levels[i + 1], levels[i])
        for i in range(len(levels)):
            z = solver.step(z, backbone.predict(z, levels[i], condition).eps, levels[i], levels[i + 1])
        reconstruction.append(decibels(plain, images))
        trip.append(decibels(backbone.decode(z), plain))
    return {
        "autoencoder PSNR (dB)": float(torch.cat(reconstruction).mean()),
        "round trip PSNR (dB)": float(torch.cat(trip).mean()),
        "round trip PSNR, worst scene (dB)": float(torch.cat(trip).min()),
    }


def draw(model: str | None, scenes: S.Scenes, steps: int, guidance_scale: float) -> Tensor:
    """Samples of the stock pipeline for the scenes' captions, in [0, 1]."""
    pipe = load_pipeline(model, "cpu", torch.float32)
    pipe.set_progress_bar_config(disable=True)
    made: list[Tensor] = []
    texts = S.captions(scenes)
    generator = torch.Generator().manual_seed(0)
    for k in range(0, len(texts), 16):
        out = pipe(
            texts[k : k + 16],
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            generator=generator,
            output_type="pt",
            height=128,
            width=128,
        )
        made.append(out.images.float().cpu())
    return torch.cat(made)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a pipeline folder; the package's own without")
    parser.add_argument("--scenes", type=int, default=64)
    parser.add_argument("--samples", type=int, default=96, help="0 leaves them out")
    parser.add_argument("--guidance-scale", type=float, default=4.0)
    parser.add_argument("--sheet", type=Path, help="where to write a sheet of the samples")
    args = parser.parse_args()
    begin = time.perf_counter()
    figures = round_trips(Editor.from_pretrained(args.model), args.scenes, steps=50)
    images = torch.zeros(0)
    if args.samples:
        scenes = S.sample(range(HELD_OUT + 10_000, HELD_OUT + 10_000 + args.samples), objects=1)
        images = draw(args.model, scenes, steps=25, guidance_scale=args.guidance_scale)
        probe = P.train()
        figures |= {f"samples, right {name}": value for name, value in P.accuracy(probe, images, scenes).items()}
        figures |= {f"probe on true scenes, right {name}": value for name, value in P.held_out_accuracy(probe).items()}
    figures["seconds"] = time.perf_counter() - begin
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=2))
    if args.sheet and args.samples >= 8:
        rows = images[: 8 * (len(images) // 8)].unflatten(0, (-1, 8)).permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2)
        Image.fromarray((rows * 255).round().byte().numpy()).save(args.sheet)


if __name__ == "__main__":
    main()
