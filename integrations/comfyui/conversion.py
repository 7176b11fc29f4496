"""ComfyUI's values as dragondiffusion takes them, and results as ComfyUI takes them: images, masks, boxes, points."""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .host import LOG

Box = tuple[float, float, float, float]
"""Left, upper, right and lower side, pixels."""
Point = tuple[float, float]

EMPTY_MASK = (64, 64)
"""Size of the mask that LoadImage gives of an image without any."""


def one_of(batch: Tensor, number: int, count: int, name: str) -> Tensor:
    """What a batch has for one of the images.

    Args:
        batch: (1 or count, ...).
        number: which image.
        count: how many images there are.
        name: what the batch is called in messages.

    Raises:
        ValueError: if it has another number of entries.
    """
    if len(batch) not in (1, count):
        raise ValueError(f"{name} holds {len(batch)} and there are {count} images; give one for all, or one for each")
    return batch[number if len(batch) > 1 else 0]


def pixels_of(image: Tensor, name: str = "image") -> np.ndarray:
    """An image with 8 bits a channel.

    Args:
        image: (height, width, channels) in [0, 1].
        name: what it is called in messages.

    Returns:
        A copy; values outside of [0, 1] are clipped, which is reported.

    Raises:
        ValueError: if it holds NaN or infinite values.
    """
    values = image.detach().cpu().float().numpy()
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds NaN or infinite values; look at the node it comes from")
    if values.min() < 0 or values.max() > 1:
        LOG.warning("%s holds values in [%g, %g]; it is clipped to [0, 1]", name, values.min(), values.max())
    return np.rint(values.clip(0, 1) * 255).astype(np.uint8)


def mask_of(mask: Tensor, size: tuple[int, int], name: str = "mask") -> np.ndarray:
    """A mask as floats in [0, 1].

    Args:
        mask: (height, width), 1 inside.
        size: (height, width) of its image.
        name: what it is called in messages.

    Raises:
        ValueError: if it is empty or of another size than its image.
    """
    values = mask.detach().cpu().float().numpy().copy()
    empty = not (values > 0.5).any()
    if empty and (values.shape == size or values.shape == EMPTY_MASK):
        raise ValueError(f"{name} is empty; paint over the object: right-click the image, Open in MaskEditor, Save")
    if values.shape != size:
        raise ValueError(
            f"{name} is {values.shape[1]}x{values.shape[0]} and its image {size[1]}x{size[0]} (width x height); "
            "make the mask on this very image"
        )
    return values


def image_tensor(image: Image.Image, channels: int) -> Tensor:
    """An image as ComfyUI takes it, (height, width, channels) in [0, 1].

    Args:
        image: grey, in colour, or transparent.
        channels: 1, 3 or 4.
    """
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    values = np.asarray(image.convert(mode), dtype=np.float32) / 255
    return torch.from_numpy(values.reshape(*values.shape[:2], channels))


def put_back(edited: Tensor, image: Tensor, region: Tensor) -> Tensor:
    """The edited image where it may differ, and elsewhere the image as it came in, to the last bit of its floats.

    Args:
        edited: (height, width, channels).
        image: the same.
        region: (height, width), above 0 where it may differ.
    """
    return torch.where(region[..., None] > 0, edited, image.detach().to(edited))


def boxes_of(value: Any, name: str) -> list[Box]:
    """The boxes of a BOUNDING_BOX: one, or lists of them as detectors and *Create Bounding Boxes* give.

    Raises:
        ValueError: if it holds none, or one without area.
    """
    if isinstance(value, list | tuple):
        return [box for entry in value for box in boxes_of(entry, name)]
    if not isinstance(value, dict) or not {"x", "y", "width", "height"} <= value.keys():
        raise ValueError(f"{name} is {value!r}; give a box with x, y, width and height in pixels")
    x, y, width, height = (float(value[side]) for side in ("x", "y", "width", "height"))
    if width <= 0 or height <= 0 or not all(map(math.isfinite, (x, y, width, height))):
        raise ValueError(f"{name} is {width:g} wide and {height:g} high at ({x:g}, {y:g}); give it an area")
    return [(x, y, x + width, y + height)]


