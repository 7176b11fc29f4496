"""Scenes that we draw ourselves, so that the true result of every edit is known.

A `Scenes` object holds the parameters of a batch of scenes: background, light, and up to `OBJECTS` objects
from back to front. `render` draws them at any size; changing a parameter and rendering again is the *truth*
of an edit. All of it is a function of the seed alone, whatever the batch a scene is drawn in.

Convention: positions are fractions (x, y) of the picture's (width, height), origin top left; sizes are
fractions of the shorter side; angles are in degrees, positive ones turn counter-clockwise on the screen, like
those of `Move`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ..core.types import Number
from . import shapes
from .faces import LANDMARKS_17, face, landmarks_68
from .shapes import HANDLES, PARAMETERS, Drawing, Shape

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
    """Where the light stands, as a position; may lie outside the picture."""
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
    """Half the extent, as a fraction of the picture's shorter side."""
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
    """Pictures of scenes and what is known of them."""

    image: Float[Tensor, "b 3 h w"]
    """RGB in [0, 1]."""
    masks: Float[Tensor, "b n h w"]
    """What is seen of each object, anti-aliased coverage in [0, 1]."""
    whole: Float[Tensor, "b n h w"]
    """Each object as if nothing stood before it."""
    shadows: Float[Tensor, "b n h w"]
    """How much each object's cast shadow darkens, in [0, 1]."""


# --- chance ----------------------------------------------------------------------------------------------------------

_GAMMA, _MIX_1, _MIX_2 = -7046029254386353131, -4658895280553007687, -7723592293110705685


