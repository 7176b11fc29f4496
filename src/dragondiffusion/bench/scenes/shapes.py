"""The kinds of object that scenes are made of, as signed distances in a local frame.

Each kind is one function of local coordinates `(x, y)` and of its shape parameters; it returns the signed
distance to its outline (negative inside) and the details painted on it. Convention: the local frame has its
origin at the object's centre, x to the right, y down, and an object reaches to about 1 from the centre.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...core.types import Number

PARAMETERS = 8
"""Shape parameters per object, each in [0, 1]. Objects use the first; faces use all."""

DARK = (0.13, 0.13, 0.15)
LIGHT = (0.95, 0.95, 0.93)
GLASS = (0.62, 0.80, 0.90)
GOLD = (0.96, 0.80, 0.25)


@dataclass(frozen=True)
class Detail:
    """A painted part: signed distance of its outline and its colour (RGB in [0, 1]), mixed in with `opacity`."""

    distance: Tensor
    colour: tuple[float, float, float]
    opacity: float = 1.0


@dataclass(frozen=True)
class Drawing:
    """An object in its local frame: signed distance of the outline, details painted in order."""

    distance: Tensor
    details: tuple[Detail, ...] = field(default=())


Shape = Callable[[Tensor, Tensor, Tensor], Drawing]


# --- distances -------------------------------------------------------------------------------------------------------


def circle(x: Tensor, y: Tensor, cx: Number | Tensor, cy: Number | Tensor, radius: Number | Tensor) -> Tensor:
    """Signed distance to a circle."""
    return ((x - cx).square() + (y - cy).square()).sqrt() - radius


def ellipse(
    x: Tensor, y: Tensor, cx: Number | Tensor, cy: Number | Tensor, rx: Number | Tensor, ry: Number | Tensor
) -> Tensor:
    """First-order distance `f / |grad f|` to an ellipse, `f = |(x / rx, y / ry)| - 1` (exact on the outline)."""
    u, v = (x - cx) / rx, (y - cy) / ry
    norm = (u.square() + v.square()).sqrt().clamp_min(1e-4)
    gradient = ((u / rx).square() + (v / ry).square()).sqrt().clamp_min(1e-4) / norm
    return (norm - 1) / gradient


def box(
    x: Tensor,
    y: Tensor,
    cx: Number | Tensor,
    cy: Number | Tensor,
    rx: Number | Tensor,
    ry: Number | Tensor,
    corner: float = 0.0,
) -> Tensor:
    """Signed distance to an axis-aligned box of half sizes (rx, ry) with rounded corners."""
    qx, qy = (x - cx).abs() - rx + corner, (y - cy).abs() - ry + corner
    outside = (qx.clamp_min(0).square() + qy.clamp_min(0).square()).sqrt()
    return outside + torch.maximum(qx, qy).clamp_max(0) - corner


def capsule(
    x: Tensor,
    y: Tensor,
    start: tuple[Number | Tensor, Number | Tensor],
    stop: tuple[Number | Tensor, Number | Tensor],
    radius: Number | Tensor,
) -> Tensor:
    """Signed distance to a thick segment."""
    dx, dy = stop[0] - start[0], stop[1] - start[1]
    px, py = x - start[0], y - start[1]
    along = ((px * dx + py * dy) / (dx * dx + dy * dy)).clamp(0, 1)
    return ((px - along * dx).square() + (py - along * dy).square()).sqrt() - radius


def polygon(
    x: Tensor, y: Tensor, vertices: list[tuple[Number | Tensor, Number | Tensor]], corner: float = 0.0
) -> Tensor:
    """Signed distance to a simple polygon, grown by `corner` (which rounds its corners)."""
    nearest = torch.full_like(x, 1e9)
    inside = torch.zeros_like(x, dtype=torch.bool)
    for (ax, ay), (bx, by) in zip(vertices, [vertices[-1], *vertices[:-1]], strict=True):
        ex, ey = bx - ax, by - ay
        wx, wy = x - ax, y - ay
        along = ((wx * ex + wy * ey) / (ex * ex + ey * ey)).clamp(0, 1)
        nearest = torch.minimum(nearest, (wx - along * ex).square() + (wy - along * ey).square())
        crosses = (wy >= 0) != (y - by >= 0)
        inside = inside ^ (crosses & ((wx * ey - wy * ex) * ey > 0))
    return torch.where(inside, -1.0, 1.0) * nearest.sqrt() - corner


def parameter(shape: Tensor, index: int, low: Number, high: Number) -> Tensor:
    """Shape parameter `index`, mapped from [0, 1] to [low, high], shaped to broadcast over an image."""
    return (low + (high - low) * shape[:, index])[:, None, None]


def coverage(distance: Tensor, softness: Tensor | float) -> Tensor:
    """Anti-aliased coverage in [0, 1] of signed distances, with an edge as wide as `softness`."""
    return (0.5 - distance / softness).clamp(0, 1)


# --- kinds -----------------------------------------------------------------------------------------------------------


def ball(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A ball that grows to an egg: its top reaches to 0.8 ... 1.25."""
    top = parameter(shape, 0, 0.8, 1.25)
    height = torch.where(y < 0, top, torch.full_like(top, 0.8))
    return Drawing(ellipse(x, y, 0.0, 0.0, 0.8, height), (Detail(circle(x, y, -0.28, -0.32, 0.13), LIGHT, 0.6),))