def box_around(mask: np.ndarray) -> Box:
    """The box around what a mask marks with more than one half."""
    rows, columns = np.nonzero(mask > 0.5)
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


@dataclass(frozen=True)
class Placing:
    """How something gets from one place to another: fields of `Move` and `Paste`."""

    offset: Point
    scale: float | Point
    anchor: Point | None


def placing(offset: Point, scale: float, boxes: tuple[Any, Any], mask: np.ndarray) -> Placing:
    """The way from where something is to where it shall be, from numbers or from boxes.

    Args:
        offset: (dx, dy) in pixels.
        scale: factor.
        boxes: where it is (None is the box around its mask) and where it shall be; None to go by the numbers. Two
            boxes in the latter are both.
        mask: the object.

    Raises:
        ValueError: if both numbers and boxes say something, or the boxes are too many.
    """
    here, there = boxes
    if there is None:
        if here is not None:
            raise ValueError("box_from says where the object is, and box_to is missing; connect where it shall be")
        return Placing(offset, scale, None)
    if offset != (0.0, 0.0) or scale != 1.0:
        raise ValueError(
            f"box_to is connected: offset {offset} and scale {scale:g} must stay 0 and 1, or disconnect it"
        )
    targets = boxes_of(there, "box_to")
    sources = [box_around(mask)] if here is None else boxes_of(here, "box_from")
    if len(targets) == 2 and here is None:
        sources, targets = targets[:1], targets[1:]
    for found, name in ((sources, "box_from"), (targets, "box_to")):
        if len(found) != 1:
            raise ValueError(
                f"{name} holds {len(found)} boxes; give one, or two in box_to alone, where it is and where it shall be"
            )
    (x0, y0, x1, y1), (u0, v0, u1, v1) = sources[0], targets[0]
    anchor = ((x0 + x1) / 2, (y0 + y1) / 2)
    centre = ((u0 + u1) / 2, (v0 + v1) / 2)
    factors = ((u1 - u0) / (x1 - x0), (v1 - v0) / (y1 - y0))
    return Placing((centre[0] - anchor[0], centre[1] - anchor[1]), factors, anchor)


def points_of(text: str, name: str) -> list[Point]:
    """The points of JSON: `[[x, y], ...]`, or `[{"x": X, "y": Y}, ...]` as other nodes write them.

    Raises:
        ValueError: if it is something else.
    """
    data = _parsed(text, name)
    if not isinstance(data, list) or not data:
        raise ValueError(f"{name} is {text!r}; give points, [[x, y], ...]")
    return [_point(entry, f"{name}[{k}]") for k, entry in enumerate(data)]


def pairs_of(text: str, name: str) -> list[tuple[Point, Point]]:
    """The pairs of JSON: `[[[x, y], [x, y]], ...]`, each from where and to where.

    Raises:
        ValueError: if it is something else.
    """
    data = _parsed(text, name)
    if not isinstance(data, list) or not data or not all(isinstance(pair, list) and len(pair) == 2 for pair in data):
        raise ValueError(f"{name} is {text!r}; give pairs of points, from and to, [[[x, y], [x, y]], ...]")
    return [(_point(start, f"{name}[{k}][0]"), _point(end, f"{name}[{k}][1]")) for k, (start, end) in enumerate(data)]


def _parsed(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name} is {text!r}, which is no JSON ({error})") from error


def _point(entry: Any, name: str) -> Point:
    if isinstance(entry, dict):
        entry = [entry.get("x"), entry.get("y")]
    if (
        not isinstance(entry, list)
        or len(entry) != 2
        or not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in entry)
    ):
        raise ValueError(f"{name} is {entry!r}; give a point, [x, y], in pixels")
    return float(entry[0]), float(entry[1])
