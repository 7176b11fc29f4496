"""Photographs: images with what their files carry besides pixels, and how it is given to files again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from ..core.messages import cut
from ..core.types import Size
from .deep import DEEP, Deep, deep_of, deep_with, kept
from .files import (
    MAX_PIXELS,
    ImageLike,
    Pixels,
    array_image,
    by_strips,
    check_size,
    load_pixels,
    open_image,
    to_rgb,
    upright,
)
from .frames import Frame
from .metadata import carried

Channel: TypeAlias = UInt8[np.ndarray, "_ _"]
"""One channel (height, width) of an image with 8 bits."""

GREY_MODES = ("1", "L", "LA", "La")
"""Modes of PIL of images without colour; those of 16 bits begin with I."""


@dataclass(frozen=True, eq=False)
class Photo:
    """An upright image and what its file carried.

    Args:
        pixels: the image, transparency laid over white.
        alpha: its opacity, 0 to 255; None if it is opaque everywhere.
        grey: whether it has no colour.
        info: ICC profile, EXIF, XMP, resolution and JPEG quality of its file, by the names of PIL's `Image.info`.
        notes: what a user should know of how it was read.
        deep: the image with 16 bits a channel; None if its file has fewer, or it is not opaque.
    """

    pixels: Pixels
    alpha: Channel | None = None
    grey: bool = False
    info: Mapping[str, Any] = field(default_factory=dict[str, Any])
    notes: tuple[str, ...] = ()
    deep: Deep | None = None

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def image(self, pixels: Pixels, alpha: Channel | None) -> Image.Image:
        """Another image as an image of this one's kind, with what its file carried.

        Args:
            pixels: the image; where it is not opaque, laid over white.
            alpha: its opacity; None if it is opaque everywhere.
        """
        if alpha is None:
            image = Image.fromarray(pixels)
            image = image.convert("L") if self.grey else image
        else:
            image = Image.fromarray(np.dstack((without_white(pixels, alpha), alpha)))
            image = image.convert("LA") if self.grey else image
        image.info.update(self.info)
        if self.deep is not None and alpha is None:
            image.info[DEEP] = kept(self.deep, self.pixels, image)
        return image


@dataclass(frozen=True, eq=False)
class Shot:
    """A photo, and the part of it that is edited.

    Args:
        photo: the photo.
        frame: the part.
    """

    photo: Photo
    frame: Frame

    @cached_property
    def pixels(self) -> Pixels:
        """What the frame shows."""
        return self.photo.pixels if self.frame.is_whole else self.frame.pixels(self.photo.pixels)


def without_white(pixels: Pixels, alpha: Channel) -> Pixels:
    r"""The colours that give an image when they are laid over white, $c = 1 - (1 - x) / \alpha$."""
    a = np.maximum(alpha[..., None].astype(np.float32), 1)
    return np.rint((255 - (255 - pixels.astype(np.float32)) * (255 / a)).clip(0, 255)).astype(np.uint8)


def read_photo(source: ImageLike, max_pixels: int = MAX_PIXELS) -> Photo:
    """Reads a photo: pixels as `read_picture` gives them, and what its file carried.

    Args:
        source: as in `read_picture`.
        max_pixels: largest width x height accepted.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: as `read_picture`.
    """
    if isinstance(source, (np.ndarray, Tensor)):
        values = source.detach().cpu().numpy() if isinstance(source, Tensor) else source
        return _photo(array_image(values, max_pixels), "image")
    if isinstance(source, Image.Image):
        check_size(source.size[1], source.size[0], max_pixels, "image")
        return _photo(source, "image")
    name = f"image {cut(source)}"
    with open_image(Path(source), max_pixels, name) as image:
        return _photo(load_pixels(image, name), name, Path(source), ours=True)


def _photo(image: Image.Image, name: str, source: Path | None = None, ours: bool = False) -> Photo:
    """A photo of an image with its pixels read; `ours`: see `upright`."""
    deep = deep_of(image, source)
    deep = deep_with(image) if deep is None else deep  # a result that is edited again
    notes, info, turned = tuple(_notes(image, name, deep is not None)), carried(image), upright(image, ours)
    alpha = by_strips(turned, _opacity) if turned.has_transparency_data else None
    if alpha is not None and int(alpha.min(initial=255)) == 255:
        alpha = None
    grey = image.mode in GREY_MODES or image.mode.startswith("I") or image.mode == "F"
    return Photo(to_rgb(turned, ours), alpha, grey, info, notes, deep if alpha is None else None)


def _opacity(image: Image.Image) -> Channel:
    return np.array(image.convert("RGBA").getchannel("A"))


def _notes(image: Image.Image, name: str, kept: bool) -> "list[str]":
    notes: list[str] = []
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and image.format != "MPO":  # a photo with a depth map or a second view
        notes.append(f"{name} holds {frames} images; the first one is edited")
    if image.mode == "CMYK":
        notes.append(f"{name} is in CMYK; the result is in RGB")
    if kept:
        notes.append(
            f"{name} has 16 bits a channel; it is edited with 8, and keeps 16 away from the edit if written as PNG"
        )
    elif image.mode == "F" or image.mode.startswith("I"):
        notes.append(f"{name} has more than 8 bits a channel; the result has 8")
    return notes
