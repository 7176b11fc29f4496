"""Images and masks as the page needs them: their facts, views that a browser shows, masks painted or found."""

import io
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from ..core.types import Mask, Point, Size
from ..imaging.files import load_pixels, open_image, to_rgb
from ..imaging.frames import box_of_mask, centre_of_mask
from ..imaging.masks import MaskLike, ReadMask, image_values, read_mask
from ..imaging.photos import Photo, read_photo
from ..imaging.png import from_png, to_png
from .answers import MaskFacts, PictureFacts
from .limits import RefusedError
from .sessions import Session

LOSSLESS = 1_500_000
"""Up to so many pixels views are PNG, which is exact; above, JPEG, which is small. Source: chosen."""


@lru_cache(maxsize=4)
def photo(path: Path) -> Photo:
    """The photo of a file; files never change, so the last few are cached."""
    return read_photo(path)


@lru_cache(maxsize=1024)
def size_of(path: Path) -> Size:
    """(height, width) of an upright image."""
    with open_image(path, 2**40, "the image") as image:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        return (image.width, image.height) if turned else (image.height, image.width)


def picture_facts(session: Session, name: str, **more: Any) -> PictureFacts:
    """The description of an image that clients get.

    Raises:
        RefusedError: if there is none of that name (404).
    """
    height, width = size_of(session.path(name))
    drawn = session.is_drawn(name)
    return PictureFacts(name=name, title=session.title(name), width=width, height=height, drawn=drawn, **more)


@lru_cache(maxsize=1024)
def mask_facts(path: Path) -> MaskFacts:
    """The description of a mask that clients get.

    Raises:
        RefusedError: if it is empty (422).
    """
    mask = marked(path, size_of(path))
    box = box_of_mask((mask > 0.5).float())
    height, width = mask.shape
    return MaskFacts(
        name=path.name,
        width=width,
        height=height,
        area=float((mask > 0.5).float().mean()),
        box=box,
        centroid=centre_of_mask(mask, box_of_mask(mask)),
    )


def marked(source: MaskLike, size: Size) -> Mask:
    """A mask; a source that is none is refused with its error (422)."""
    try:
        return read_mask(source, size)
    except ValueError as error:
        raise RefusedError(422, str(error)) from error


def keep_mask(session: Session, mask: Mask) -> MaskFacts:
    """Adds a mask to the session, as a grey image.

    Raises:
        RefusedError: if it is empty (422).
    """
    if not bool((mask > 0.5).any()):
        raise RefusedError(422, "nothing is selected; click on an object or paint over it")
    data = to_png(np.rint(mask.numpy() * 255).astype(np.uint8))
    return mask_facts(session.path(session.add(data, "")))


def painted(session: Session, picture: str, data: bytes) -> MaskFacts:
    """A mask painted on a view of an image, scaled to the image.

    Args:
        session: whose image it is.
        picture: its name.
        data: PNG, light where it is marked.

    Raises:
        RefusedError: if it is no PNG or has another shape than the image (422).
    """
    height, width = size_of(session.path(picture))
    try:
        image = from_png(data, "the mask", session.limits.pixels)
    except ValueError as error:
        raise RefusedError(422, str(error)) from error
    if abs(math.log(image.width / image.height * height / width)) > 1.5 / min(image.size) + 0.01:
        raise RefusedError(
            422,
            f"the mask is {image.width}x{image.height} and the image {width}x{height}; "
            "paint it on a view of the whole image",
        )
    try:
        grey = Image.fromarray(image_values(image, "the mask"))
    except ValueError as error:
        raise RefusedError(422, str(error)) from error
    values = torch.from_numpy(np.array(grey.resize((width, height), Image.Resampling.BILINEAR)))
    return keep_mask(session, marked(ReadMask(values), (height, width)))


def corrected(mask: Mask, found: Mask, before: Mask) -> Mask:
    """A mask with corrections by hand, updated by the change of the mask that was found by clicks."""
    return (mask + (found - before)).clamp(0, 1)


def view(path: Path, side: int) -> tuple[bytes, str]:
    """An image as a browser shows it, upright, and its media type.

    Args:
        path: the image.
        side: its longer side at most, pixels.
    """
    with open_image(path, 2**40, "the image") as image:
        image.draft("RGB", (side, side))
        image = ImageOps.exif_transpose(load_pixels(image, "the image"))
        if image.mode not in ("L", "RGB", "RGBA", "LA"):
            image = image.convert("RGBA") if image.has_transparency_data else Image.fromarray(to_rgb(image))
        image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    transparent = image.mode in ("RGBA", "LA")
    exact = transparent or image.mode == "L" or image.width * image.height <= LOSSLESS
    return encoded(image, "png" if exact else "jpeg")


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
