"""Drawing: from the parameters of scenes to images and masks, at any size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .frames import ObjectFrame
from .light import Light, brightness, cast_shadow, shading
from .parameters import KINDS, TONES, Rendering, Scenes
from .shapes import Drawing, Shape, coverage


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
        raise ValueError(f"size={size}: images of scenes are at least 8x8 pixels")
    device = scenes.seed.device
    xs = (torch.arange(width, device=device) + 0.5) / min(size)
    ys = (torch.arange(height, device=device) + 0.5) / min(size)
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    side = torch.tensor([width, height], device=device) / min(size)
    b, n = scenes.present.shape
    level = brightness(x[None], y[None], scenes.light * side, scenes.light_strength)
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
            frame = ObjectFrame(of["position"] * side, of["size"], of["aspect"], of["angle"], of["flip"])
            lit = Light(light[chosen], strength[chosen])
            cover[chosen], paint[chosen] = _paint(draw, frame, of, lit, x, y, pixel)
            shadow[chosen] = cast_shadow(draw, frame, of["shape"], lit, x, y)
    return _Layers(cover, shadow, paint)


_OBJECT_FIELDS = (
    "position", "size", "aspect", "angle", "flip", "shape", "rgb", "texture", "texture_frequency", "texture_phase",
)  # fmt: skip


def _paint(
    draw: Shape, frame: ObjectFrame, of: dict[str, Tensor], light: Light, x: Tensor, y: Tensor, pixel: float
) -> tuple[Tensor, Tensor]:
    """Coverage (n, h, w) and colours (n, 3, h, w) of objects of one kind."""
    lx, ly = frame.local(x, y)
    drawing: Drawing = draw(lx, ly, of["shape"])
    soft = (pixel / frame.size * torch.maximum(frame.aspect, 1 / frame.aspect).sqrt())[:, None, None]
    colour = of["rgb"][:, :, None, None] * _texture(lx, ly, of, soft)[:, None]
    for detail in drawing.details:
        tint = colour.new_tensor(detail.colour)[None, :, None, None]
        colour = torch.lerp(colour, tint, (detail.opacity * coverage(detail.distance, soft))[:, None])
    return coverage(drawing.distance, soft), colour * shading(frame, light, x, y)[:, None]


def _texture(x: Tensor, y: Tensor, of: dict[str, Tensor], soft: Tensor) -> Tensor:
    """Brightness factor of the texture, one of `TONES`, with edges as soft as the outline's."""
    rate = (math.pi * of["texture_frequency"])[:, None, None]
    phase = (2 * math.pi * of["texture_phase"])[:, None, None]
    kind = of["texture"][:, None, None]
    sx, sy = (rate * x + phase).sin(), (rate * y + phase).sin()
    wave = torch.where(kind == 1, sx, torch.where(kind == 2, 1.4 * sx * sy, sx * sy - 0.35))
    dark = (0.5 + wave / (rate * soft * 1.5)).clamp(0, 1)
    return torch.where(kind == 0, torch.ones_like(dark), TONES[0] + (TONES[1] - TONES[0]) * dark)