def _mix(x: Int64[Tensor, "..."]) -> Int64[Tensor, "..."]:
    """The finaliser of SplitMix64 on wrapping 64-bit integers.

    Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    x = (x ^ ((x >> 30) & ((1 << 34) - 1))) * _MIX_1
    x = (x ^ ((x >> 27) & ((1 << 37) - 1))) * _MIX_2
    return x ^ ((x >> 31) & ((1 << 33) - 1))


def uniform(seed: Int64[Tensor, " b"], stream: int, count: int) -> Float[Tensor, "b count"]:
    """Uniform numbers in [0, 1) that depend on (seed, stream, index) alone, the same on every machine and device."""
    index = torch.arange(1, count + 1, device=seed.device, dtype=torch.int64)
    state = _mix(_mix(seed * _GAMMA + stream)[:, None] + index * _GAMMA)
    return ((state >> 40) & ((1 << 24) - 1)).to(torch.float32) / (1 << 24)


def _between(u: Tensor, low: Number, high: Number) -> Tensor:
    return low + (high - low) * u


def _choose(u: Tensor, count: int) -> Tensor:
    return (u * count).long().clamp_max(count - 1)


# --- sampling --------------------------------------------------------------------------------------------------------


def sample(seeds: Int64[Tensor, " b"] | Sequence[int] | range, objects: int | None = None) -> Scenes:
    """Scenes drawn at random, each a function of its seed.

    Args:
        seeds: One whole number per scene.
        objects: How many objects each scene has, 1 to `OBJECTS`; None draws 1, 2 or 3 (40, 35, 25 %).

    Raises:
        ValueError: `objects` is not between 1 and `OBJECTS`.
    """
    if objects is not None and not 1 <= objects <= OBJECTS:
        raise ValueError(f"objects={objects}: a scene has 1 to {OBJECTS} objects")
    seed = torch.as_tensor(list(seeds) if isinstance(seeds, range) else seeds, dtype=torch.int64)
    b, n = len(seed), OBJECTS
    u = uniform(seed, 0, 16)
    count = torch.where(u[:, 0] < 0.4, 1, torch.where(u[:, 0] < 0.75, 2, 3))
    if objects is not None:
        count = torch.full_like(count, objects)
    ground = _choose(u[:, 1], len(BACKGROUNDS))
    base = torch.tensor(tuple(BACKGROUNDS.values()), device=seed.device)[ground]
    base = base + 0.06 * (uniform(seed, 1, 3) - 0.5)
    contrast = _between(u[:, 2], 0.03, 0.16)[:, None]
    v = uniform(seed, 2, n * 16).view(b, n, 16)
    kind = _choose(v[..., 0], len(KINDS))
    colour = _choose(v[..., 1], len(COLOURS))
    rgb = torch.tensor(tuple(COLOURS.values()), device=seed.device)[colour]
    rgb = (rgb + 0.08 * (uniform(seed, 3, n * 3).view(b, n, 3) - 0.5)).clamp(0.03, 0.97)
    texture = torch.where(v[..., 2] < 0.45, 0, 1 + _choose(v[..., 3], 3))
    texture = torch.where(kind == FACE, 0, texture)
    crowd = torch.tensor([1.0, 1.0, 0.9, 0.82], device=seed.device)[count][:, None]
    size = crowd * torch.where(kind == FACE, _between(v[..., 4], 0.21, 0.29), _between(v[..., 4], 0.15, 0.24))
    light_angle = 2 * math.pi * u[:, 9]
    reach = _between(u[:, 10], 0.45, 0.95)
    return Scenes(
        seed=seed,
        ground=ground,
        ground_colour=torch.stack([base - contrast, base + contrast], dim=1).clamp(0.05, 0.95),
        ground_angle=360 * u[:, 3],
        ground_texture=_choose(u[:, 4], len(GROUNDS)),
        ground_frequency=_between(u[:, 5], 2.5, 6.0),
        ground_amplitude=_between(u[:, 6], 0.015, 0.05),
        ground_phase=uniform(seed, 4, 2),
        light=0.5 + torch.stack([light_angle.cos(), light_angle.sin()], dim=-1) * reach[:, None],
        light_strength=_between(u[:, 11], 0.5, 1.0),
        present=torch.arange(n, device=seed.device)[None] >= n - count[:, None],
        kind=kind,
        colour=colour,
        rgb=rgb,
        texture=texture,
        texture_frequency=_between(v[..., 6], 2.0, 3.2),
        texture_phase=v[..., 7],
        position=_places(seed, size),
        size=size,
        aspect=torch.where(kind == FACE, _between(v[..., 8], 0.92, 1.08), _between(v[..., 8], 0.82, 1.22)),
        angle=torch.where(kind == FACE, _between(v[..., 9], -12.0, 12.0), _between(v[..., 9], -35.0, 35.0)),
        flip=v[..., 10] < 0.5,
        shape=uniform(seed, 5, n * PARAMETERS).view(b, n, PARAMETERS),
    )


def _places(seed: Tensor, size: Tensor) -> Float[Tensor, "b n 2"]:
    """Positions inside the picture: of four candidates each object takes the one farthest from the others."""
    b, n = size.shape
    candidates = uniform(seed, 6, n * 8).view(b, n, 4, 2)
    margin = (1.05 * size)[..., None, None]
    candidates = margin + (1 - 2 * margin) * candidates
    placed = [candidates[:, 0, 0]]
    for k in range(1, n):
        gap = torch.stack([(candidates[:, k] - p[:, None]).norm(dim=-1) for p in placed], dim=-1)
        gap = (gap - size[:, None, :k]).amin(dim=-1)
        placed.append(candidates[:, k][torch.arange(b, device=seed.device), gap.argmax(dim=-1)])
    return torch.stack(placed, dim=1)


# --- drawing ---------------------------------------------------------------------------------------------------------


def render(scenes: Scenes, size: tuple[int, int] = (128, 128)) -> Rendering:
    """Draw scenes.

    Args:
        scenes: What to draw.
        size: (height, width) in pixels.

    Raises:
        ValueError: A side is under 8 pixels.
    """
    height, width = size
    if min(size) < 8:
        raise ValueError(f"size={size}: pictures of scenes are at least 8x8 pixels")
    device = scenes.seed.device
    xs = (torch.arange(width, device=device) + 0.5) / min(size)
    ys = (torch.arange(height, device=device) + 0.5) / min(size)
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    side = torch.tensor([width, height], device=device) / min(size)
    b, n = scenes.present.shape
    level = _light_level(x[None], y[None], scenes.light * side, scenes.light_strength)
    canvas = _ground(scenes, x[None], y[None]) * level[:, None]
    layers = _objects(scenes, x, y, side, pixel=1 / min(size))
    whole, shadows = layers.cover.view(b, n, height, width), layers.shadow.view(b, n, height, width)
    for k in range(n):
        canvas = canvas * (1 - shadows[:, k, None])
        canvas = torch.lerp(canvas, layers.paint.view(b, n, 3, height, width)[:, k], whole[:, k, None])
    clear = torch.ones_like(whole[:, 0])
    masks: list[Tensor] = []
    for k in reversed(range(n)):
        masks.insert(0, whole[:, k] * clear)
        clear = clear * (1 - whole[:, k])
    return Rendering(canvas.clamp(0, 1), torch.stack(masks, dim=1), whole, shadows)


def _light_level(x: Tensor, y: Tensor, light: Tensor, strength: Tensor) -> Tensor:
    """Brightness at (x, y): 0.8 far from the light, up to 1.15 beside it."""
    distance = (x - light[:, 0, None, None]).square() + (y - light[:, 1, None, None]).square()
    return 0.8 + 0.35 * strength[:, None, None] / (1 + 2.5 * distance)


def _ground(scenes: Scenes, x: Tensor, y: Tensor) -> Float[Tensor, "b 3 h w"]:
    angle = torch.deg2rad(scenes.ground_angle)[:, None, None]
    along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    start, stop = scenes.ground_colour[:, 0, :, None, None], scenes.ground_colour[:, 1, :, None, None]
    colour = torch.lerp(start, stop, ((along - 0.5) / 1.4 + 0.5).clamp(0, 1)[:, None])
    rate = 2 * math.pi * scenes.ground_frequency[:, None, None]
    p, q = (2 * math.pi * scenes.ground_phase[:, k, None, None] for k in (0, 1))
    kind = scenes.ground_texture[:, None, None]
    stripes = (rate * across + p).sin()
    pattern = torch.where(
        kind == 1,
        (rate * across + p + 1.2 * (0.5 * rate * along + q).sin()).sin(),
        torch.where(kind == 2, stripes.mul(2).tanh(), stripes * (rate * along + q).sin()),
    )
    pattern = torch.where(kind == 0, torch.zeros_like(pattern), pattern)
    return colour + (scenes.ground_amplitude[:, None, None] * pattern)[:, None]


@dataclass(frozen=True)
class _Layers:
    cover: Tensor
    shadow: Tensor
    paint: Tensor


def _objects(scenes: Scenes, x: Tensor, y: Tensor, side: Tensor, pixel: float) -> _Layers:
    """Coverage, shadow and colours of every object: (b * n, h, w) and (b * n, 3, h, w), zero where absent."""
    b, n = scenes.present.shape
    height, width = x.shape
    cover, shadow = x.new_zeros(b * n, height, width), x.new_zeros(b * n, height, width)
    paint = x.new_zeros(b * n, 3, height, width)
    kinds = torch.where(scenes.present, scenes.kind, -1).flatten()
    flat = {name: getattr(scenes, name).flatten(0, 1) for name in _OBJECT_FIELDS}
    light = (scenes.light * side).repeat_interleave(n, dim=0)
    strength = scenes.light_strength.repeat_interleave(n, dim=0)
    for kind, draw in enumerate(KINDS.values()):
        chosen = (kinds == kind).nonzero()[:, 0]
        if len(chosen):
            of = {name: value[chosen] for name, value in flat.items()}
            frame = Frame(of["position"] * side, of["size"], of["aspect"], of["angle"], of["flip"])
            lit = _Light(light[chosen], strength[chosen])
            cover[chosen], paint[chosen] = _paint(draw, frame, of, lit, x, y, pixel)
            shadow[chosen] = _shadow(draw, frame, of["shape"], lit, x, y)
    return _Layers(cover, shadow, paint)


_OBJECT_FIELDS = (
    "position", "size", "aspect", "angle", "flip", "shape", "rgb", "texture", "texture_frequency", "texture_phase",
)  # fmt: skip


@dataclass(frozen=True)
class _Light:
    position: Tensor
    strength: Tensor


@dataclass(frozen=True)
class Frame:
    """Where objects stand: the map between the picture (in units of its shorter side) and the local frames."""

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
        """Local coordinates of points of the picture; `x`, `y` broadcast against (n, 1, 1)."""
        angle = -torch.deg2rad(self.angle)[:, None, None]
        sx, sy = (s[:, None, None] for s in self.scale)
        dx, dy = x - self.position[:, 0, None, None], y - self.position[:, 1, None, None]
        return (dx * angle.cos() + dy * angle.sin()) / sx, (dy * angle.cos() - dx * angle.sin()) / sy

    def picture(self, points: Float[Tensor, "n k 2"]) -> Float[Tensor, "n k 2"]:
        """Points of the local frames, in the picture."""
        angle = -torch.deg2rad(self.angle)[:, None]
        px, py = points[..., 0] * self.scale[0][:, None], points[..., 1] * self.scale[1][:, None]
        turned = torch.stack([px * angle.cos() - py * angle.sin(), px * angle.sin() + py * angle.cos()], dim=-1)
        return turned + self.position[:, None]


def _coverage(distance: Tensor, softness: Tensor | float) -> Tensor:
    return (0.5 - distance / softness).clamp(0, 1)


def _paint(
    draw: Shape, frame: Frame, of: dict[str, Tensor], light: _Light, x: Tensor, y: Tensor, pixel: float
) -> tuple[Tensor, Tensor]:
    """Coverage (n, h, w) and colours (n, 3, h, w) of objects of one kind."""
    lx, ly = frame.local(x, y)
    drawing: Drawing = draw(lx, ly, of["shape"])
    soft = (pixel / frame.size * torch.maximum(frame.aspect, 1 / frame.aspect).sqrt())[:, None, None]
    colour = of["rgb"][:, :, None, None] * _texture(lx, ly, of, soft)[:, None]
    for detail in drawing.details:
        tint = colour.new_tensor(detail.colour)[None, :, None, None]
        colour = torch.lerp(colour, tint, (detail.opacity * _coverage(detail.distance, soft))[:, None])
    shade = _shade(frame, light, x, y)
    return _coverage(drawing.distance, soft), colour * shade[:, None]


def _texture(x: Tensor, y: Tensor, of: dict[str, Tensor], soft: Tensor) -> Tensor:
    """Brightness factor of the texture, one of `TONES`, with edges as soft as the outline's."""
    rate = (math.pi * of["texture_frequency"])[:, None, None]
    phase = (2 * math.pi * of["texture_phase"])[:, None, None]
    kind = of["texture"][:, None, None]
    sx, sy = (rate * x + phase).sin(), (rate * y + phase).sin()
    wave = torch.where(kind == 1, sx, torch.where(kind == 2, 1.4 * sx * sy, sx * sy - 0.35))
    dark = (0.5 + wave / (rate * soft * 1.5)).clamp(0, 1)
    return torch.where(kind == 0, torch.ones_like(dark), TONES[0] + (TONES[1] - TONES[0]) * dark)


