"""Masks: files, arrays, PIL images and shapes in, floats in [0, 1] out."""

import os
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as nnf
from PIL import Image, ImageOps
from torch import Tensor

from ..core.strict_json import read_json
from ..core.types import Mask, Size
from .files import MAX_PIXELS, ImageLike, as_array, load_pixels, open_image, unit_range
from .shapes import MaskShape, shape_of

MaskLike: TypeAlias = ImageLike | MaskShape
"""What is taken for a mask: an image of it, a box, a polygon or run lengths; a path may also be that of their JSON."""

MAX_SHAPE_BYTES = 16 * 2**20
"""Largest JSON file of a mask that is read, bytes. Source: chosen, run lengths of a large ragged mask."""


def read_mask(source: MaskLike, size: Size, name: str = "mask") -> Mask:
    """Reads a mask of an image as floats in [0, 1].

    Args:
        source: path, PIL image, or array (height, width[, channels]) of bool, of uint8 (0..255, or 0 and 1), or of
            floats in [0, 1], of which the first of several channels counts; or a box, polygon or run lengths.
        size: size of the image in pixels.
        name: what the mask is called in messages.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the mask is unreadable, empty, not finite, out of range, or of another size than the image.
    """
    source = loaded_shape(source, name)
    if isinstance(source, MaskShape):
        values = source.drawn(size, name)
    elif isinstance(source, (np.ndarray, Tensor)):
        values = as_array(source)
    elif isinstance(source, Image.Image):
        values = _mask_band(source)
    else:
        name = f"{name} {source}"
        with open_image(Path(source), MAX_PIXELS, name) as image:
            values = _mask_band(load_pixels(image, name))
    values = values[..., 0] if values.ndim == 3 else values
    if values.shape != size:
        raise ValueError(
            f"{name} has shape {values.shape} but the image is {size[0]}x{size[1]} (height x width); "
            "draw the mask on the image itself"
        )
    mask = torch.from_numpy(unit_range(values, name))
    if not bool((mask > 0.5).any()):
        raise ValueError(f"{name} is empty; mark the object with values above one half (white)")
    return mask


def loaded_shape(source: MaskLike, name: str = "mask") -> MaskLike:
    """A mask, its JSON read if it is the path of some.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds no mask.
    """
    if not isinstance(source, (str, os.PathLike)) or Path(source).suffix.lower() != ".json":
        return source
    return shape_of(read_json(Path(source), MAX_SHAPE_BYTES, f"{name} {source}"), f"{name} {source}")


def marked(mask: Mask, size: Size) -> Mask:
    """What a mask marks at all, 0 or 1, on its image resized to (height, width).

    Source: behaviour of the authors' released code: masks of 8 bits, resized bilinearly, count where they are not 0.
    """
    if mask.shape == size:
        return (mask > 0).float()
    return (nnf.interpolate(mask[None, None].float(), size, mode="bilinear")[0, 0] * 255 >= 0.5).float()


def pad_mask(mask: Mask, padded: Size) -> Mask:
    """The mask on the padded image; what was added is outside."""
    return nnf.pad(mask, (0, padded[1] - mask.shape[1], 0, padded[0] - mask.shape[0]))


def _mask_band(image: Image.Image) -> npt.NDArray[Any]:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.float32) / 65535
    return np.array(image.convert("L"))
