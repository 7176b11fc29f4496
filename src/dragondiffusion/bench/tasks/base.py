"""Tasks, and the search for scenes that fit them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from ...core.types import Number
from ...edits import Edit
from ...edits.settings import Geometry
from .. import metrics
from .. import scenes as S
from ..kinds import kind_of
from .change import Change
from .editing import Build
from .named import function

Range: TypeAlias = tuple[Number, Number]
"""Lowest and highest value."""

HELD_OUT = 1_000_000_000
"""Seeds from here on are never trained on."""
TUNING = HELD_OUT + 500_000_000
"""Seeds from here on are for choosing settings; figures are never reported on them."""
SECOND = 50_000_000
"""Second images have seeds from this far beyond those of the images that are edited."""

PATIENCE = 5000
"""Seeds in a row that may be passed over before a generator gives up."""

SEEN = 0.98
"""Share of an object that is seen when it counts as wholly visible."""


@dataclass(frozen=True)
class Task(Change):
    """An edit of one object of a scene, with its true result."""

    @staticmethod
    def drawn(
        kind: str, scenes: S.Scenes, after: S.Scenes, index: int, old: S.Rendering, new: S.Rendering, **more: Any
    ) -> Task:
        """A task of an object as its scene is drawn before and after.

        Args:
            kind: of edit.
            scenes: the scene before.
            after: that of the truth.
            index: which object.
            old: `scenes` drawn.
            new: `after` drawn.
            more: further fields, or others than those that follow from the drawings.
        """
        mask, placed = old.masks[0, index], new.masks[0, index]
        seen: dict[str, Any] = {"before": old.image[0], "truth": new.image[0], "mask": mask, "placed": placed}
        return Task(kind, int(scenes.seed), scenes, after, index, **(seen | more))

    def edit(self, geometry: Geometry = Geometry.AFFINE) -> Edit:
        """The edit to make.

        Args:
            geometry: that of the settings that it will be made with.

        Raises:
            ValueError: the kind is unknown, or needs a second image that is not there.
        """
        build: Build = function(kind_of(self.kind).edit)
        return build(self, geometry)


def walk(count: int, first_seed: int, make: Callable[[int], Task | None]) -> Iterator[Task]:
    """The first `count` tasks of the seeds from `first_seed` on.

    Args:
        count: How many.
        first_seed: Where to begin.
        make: The task of a seed, or None if its scene does not fit.

    Raises:
        ValueError: No seed of many fits.
    """
    seed, found, passed = first_seed, 0, 0
    while found < count:
        task = make(seed)
        seed += 1
        if task is not None:
            found, passed = found + 1, 0
            yield task
            continue
        passed += 1
        if passed == PATIENCE:
            raise ValueError(f"none of {PATIENCE} scenes from seed {seed - PATIENCE} on fits; widen the ranges")


def present(scenes: S.Scenes) -> list[int]:
    """The objects that are there."""
    return scenes.present[0].nonzero()[:, 0].tolist()


def between(range_: Range, u: Tensor) -> float:
    """The value at `u` of [0, 1] in a range."""
    return range_[0] + (range_[1] - range_[0]) * float(u)


def wholly_visible(drawn: S.Rendering, index: int) -> bool:
    """Whether nothing hides the object."""
    return float(drawn.masks[0, index].sum() / drawn.whole[0, index].sum().clamp_min(1e-6)) >= SEEN


def cut_off(drawn: S.Rendering, index: int) -> bool:
    """Whether the object touches the border of the image."""
    whole = drawn.whole[0, index]
    return bool((torch.cat([whole[0], whole[-1], whole[:, 0], whole[:, -1]]) > 0.02).any())


def shown(task: Task | None, share: Number) -> Task | None:
    """The task, if the edit visibly changes that share of the object's pixels before or after."""
    if task is None:
        return None
    either = (torch.maximum(task.mask, task.placed) > 0.5).float()
    return task if metrics.changed(task.truth, task.before, either, tolerance=0.1) >= share else None
