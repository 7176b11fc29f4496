"""Objects, or their appearance, that are taken from a second scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import torch
from torch import Tensor

from ...core.types import Size
from .. import scenes as S
from .base import HELD_OUT, SECOND, Range, Task, between, present, shown, walk, wholly_visible
from .change import Second
from .placing import is_free

APPEARANCE = ("colour", "rgb", "texture", "texture_frequency", "texture_phase")
"""The parameters that make up the appearance of an object."""

CANDIDATES, STRIDE = 64, 100_000
"""How many scenes are searched for an object of the same kind, and how far apart their seeds are, so that tasks of
neighbouring seeds do not share them."""

SHOWN = 0.15
"""Share of the object's pixels that a paste or a new appearance visibly changes, at least."""


def pastes(
    count: int,
    first_seed: int = HELD_OUT,
    size: Size = (128, 128),
    scale: Range = (1.0, 1.0),
    angle: Range = (0.0, 0.0),
) -> Iterator[Task]:
    """A wholly visible object of a second scene, put in front at a free place of the first, in the light of the first.

    Of three objects of the first scene the farthest is left out, so that there is room for a third.

    Args:
        count: How many tasks.
        first_seed: Scenes are drawn from this seed on; those without such an object or place are passed over.
        size: (height, width) of both images, in pixels.
        scale: Range of the resize factor.
        angle: Range of the rotation, in degrees; its sign is any.

    Yields:
        `count` tasks, a function of the arguments alone.
    """
    return walk(count, first_seed, lambda seed: _paste(seed, size, scale, angle))


def appearances(count: int, first_seed: int = HELD_OUT, size: Size = (128, 128)) -> Iterator[Task]:
    """A wholly visible object that takes colour and texture of an object of a second scene.

    Both are of one kind and of two colours. Of two kinds the truth would be as well defined, but what the method hands
    over is the mean of all features of the object, and those say what it is as well as how it looks.

    Args:
        count: How many tasks.
        first_seed: Scenes are drawn from this seed on; those without such objects are passed over.
        size: (height, width) of both images, in pixels.

    Yields:
        `count` tasks, a function of the arguments alone.
    """
    return walk(count, first_seed, lambda seed: _appearance(seed, size))


def _paste(seed: int, size: Size, scale: Range, angle: Range) -> Task | None:
    scenes = S.sample([seed]).with_object(0, present=False)
    other = S.sample([seed + SECOND])
    u = S.uniform(scenes.seed, 101, 64)[0]
    index = present(other)[int(u[0] * len(present(other)))]
    factor = between(scale, u[1])
    turn = between(angle, u[2]) * (1 if u[3] < 0.5 else -1)
    unit = torch.tensor([size[1], size[0]]) / min(size)
    target = _free_place(scenes, 1.05 * float(other.size[0, index]) * factor, unit, u[4:])
    second = S.render(other, size)
    if target is None or not wholly_visible(second, index):
        return None
    newcomer = other.with_object(
        index,
        position=target / unit,
        size=other.of_object("size", index) * factor,
        angle=other.of_object("angle", index) + turn,
    )
    after = with_object_in_front(scenes, newcomer, index)
    old, new = S.render(scenes, size), S.render(after, size)
    position = other.position[0, index] * unit
    x, y = (position * min(size)).tolist()
    dx, dy = ((target - position) * min(size)).tolist()
    task = Task.drawn(
        "paste",
        scenes,
        after,
        S.OBJECTS - 1,
        old,
        new,
        mask=torch.zeros_like(second.masks[0, index]),
        centre=(x, y),
        offset=(dx, dy),
        scale=factor,
        angle=turn,
        second=Second(second.image[0], second.masks[0, index], S.captions(other)[0]),
    )
    return shown(task, SHOWN)


def _free_place(scenes: S.Scenes, reach: float, unit: Tensor, u: Tensor) -> Tensor | None:
    """A place for another object that reaches so far, in units of the shorter side."""
    for pair in u.unflatten(0, (-1, 2)):
        target = reach + pair * (unit - 2 * reach)
        if is_free(scenes, present(scenes), target, reach, unit):
            return target
    return None


def with_object_in_front(scenes: S.Scenes, other: S.Scenes, index: int) -> S.Scenes:
    """The scenes with an object of other scenes before all others; the place farthest back falls away."""
    joined = {f.name: getattr(scenes, f.name) for f in fields(S.Scenes)}
    for name in joined:
        if name in _OBJECT_FIELDS:
            joined[name] = torch.cat([joined[name][:, 1:], getattr(other, name)[:, index : index + 1]], dim=1)
    return S.Scenes(**joined)


_OBJECT_FIELDS = {
    "present", "kind", "position", "size", "aspect", "angle", "flip", "shape", *APPEARANCE,
}  # fmt: skip


def _appearance(seed: int, size: Size) -> Task | None:
    scenes = S.sample([seed])
    u = S.uniform(scenes.seed, 102, 1)[0]
    index = present(scenes)[int(u[0] * len(present(scenes)))]
    others = S.sample([seed + SECOND + STRIDE * k for k in range(CANDIDATES)])
    alike = others.present & (others.kind == scenes.kind[0, index]) & (others.colour != scenes.colour[0, index])
    if not bool(alike.any()):
        return None
    row, donor = (int(v) for v in alike.nonzero()[0])
    other = others[[row]]
    after = scenes.with_object(index, **{name: other.of_object(name, donor) for name in APPEARANCE})
    old, new, second = S.render(scenes, size), S.render(after, size), S.render(other, size)
    if not (wholly_visible(old, index) and wholly_visible(second, donor)):
        return None
    task = Task.drawn(
        "appearance",
        scenes,
        after,
        index,
        old,
        new,
        second=Second(second.image[0], second.masks[0, donor], S.captions(other)[0]),
    )
    return shown(task, SHOWN)
