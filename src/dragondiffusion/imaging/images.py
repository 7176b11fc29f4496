"""Pictures and masks: files, arrays and PIL images in, tensors and files out."""

import functools
import importlib
import importlib.util
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as nnf
from jaxtyping import Float, UInt8
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ..core.strict_json import read_json
from ..core.types import Mask, Pictures, Size
from .metadata import XMP_TEXT, png_xmp, savable, save_options
from .shapes import MaskShape, shape_of

Pixels: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
"""An RGB picture (height, width, 3) with 8 bits a channel."""

ImageLike: TypeAlias = str | os.PathLike[str] | Image.Image | npt.NDArray[Any] | Tensor
"""What is taken for a picture or a mask: a path, a PIL image, or an array."""

MaskLike: TypeAlias = ImageLike | MaskShape
"""What is taken for a mask: a picture of it, a box, a polygon or run lengths; a path may also be that of their JSON."""

MAX_SHAPE_BYTES = 16 * 2**20
"""Largest JSON file of a mask that is read, bytes. Source: chosen, run lengths of a large ragged mask."""

MAX_PIXELS = 100_000_000
"""Largest picture that is read, in pixels. Source: phone cameras store up to 100 megapixels."""


def read_picture(source: ImageLike, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Reads a picture as 8-bit RGB: EXIF orientation applied, transparency laid over white, 16 bit and CMYK converted.

    Args:
        source: path, PIL image, or array (height, width[, channels]) of uint8, or of floats in [0, 1].
        max_pixels: largest width x height accepted.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the picture is unreadable, enormous, of an unknown shape, or not finite.
    """
    if isinstance(source, (np.ndarray, Tensor)):
        return to_rgb(array_image(_as_array(source), max_pixels))
    if isinstance(source, Image.Image):
        check_size(source.size[1], source.size[0], max_pixels, "image")
        return to_rgb(source)
    name = f"picture {source}"
    with open_image(Path(source), max_pixels, name) as image:
        return to_rgb(load_pixels(image, name))


def read_mask(source: MaskLike, size: Size, name: str = "mask") -> Mask:
    """Reads a mask of a picture as floats in [0, 1].

    Args:
        source: path, PIL image, or array (height, width[, channels]) of bool, of uint8 (0..255, or 0 and 1), or of
            floats in [0, 1], of which the first of several channels counts; or a box, polygon or run lengths.
        size: size of the picture in pixels.
        name: what the mask is called in messages.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the mask is unreadable, empty, not finite, out of range, or of another size than the picture.
    """
    source = loaded_shape(source, name)
    if isinstance(source, MaskShape):
        values = source.drawn(size, name)
    elif isinstance(source, (np.ndarray, Tensor)):
        values = _as_array(source)
    elif isinstance(source, Image.Image):
        values = _mask_band(source)
    else:
        name = f"{name} {source}"
        with open_image(Path(source), MAX_PIXELS, name) as image:
            values = _mask_band(load_pixels(image, name))
    values = values[..., 0] if values.ndim == 3 else values
    if values.shape != size:
        raise ValueError(
            f"{name} has shape {values.shape} but the picture is {size[0]}x{size[1]} (height x width); "
            "draw the mask on the picture itself"
        )
    mask = torch.from_numpy(_unit_range(values, name))
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


def to_tensor(pixels: Pixels, padded: Size) -> Pictures:
    """A picture in [-1, 1], padded at its right and bottom edge with copies of the edge pixels."""
    return pad_picture(to_unpadded(pixels), padded)


def to_unpadded(pixels: Pixels) -> Pictures:
    """A picture in [-1, 1]."""
    x = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 255
    return (x - 0.5) * 2


def pad_picture(x: Pictures, padded: Size) -> Pictures:
    """A picture padded at its right and bottom edge with copies of the edge pixels."""
    return nnf.pad(x, (0, padded[1] - x.shape[3], 0, padded[0] - x.shape[2]), mode="replicate")


def resized(pixels: Pixels, size: Size) -> Pixels:
    """A picture in another size (height, width), bicubic; the same if it has that size."""
    return np.array(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BICUBIC))


def marked(mask: Mask, size: Size) -> Mask:
    """What a mask marks at all, 0 or 1, on its picture resized to (height, width).

    Source: behaviour of the authors' released code: masks of 8 bits, resized bilinearly, count where they are not 0.
    """
    if mask.shape == size:
        return (mask > 0).float()
    return (nnf.interpolate(mask[None, None].float(), size, mode="bilinear")[0, 0] * 255 >= 0.5).float()


def from_tensor(x: Pictures, size: Size) -> Pixels:
    """The picture of a tensor in [-1, 1], cropped to its size, rounded to 8 bits.

    Raises:
        ValueError: if the tensor is not finite.
    """
    if not bool(x.isfinite().all()):
        raise ValueError("the decoded picture is not finite; try dtype=float32 or a smaller guidance_strength")
    x = ((x[0, :, : size[0], : size[1]].float() / 2 + 0.5).clamp(0, 1) * 255).round()
    return x.permute(1, 2, 0).to(torch.uint8).cpu().numpy()


def pad_mask(mask: Mask, padded: Size) -> Mask:
    """The mask on the padded picture; what was added is outside."""
    return nnf.pad(mask, (0, padded[1] - mask.shape[1], 0, padded[0] - mask.shape[0]))


AGREEMENT = 0.25
"""Difference, of pictures in [-1, 1], at which a result no longer agrees with its proxy. Source: chosen."""


def detailed(x: Pictures, proxy: Pictures, blurred: Pictures) -> Pictures:
    r"""A result with what the autoencoder lost of its proxy, $x + w\,(d - D(E(d)))$.

    The weight $w$ falls from 1 where result and decoded proxy agree to 0 where they differ by `AGREEMENT`, so that
    detail is not laid over content that the sampling changed; light and shade that it changed smoothly stay.

    Args:
        x: the result.
        proxy: $d$.
        blurred: $D(E(d))$, the proxy after the autoencoder.
    """
    return x + agreement(x, blurred) * (proxy - blurred)


def agreement(x: Pictures, y: Pictures) -> Float[Tensor, "batch 1 _ _"]:
    """Where pictures are alike: 1 where they are equal, falling to 0 where they differ by `AGREEMENT`."""
    difference = (x - y).abs().mean(1, keepdim=True)
    near = nnf.avg_pool2d(difference, 5, stride=1, padding=2, count_include_pad=False)
    return (1 - near / AGREEMENT).clamp(0, 1)


def composite(edited: Pixels, original: Pixels, alpha: Mask) -> Pixels:
    """The edited picture inside, the original outside: where `alpha` is 0 the pixels are those of the original."""
    return mixed(edited, original, alpha.cpu().numpy()[..., None])


def mixed(new: npt.NDArray[Any], old: npt.NDArray[np.uint8], weight: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Two pictures or channels mixed and rounded; where the weight of the new is 0 they are the old bit for bit."""
    values = np.rint(weight * new.astype(np.float32) + (1 - weight) * old.astype(np.float32)).astype(np.uint8)
    return np.where(weight > 0, values, old)


def carries_text(path: str | os.PathLike[str]) -> bool:
    """Whether pictures written under this name carry texts: PNG does."""
    return Image.registered_extensions().get(Path(path).suffix.lower()) == "PNG"


@functools.cache
def holds_colour(suffix: str) -> bool:
    """Whether a suffix is that of a picture format that can be written and holds colour."""
    try:
        Image.new("RGB", (1, 1)).save(io.BytesIO(), format=Image.registered_extensions().get(suffix.lower(), ""))
    except (OSError, KeyError, ValueError):
        return False
    return True


def write_picture(
    picture: Image.Image, path: str | os.PathLike[str], text: Mapping[str, str] | None = None, **options: Any
) -> Path:
    """Writes a picture so that the file is either complete or not there.

    Profile, EXIF, XMP and resolution that stand in its `info` go into formats that carry them, a JPEG's quality into a
    JPEG. Formats without transparency get it laid over white.

    Args:
        picture: what to write.
        path: where; the suffix says the format.
        text: texts by keyword that the file carries, see `carries_text`; plain, because readers refuse long ones that
            are compressed.
        options: passed to PIL's `save`.

    Raises:
        ValueError: if the suffix names no picture format, or one that carries no text where there is some.
        OSError: if the folder does not exist or cannot be written.
    """
    target = Path(path)
    return write_file(target, picture_writer(picture, target, text, **options))


def picture_writer(
    picture: Image.Image, target: Path, text: Mapping[str, str] | None = None, **options: Any
) -> Callable[[IO[bytes]], object]:
    """A function that writes into an opened file what `write_picture` would; arguments and errors as there."""
    formats = Image.registered_extensions()
    if target.suffix.lower() not in formats:
        raise ValueError(f"output {target} must end in a picture format such as .png or .jpg")
    kind = formats[target.suffix.lower()]
    if text and not carries_text(target):
        raise ValueError(f"output {target} cannot carry text; use the suffix .png")
    if kind == "PNG":
        options["pnginfo"] = _png_info(picture, text or {})
    picture, options = savable(picture, kind), {**save_options(picture, kind), **options}
    return lambda file: picture.save(file, format=kind, **options)


def _png_info(picture: Image.Image, text: Mapping[str, str]) -> PngInfo:
    """Texts of a PNG, the picture's XMP among them."""
    info, xmp = PngInfo(), png_xmp(picture)
    for keyword, value in {**text, **({} if xmp is None else {XMP_TEXT: xmp})}.items():
        info.add_itxt(keyword, value)
    return info


def write_file(target: Path, fill: Callable[[IO[bytes]], object]) -> Path:
    """Writes a file so that it is either complete or not there: a temporary file beside it, then a rename.

    Args:
        target: where.
        fill: writes the content.

    Raises:
        OSError: if the folder does not exist or cannot be written.
    """
    if not target.parent.is_dir():
        raise FileNotFoundError(f"output folder {target.parent} does not exist; make it first")
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def open_image(source: Path | io.BytesIO, max_pixels: int, name: str) -> Image.Image:
    """Opens a picture's file, or the bytes of one, without reading its pixels.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the picture is unreadable or enormous.
    """
    if isinstance(source, Path) and not source.is_file():
        raise FileNotFoundError(f"{name} does not exist; check the path")
    try:
        image = _opened(source)
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} {_why_unknown(source)}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} has more than {max_pixels} pixels; scale it down first") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{name} cannot be read ({error}); save it again") from error
    check_size(image.size[1], image.size[0], max_pixels, name)
    return image


