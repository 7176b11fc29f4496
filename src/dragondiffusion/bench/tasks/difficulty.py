"""How hard a task is: named levels on a few axes, stored with every score, so that figures can be broken down."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from ...core.types import Number, Size
from .. import scenes as S
from ..kinds import kind_of
from .base import Task, present
from .generators import TASKS

Difficulty: TypeAlias = dict[str, float]
"""Value of a task on each axis that it has."""


@dataclass(frozen=True)
class Axis:
    """One way in which tasks are easy or hard.

    Args:
        text: what the value is.
        levels: names from low to high.
        limits: the highest value of each level but the last.
    """

    text: str
    levels: tuple[str, ...]
    limits: tuple[Number, ...]

    def level(self, value: Number) -> str:
        """The level of a value."""
        return self.levels[sum(value > limit for limit in self.limits)]


AXES: dict[str, Axis] = {
    "displacement": Axis(
        "how far object, handle, or landmarks on average go, over the shorter side (moves, drags, landmarks)",
        ("small", "medium", "large"),
        (0.1, 0.3),
    ),
    "size": Axis("share of the image that the object covers", ("small", "medium", "large"), (0.05, 0.08)),
    "occlusion": Axis(
        "largest share of another object that the edited one hides, before or after", ("none", "some"), (0.02,)
    ),
    "texture": Axis("0 for an object of one colour, 1 for one with a pattern", ("plain", "textured"), (0,)),
    "light": Axis("strength of the light, 0.5 to 1", ("weak", "medium", "strong"), (0.67, 0.83)),
    "objects": Axis("how many objects the image shows before the edit", ("1", "2", "3"), (1, 2)),
}
"""Source of the limits: chosen, so that every level is common among held-out tasks."""


def describe(task: Task) -> Difficulty:
    """The value of a task on each axis that it has."""
    pasted = task.pasted
    own = task.after if pasted else task.scenes
    found = {
        "size": float(torch.maximum(task.mask, task.placed).sum()) / math.prod(task.size)
        if pasted
        else float(task.mask.sum()) / math.prod(task.size),
        "occlusion": max(_hidden(s, task.index, task.size) for s in (task.scenes, task.after)[pasted:]),
        "texture": float(own.texture[0, task.index] > 0),
        "light": float(task.scenes.light_strength[0]),
        "objects": float(len(present(task.scenes))),
    }
    displacement = _displacement(task)
    return found if displacement is None else {"displacement": displacement} | found


def levels(difficulty: Mapping[str, float]) -> dict[str, str]:
    """The level on each axis."""
    return {name: AXES[name].level(value) for name, value in difficulty.items()}


def _displacement(task: Task) -> float | None:
    if task.points_from:
        lengths = [math.dist(a, b) for a, b in zip(task.points_from, task.points_to, strict=True)]
        return math.fsum(lengths) / len(lengths) / min(task.size)
    return math.hypot(*task.offset) / min(task.size) if "displacement" in kind_of(task.kind).options else None


def _hidden(scenes: S.Scenes, index: int, size: Size) -> float:
    """The largest share of an object behind that one object covers."""
    if index not in present(scenes):
        return 0.0
    whole = S.render(scenes, size).whole[0]
    behind = [k for k in present(scenes) if k < index]
    shares = [float((whole[k] * whole[index]).sum() / whole[k].sum().clamp_min(1e-6)) for k in behind]
    return max(shares, default=0.0)


def wanted(texts: Sequence[str]) -> dict[str, str]:
    """Filters written as AXIS=LEVEL.

    Raises:
        ValueError: There is no such axis or level, or an axis is given twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, _, level = text.partition("=")
        if name not in AXES:
            raise ValueError(f"--difficulty {text}: {name!r} is no axis; write AXIS=LEVEL, one of {', '.join(AXES)}")
        if level not in AXES[name].levels:
            raise ValueError(f"--difficulty {text}: the levels of {name} are {', '.join(AXES[name].levels)}")
        if name in found:
            raise ValueError(f"--difficulty {text}: {name} is given twice; give it once")
        found[name] = level
    return found


def matching(
    kind: str, count: int, first_seed: int, size: Size, filters: Mapping[str, str], **asked: Any
) -> Iterator[Task]:
    """The first tasks of a kind that have the levels asked for.

    Args:
        kind: A key of `TASKS`.
        count: How many.
        first_seed: Scenes are drawn from this seed on.
        size: (height, width) in pixels.
        filters: Level by axis; tasks that lack an axis do not match it.
        **asked: What is the kind's own, see its generator.

    Raises:
        ValueError: None of many tasks has the levels.
    """
    found, passed = 0, 0
    for task in TASKS[kind](count if not filters else count * LOOKED_AT, first_seed, size, **asked):
        if found == count:
            return
        there = levels(describe(task)) if filters else {}
        if not filters.items() <= there.items():
            passed += 1
            if passed == LOOKED_AT or not filters.keys() <= there.keys():
                raise ValueError(
                    f"--difficulty {' '.join(f'{a}={b}' for a, b in filters.items())}: no task of "
                    f"kind {kind!r} was found; choose another level, or leave the kind out with --kinds"
                )
            continue
        found, passed = found + 1, 0
        yield task


LOOKED_AT = 200
"""Tasks in a row that may lack a level before a walk gives up. Source: chosen, some seconds."""
