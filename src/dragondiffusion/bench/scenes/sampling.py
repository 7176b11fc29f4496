"""Scenes drawn at random."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from .chance import between, choose, uniform
from .parameters import BACKGROUNDS, COLOURS, FACE, GROUNDS, KINDS, OBJECTS, Scenes
from .shapes import PARAMETERS


def sample(seeds: Int64[Tensor, " b"] | Sequence[int] | range, objects: int | None = None) -> Scenes:
    """Scenes drawn at random, each a function of its seed.

    Args:
        seeds: One whole number per scene.
        objects: How many objects each scene has, 1 to `OBJECTS`; None draws 1, 2 or 3 (40, 35, 25 %).

    Raises:
        ValueError: `objects` is not between 1 and `OBJECTS`.
    """
    if objects is not None and not 1 <= objects <= OBJECTS:
        raise ValueError(f"objects={objects}: a scene has 1 to {OBJECTS} objects")
    seed = torch.as_tensor(list(seeds) if isinstance(seeds, range) else seeds, dtype=torch.int64)
    b, n = len(seed), OBJECTS
    u = uniform(seed, 0, 16)
    count = torch.where(u[:, 0] < 0.4, 1, torch.where(u[:, 0] < 0.75, 2, 3))
    if objects is not None:
        count = torch.full_like(count, objects)
    ground = choose(u[:, 1], len(BACKGROUNDS))
    base = torch.tensor(tuple(BACKGROUNDS.values()), device=seed.device)[ground]
    base = base + 0.06 * (uniform(seed, 1, 3) - 0.5)
    contrast = between(u[:, 2], 0.03, 0.16)[:, None]
    v = uniform(seed, 2, n * 16).view(b, n, 16)
    kind = choose(v[..., 0], len(KINDS))
    colour = choose(v[..., 1], len(COLOURS))
    rgb = torch.tensor(tuple(COLOURS.values()), device=seed.device)[colour]
    rgb = (rgb + 0.08 * (uniform(seed, 3, n * 3).view(b, n, 3) - 0.5)).clamp(0.03, 0.97)
    texture = torch.where(v[..., 2] < 0.45, 0, 1 + choose(v[..., 3], 3))
    texture = torch.where(kind == FACE, 0, texture)
    crowd = torch.tensor([1.0, 1.0, 0.9, 0.82], device=seed.device)[count][:, None]
    size = crowd * torch.where(kind == FACE, between(v[..., 4], 0.21, 0.29), between(v[..., 4], 0.15, 0.24))
    light_angle = 2 * math.pi * u[:, 9]
    reach = between(u[:, 10], 0.45, 0.95)
    return Scenes(
        seed=seed,
        ground=ground,
        ground_colour=torch.stack([base - contrast, base + contrast], dim=1).clamp(0.05, 0.95),
        ground_angle=360 * u[:, 3],
        ground_texture=choose(u[:, 4], len(GROUNDS)),
        ground_frequency=between(u[:, 5], 2.5, 6.0),
        ground_amplitude=between(u[:, 6], 0.015, 0.05),
        ground_phase=uniform(seed, 4, 2),
        light=0.5 + torch.stack([light_angle.cos(), light_angle.sin()], dim=-1) * reach[:, None],
        light_strength=between(u[:, 11], 0.5, 1.0),
        present=torch.arange(n, device=seed.device)[None] >= n - count[:, None],
        kind=kind,
        colour=colour,
        rgb=rgb,
        texture=texture,
        texture_frequency=between(v[..., 6], 2.0, 3.2),
        texture_phase=v[..., 7],
        position=_places(seed, size),
        size=size,
        aspect=torch.where(kind == FACE, between(v[..., 8], 0.92, 1.08), between(v[..., 8], 0.82, 1.22)),
        angle=torch.where(kind == FACE, between(v[..., 9], -12.0, 12.0), between(v[..., 9], -35.0, 35.0)),
        flip=v[..., 10] < 0.5,
        shape=uniform(seed, 5, n * PARAMETERS).view(b, n, PARAMETERS),
    )


def _places(seed: Tensor, size: Tensor) -> Float[Tensor, "b n 2"]:
    """Positions inside the image: of four candidates each object takes the one farthest from the others."""
    b, n = size.shape
    candidates = uniform(seed, 6, n * 8).view(b, n, 4, 2)
    margin = (1.05 * size)[..., None, None]
    candidates = margin + (1 - 2 * margin) * candidates
    placed = [candidates[:, 0, 0]]
    for k in range(1, n):
        gap = torch.stack([(candidates[:, k] - p[:, None]).norm(dim=-1) for p in placed], dim=-1)
        gap = (gap - size[:, None, :k]).amin(dim=-1)
        placed.append(candidates[:, k][torch.arange(b, device=seed.device), gap.argmax(dim=-1)])
    return torch.stack(placed, dim=1)
