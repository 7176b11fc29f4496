"""Edits of scenes with their true results: what the figures and the benchmark are measured on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..types import Number
from . import scenes as S

Range: TypeAlias = tuple[Number, Number]
"""Lowest and highest value."""

HELD_OUT = 1_000_000_000
"""Seeds from here on are never trained on."""
TUNING = HELD_OUT + 500_000_000
"""Seeds from here on are for choosing settings; figures are never reported on them."""


@dataclass(frozen=True)
class MoveTask:
    """One object of a scene to be moved, resized or rotated about its centre, and what the picture then is."""

    seed: int
    caption: str
    before: Float[Tensor, "3 h w"]
    truth: Float[Tensor, "3 h w"]
    mask: Float[Tensor, "h w"]
    """What is seen of the object before the edit."""
    placed: Float[Tensor, "h w"]
    """What is seen of it afterwards."""
    centre: tuple[float, float]
    """The object's centre (x, y) in pixels: the anchor of scale and rotation."""
    offset: tuple[float, float]
    """Displacement (x, y) in pixels."""
    scale: float
    angle: float

    def regions(self, margin: int = 6) -> dict[str, Float[Tensor, "h w"]]:
        """The regions scored: `destination`, `vacated`, `rest` (neither) and `outside` (`margin` px off both)."""
        source, placed = (self.mask > 0.5).float(), (self.placed > 0.5).float()
        either = torch.maximum((self.mask > 0.02).float(), (self.placed > 0.02).float())
        near = F.max_pool2d(either[None, None], 2 * margin + 1, 1, margin)[0, 0]
        return {"destination": placed, "vacated": source * (1 - placed), "rest": 1 - either, "outside": 1 - near}


def moves(
    count: int,
    first_seed: int = HELD_OUT,
    size: tuple[int, int] = (128, 128),
    displacement: Range = (0.2, 0.4),
    scale: Range = (1.0, 1.0),
    angle: Range = (0.0, 0.0),
) -> Iterator[MoveTask]:
    """Moves of one wholly visible object to a free place inside the picture.

    Args:
        count: How many tasks.
        first_seed: Scenes are drawn from this seed on; those without such an object or place are passed over.
        size: (height, width) in pixels.
        displacement: Range of its length, as fractions of the width; its direction is any.
        scale: Range of the resize factor.
        angle: Range of the rotation, in degrees; its sign is any.

    Yields:
        `count` tasks, a function of the arguments alone.
    """
    seed, found = first_seed, 0
    while found < count:
        task = _move(seed, size, displacement, scale, angle)
        seed += 1
        if task is not None:
            found += 1
            yield task


def _move(
    seed: int,
    size: tuple[int, int],
    displacement: Range,
    scale: Range,
    angle: Range,
) -> MoveTask | None:
    scenes = S.sample([seed])
    u = S.uniform(scenes.seed, 100, 64)[0]
    present = scenes.present[0].nonzero()[:, 0].tolist()
    index = present[int(u[0] * len(present))]
    factor = scale[0] + (scale[1] - scale[0]) * float(u[1])
    turn = (angle[0] + (angle[1] - angle[0]) * float(u[2])) * (1 if u[3] < 0.5 else -1)
    height, width = size
    unit = torch.tensor([width, height]) / min(size)
    position, radius = scenes.position[0, index] * unit, float(scenes.size[0, index])
    others = [k for k in present if k != index]
    for k in range(4, 64, 2):
        length = (displacement[0] + (displacement[1] - displacement[0]) * float(u[k])) * float(unit[0])
        direction = 2 * math.pi * float(u[k + 1])
        target = position + length * torch.tensor([math.cos(direction), math.sin(direction)])
        reach = 1.05 * radius * max(factor, 1.0)
        inside = bool((target >= reach).all() and (target <= unit - reach).all())
        apart = all(
            float((target - scenes.position[0, j] * unit).norm()) > 0.9 * (reach + float(scenes.size[0, j]))
            for j in others
        )
        if inside and apart:
            break
    else:
        return None
    after = scenes.with_object(
        index,
        position=target / unit,
        size=scenes.of_object("size", index) * factor,
        angle=scenes.of_object("angle", index) + turn,
    )
    old, new = S.render(scenes, size), S.render(after, size)
    seen = [float(r.masks[0, index].sum() / r.whole[0, index].sum().clamp_min(1e-6)) for r in (old, new)]
    if min(seen) < 0.98:
        return None
    x, y = (position * min(size)).tolist()
    dx, dy = ((target - position) * min(size)).tolist()
    return MoveTask(
        seed,
        S.captions(scenes)[0],
        old.image[0],
        new.image[0],
        old.masks[0, index],
        new.masks[0, index],
        (x, y),
        (dx, dy),
        factor,
        turn,
    )
