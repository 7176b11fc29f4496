"""A cartoon face with named landmarks in the layout of 68 points (iBUG 300-W), all functions of its shape parameters.

Source: C. Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV Workshops 2013 (the order of the 68 points).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...selection.faces.layouts import LANDMARKS_17
from .shapes import DARK, LIGHT, PARAMETERS, Detail, Drawing, capsule, ellipse

FACE_PARAMETERS = (
    "eye_distance",
    "eye_opening",
    "brow_height",
    "brow_tilt",
    "nose_length",
    "mouth_width",
    "mouth_curve",
    "chin",
)
"""The shape parameters of a face in order; each is in [0, 1]."""

_RANGES = (
    (0.24, 0.42),
    (0.08, 0.19),
    (0.2, 0.4),
    (-0.12, 0.12),
    (0.08, 0.3),
    (0.2, 0.46),
    (-0.16, 0.2),
    (0.75, 1.15),
)
_EYE_Y, _EYE_X, _MOUTH_Y, _LIPS, _LINE = -0.18, 0.16, 0.47, 0.1, 0.055

LIPS = (0.62, 0.12, 0.16)


def _values(shape: Tensor) -> list[Tensor]:
    return [low + (high - low) * shape[..., k] for k, (low, high) in enumerate(_RANGES)]


def face(x: Tensor, y: Tensor, shape: Tensor) -> Drawing:
    """A face whose eyes, brows, nose, mouth and chin follow its eight shape parameters (`FACE_PARAMETERS`)."""
    eye, opening, brow, tilt, nose, width, curve, chin = (v[:, None, None] for v in _values(shape))
    height = torch.where(y < 0, torch.full_like(chin, 0.92), chin)
    ax = x.abs()
    brows = capsule(ax, y, (eye - 0.18, _EYE_Y - brow + tilt), (eye + 0.18, _EYE_Y - brow - tilt), _LINE)
    bend = _MOUTH_Y + curve * (1 - (x / width).square().clamp_max(1))
    lips = torch.maximum((y - bend).abs() - _LIPS * (1 - (x / width).square()).clamp_min(0) - 0.03, ax - width)
    return Drawing(
        ellipse(x, y, 0.0, 0.0, 0.8, height),
        (
            Detail(ellipse(ax, y, eye, _EYE_Y, _EYE_X, opening), LIGHT),
            Detail(ellipse(ax, y, eye, _EYE_Y, 0.075, torch.minimum(opening, torch.full_like(opening, 0.1))), DARK),
            Detail(brows, DARK, 0.9),
            Detail(capsule(x, y, (0.0, -0.1), (0.0, -0.05 + nose), 0.045), DARK, 0.45),
            Detail(capsule(ax, y, (0.0, -0.05 + nose), (0.1, -0.05 + nose), 0.045), DARK, 0.45),
            Detail(lips, LIPS),
        ),
    )


def landmarks_68(shape: Tensor) -> Tensor:
    """The 68 landmarks of faces with shape parameters `shape`.

    Args:
        shape: Parameters in [0, 1], shape (..., 8).

    Returns:
        Points (x, y) in the local frame, shape (..., 68, 2), in the order of iBUG 300-W: jaw 0-16, brows 17-26, nose
        27-35, eyes 36-47, mouth 48-67 (left to right in the image).
    """
    eye, opening, brow, tilt, nose, width, curve, chin = (v[..., None] for v in _values(shape))
    like = shape[..., :1]

    def line(*values: float) -> Tensor:
        return like.new_tensor(values).expand(*like.shape[:-1], len(values))

    angle = torch.linspace(torch.pi, 0, 17, dtype=shape.dtype, device=shape.device).expand(*like.shape[:-1], 17)
    jaw = (0.8 * angle.cos(), chin * angle.sin())
    along = line(-0.18, -0.09, 0.0, 0.09, 0.18)
    brow_left = (-eye + along, _EYE_Y - brow + tilt * along / 0.18)
    brow_right = (eye + along, _EYE_Y - brow - tilt * along / 0.18)
    bridge = (line(0.0, 0.0, 0.0, 0.0), -0.1 + (0.05 + nose) * line(0.0, 1 / 3, 2 / 3, 1.0))
    base = (line(-0.1, -0.05, 0.0, 0.05, 0.1), (-0.05 + nose).expand_as(line(0.0, 0.0, 0.0, 0.0, 0.0)))
    around = line(torch.pi, 2.1, 1.05, 0.0, -1.05, -2.1)
    eyes = [(side * eye + _EYE_X * around.cos(), _EYE_Y - opening * around.sin()) for side in (-1, 1)]
    mouth = [_lip(width, curve, line(*across), line(*side)) for across, side in (_OUTER, _INNER)]
    parts = [jaw, brow_left, brow_right, bridge, base, *eyes, *mouth]
    return torch.stack([torch.cat([p[k] for p in parts], dim=-1) for k in (0, 1)], dim=-1)


_OUTER = (
    (-1.0, -0.67, -0.33, 0.0, 0.33, 0.67, 1.0, 0.67, 0.33, 0.0, -0.33, -0.67),
    (0.0, -1.0, -1.0, -1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0),
)
_INNER = ((-0.9, -0.4, 0.0, 0.4, 0.9, 0.4, 0.0, -0.4), (0.0,) * 8)


def _lip(width: Tensor, curve: Tensor, across: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
    bulge = 1 - across.square()
    return width * across, _MOUTH_Y + curve * bulge + side * (_LIPS * bulge + 0.03)


__all__ = ["FACE_PARAMETERS", "LANDMARKS_17", "LIPS", "face", "landmarks_68"]

assert len(FACE_PARAMETERS) == PARAMETERS