def _shade(frame: Frame, light: _Light, x: Tensor, y: Tensor) -> Tensor:
    """Shading of objects (n, h, w): the brightness where they stand, brighter on the side that faces the light."""
    toward = light.position - frame.position
    direction = toward / toward.norm(dim=-1, keepdim=True).clamp_min(1e-3)
    here = _light_level(
        frame.position[:, 0, None, None], frame.position[:, 1, None, None], light.position, light.strength
    )
    dx, dy = x - frame.position[:, 0, None, None], y - frame.position[:, 1, None, None]
    facing = (dx * direction[:, 0, None, None] + dy * direction[:, 1, None, None]) / frame.size[:, None, None]
    return here * (1 + 0.2 * light.strength[:, None, None] * facing.clamp(-1.2, 1.2))


def _shadow(draw: Shape, frame: Frame, shape: Tensor, light: _Light, x: Tensor, y: Tensor) -> Tensor:
    """Soft shadow thrown away from the light, longer when the light is farther; drawn at half size, it has no edges."""
    away = frame.position - light.position
    distance = away.norm(dim=-1, keepdim=True).clamp_min(1e-3)
    length = frame.size[:, None] * (0.12 + 0.28 * (distance / (distance + 0.6)))
    cast = replace(frame, position=frame.position + away / distance * length)
    height, width = x.shape
    small = (max(height // 2, 4), max(width // 2, 4))
    sx, sy = (F.interpolate(v[None, None], small, mode="bilinear", align_corners=False)[0, 0] for v in (x, y))
    blur = _coverage(draw(*cast.local(sx, sy), shape).distance, 0.45)
    blur = blur * blur * (3 - 2 * blur)
    blur = F.interpolate(blur[:, None], (height, width), mode="bilinear", align_corners=False)[:, 0]
    return (0.22 + 0.2 * light.strength)[:, None, None] * blur


# --- what is known ---------------------------------------------------------------------------------------------------


def frame_of(scenes: Scenes, index: Tensor | int, size: tuple[int, int]) -> Frame:
    """Where one object per scene stands in pictures of `size`, (height, width)."""
    side = torch.tensor([size[1], size[0]], device=scenes.seed.device) / min(size)
    names = ("size", "aspect", "angle", "flip")
    return Frame(scenes.of_object("position", index) * side, *(scenes.of_object(name, index) for name in names))


def landmarks(scenes: Scenes, index: Tensor | int, size: tuple[int, int], count: int = 68) -> Float[Tensor, "b k 2"]:
    """The landmarks of one face per scene, as pixels (x, y).

    Args:
        scenes: The scenes.
        index: Which object; one number or one per scene.
        size: (height, width) of the picture.
        count: 68 (iBUG 300-W) or 17 (`faces.LANDMARKS_17`).

    Raises:
        ValueError: An object is not a face, or `count` is neither 17 nor 68.
    """
    if (scenes.of_object("kind", index) != FACE).any():
        raise ValueError("landmarks: only faces have landmarks; choose objects with kind == FACE")
    if count not in (17, 68):
        raise ValueError(f"landmarks: count={count}; faces have 17 or 68 landmarks")
    points = landmarks_68(scenes.of_object("shape", index))
    points = points if count == 68 else points[:, list(LANDMARKS_17)]
    return frame_of(scenes, index, size).picture(points) * min(size)


def handles(scenes: Scenes, index: Tensor | int, size: tuple[int, int]) -> Float[Tensor, "b 2"]:
    """Where the shape parameter of one object per scene can be grabbed, as pixels (x, y); the truth of a drag.

    Raises:
        ValueError: An object is a face (whose shape has landmarks instead).
    """
    kinds = scenes.of_object("kind", index)
    if (kinds == FACE).any():
        raise ValueError("handles: faces have landmarks, not a handle; use landmarks()")
    ends = torch.tensor([[HANDLES[k].low, HANDLES[k].high] for k in KIND_NAMES if k != "face"], device=kinds.device)
    low, high = ends[kinds].unbind(dim=1)
    point = torch.lerp(low, high, scenes.of_object("shape", index)[:, :1])
    return frame_of(scenes, index, size).picture(point[:, None])[:, 0] * min(size)


def captions(scenes: Scenes) -> list[str]:
    """What a person would say of each scene: its objects from front to back, then the background."""
    present, kind, colour, texture = (v.tolist() for v in (scenes.present, scenes.kind, scenes.colour, scenes.texture))
    texts: list[str] = []
    for b, ground in enumerate(scenes.ground.tolist()):
        things: list[str] = []
        for k in reversed(range(len(present[b]))):
            if present[b][k]:
                words = [COLOUR_NAMES[colour[b][k]], KIND_NAMES[kind[b][k]]]
                if texture[b][k]:
                    words.insert(1, TEXTURES[texture[b][k]])
                things.append(("an " if words[0][0] in "aeiou" else "a ") + " ".join(words))
        name = BACKGROUND_NAMES[ground]
        place = f"{'an' if name[0] in 'aeiou' else 'a'} {name} background"
        texts.append(" and ".join(things) + f" on {place}" if things else place)
    return texts


def vocabulary() -> list[str]:
    """Every word that `captions` can write."""
    words = {"a", "an", "and", "on", "background"}
    return sorted(words | set(KINDS) | set(COLOURS) | set(BACKGROUNDS) | set(TEXTURES[1:]))
