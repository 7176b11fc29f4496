"""Print how well features find corresponding places, by block and noise level: `python benchmarks/correspondence.py`.

Two views of a held-out scene or photograph, moved by a known distance, are noised independently and given to a model. A
place of the first is found where the cosine of its features with those of the second is largest. The figure is the
share of places found within 8 pixels (PCK), of all places that both views show.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as nnf
from demo_model import held_out, square
from PIL import Image, ImageOps
from torch import Tensor

from dragondiffusion import Editor
from dragondiffusion.backbones.base import Backbone
from dragondiffusion.bench import scenes as S
from dragondiffusion.bench.tasks import HELD_OUT
from dragondiffusion.core.levels import Level

SIDE, MOVED, WITHIN = 128, (16, 32), 8.0
"""Side of a view, (down, right) by which the second is moved, and distance at which a place is found, pixels."""


def pictures(count: int, photographs: Path | None) -> Tensor:
    """Held-out pictures in [-1, 1], large enough for both views."""
    size = (SIDE + MOVED[0], SIDE + MOVED[1])
    scenes = S.render(S.sample(range(HELD_OUT, HELD_OUT + count)), size).image * 2 - 1
    if photographs is None:
        return scenes
    paths = sorted((path for path in photographs.rglob("*.jpg") if held_out(path.name)), key=lambda path: path.name)
    squares = [square(ImageOps.exif_transpose(Image.open(path)).convert("RGB"), max(size)) for path in paths[:count]]
    return torch.cat((scenes, torch.stack(squares)[..., : size[0], : size[1]]))


@torch.no_grad()
def features(backbone: Backbone, images: Tensor, level: Level, seed: int) -> list[Tensor]:
    """Features of all parts of the network, each (images, channels, height, width)."""
    z_0 = backbone.encode(images)
    noise = torch.randn(z_0.shape, generator=torch.Generator().manual_seed(seed))
    canvas = backbone.canvas((SIDE, SIDE), 1)
    condition = backbone.describe([""] * len(images), canvas)
    z_t = level.alpha * z_0 + level.sigma * noise
    return [f.float() for f in backbone.partial_forward(z_t, level, condition, tuple(backbone.taps)).features]


def found(first: Tensor, second: Tensor) -> float:
    """Share of the places of the first views that are found in the second."""
    grid = tuple(first.shape[2:])
    cell = SIDE / grid[0]
    a, b = (nnf.normalize(f, dim=1).flatten(2) for f in (first, second))
    best = (a.transpose(1, 2) @ b).argmax(dim=2)
    rows, columns = torch.meshgrid(*(torch.arange(side) for side in grid), indexing="ij")
    at = torch.stack((rows, columns), dim=-1).flatten(0, 1) * cell
    expected = at - torch.tensor(MOVED)
    seen = (expected >= 0).all(dim=1)
    got = torch.stack((best // grid[1], best % grid[1]), dim=-1) * cell
    return float(((got - expected).abs().amax(dim=2)[:, seen] <= WITHIN).float().mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a checkpoint; the package's model without")
    parser.add_argument("--photographs", type=Path, help="a folder of photographs, whose held-out ones are taken too")
    parser.add_argument("--count", type=int, default=16, help="scenes, and photographs")
    parser.add_argument("--steps", type=int, default=20, help="of the run whose levels are looked at")
    parser.add_argument("--with-places", action="store_true", help="leave in what tokens hold of their place")
    parser.add_argument("--every", type=int, default=3, help="every so many of these levels")
    args = parser.parse_args()
    editor = Editor.from_pretrained(args.model, device="cpu")
    backbone, images = editor.backbone, pictures(args.count, args.photographs)
    first, second = images[..., :SIDE, :SIDE], images[..., MOVED[0] :, MOVED[1] :]
    if args.with_places:
        type(backbone).holds_places = False
    levels = backbone.levels(args.steps, backbone.canvas((SIDE, SIDE), 1))
    print("PCK by block, scenes" + (" / photographs" if args.photographs else ""))
    print(f"| noise / signal | {' | '.join(str(k) for k in backbone.taps)} |\n|{'---|' * (len(backbone.taps) + 1)}")
    for i in range(1, args.steps, args.every):
        pairs = zip(features(backbone, first, levels[i], 0), features(backbone, second, levels[i], 1), strict=True)
        cells = [
            " / ".join(
                f"{found(a[k : k + args.count], b[k : k + args.count]):.2f}" for k in range(0, len(a), args.count)
            )
            for a, b in pairs
        ]
        print(f"| {levels[i].ratio:.2f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
