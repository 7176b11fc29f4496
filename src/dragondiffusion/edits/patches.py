"""Small patches around pairs of points, and the deformation that brings one to the other: dragging and landmarks."""

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as nnf

from ..core.geometry import Correspondence, Points, cell_centres, coverage, dilate, resize_nearest
from ..core.types import NEVER, Canvas, Mask, Number, Pairs, Point, Region, Size, Window
from ..method.energies import PatchSimilarity
from ..pipeline.settings import Geometry, Settings
from ..proxy.deformation import STEPS, flow, pins
from ..proxy.rough import Copied
from .base import Carry

SIDE = 3
"""Cells along the side of a patch. Source: DragonDiffusion, section 4.3; authors' code."""

PINS = 96
"""Points around an editable region that a deformation leaves in place, at most. Source: chosen, one in few cells."""

FREE = 0.45
"""How near to an end nothing is pinned, in diagonals of the region. Source: chosen, docs/experiments.md."""

TAPER = 2.0
"""Width of the border of a region over which a deformation fades, in latent cells. Source: as `FREE`."""


def check_pairs(pairs: Pairs, size: Size, name: str) -> None:
    """Checks pairs of points of a picture.

    Raises:
        ValueError: if there is none, a number is not finite, a point lies outside, or a pair has no displacement.
    """
    if not pairs:
        raise ValueError(f"{name} is empty; give at least one pair of points")
    for k, (start, end) in enumerate(pairs):
        for point in (start, end):
            if len(point) != 2 or not all(math.isfinite(v) for v in point):
                raise ValueError(f"{name}[{k}]: {point} must be two finite numbers (x, y)")
            if not (0 <= point[0] < size[1] and 0 <= point[1] < size[0]):
                raise ValueError(
                    f"{name}[{k}]: {point} lies outside of the {size[1]}x{size[0]} picture; move it inside"
                )


def patch_term(pairs: Pairs, weight: Number, canvas: Canvas, settings: Settings) -> PatchSimilarity:
    """The energy that is low when the patch around every end looks as the one around its start did."""
    starts, ends = [start for start, _ in pairs], [end for _, end in pairs]
    if settings.geometry is Geometry.CENTRED:
        places = [cell_patches(points, canvas) for points in (ends, starts)]
        return PatchSimilarity("edit", weight, 0, places[0], places[1], SIDE**2, canvas.energy, bilinear=False)
    places = [point_patches(points, canvas) for points in (ends, starts)]
    return PatchSimilarity("edit", weight, 0, places[0], places[1], SIDE**2, canvas.padded, bilinear=True)


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


def copied_patches(pairs: Pairs, canvas: Canvas) -> Carry:
    """The latent cells around every start, copied to the end, as the authors' code starts a drag.

    Convention: that code copies in place, pair after pair, row by row and cell by cell. Where a patch overlaps its own
    start or another pair's, cells therefore read what earlier copies left there.

    Source: behaviour of the authors' released code, docs/method.md, section 9.
    """
    target = torch.zeros(canvas.latent, dtype=torch.bool)
    origin = torch.arange(target.numel()).reshape(canvas.latent)
    for start, end in pairs:
        (from_x, from_y), (to_x, to_y) = (
            [v // canvas.grid for v in patch_cell(point, canvas)] for point in (start, end)
        )
        for dy, dx in itertools.product((-1, 0, 1), repeat=2):
            fits_x = all(0 <= x + dx < canvas.latent[1] for x in (from_x, to_x))
            fits_y = all(0 <= y + dy < canvas.latent[0] for y in (from_y, to_y))
            if fits_x and fits_y:
                target[to_y + dy, to_x + dx] = True
                origin[to_y + dy, to_x + dx] = origin[from_y + dy, from_x + dx]
    source = cell_centres(canvas.latent, canvas.latent)[origin[target]]
    return Carry(0, Correspondence(target, source, canvas.latent, bilinear=False), None, NEVER)


def deformed(pairs: Pairs, editable: Region, canvas: Canvas, hold: Window, proxy: bool, steps: int = STEPS) -> Carry:
    """An editable region bent smoothly so that every start comes to its end and its surroundings stay.

    Args:
        pairs: points (start, end), pixels.
        editable: pixels of the padded picture that may change.
        canvas: grids.
        hold: see `Carry`.
        proxy: give the correspondence in pixels too.
        steps: see `deformation.flow`.
    """
    size = canvas.energy
    coarse = resize_nearest(editable.float(), size) > 0.5
    ends = torch.tensor([end for _, end in pairs], dtype=torch.float64)
    starts = torch.tensor([start for start, _ in pairs], dtype=torch.float64)
    centres, weight = cell_centres(size, canvas.padded), tapered(coarse, TAPER * canvas.grid)
    origin = flow(centres, ends, starts, far_pins(coarse, ends, canvas), weight, canvas.padded, steps)
    way = (origin - centres).T.reshape(1, 2, *size).float()
    cells = coverage(editable.float(), canvas.latent) > 0
    latent = Correspondence.to(_bent(way, cells, canvas.padded), cells, canvas.padded)
    if not proxy:
        return Carry(0, latent, None, hold)
    pixels = Correspondence.to(_bent(way, editable, canvas.padded), editable, canvas.padded)
    return Carry(0, latent, Copied(0, pixels), hold)


def far_pins(region: Region, ends: Points, canvas: Canvas) -> Points:
    """Points around an editable region that stay in place: those that are not near an end.

    Pinned on all sides, a region could only be dented; with its border free around the ends, what is dragged moves as a
    whole and only its far side stays.
    """
    fixed = pins(region, canvas.padded, PINS)
    inside = cell_centres((region.shape[0], region.shape[1]), canvas.padded)[region.flatten()]
    reach = FREE * float((inside.amax(0) - inside.amin(0)).norm())
    return fixed[torch.cdist(fixed, ends).amin(1) > reach]


def tapered(region: Region, width: Number) -> Mask:
    """1 inside a region, falling to 0 at its border within some cells."""
    weight, left = torch.zeros(region.shape), region
    steps = max(1, round(width))
    for _ in range(steps):
        weight = weight + left.float() / steps
        left = ~dilate(~left, 1)
    return weight


def _bent(way: torch.Tensor, target: Region, extent: Size) -> Points:
    """Where the cells of a region come from, by a displacement known on a coarser or finer grid."""
    size: Size = (target.shape[0], target.shape[1])
    moved = nnf.interpolate(way, size, mode="bilinear")[0].reshape(2, -1).T
    return (cell_centres(size, extent) + moved)[target.flatten()]


def capsules(pairs: Pairs, radius: Number, size: Size) -> Region:
    """Pixels within a radius of the segments from start to end."""
    points = cell_centres(size, size)
    region = torch.zeros(len(points), dtype=torch.bool)
    for start, end in pairs:
        a, b = torch.tensor(start, dtype=torch.float64), torch.tensor(end, dtype=torch.float64)
        along = ((points - a) @ (b - a) / (b - a).square().sum().clamp_min(1e-9)).clamp(0, 1)
        region |= (points - a - along[:, None] * (b - a)).norm(dim=1) <= radius
    return region.reshape(size)
