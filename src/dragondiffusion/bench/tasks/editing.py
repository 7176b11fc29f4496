"""The edits that make a change, one function for each way to build one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from ... import edits
from ...core.types import Number, Point
from ...edits.settings import Geometry
from .change import Change, Second

Build: TypeAlias = Callable[[Change, Geometry], edits.Edit]
"""Builds the edit of a change for the geometry of the settings that it will be made with."""


def move(task: Change, geometry: Geometry) -> edits.Edit:
    """An object moved, resized or turned."""
    anchor, offset = _anchored(task, geometry, task.scale)
    return edits.Move(_array(task.mask), offset, task.scale, task.angle, anchor=anchor)


def paste(task: Change, geometry: Geometry) -> edits.Edit:
    """An object of the second image, pasted."""
    second = _second(task)
    anchor, offset = _anchored(task, geometry, 1)
    return edits.Paste(
        pixels(second.picture),
        _array(second.mask),
        offset,
        task.scale,
        task.angle,
        anchor=anchor,
        prompt=second.caption,
    )


def appearance(task: Change, _geometry: Geometry) -> edits.Edit:
    """An object that takes the appearance of one of the second image."""
    second = _second(task)
    return edits.ReplaceAppearance(
        _array(task.mask), pixels(second.picture), _array(second.mask), prompt=second.caption
    )


def drag(task: Change, _geometry: Geometry) -> edits.Edit:
    """Handles dragged to where they should be."""
    mask = None if task.editable is None else _array(task.editable)
    return edits.Drag(list(zip(task.points_from, task.points_to, strict=True)), mask=mask)


def landmarks(task: Change, _geometry: Geometry) -> edits.Edit:
    """Landmarks of a face brought to other places."""
    return edits.Landmarks(list(task.points_from), list(task.points_to))


def remove(task: Change, _geometry: Geometry) -> edits.Edit:
    """An object removed."""
    return edits.Remove(_array(task.mask))


def pixels(picture: Float[Tensor, "3 h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """An image as the editor takes it, 8 bits a channel."""
    return (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def _array(mask: Float[Tensor, "h w"]) -> Float[np.ndarray, "h w"]:
    return mask.numpy()


def _second(task: Change) -> Second:
    if task.second is None:
        raise ValueError(f"second is missing; a task of kind {task.kind!r} takes something from a second image")
    return task.second


def _anchored(task: Change, geometry: Geometry, times: Number) -> tuple[Point | None, Point]:
    """Anchor and offset.

    The authors' geometry resizes about the middle of the image and multiplies the offset by `times`; it is given the
    offset that brings the object to the same place.
    """
    if geometry is Geometry.AFFINE:
        return task.centre, task.offset
    if task.scale == 1:
        return None, task.offset
    middle = (task.size[1] / 2, task.size[0] / 2)
    x, y = (c + d - m - task.scale * (c - m) for c, d, m in zip(task.centre, task.offset, middle, strict=True))
    return None, (x / times, y / times)
