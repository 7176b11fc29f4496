"""Image files: paths, arrays and PIL images in, pixels out."""

import importlib
import importlib.util
import io
import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

from ..core.messages import cut, is_file, reason
from .asking import asking

Pixels: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
"""An RGB image (height, width, 3) with 8 bits a channel."""

ImageLike: TypeAlias = str | os.PathLike[str] | Image.Image | np.ndarray[Any, np.dtype[Any]] | Tensor
"""What is taken for an image or a mask: a path, a PIL image, or an array."""

COMMON, OTHERS = (
    ("BMP", "GIF", "JPEG", "PNG", "PPM"),
    ("AVIF", "HEIF", "ICO", "JPEG2000", "PSD", "QOI", "TGA", "TIFF", "WEBP"),
)
"""Formats that are read, by PIL's names; the common ones are tried first. Source: chosen, those of images that people
have; of the others some start programs (EPS) or decode data of other fields."""

MAX_PIXELS = 100_000_000
"""Largest image that is read, in pixels. Source: phone cameras store up to 100 megapixels."""

STRIP = 2**22
"""Pixels that are converted together. Source: chosen, some copies of them take little memory."""


def read_picture(source: ImageLike, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Reads an image as 8-bit RGB: EXIF orientation applied, transparency laid over white, 16 bit and CMYK converted.

    Args:
        source: path, PIL image, or array (height, width[, channels]) of uint8, or of floats in [0, 1].
        max_pixels: largest width x height accepted.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the image is unreadable, enormous, of an unknown shape, or not finite.
    """
    if isinstance(source, (np.ndarray, Tensor)):
        return to_rgb(array_image(as_array(source), max_pixels))
    if isinstance(source, Image.Image):
        check_size(source.size[1], source.size[0], max_pixels, "image")
        return to_rgb(source)
    name = f"image {cut(source)}"
    with open_image(Path(source), max_pixels, name) as image:
        return to_rgb(load_pixels(image, name), ours=True)


def open_image(source: Path | io.BytesIO, max_pixels: int, name: str) -> Image.Image:
    """Opens an image's file, or the bytes of one, without reading its pixels.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the image is unreadable or enormous.
    """
    if isinstance(source, Path) and not is_file(source, name):
        raise FileNotFoundError(f"{name} does not exist; check the path")
    try:
        image = _opened(source)
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} {_why_unknown(source)}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} has more than {max_pixels} pixels; scale it down first") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{name} cannot be read ({reason(error)}); save it again") from error
    check_size(image.size[1], image.size[0], max_pixels, name)
    return image


def _opened(source: Path | io.BytesIO) -> Image.Image:
    """What PIL opens, and HEIC where pillow-heif is installed. PIL's own warning of large images is not needed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return asking(source, COMMON)
        except UnidentifiedImageError:
            formats = _others(_is_heif(source))
            if not formats:
                raise
            return asking(source, formats)


def _others(heif: bool) -> list[str]:
    """Formats beside the common ones that can be read here."""
    Image.init()
    if heif and importlib.util.find_spec("pillow_heif") is not None:
        cast(Any, importlib.import_module("pillow_heif")).register_heif_opener()
    return [name for name in OTHERS if name in Image.OPEN]


def _beginning(source: Path | io.BytesIO) -> bytes:
    if isinstance(source, io.BytesIO):
        return source.getvalue()[:32]
    with source.open("rb") as file:
        return file.read(32)


def _is_heif(source: Path | io.BytesIO) -> bool:
    """Whether a file is HEIC or HEIF, as phones store photos, by its first bytes (ISO 14496-12, `ftyp`)."""
    start = _beginning(source)
    return start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def _why_unknown(source: Path | io.BytesIO) -> str:
    if not _beginning(source):
        return "is empty; save it again"
    if _is_heif(source):
        return "is HEIC; install pillow-heif (pip install 'dragondiffusion[heic]') or convert it to JPEG"
    return "is not in a format that can be read; convert it to PNG or JPEG"


def load_pixels(image: Image.Image, name: str) -> Image.Image:
    """Reads the pixels of an opened image.

    Raises:
        ValueError: if it is broken.
    """
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ValueError(f"{name} is broken or cut short ({error}); save it again") from error
    return image


def check_size(height: int, width: int, max_pixels: int, name: str) -> None:
    """Checks that an image has pixels, and not too many.

    Raises:
        ValueError: if it does not.
    """
    if height < 1 or width < 1:
        raise ValueError(f"{name} has size {height}x{width}; it must have at least one pixel")
    if height * width > max_pixels:
        raise ValueError(f"{name} has {height}x{width} pixels, more than {max_pixels}; scale it down first")


def upright(image: Image.Image, ours: bool) -> Image.Image:
    """An image turned as its EXIF says; the same where it says nothing.

    Args:
        image: with its pixels read.
        ours: it was opened here and may be turned in its place, which takes half the memory.
    """
    if image.getexif().get(ExifTags.Base.Orientation, 1) == 1:
        return image
    if not ours:
        return ImageOps.exif_transpose(image)
    ImageOps.exif_transpose(image, in_place=True)
    return image


def to_rgb(image: Image.Image, ours: bool = False) -> Pixels:
    """The pixels of an image as 8-bit RGB, see `read_picture`.

    Args:
        image: with its pixels read.
        ours: see `upright`.

    Raises:
        ValueError: if there is no way from its mode to RGB, or it holds values that are not finite.
    """
    image = upright(image, ours)
    if image.mode.startswith("I") or image.mode == "F":
        top = 65535.0 if image.mode.startswith("I") else max(float(cast(Any, image.getextrema())[1]), 1.0)
        return by_strips(image, lambda strip: _grey_as_rgb(strip, top), 3)
    return by_strips(image, _colours, 3)


def by_strips(
    image: Image.Image, convert: Callable[[Image.Image], npt.NDArray[np.uint8]], *channels: int
) -> npt.NDArray[np.uint8]:
    """An image converted strip by strip, so that copies of all of a large one never lie in memory together.

    Args:
        image: upright.
        convert: from rows of it to an array (height, width, *channels).
        *channels: of the array.
    """
    found = np.empty((image.height, image.width, *channels), np.uint8)
    rows = max(1, STRIP // max(1, image.width))
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        with warnings.catch_warnings():  # as in `_opened`
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            strip = image.crop((0, top, image.width, bottom))
        found[top:bottom] = convert(strip)
    return found


def _grey_as_rgb(image: Image.Image, top: float) -> npt.NDArray[np.uint8]:
    """Grey of many levels, of which `top` is white."""
    values = np.asarray(image).astype(np.float64)
    if not (math.isfinite(top) and bool(np.isfinite(values).all())):
        raise ValueError("image holds NaN or infinite values; replace them")
    grey = np.rint(values.clip(0, top) * (255 / top)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _colours(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Colours of 8 bits, laid over white where they are not opaque."""
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    if image.mode in ("CMYK", "LAB"):
        return np.array(_in_srgb(image))
    try:
        return np.array(image.convert("RGB"))
    except ValueError as error:
        raise ValueError(f"image is in mode {image.mode}, which has no colours in RGB; convert it to RGB") from error


def _in_srgb(image: Image.Image) -> Image.Image:
    """Inks or CIELAB as RGB: by the image's profile where it has a sound one."""
    profile = image.info.get("icc_profile")
    source = io.BytesIO(profile) if profile else None
    try:
        if image.mode == "LAB" and source is None:
            given: Any = ImageCms.createProfile("LAB")
        else:
            given = ImageCms.ImageCmsProfile(source) if source is not None else None
        if given is not None:
            converted = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
            return cast(Image.Image, converted)
    except (ImageCms.PyCMSError, OSError):
        pass  # a broken profile
    if image.mode == "LAB":
        raise ValueError("image is in CIELAB with a profile that is broken; convert it to RGB")
    return image.convert("RGB")


def array_image(values: npt.NDArray[Any], max_pixels: int) -> Image.Image:
    """The image of an array, see `read_picture`."""
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
        first = values.ndim in (3, 4) and values.shape[-3] in (1, 3, 4)
        remedy = (
            f"; channels come last: {'image[0]' if values.ndim == 4 else 'image'}.permute(1, 2, 0)" if first else ""
        )
        raise ValueError(f"image array has shape {values.shape}; give (height, width, 3){remedy}")
    check_size(values.shape[0], values.shape[1], max_pixels, "image")
    if values.dtype != np.uint8:
        values = np.rint(unit_range(values, "image") * 255).astype(np.uint8)
    return Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)


def as_array(source: "npt.NDArray[Any] | Tensor") -> npt.NDArray[Any]:
    """An array, or a tensor as one."""
    return source.detach().cpu().numpy() if isinstance(source, Tensor) else source


def unit_range(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
    """Values as floats in [0, 1]; uint8 counts to 255 unless it holds nothing above 1."""
    if values.dtype == np.uint8:
        top = 255 if int(values.max(initial=0)) > 1 else 1
        return (values / np.float32(top)).astype(np.float32)
    if values.dtype != np.bool_ and not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"{name} has dtype {values.dtype}; use bool, uint8, or floats in [0, 1]")
    result = values.astype(np.float32)
    if not bool(np.isfinite(result).all()):
        raise ValueError(f"{name} holds NaN or infinite values; replace them")
    if float(result.min(initial=0)) < 0 or float(result.max(initial=0)) > 1:
        remedy = "divide by 255, or give uint8" if float(result.max()) > 2 else "shift and scale them: x / 2 + 0.5"
        raise ValueError(
            f"{name} holds values in [{result.min():g}, {result.max():g}]; floats must lie in [0, 1]: {remedy}"
        )
    return result
