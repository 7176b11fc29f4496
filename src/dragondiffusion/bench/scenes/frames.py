"""Where objects stand: the map between an image and the local frames in which objects are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .parameters import Scenes


@dataclass(frozen=True)
class ObjectFrame:
    """Where objects stand: the map between the image (in units of its shorter side) and the local frames."""

    position: Tensor
    size: Tensor
    aspect: Tensor
    angle: Tensor
    flip: Tensor

    @property
    def scale(self) -> tuple[Tensor, Tensor]:
        """Half extents along the local axes, shape (n,), negative along x where flipped."""
        root = self.aspect.sqrt()
        return self.size * root * torch.where(self.flip, -1.0, 1.0), self.size / root

    def local(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Local coordinates of points of the image; `x`, `y` broadcast against (n, 1, 1)."""
        angle = -torch.deg2rad(self.angle)[:, None, None]
        sx, sy = (s[:, None, None] for s in self.scale)
        dx, dy = x - self.position[:, 0, None, None], y - self.position[:, 1, None, None]
        return (dx * angle.cos() + dy * angle.sin()) / sx, (dy * angle.cos() - dx * angle.sin()) / sy

    def picture(self, points: Float[Tensor, "n k 2"]) -> Float[Tensor, "n k 2"]:
        """Points of the local frames, in the image."""
        angle = -torch.deg2rad(self.angle)[:, None]
        px, py = points[..., 0] * self.scale[0][:, None], points[..., 1] * self.scale[1][:, None]
        turned = torch.stack([px * angle.cos() - py * angle.sin(), px * angle.sin() + py * angle.cos()], dim=-1)
        return turned + self.position[:, None]


def frame_of(scenes: Scenes, index: Tensor | int, size: tuple[int, int]) -> ObjectFrame:
    """Where one object per scene stands in images of `size`, (height, width)."""
    side = torch.tensor([size[1], size[0]], device=scenes.seed.device) / min(size)
    names = ("size", "aspect", "angle", "flip")
    return ObjectFrame(scenes.of_object("position", index) * side, *(scenes.of_object(name, index) for name in names))
