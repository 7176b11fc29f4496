"""The cast shadow of an object that is moved or removed: taken off where it was, thrown where the object goes."""

from dataclasses import replace

import torch

from ..core.geometry import Correspondence, coverage, resize_nearest, union
from ..core.paint import Placed
from ..core.types import Canvas, Mask, Number
from ..proxy.shading import Shaded
from ..proxy.shadows import Shadow, shaded
from .base import Compiled


def with_shadow(
    compiled: Compiled,
    shadow: Shadow,
    left: Mask,
    arrived: Mask | None,
    size: float,
    clamp: Number,
    canvas: Canvas,
) -> Compiled:
    """A compiled edit whose object takes its shadow along.

    Args:
        compiled: without.
        shadow: the object's.
        left: where the object was.
        arrived: where it goes; None if it is removed.
        size: its size there, relative to that before.
        clamp: see `Placed`.
        canvas: grids.
    """
    old = shadow.factor(left)
    new = torch.ones_like(old) if arrived is None else shadow.resized(size).factor(arrived)
    either = shaded(old) | shaded(new)
    cells = (coverage(either.float(), canvas.latent) > 0) & ~compiled.hole
    placed = Placed(0, Correspondence.to_self(cells, canvas.padded), Shaded(new), clamp)
    grid = resize_nearest(either.float(), canvas.energy) > 0.5
    objective = compiled.objective
    kept = (term.without(grid) if term.name == "content" else term for term in objective.content_terms)
    content = tuple(term for term in kept if term is not None)
    return replace(
        compiled,
        objective=replace(objective, content_terms=content),
        placed=(placed, *compiled.placed),
        touched=union([compiled.touched, grid]),
        changed=torch.maximum(compiled.changed, either.float()),
        lit=1 / old,
        outright=None if compiled.outright is None else compiled.outright | either,
    )
