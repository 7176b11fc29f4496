"""The cast shadow of an object that is moved or removed: taken off where it was, thrown where the object goes."""

from dataclasses import dataclass, replace

import torch

from ..core.geometry import Correspondence, coverage, resize_nearest, union
from ..core.types import Canvas, Mask, Pictures, Region
from ..proxy.rough import Paint
from ..proxy.shadows import Shadow, shaded
from .base import Carry, Objective
from .compose import without


@dataclass(frozen=True)
class Shaded(Paint):
    """A shadow thrown onto the proxy.

    Args:
        factor: what brightness is multiplied by.
    """

    factor: Mask

    @property
    def region(self) -> Region:
        return shaded(self.factor)

    @property
    def is_content(self) -> bool:
        return False

    def onto(self, proxy: Pictures, pictures: object) -> Pictures:
        return scaled(proxy, self.factor)


def scaled(x: Pictures, factor: Mask) -> Pictures:
    """A picture in [-1, 1] with its brightness multiplied."""
    return ((x + 1) * factor.to(x) - 1).clamp(-1, 1)


def with_shadow(
    objective: Objective, shadow: Shadow, left: Mask, arrived: Mask | None, size: float, canvas: Canvas
) -> Objective:
    """An objective whose object takes its shadow along.

    Args:
        objective: without.
        shadow: the object's.
        left: where the object was.
        arrived: where it goes; None if it is removed.
        size: its size there, relative to that before.
        canvas: grids.
    """
    old = shadow.factor(left)
    new = torch.ones_like(old) if arrived is None else shadow.resized(size).factor(arrived)
    either = shaded(old) | shaded(new)
    cells = (coverage(either.float(), canvas.latent) > 0) & ~objective.hole
    carry = Carry(0, Correspondence.to_self(cells, canvas.padded), Shaded(new), objective.strengths.hold)
    grid = resize_nearest(either.float(), canvas.energy) > 0.5
    kept = (without(term, grid) if term.name == "content" else term for term in objective.content_terms)
    return replace(
        objective,
        content_terms=tuple(term for term in kept if term is not None),
        touched=union([objective.touched, grid]),
        changed=torch.maximum(objective.changed, either.float()),
        carries=(carry, *objective.carries),
        lit=1 / old,
    )
