"""Rows of the benchmark that need no model: classical methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...core.types import Canvas
from ...edits import Drag, Landmarks
from ...edits.bending import deformed
from ...edits.settings import Settings
from ...imaging.tensors import pad_picture
from ...proxy.appearance import Recoloured
from ..metrics import Picture
from ..tasks import Task, pixels

Baseline: TypeAlias = Callable[[Task], Picture]
"""Makes the edited image of a task."""

RADIUS = 3
"""Neighbourhood of the inpainting, pixels. Source: OpenCV's tutorial on inpainting."""

FRINGE = 2
"""Pixels around a mask that are inpainted too, because edges are soft. Source: chosen."""

MULTIPLE, FACTOR = 16, 4
"""Grids on which deformations are laid out, those of the demo model."""


def unedited_input(task: Task) -> Picture:
    """The image as it was."""
    return task.before


def copy_paste(task: Task) -> Picture:
    """Source holes inpainted from their borders, the object pasted through its mask; no model.

    Moves, resizes and turns: the source hole is inpainted, the object transported by its map and pasted. Pastes: pasted
    alone. Removals: inpainted alone. Drags and landmarks: one thin-plate deformation. Appearances: the object is
    recoloured.

    Source: A. Telea, "An image inpainting technique based on the fast marching method", Journal of Graphics Tools 2004,
    as in OpenCV; `proxy.deformation.ThinPlate`, `proxy.appearance.Recoloured`.
    """
    if task.points_from:
        return bent(task)
    if task.second is not None and not task.pasted:
        return recoloured(task)
    picture = task.before if task.pasted else inpainted(task.before, task.mask)
    transported = task.transported()
    if transported is None:
        return picture
    colours, alpha = transported
    return (1 - alpha) * picture + alpha * colours


def inpainted(picture: Picture, mask: Float[Tensor, "h w"]) -> Picture:
    """An image whose masked pixels, and `FRINGE` around them, are inpainted from what surrounds them."""
    import cv2

    hole = ((mask > 0.02).byte() * 255).numpy()
    size = 2 * FRINGE + 1
    hole = cv2.dilate(hole, np.ones((size, size), np.uint8))
    made = cv2.inpaint(np.ascontiguousarray(pixels(picture)), hole, RADIUS, cv2.INPAINT_TELEA)
    return torch.from_numpy(np.asarray(made)).permute(2, 0, 1) / 255


def recoloured(task: Task) -> Picture:
    """The object with the mean and covariance of the other's colours."""
    pictures = [2 * picture[None] - 1 for picture in (task.before, *([task.second.picture] if task.second else []))]
    like = task.mask if task.second is None else task.second.mask
    return (Recoloured(task.mask, 1, like).onto(pictures[0], pictures)[0] + 1) / 2


def bent(task: Task) -> Picture:
    """One thin-plate map that brings the points to their ends, fading at the border of what an edit may change."""
    edit, canvas = task.edit(), Canvas(task.size, MULTIPLE, FACTOR, Settings().energy_grid)
    if not isinstance(edit, (Drag, Landmarks)):
        raise ValueError(f"kind {task.kind!r} leads no points; use one of drag, landmarks")
    pairs = list(zip(task.points_from, task.points_to, strict=True))
    plan = deformed(pairs, edit.editable(canvas) > 0.5, canvas, 1.0, proxy=True, free=edit.FREE, steps=1)
    x = pad_picture(2 * task.before[None] - 1, canvas.padded)
    proxy = x if plan.paint is None else plan.paint.onto(x, [x])
    return (proxy[0, :, : task.size[0], : task.size[1]] + 1) / 2
