"""Objects that are moved, resized, turned, or taken away."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ...core.types import Number, Size
from .. import scenes as S
from .base import HELD_OUT, Range, Task, between, present, shown, walk, wholly_visible

SHOWN = 0.15
"""Share of the object's pixels that a resize, turn or removal visibly changes, at least."""


def moves(
    count: int,
    first_seed: int = HELD_OUT,
    size: Size = (128, 128),
    displacement: Range = (0.2, 0.4),
    scale: Range = (1.0, 1.0),
    angle: Range = (0.0, 0.0),
) -> Iterator[Task]:
    """Moves of one wholly visible object to a free place inside the image.

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
    return walk(count, first_seed, lambda seed: _move("move", seed, size, displacement, scale, angle))


def resizes(
    count: int, first_seed: int = HELD_OUT, size: Size = (128, 128), scale: Range = (0.6, 1.6)
) -> Iterator[Task]:
    """Resizes of one wholly visible object about its centre; arguments as of `moves`.

    Those that change little, because the factor is close to 1, are passed over.
    """
    return walk(count, first_seed, lambda seed: shown(_move("resize", seed, size, (0, 0), scale, (0, 0)), SHOWN))


def rotations(
    count: int, first_seed: int = HELD_OUT, size: Size = (128, 128), angle: Range = (15, 60)
) -> Iterator[Task]:
    """Turns of one wholly visible object about its centre, either way; arguments as of `moves`.

    Objects that look the same afterwards, as a plain ball, are passed over.
    """
    return walk(count, first_seed, lambda seed: shown(_move("rotate", seed, size, (0, 0), (1, 1), angle), SHOWN))


def removals(count: int, first_seed: int = HELD_OUT, size: Size = (128, 128)) -> Iterator[Task]:
    """Removals of one wholly visible object, the one that `moves` would take; arguments as there."""
    return walk(count, first_seed, lambda seed: _removal(seed, size))


def _move(kind: str, seed: int, size: Size, displacement: Range, scale: Range, angle: Range) -> Task | None:
    scenes = S.sample([seed])
    u = S.uniform(scenes.seed, 100, 64)[0]
    index = _chosen(scenes, u)
    factor = between(scale, u[1])
    turn = between(angle, u[2]) * (1 if u[3] < 0.5 else -1)
    height, width = size
    unit = torch.tensor([width, height]) / min(size)
    position = scenes.position[0, index] * unit
    reach = 1.05 * float(scenes.size[0, index]) * max(factor, 1.0)
    others = [k for k in present(scenes) if k != index]
    for k in range(4, 64, 2):
        length, direction = between(displacement, u[k]) * float(unit[0]), 2 * math.pi * float(u[k + 1])
        target = position + length * torch.tensor([math.cos(direction), math.sin(direction)])
        if is_free(scenes, others, target, reach, unit):
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
    if not (wholly_visible(old, index) and wholly_visible(new, index)):
        return None
    x, y = (position * min(size)).tolist()
    dx, dy = ((target - position) * min(size)).tolist()
    return Task.drawn(
        kind,
        scenes,
        after,
        index,
        old,
        new,
        centre=(x, y),
        offset=(dx, dy),
        scale=factor,
        angle=turn,
    )


def _removal(seed: int, size: Size) -> Task | None:
    scenes = S.sample([seed])
    index = _chosen(scenes, S.uniform(scenes.seed, 100, 1)[0])
    after = scenes.with_object(index, present=False)
    old, new = S.render(scenes, size), S.render(after, size)
    if not wholly_visible(old, index):
        return None
    task = Task.drawn("remove", scenes, after, index, old, new, placed=torch.zeros_like(old.masks[0, index]))
    return shown(task, SHOWN)


def _chosen(scenes: S.Scenes, u: Tensor) -> int:
    """The object that a task is about."""
    there = present(scenes)
    return there[int(u[0] * len(there))]


def is_free(scenes: S.Scenes, others: list[int], target: Tensor, reach: Number, unit: Tensor) -> bool:
    """Whether an object fits at a place, in units of the shorter side.

    Args:
        scenes: One scene.
        others: Its objects that have to be kept clear of.
        target: The object's centre (x, y).
        reach: How far it reaches from there.
        unit: (width, height) of the image.
    """
    if not bool((target >= reach).all() and (target <= unit - reach).all()):
        return False
    return all(
        float((target - scenes.position[0, j] * unit).norm()) > 0.9 * (reach + float(scenes.size[0, j])) for j in others
    )
