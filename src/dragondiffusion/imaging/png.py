"""Images as PNG data that are read as the same image again, and the texts that PNG files carry."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngImageFile
from torch import Tensor

from ..core.messages import cut
from .files import MAX_PIXELS, ImageLike, load_pixels, open_image, read_picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""First bytes of every PNG file."""

KEPT_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
"""Modes of PIL that PNG holds and that come back as they were."""


def is_png(path: Path) -> bool:
    """Whether a file is a PNG, by its first bytes."""
    with path.open("rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


class TooLargeError(ValueError):
    """PNG data that have more bytes than there is room for."""


class _Room(io.BytesIO):
    """Takes so many bytes and no more."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > self.most:
            raise TooLargeError(f"PNG data have more than {self.most} bytes; store the image elsewhere")
        return super().write(data)


def to_png(source: ImageLike, most: int | None = None) -> bytes:
    """PNG data that `read_picture` and `read_mask` take for the same image and mask.

    Orientation is applied and metadata stay behind. Arrays of floats are stored with 16 bits if they are grey and 8
    bits do not hold them, with 8 bits otherwise.

    Args:
        source: the image.
        most: bytes that there is room for; None is any number. Large photos are not encoded to the end in vain.

    Raises:
        FileNotFoundError: if the path does not exist.
        TooLargeError: if there is not enough room.
        ValueError: if the image is unreadable, enormous, or an array that is no image.
    """
    if isinstance(source, (np.ndarray, Tensor)):
        image = _of_array(source.detach().cpu().numpy() if isinstance(source, Tensor) else source)
    elif isinstance(source, Image.Image):
        image = _plain(source)
    else:
        name = f"image {cut(source)}"
        with open_image(Path(source), MAX_PIXELS, name) as file:
            image = _plain(load_pixels(file, name))
    data = io.BytesIO() if most is None else _Room(most)
    image.save(data, format="PNG")
    return data.getvalue()


def from_png(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The image of PNG data.

    Raises:
        ValueError: if they are not PNG, broken, or enormous.
    """
    if not data.startswith(SIGNATURE):
        raise ValueError(f"{name} holds no PNG; encode the image as PNG")
    return load_pixels(open_image(io.BytesIO(data), max_pixels, name), name)


def read_texts(path: Path) -> dict[str, str]:
    """Texts by keyword that a PNG file carries; none if it is another kind of file.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the image is unreadable.
    """
    name = f"image {cut(path)}"
    with open_image(path, MAX_PIXELS, name) as image:
        if not isinstance(image, PngImageFile):
            return {}
        load_pixels(image, name)
        return {keyword: str(text) for keyword, text in image.text.items()}


def _plain(image: Image.Image) -> Image.Image:
    """The pixels of an image in a mode that PNG holds, and nothing else but its transparency."""
    image = ImageOps.exif_transpose(image).copy()
    if image.mode.startswith("I") and image.mode != "I;16":
        return Image.fromarray(np.asarray(image).clip(0, 65535).astype(np.uint16))
    if image.mode not in KEPT_MODES:
        return Image.fromarray(read_picture(image))
    image.info = {name: value for name, value in image.info.items() if name == "transparency"}
    return image


def _of_array(values: npt.NDArray[Any]) -> Image.Image:
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim == 2 and np.issubdtype(values.dtype, np.floating):
        return Image.fromarray(_grey(values))
    if values.dtype == np.bool_ and values.ndim == 2:
        return Image.fromarray(values.astype(np.uint8) * 255)
    if values.dtype == np.uint16 and values.ndim == 2:
        return Image.fromarray(values)
    if values.dtype == np.uint8 and (values.ndim == 2 or values.shape[2:] in ((2,), (3,), (4,))):
        return Image.fromarray(values)
    return Image.fromarray(read_picture(values))


def _grey(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values in [0, 1] as 8 bits if these hold them exactly, as 16 bits otherwise."""
    unit = values.astype(np.float32)
    if not bool(((unit >= 0) & (unit <= 1)).all()):
        raise ValueError("array holds values outside of [0, 1]; floats must lie in it")
    eight = np.rint(unit * 255).astype(np.uint8)
    if np.array_equal(eight / np.float32(255), unit):
        return eight
    return np.rint(unit.astype(np.float64) * 65535).astype(np.uint16)