def _opened(source: Path | io.BytesIO) -> Image.Image:
    """What PIL opens, and HEIC where pillow-heif is installed. PIL's own warning of large pictures is not needed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return Image.open(source)
        except UnidentifiedImageError:
            if not _is_heif(source) or importlib.util.find_spec("pillow_heif") is None:
                raise
            cast(Any, importlib.import_module("pillow_heif")).register_heif_opener()
            return Image.open(source)


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
    """Reads the pixels of an opened picture.

    Raises:
        ValueError: if it is broken.
    """
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ValueError(f"{name} is broken or cut short ({error}); save it again") from error
    return image


def check_size(height: int, width: int, max_pixels: int, name: str) -> None:
    """Checks that a picture has pixels, and not too many.

    Raises:
        ValueError: if it does not.
    """
    if height < 1 or width < 1:
        raise ValueError(f"{name} has size {height}x{width}; it must have at least one pixel")
    if height * width > max_pixels:
        raise ValueError(f"{name} has {height}x{width} pixels, more than {max_pixels}; scale it down first")


def to_rgb(image: Image.Image) -> Pixels:
    """The pixels of an image as 8-bit RGB, see `read_picture`.

    Raises:
        ValueError: if there is no way from its mode to RGB.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image).astype(np.float64)
        top = 65535.0 if image.mode.startswith("I") else max(float(values.max(initial=0)), 1.0)
        grey = np.rint(values.clip(0, top) * (255 / top)).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2))
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
    """Inks or CIELAB as RGB: by the picture's profile where it has a sound one."""
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


def _mask_band(image: Image.Image) -> npt.NDArray[Any]:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.float32) / 65535
    return np.array(image.convert("L"))


def _as_array(source: "npt.NDArray[Any] | Tensor") -> npt.NDArray[Any]:
    return source.detach().cpu().numpy() if isinstance(source, Tensor) else source


def array_image(values: npt.NDArray[Any], max_pixels: int) -> Image.Image:
    """The image of an array, see `read_picture`."""
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
        raise ValueError(f"image array has shape {values.shape}; give (height, width, 3)")
    check_size(values.shape[0], values.shape[1], max_pixels, "image")
    if values.dtype != np.uint8:
        values = np.rint(_unit_range(values, "image") * 255).astype(np.uint8)
    return Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)


def _unit_range(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
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
        raise ValueError(f"{name} holds values in [{result.min()}, {result.max()}]; floats must lie in [0, 1]")
    return result
