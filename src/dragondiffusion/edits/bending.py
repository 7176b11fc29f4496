"""The deformation that brings points to others: dragging and landmarks."""

import math

import torch
import torch.nn.functional as nnf
from jaxtyping import Float64
from torch import Tensor

from ..core.geometry import Correspondence, bounding_box, cell_centres, coverage, resize_nearest
from ..core.paint import Placed
from ..core.types import Canvas, Number, Pairs, Points, Region, Size
from ..imaging.frames import box_of_points, clipped, grown
from ..proxy.deformation import AT_ONCE, STEPS, border_points, flow, pins
from ..proxy.rough import Copied

PINS = 96
"""Points around an editable region that a deformation leaves in place, at most. Source: chosen, one in few cells."""

TAPER = 2.0
"""Least width of the border of a region over which a deformation fades, in latent cells. Source: chosen."""

SHARE = 1.25
"""The same width as a share of how far the points stay away from the border. Source: chosen, docs/experiments.md."""

BORDER_PIXELS = 1024
"""Pixels of a border from which distances are taken, at most. Source: chosen, a pixel in few."""

ALONG = 5
"""Places of a displacement at which its distance from the border is taken."""


def check_pairs(pairs: Pairs, size: Size, name: str) -> None:
    """Checks pairs of points of an image.

    Raises:
        ValueError: if a point lies outside.
    """
    for k, (start, end) in enumerate(pairs):
        for point in (start, end):
            if not (0 <= point[0] < size[1] and 0 <= point[1] < size[0]):
                raise ValueError(f"{name}[{k}]: {point} lies outside of the {size[1]}x{size[0]} image; move it inside")


def deformed(
    pairs: Pairs, editable: Region, canvas: Canvas, clamp: Number, proxy: bool, free: Number, steps: int = STEPS
) -> Placed:
    """An editable region bent smoothly so that every start comes to its end and its surroundings stay.

    Pairs of twice the same point are anchors, which stay.

    Args:
        pairs: points (start, end), pixels.
        editable: pixels of the padded image that may change.
        canvas: grids.
        clamp: see `Placed`.
        proxy: give the correspondence in pixels too.
        free: see `far_pins`.
        steps: see `deformation.flow`.
    """
    size, centres = canvas.energy, cell_centres(canvas.energy, canvas.padded)
    ends = torch.tensor([end for _, end in pairs], dtype=torch.float64)
    starts = torch.tensor([start for start, _ in pairs], dtype=torch.float64)
    moves = (ends != starts).any(1)
    along = torch.cat([torch.lerp(starts[moves], ends[moves], k / (ALONG - 1)) for k in range(ALONG)])
    border = border_points(editable, canvas.padded, BORDER_PIXELS)
    reach = float(border_distance(along, border, canvas.padded).min())
    distance = border_distance(centres, border, canvas.padded).reshape(size)
    weight = (distance / max(TAPER * canvas.factor, SHARE * reach)).clamp_max(1).float()
    weight = weight * (resize_nearest(editable.float(), size) > 0.5)
    fixed = far_pins(editable, ends[moves], canvas.padded, free)
    origin = flow(centres, ends, starts, fixed, weight, canvas.padded, steps)
    way = (origin - centres).T.reshape(1, 2, *size).float()
    cells = coverage(editable.float(), canvas.latent) > 0
    latent = Correspondence.to(_bent(way, cells, canvas.padded), cells, canvas.padded)
    if not proxy:
        return Placed(0, latent, None, clamp)
    pixels = Correspondence.to(_bent(way, editable, canvas.padded), editable, canvas.padded)
    return Placed(0, latent, Copied(0, pixels), clamp)


def far_pins(region: Region, ends: Points, extent: Size, free: Number) -> Points:
    """Points around an editable region that stay in place: those that are not near an end.

    Pinned on all sides, a region could only be dented; with its border free around the ends, what is dragged moves as a
    whole and only its far side stays.

    Args:
        region: pixels that may move.
        ends: where content is led, pixels.
        extent: size of the picture in pixels.
        free: how near to an end nothing is pinned, in diagonals of the region.
    """
    fixed = pins(region, extent, PINS)
    left, top, right, bottom = bounding_box(region)
    cell = (extent[1] / region.shape[1], extent[0] / region.shape[0])
    reach = free * math.hypot((right - left - 1) * cell[0], (bottom - top - 1) * cell[1])
    return fixed[torch.cdist(fixed, ends).amin(1) > reach]


def border_distance(points: Points, border: Points, extent: Size) -> Float64[Tensor, "points"]:
    """Distance of points of a region from the nearest pixel outside of it, pixels.

    The border of the image is no border of the region; where there is none, it is as far as the image's diagonal.

    Args:
        points: pixels.
        border: the region's `border_points`.
        extent: size of the picture in pixels.
    """
    if not len(border):
        return torch.full((len(points),), math.hypot(*extent), dtype=torch.float64)
    parts = points.double().split(AT_ONCE)
    mode = "donot_use_mm_for_euclid_dist"  # the same to the last bit, however many points
    return torch.cat([torch.cdist(part, border.double(), compute_mode=mode).amin(1) for part in parts])


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
