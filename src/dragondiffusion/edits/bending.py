"""The deformation that brings points to others: dragging and landmarks."""

import torch
import torch.nn.functional as nnf

from ..core.geometry import Correspondence, Points, cell_centres, coverage, erode, resize_nearest
from ..core.paint import Placed
from ..core.types import Canvas, Mask, Number, Pairs, Region, Size
from ..imaging.frames import box_of_points, clipped, grown
from ..proxy.deformation import STEPS, flow, pins
from ..proxy.rough import Copied

PINS = 96
"""Points around an editable region that a deformation leaves in place, at most. Source: chosen, one in few cells."""

FREE = 0.45
"""How near to an end nothing is pinned, in diagonals of the region. Source: chosen, docs/experiments.md."""

TAPER = 2.0
"""Width of the border of a region over which a deformation fades, in latent cells. Source: as `FREE`."""


def check_pairs(pairs: Pairs, size: Size, name: str) -> None:
    """Checks pairs of points of an image.

    Raises:
        ValueError: if a point lies outside.
    """
    for k, (start, end) in enumerate(pairs):
        for point in (start, end):
            if not (0 <= point[0] < size[1] and 0 <= point[1] < size[0]):
                raise ValueError(f"{name}[{k}]: {point} lies outside of the {size[1]}x{size[0]} image; move it inside")


def deformed(pairs: Pairs, editable: Region, canvas: Canvas, clamp: Number, proxy: bool, steps: int = STEPS) -> Placed:
    """An editable region bent smoothly so that every start comes to its end and its surroundings stay.

    Pairs of twice the same point are anchors, which stay.

    Args:
        pairs: points (start, end), pixels.
        editable: pixels of the padded image that may change.
        canvas: grids.
        clamp: see `Placed`.
        proxy: give the correspondence in pixels too.
        steps: see `deformation.flow`.
    """
    size = canvas.energy
    coarse = resize_nearest(editable.float(), size) > 0.5
    ends = torch.tensor([end for _, end in pairs], dtype=torch.float64)
    starts = torch.tensor([start for start, _ in pairs], dtype=torch.float64)
    centres, weight = cell_centres(size, canvas.padded), tapered(coarse, TAPER * canvas.grid)
    led = ends[(ends != starts).any(1)]
    origin = flow(centres, ends, starts, far_pins(coarse, led, canvas), weight, canvas.padded, steps)
    way = (origin - centres).T.reshape(1, 2, *size).float()
    cells = coverage(editable.float(), canvas.latent) > 0
    latent = Correspondence.to(_bent(way, cells, canvas.padded), cells, canvas.padded)
    if not proxy:
        return Placed(0, latent, None, clamp)
    pixels = Correspondence.to(_bent(way, editable, canvas.padded), editable, canvas.padded)
    return Placed(0, latent, Copied(0, pixels), clamp)


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
        left = erode(left, 1)
    return weight


def _bent(way: torch.Tensor, target: Region, extent: Size) -> Points:
    """Where the cells of a region come from, by a displacement known on a coarser or finer grid."""
    size: Size = (target.shape[0], target.shape[1])
    moved = nnf.interpolate(way, size, mode="bilinear")[0].reshape(2, -1).T
    return (cell_centres(size, extent) + moved)[target.flatten()]


def capsules(pairs: Pairs, radius: Number, size: Size) -> Region:
    """Pixels within a radius of the segments from start to end."""
    centres, region = cell_centres(size, size).reshape(*size, 2), torch.zeros(size, dtype=torch.bool)
    for start, end in pairs:
        left, top, right, bottom = clipped(grown(box_of_points((start, end)), radius), size)
        part = region[top:bottom, left:right]
        if bool(part.all()):
            continue
        points, a, b = centres[top:bottom, left:right], *torch.tensor((start, end), dtype=torch.float64)
        along = ((points - a) @ (b - a) / (b - a).square().sum().clamp_min(1e-9)).clamp(0, 1)
        part |= (points - a - along[..., None] * (b - a)).norm(dim=-1) <= radius
    return region