def block(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A rounded box with its bottom at 0.7 and its top at 0.35 ... 1.0 above the centre."""
    top = parameter(shape, 0, 0.35, 1.0)
    return Drawing(box(x, y, 0.0, (0.7 - top) / 2, 0.78, (0.7 + top) / 2, 0.12))


def triangle(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A triangle whose apex rises to 0.5 ... 1.2."""
    apex = parameter(shape, 0, 0.5, 1.2)
    return Drawing(polygon(x, y, [(0.0, -apex + 0.06), (0.82, 0.64), (-0.82, 0.64)], 0.06))


def star(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A five-pointed star; its upper ray is 0.7 ... 1.3 long."""
    ray = parameter(shape, 0, 0.7, 1.3)
    vertices: list[tuple[Number | Tensor, Number | Tensor]] = [(0.0, -ray + 0.04)]
    for k in range(1, 10):
        angle, radius = torch.tensor(torch.pi * k / 5), (0.43 if k % 2 else 0.94)
        vertices.append((radius * float(torch.sin(angle)), -radius * float(torch.cos(angle))))
    return Drawing(polygon(x, y, vertices, 0.04))


def ring(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A ring with a hole of radius 0.3 ... 0.62."""
    hole = parameter(shape, 0, 0.3, 0.62)
    radius = (x.square() + y.square()).sqrt()
    return Drawing(torch.maximum(radius - 0.95, hole - radius))


def heart(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A heart whose tip hangs to 0.65 ... 1.15."""
    tip = parameter(shape, 0, 0.65, 1.15)
    lobes = circle(x.abs(), y, 0.42, -0.3, 0.48)
    body = polygon(x, y, [(0.0, tip), (-0.82, -0.03), (-0.42, -0.3), (0.42, -0.3), (0.82, -0.03)])
    return Drawing(torch.minimum(lobes, body))


def leaf(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A pointed leaf, half as wide as 0.3 ... 0.65, with a stalk and a midrib."""
    half = parameter(shape, 0, 0.3, 0.65)
    reach = 0.85
    radius = (reach * reach + half.square()) / (2 * half)
    blade = circle(x, y.abs() + radius - half, 0.0, 0.0, radius)
    stalk = capsule(x, y, (0.8, 0.0), (1.1, 0.1), 0.06)
    return Drawing(torch.minimum(blade, stalk), (Detail(capsule(x, y, (-0.6, 0.0), (0.85, 0.0), 0.035), DARK, 0.55),))


def fish(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A fish facing right, whose tail reaches to 0.75 ... 1.3 behind the centre."""
    tail = parameter(shape, 0, 0.75, 1.3)
    body = ellipse(x, y, 0.2, 0.0, 0.75, 0.5)
    fin = polygon(x, y, [(-0.3, 0.0), (-tail, -0.5), (-tail + 0.18, 0.0), (-tail, 0.5)])
    eye = circle(x, y, 0.58, -0.12, 0.13)
    return Drawing(
        torch.minimum(body, fin),
        (Detail(eye, LIGHT), Detail(circle(x, y, 0.6, -0.12, 0.07), DARK)),
    )


def mug(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A mug with a handle on the right, its rim at 0.45 ... 1.0 above the centre."""
    top = parameter(shape, 0, 0.45, 1.0)
    body = box(x, y, -0.2, (0.75 - top) / 2, 0.6, (0.75 + top) / 2, 0.12)
    handle = ((x - 0.45).square() + (y - 0.1).square()).sqrt() - 0.38
    drawing = torch.minimum(body, handle.abs() - 0.11)
    return Drawing(drawing, (Detail(ellipse(x, y, -0.2, -top + 0.14, 0.5, 0.11), DARK, 0.85),))


def car(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A car facing right; its roof is at 0.35 ... 0.9 above the centre."""
    roof = parameter(shape, 0, 0.35, 0.9)
    hull = box(x, y, 0.0, 0.2, 1.0, 0.28, 0.12)
    cabin = polygon(x, y, [(-0.7, 0.0), (-0.48, -roof), (0.3, -roof), (0.62, 0.0)])
    wheels = circle(x.abs(), y, 0.55, 0.48, 0.24)
    window = polygon(x, y, [(-0.5, -0.06), (-0.38, -roof + 0.12), (0.24, -roof + 0.12), (0.44, -0.06)])
    return Drawing(
        torch.minimum(torch.minimum(hull, cabin), wheels),
        (Detail(window, GLASS), Detail(wheels, DARK), Detail(circle(x.abs(), y, 0.55, 0.48, 0.09), LIGHT, 0.9)),
    )


def house(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A house with a door and a window; its gable rises to 0.55 ... 1.15."""
    gable = parameter(shape, 0, 0.55, 1.15)
    walls = box(x, y, 0.0, 0.34, 0.68, 0.5)
    roof = polygon(x, y, [(0.0, -gable), (0.9, -0.12), (-0.9, -0.12)])
    return Drawing(
        torch.minimum(walls, roof),
        (
            Detail(roof, DARK, 0.6),
            Detail(box(x, y, -0.28, 0.52, 0.16, 0.32), DARK, 0.85),
            Detail(box(x, y, 0.3, 0.3, 0.19, 0.17), LIGHT),
        ),
    )


def moon(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A crescent, 0.35 ... 0.95 thick in the middle."""
    thick = parameter(shape, 0, 0.35, 0.95)
    return Drawing(torch.maximum(circle(x, y, 0.0, 0.0, 0.95), -circle(x, y, thick - 0.95 + 0.85, 0.0, 0.85)))


def flower(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """Six petals around a golden centre of radius 0.18 ... 0.45."""
    centre = parameter(shape, 0, 0.18, 0.45)
    petals = circle(x.abs(), y, 0.58, 0.0, 0.33)
    for angle in (torch.pi / 3, -torch.pi / 3):
        cos, sin = float(torch.cos(torch.tensor(angle))), float(torch.sin(torch.tensor(angle)))
        petals = torch.minimum(petals, circle((x * cos + y * sin).abs(), y * cos - x * sin, 0.58, 0.0, 0.33))
    return Drawing(torch.minimum(petals, circle(x, y, 0.0, 0.0, 0.5)), (Detail(circle(x, y, 0.0, 0.0, centre), GOLD),))


def mushroom(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A mushroom: a half-round cap 0.5 ... 1.1 high on a pale stem."""
    top = parameter(shape, 0, 0.5, 1.1)
    cap = torch.maximum(ellipse(x, y, 0.0, 0.1, 0.92, top + 0.1), y - 0.1)
    stem = box(x, y, 0.0, 0.45, 0.27, 0.42, 0.1)
    return Drawing(torch.minimum(cap, stem), (Detail(torch.maximum(stem, 0.1 - y), LIGHT, 0.85),))


@dataclass(frozen=True)
class Handle:
    """Where a kind's shape parameter can be grabbed: the point (x, y) in the local frame at parameters 0 and 1."""

    low: tuple[float, float]
    high: tuple[float, float]


HANDLES: dict[str, Handle] = {
    "ball": Handle((0.0, -0.8), (0.0, -1.25)),
    "block": Handle((0.0, -0.35), (0.0, -1.0)),
    "triangle": Handle((0.0, -0.5), (0.0, -1.2)),
    "star": Handle((0.0, -0.7), (0.0, -1.3)),
    "ring": Handle((0.3, 0.0), (0.62, 0.0)),
    "heart": Handle((0.0, 0.65), (0.0, 1.15)),
    "leaf": Handle((0.0, -0.3), (0.0, -0.65)),
    "fish": Handle((-0.57, 0.0), (-1.12, 0.0)),
    "mug": Handle((-0.2, -0.45), (-0.2, -1.0)),
    "car": Handle((0.0, -0.35), (0.0, -0.9)),
    "house": Handle((0.0, -0.55), (0.0, -1.15)),
    "moon": Handle((-0.6, 0.0), (0.0, 0.0)),
    "flower": Handle((0.0, -0.18), (0.0, -0.45)),
    "mushroom": Handle((0.0, -0.5), (0.0, -1.1)),
}
