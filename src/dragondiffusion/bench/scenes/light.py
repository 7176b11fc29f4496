"""Light: the brightness at a place, the shading of objects, and the shadows that they cast."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor

from .frames import ObjectFrame
from .shapes import Shape, coverage


@dataclass(frozen=True)
class Light:
    """Position (x, y) in units of the shorter side, and strength, for each object."""

    position: Tensor
    strength: Tensor


def brightness(x: Tensor, y: Tensor, light: Tensor, strength: Tensor) -> Tensor:
    """Brightness at (x, y): 0.8 far from the light, up to 1.15 beside it."""
    distance = (x - light[:, 0, None, None]).square() + (y - light[:, 1, None, None]).square()
    return 0.8 + 0.35 * strength[:, None, None] / (1 + 2.5 * distance)


def shading(frame: ObjectFrame, light: Light, x: Tensor, y: Tensor) -> Tensor:
    """Shading of objects (n, h, w): the brightness where they stand, brighter on the side that faces the light."""
    toward = light.position - frame.position
    direction = toward / toward.norm(dim=-1, keepdim=True).clamp_min(1e-3)
    here = brightness(
        frame.position[:, 0, None, None], frame.position[:, 1, None, None], light.position, light.strength
    )
    dx, dy = x - frame.position[:, 0, None, None], y - frame.position[:, 1, None, None]
    facing = (dx * direction[:, 0, None, None] + dy * direction[:, 1, None, None]) / frame.size[:, None, None]
    return here * (1 + 0.2 * light.strength[:, None, None] * facing.clamp(-1.2, 1.2))


def cast_shadow(draw: Shape, frame: ObjectFrame, shape: Tensor, light: Light, x: Tensor, y: Tensor) -> Tensor:
    """Soft shadow thrown away from the light, longer when the light is farther; drawn at half size, it has no edges."""
    away = frame.position - light.position
    distance = away.norm(dim=-1, keepdim=True).clamp_min(1e-3)
    length = frame.size[:, None] * (0.12 + 0.28 * (distance / (distance + 0.6)))
    cast = replace(frame, position=frame.position + away / distance * length)
    height, width = x.shape
    small = (max(height // 2, 4), max(width // 2, 4))
    sx, sy = (F.interpolate(v[None, None], small, mode="bilinear", align_corners=False)[0, 0] for v in (x, y))
    blur = coverage(draw(*cast.local(sx, sy), shape).distance, 0.45)
    blur = blur * blur * (3 - 2 * blur)
    blur = F.interpolate(blur[:, None], (height, width), mode="bilinear", align_corners=False)[:, 0]
    return (0.22 + 0.2 * light.strength)[:, None, None] * blur
