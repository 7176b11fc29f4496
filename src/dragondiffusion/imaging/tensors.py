"""Images as the tensors that networks read, and back."""

import numpy as np
import torch
import torch.nn.functional as nnf
from PIL import Image

from ..core.types import Pictures, Size
from .files import Pixels


def to_tensor(pixels: Pixels, padded: Size) -> Pictures:
    """An image in [-1, 1], padded at its right and bottom edge with copies of the edge pixels."""
    return pad_picture(to_unpadded(pixels), padded)


def to_unpadded(pixels: Pixels) -> Pictures:
    """An image in [-1, 1]."""
    x = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]
    return x.div_(255).sub_(0.5).mul_(2)  # in place: copies of large photos take longer than their numbers


def pad_picture(x: Pictures, padded: Size) -> Pictures:
    """An image padded at its right and bottom edge with copies of the edge pixels."""
    return nnf.pad(x, (0, padded[1] - x.shape[3], 0, padded[0] - x.shape[2]), mode="replicate")


def from_tensor(x: Pictures, size: Size) -> Pixels:
    """The image of a tensor in [-1, 1], cropped to its size, rounded to 8 bits.

    Raises:
        ValueError: if the tensor is not finite.
    """
    if not bool(x.isfinite().all()):
        raise ValueError("the decoded image is not finite; try dtype=float32 or a smaller guidance_strength")
    x = ((x[0, :, : size[0], : size[1]].float() / 2 + 0.5).clamp(0, 1) * 255).round()
    return x.permute(1, 2, 0).to(torch.uint8).cpu().numpy()


def resized(pixels: Pixels, size: Size) -> Pixels:
    """An image in another size (height, width), bicubic; the same if it has that size."""
    return np.array(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BICUBIC))
