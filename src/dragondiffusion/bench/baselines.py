"""What an engineer would do without a diffusion model: rows of the benchmark that need none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..images import pad_picture
from ..settings import Settings
from ..types import Canvas
from .metrics import Picture
from .tasks import Task, pixels

Baseline: TypeAlias = Callable[[Task], Picture]
"""Makes the edited picture of a task."""

RADIUS = 3
"""Neighbourhood of the filling, pixels. Source: OpenCV's tutorial on inpainting."""

FRINGE = 2
"""Pixels around a mask that are filled too, because edges are soft. Source: chosen."""

MULTIPLE, FACTOR = 16, 4
"""Grids on which deformations are laid out, those of the demo model."""


def left_alone(task: Task) -> Picture:
    """The picture as it was."""
    return task.before


def copy_paste(task: Task) -> Picture:
    """Holes filled by diffusion of their borders, the object pasted through its mask; no model.

    Moves, resizes and turns: the object's place is filled, the object carried along its map and laid over. Pastes: laid
    over. Removals: filled alone. Drags and landmarks: the thin-plate deformation, and appearances the recoloured
    object, that edits use as a draft.

    Source: A. Telea, "An image inpainting technique based on the fast marching method", Journal of Graphics Tools 2004,
    as in OpenCV; `deformation.ThinPlate` and `edits.draft.Recoloured` for the drafts.
    """
    if task.kind in ("drag", "landmarks", "appearance"):
        return drafted(task)
    picture = task.before if task.kind == "paste" else filled(task.before, task.mask)
    carried = task.carried()
    if carried is None:
        return picture
    colours, alpha = carried
    return (1 - alpha) * picture + alpha * colours


def filled(picture: Picture, mask: Float[Tensor, "h w"]) -> Picture:
    """A picture whose masked pixels, and `FRINGE` around them, are made up from what surrounds them."""
    import cv2

    hole = ((mask > 0.02).byte() * 255).numpy()
    size = 2 * FRINGE + 1
    hole = cv2.dilate(hole, np.ones((size, size), np.uint8))
    made = cv2.inpaint(np.ascontiguousarray(pixels(picture)), hole, RADIUS, cv2.INPAINT_TELEA)
    return torch.from_numpy(np.asarray(made)).permute(2, 0, 1) / 255


def drafted(task: Task) -> Picture:
    """The draft of an edit, which the package makes in pixels before any model is asked."""
    canvas = Canvas(task.size, MULTIPLE, FACTOR, Settings().energy_grid)
    second = [] if task.second is None else [task.second.picture]
    pictures = [pad_picture(2 * picture[None] - 1, canvas.padded) for picture in (task.before, *second)]
    draft = pictures[0]
    for carry in task.edit().objective(canvas, Settings()).carries:
        if carry.paint is not None:
            draft = carry.paint.onto(draft, pictures)
    return (draft[0, :, : task.size[0], : task.size[1]] + 1) / 2
