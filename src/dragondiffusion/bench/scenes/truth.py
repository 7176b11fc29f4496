"""Places of objects that are known exactly: landmarks of faces, and the handles that drags take hold of."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .faces import LANDMARKS_17, landmarks_68
from .frames import frame_of
from .parameters import FACE, KIND_NAMES, Scenes
from .shapes import HANDLES


def landmarks(scenes: Scenes, index: Tensor | int, size: tuple[int, int], count: int = 68) -> Float[Tensor, "b k 2"]:
    """The landmarks of one face per scene, as pixels (x, y).

    Args:
        scenes: The scenes.
        index: Which object; one number or one per scene.
        size: (height, width) of the image.
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
