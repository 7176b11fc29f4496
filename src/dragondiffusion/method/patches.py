"""Small patches of features around points, which dragging and landmarks compare.

Source: DragonDiffusion (arXiv 2307.02421), section 4.3.
"""

from collections.abc import Sequence

import torch

from ..core.types import Canvas, Point, Points, Region

SIDE = 3
"""Cells along the side of a patch. Source: DragonDiffusion, section 4.3; authors' code."""


def point_patches(points: Sequence[Point], canvas: Canvas) -> Points:
    """Places around points, one energy cell apart, in pixels; patch after patch."""
    cell = canvas.factor / canvas.grid
    return (torch.tensor(points, dtype=torch.float64)[:, None] + _square() * cell).reshape(-1, 2)


def cell_patches(points: Sequence[Point], canvas: Canvas) -> Points:
    """Centres of the energy cells around the one that contains each point, in cells; whole inside the grid."""
    return (torch.tensor([patch_cell(p, canvas) for p in points]).double()[:, None] + _square() + 0.5).reshape(-1, 2)


def patch_cell(point: Point, canvas: Canvas) -> tuple[int, int]:
    """(x, y) of the middle cell of a point's patch, so far inside the energy grid that the patch fits."""
    cell = canvas.factor / canvas.grid
    x, y = (min(max(int(v // cell), 1), n - 2) for v, n in zip(point, reversed(canvas.energy), strict=True))
    return x, y


def patch_region(point: Point, canvas: Canvas) -> Region:
    """Cells of the energy grid in a point's patch."""
    x, y = patch_cell(point, canvas)
    region = torch.zeros(canvas.energy, dtype=torch.bool)
    region[y - 1 : y + 2, x - 1 : x + 2] = True
    return region


def _square() -> Points:
    reach = torch.arange(SIDE, dtype=torch.float64) - SIDE // 2
    return torch.stack((reach.repeat(SIDE), reach.repeat_interleave(SIDE)), dim=-1)
