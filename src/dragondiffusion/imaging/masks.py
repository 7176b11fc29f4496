"""Masks: files, arrays, PIL images and shapes in, floats in [0, 1] out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as nnf
from jaxtyping import UInt8, UInt16
from PIL import Image
from torch import Tensor

from ..core.messages import cut
from ..core.strict_json import Json, read_json
from ..core.types import Mask, Size
from .files import MAX_PIXELS, ImageLike, as_array, load_pixels, open_image
from .mask_choice import EVERYTHING, split_choice
from .mask_levels import mask_values
from .mask_noise import Values
from .shapes import MaskShape, Share, shape_of

MaskLike: TypeAlias = ImageLike | MaskShape
"""What is taken for a mask: an image of it, a box, a polygon or run lengths; a path may also be that of their JSON."""

MAX_SHAPE_BYTES = 16 * 2**20
"""Largest JSON file of a mask that is read, bytes. Source: chosen, run lengths of a large ragged mask."""


@dataclass(frozen=True, eq=False)
class ReadMask(MaskShape):
    """A mask that was read already: its values are taken as they are.

    Args:
        values: (height, width) in [0, 1].
    """

    values: Mask

    def drawn(self, size: Size, name: str = "mask") -> Share:
        return self.values.float().numpy()

    def to_json(self) -> Json:
        raise TypeError("a mask that was read has no JSON; write it as an image")


def read_mask(source: MaskLike, size: Size, name: str = "mask") -> Mask:
    """Reads a mask of an image as floats in [0, 1], 0 where nothing is marked, by the rule of `mask_levels`.

    What of it had to be guessed is noted, see `notes`.

    Args:
        source: path, with a choice behind it or not (`labels.png#2`, see `mask_choice`), PIL image, or array (height,
            width[, channels]) of any type of numbers; or a box, polygon or run lengths.
        size: size of the image in pixels.
        name: what the mask is called in messages.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the mask is unreadable, empty, not finite, no mask, or of another size than the image; or if it
            has to be chosen what of it is the mask.
    """
    source = loaded_shape(source, name)
    if isinstance(source, MaskShape):
        values = source.drawn(size, name)
    else:
        if not isinstance(source, (np.ndarray, Tensor, Image.Image)):
            name = f"{name} {cut(source)}"
        values = image_values(source, name)
    if values.shape != size:
        raise ValueError(
            f"{name} has shape {values.shape} but the image is {size[0]}x{size[1]} (height x width); "
            "draw the mask on the image itself"
        )
    mask = torch.from_numpy(values)
    if not bool((mask > 0.5).any()):
        raise ValueError(f"{name} is empty; mark the object with values above one half (white)")
    return mask


def image_values(source: ImageLike, name: str = "mask") -> Values:
    """The values of a mask that is an image or a path of one, of its own size; see `read_mask`."""
    if isinstance(source, (np.ndarray, Tensor)):
        return mask_values(as_array(source), name)
    if isinstance(source, Image.Image):
        return mask_values(source, name)
    path, choice = split_choice(source)
    with open_image(path, MAX_PIXELS, name) as image:
        return mask_values(load_pixels(image, name), name, choice)


def stored_values(source: ImageLike) -> UInt8[np.ndarray, "_ _"] | UInt16[np.ndarray, "_ _"]:
    """The values of a mask as an image in grey, which is read as the same mask: 8 bits if it is hard, else 16.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: as `read_mask`.
    """
    values = image_values(source)
    if bool(((values == 0) | (values == 1)).all()):
        return values.astype(np.uint8) * np.uint8(255)
    return np.rint(values.astype(np.float64) * 65535).astype(np.uint16)


def loaded_shape(source: MaskLike, name: str = "mask") -> MaskLike:
    """A mask, its JSON read if it is the path of some.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds no mask.
    """
    if not isinstance(source, (str, os.PathLike)):
        return source
    file, choice = split_choice(source)
    if file.suffix.lower() != ".json":
        return source
    if choice != EVERYTHING:
        raise ValueError(f"{name} {cut(source)}: only of images a value can be chosen; leave #... out")
    return shape_of(read_json(Path(source), MAX_SHAPE_BYTES, f"{name} {cut(source)}"), f"{name} {cut(source)}")


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
