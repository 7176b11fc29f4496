"""Images as the page needs them: their facts, views that a browser shows, reduced copies to work on at once."""

import io
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from ..core.types import Point, Size
from ..imaging.files import Pixels, load_pixels, open_image, to_rgb
from ..imaging.photos import Channel, Photo, read_photo
from .answers import PictureFacts
from .limits import RefusedError
from .sessions import Session

SIDE = 1600
"""Longer side of what is worked on at once: selected, checked, previewed; pixels. Source: chosen, the side of the views
that the page shows."""
LOSSLESS = 1_500_000
"""Up to so many pixels views are PNG, which is exact; above, JPEG, which is small. Source: chosen."""


@lru_cache(maxsize=4)
def photo(path: Path) -> Photo:
    """The photo of a file; files never change, so the last few are cached."""
    return read_photo(path)


@lru_cache(maxsize=8192)
def size_of(path: Path) -> Size:
    """(height, width) of an upright image."""
    with open_image(path, 2**40, "the image") as image:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        return (image.width, image.height) if turned else (image.height, image.width)


def factor_of(size: Size) -> float:
    """Sides of the reduced copy of an image of a size, as a share of its own; 1 where it is small enough itself."""
    return min(1.0, SIDE / max(size))


def reduced_size(size: Size, factor: float) -> Size:
    """(height, width) of a copy whose sides are so many times as long, with the last pixels that are cut."""
    height, width = (max(1, math.ceil(side * factor - 1e-6)) for side in size)
    return height, width


@lru_cache(maxsize=8)
def reduced(path: Path, factor: float) -> Photo:
    """The photo of a file with its sides so many times as long; the last few are cached."""
    full = photo(path)
    if factor == 1:
        return full
    alpha = None if full.alpha is None else shrunk(full.alpha, factor)
    return Photo(shrunk(full.pixels, factor), alpha, full.grey, full.info, full.notes)


def shrunk(pixels: Pixels | Channel, factor: float) -> Any:
    """Pixels of an image with its sides so many times as long, at most as they are."""
    height, width = reduced_size((pixels.shape[0], pixels.shape[1]), factor)
    image = Image.fromarray(pixels)
    return np.array(image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0))


def picture_facts(session: Session, name: str, **more: Any) -> PictureFacts:
    """The description of an image that clients get.

    Raises:
        RefusedError: if there is none of that name (404).
    """
    height, width = size_of(session.path(name))
    drawn = session.is_drawn(name)
    return PictureFacts(name=name, title=session.title(name), width=width, height=height, drawn=drawn, **more)


def view(path: Path, side: int) -> tuple[bytes, str]:
    """An image as a browser shows it, upright, and its media type.

    Args:
        path: the image.
        side: its longer side at most, pixels.
    """
    size = size_of(path)
    if side <= SIDE < max(size):
        image = _opaque_or_not(reduced(path, factor_of(size)))
    else:
        with open_image(path, 2**40, "the image") as image:
            image.draft("RGB", (side, side))
            image = ImageOps.exif_transpose(load_pixels(image, "the image"))
            if image.mode not in ("L", "RGB", "RGBA", "LA"):
                image = image.convert("RGBA") if image.has_transparency_data else Image.fromarray(to_rgb(image))
    image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    transparent = image.mode in ("RGBA", "LA")
    exact = transparent or image.mode == "L" or image.width * image.height <= LOSSLESS
    return encoded(image, "png" if exact else "jpeg")


def _opaque_or_not(copy: Photo) -> Image.Image:
    """The image of a reduced copy, without what its file carried."""
    image = copy.image(copy.pixels, copy.alpha)
    image.info.clear()
    return image


def encoded(image: Image.Image, kind: str) -> tuple[bytes, str]:
    """An image's file and its media type."""
    data, image = io.BytesIO(), image.copy()
    image.info.clear()
    options: dict[str, Any] = {"compress_level": 1} if kind == "png" else {"quality": 90, "method": 0}
    image.save(data, format=kind, **options)
    return data.getvalue(), f"image/{kind}"


def inside(points: Sequence[Point], size: Size, what: str) -> None:
    """Checks that points lie in an image.

    Raises:
        RefusedError: if one does not (422).
    """
    for x, y in points:
        if not (0 <= x < size[1] and 0 <= y < size[0]):
            raise RefusedError(
                422, f"{what} ({x:g}, {y:g}) lies outside of the {size[1]}x{size[0]} image; move it inside"
            )
