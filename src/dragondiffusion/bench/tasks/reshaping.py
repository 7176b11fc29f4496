"""Objects that keep their place and change their shape."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ...core.types import Number, Point, Size
from .. import scenes as S
from .base import HELD_OUT, Range, Task, cut_off, present, shown, walk, wholly_visible
from .change import grown

MARGIN = 0.05
"""How far what may be edited reaches beyond the object before and after, as a fraction of the shorter side."""

SHOWN = 0.04
"""Share of the object's pixels that a drag visibly changes, at least; one ray of a star is little of it."""


def drags(
    count: int, first_seed: int = HELD_OUT, size: Size = (128, 128), displacement: Range = (1 / 16, 1)
) -> Iterator[Task]:
    """Drags of the handle of one wholly visible object, which is no face.

    Args:
        count: How many tasks.
        first_seed: Scenes are drawn from this seed on; those without such an object are passed over.
        size: (height, width) in pixels.
        displacement: Range of the displacement of the handle, as fractions of the shorter side.

    Yields:
        `count` tasks, a function of the arguments alone.
    """
    return walk(count, first_seed, lambda seed: _drag(seed, size, displacement))


def face_landmarks(
    count: int,
    first_seed: int = HELD_OUT,
    size: Size = (128, 128),
    points: int = 68,
    displacement: Number = 0.02,
) -> Iterator[Task]:
    """One wholly visible face that takes the shape of another, where it stands.

    Args:
        count: How many tasks.
        first_seed: Scenes are drawn from this seed on; those without a face are passed over.
        size: (height, width) in pixels.
        points: 68 landmarks, or 17.
        displacement: The landmarks go at least so far on average, as a fraction of the shorter side.

    Yields:
        `count` tasks, a function of the arguments alone.
    """
    return walk(count, first_seed, lambda seed: _face(seed, size, points, displacement))


def _drag(seed: int, size: Size, displacement: Range) -> Task | None:
    scenes = S.sample([seed])
    u = S.uniform(scenes.seed, 103, 24)[0]
    able = [k for k in present(scenes) if int(scenes.kind[0, k]) != S.FACE]
    if not able:
        return None
    index = able[int(u[0] * len(able))]
    start = S.handles(scenes, index, size)[0]
    for value in u[1:]:
        shape = scenes.of_object("shape", index).clone()
        shape[:, 0] = value
        after = scenes.with_object(index, shape=shape)
        stop = S.handles(after, index, size)[0]
        if displacement[0] <= float((stop - start).norm()) / min(size) <= displacement[1]:
            return _reshaped("drag", scenes, after, index, size, start[None], stop[None])
    return None


def _face(seed: int, size: Size, points: int, displacement: Number) -> Task | None:
    scenes = S.sample([seed])
    faces = [k for k in present(scenes) if int(scenes.kind[0, k]) == S.FACE]
    if not faces:
        return None
    index = faces[-1]
    start = S.landmarks(scenes, index, size, points)[0]
    for shape in S.uniform(scenes.seed, 104, 64).unflatten(1, (-1, 8))[0]:
        after = scenes.with_object(index, shape=shape)
        stop = S.landmarks(after, index, size, points)[0]
        if float((stop - start).norm(dim=-1).mean()) >= displacement * min(size):
            return _reshaped("landmarks", scenes, after, index, size, start, stop)
    return None


def _reshaped(
    kind: str, scenes: S.Scenes, after: S.Scenes, index: int, size: Size, start: Tensor, stop: Tensor
) -> Task | None:
    old, new = S.render(scenes, size), S.render(after, size)
    if not all(wholly_visible(r, index) and not cut_off(r, index) for r in (old, new)):
        return None
    either = (torch.maximum(old.masks[0, index], new.masks[0, index]) > 0.02).float()
    task = Task.drawn(
        kind,
        scenes,
        after,
        index,
        old,
        new,
        editable=grown(either, round(MARGIN * min(size))) if kind == "drag" else None,
        points_from=_points(start),
        points_to=_points(stop),
    )
    return shown(task, SHOWN)


def _points(points: Tensor) -> list[Point]:
    return [(x, y) for x, y in points.tolist()]
