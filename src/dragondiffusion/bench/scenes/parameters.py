"""The parameters of scenes, and the fields of a rendering.

Convention: positions are fractions (x, y) of the image's (width, height), origin top left; sizes are fractions of the
shorter side; angles are in degrees, positive ones turn counter-clockwise on the screen, like those of `Move`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ...core.types import Number
from . import shapes
from .faces import face
from .shapes import Shape

KINDS: dict[str, Shape] = {
    "ball": shapes.ball,
    "block": shapes.block,
    "triangle": shapes.triangle,
    "star": shapes.star,
    "ring": shapes.ring,
    "heart": shapes.heart,
    "leaf": shapes.leaf,
    "fish": shapes.fish,
    "mug": shapes.mug,
    "car": shapes.car,
    "house": shapes.house,
    "moon": shapes.moon,
    "flower": shapes.flower,
    "mushroom": shapes.mushroom,
    "face": face,
}
"""The kinds of object, in the order of their numbers."""

KIND_NAMES = tuple(KINDS)
FACE = KIND_NAMES.index("face")

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.83, 0.14, 0.14),
    "orange": (0.95, 0.52, 0.10),
    "yellow": (0.95, 0.84, 0.18),
    "green": (0.18, 0.60, 0.24),
    "cyan": (0.16, 0.74, 0.80),
    "blue": (0.16, 0.28, 0.84),
    "purple": (0.52, 0.18, 0.68),
    "pink": (0.96, 0.52, 0.76),
    "brown": (0.46, 0.27, 0.13),
    "white": (0.94, 0.94, 0.92),
}
COLOUR_NAMES = tuple(COLOURS)

BACKGROUNDS: dict[str, tuple[float, float, float]] = {
    "grey": (0.55, 0.55, 0.56),
    "sand": (0.78, 0.69, 0.52),
    "sky": (0.58, 0.72, 0.84),
    "mint": (0.60, 0.78, 0.66),
    "rose": (0.80, 0.62, 0.62),
    "lavender": (0.66, 0.62, 0.80),
    "slate": (0.34, 0.40, 0.46),
    "olive": (0.50, 0.52, 0.34),
}
BACKGROUND_NAMES = tuple(BACKGROUNDS)

TEXTURES = ("plain", "striped", "checked", "dotted")
TONES = (1.0, 0.5)
"""Brightness factors of a texture's light and dark parts."""
GROUNDS = ("smooth", "wavy", "striped", "spotted")
OBJECTS = 3
"""Most objects in a scene."""


@dataclass(frozen=True)
class Scenes:
    """Parameters of `b` scenes of `n` objects each, from back to front. Every field may be replaced and drawn again."""

    seed: Int64[Tensor, " b"]
    ground: Int64[Tensor, " b"]
    """Which of `BACKGROUNDS`."""
    ground_colour: Float[Tensor, "b 2 3"]
    """RGB at the two ends of the background's gradient."""
    ground_angle: Float[Tensor, " b"]
    ground_texture: Int64[Tensor, " b"]
    """Which of `GROUNDS`."""
    ground_frequency: Float[Tensor, " b"]
    """Periods across the shorter side."""
    ground_amplitude: Float[Tensor, " b"]
    ground_phase: Float[Tensor, "b 2"]
    light: Float[Tensor, "b 2"]
    """Where the light stands, as a position; may lie outside the image."""
    light_strength: Float[Tensor, " b"]
    present: Bool[Tensor, "b n"]
    kind: Int64[Tensor, "b n"]
    colour: Int64[Tensor, "b n"]
    rgb: Float[Tensor, "b n 3"]
    texture: Int64[Tensor, "b n"]
    texture_frequency: Float[Tensor, "b n"]
    texture_phase: Float[Tensor, "b n"]
    position: Float[Tensor, "b n 2"]
    size: Float[Tensor, "b n"]
    """Half the extent, as a fraction of the image's shorter side."""
    aspect: Float[Tensor, "b n"]
    """Width over height, relative to the kind's own."""
    angle: Float[Tensor, "b n"]
    flip: Bool[Tensor, "b n"]
    shape: Float[Tensor, "b n p"]
    """Shape parameters in [0, 1]; faces read them as `faces.FACE_PARAMETERS`, the others use the first."""

    def __len__(self) -> int:
        return len(self.seed)

    def __getitem__(self, index: slice | Tensor | list[int]) -> Scenes:
        return Scenes(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def to(self, device: str | torch.device) -> Scenes:
        """The same scenes on another device."""
        return Scenes(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def with_object(self, index: Int64[Tensor, " b"] | int, **values: Tensor | Number | bool) -> Scenes:
        """The scenes with parameters of one object each replaced.

        Args:
            index: Which object, one number for all scenes or one per scene.
            **values: Fields of an object and their new values, each of shape (b, ...) or broadcastable to it.

        Raises:
            ValueError: A name is not a field of objects.
        """
        names = {f.name for f in fields(self) if getattr(self, f.name).dim() >= 2} - {"ground_colour", "light"}
        rows = torch.arange(len(self), device=self.seed.device)
        index = torch.as_tensor(index, device=self.seed.device).expand(len(self))
        changed: dict[str, Tensor] = {}
        for name, value in values.items():
            if name not in names - {"ground_phase"}:
                raise ValueError(f"with_object: {name!r} is not a parameter of objects; choose from {sorted(names)}")
            changed[name] = getattr(self, name).clone()
            changed[name][rows, index] = torch.as_tensor(value, dtype=changed[name].dtype, device=self.seed.device)
        return replace(self, **changed)

    def of_object(self, name: str, index: Int64[Tensor, " b"] | int) -> Tensor:
        """The values of parameter `name` of one object of each scene, shape (b, ...)."""
        rows = torch.arange(len(self), device=self.seed.device)
        return getattr(self, name)[rows, torch.as_tensor(index, device=self.seed.device).expand(len(self))]


@dataclass(frozen=True)
class Rendering:
    """Images of scenes and the masks of their objects."""

    image: Float[Tensor, "b 3 h w"]
    """RGB in [0, 1]."""
    masks: Float[Tensor, "b n h w"]
    """Visible part of each object, anti-aliased coverage in [0, 1]."""
    whole: Float[Tensor, "b n h w"]
    """Each object as if nothing stood before it."""
    shadows: Float[Tensor, "b n h w"]
    """How much each object's cast shadow darkens, in [0, 1]."""
