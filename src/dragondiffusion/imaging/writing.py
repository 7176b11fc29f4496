"""Files that are written whole or not at all, images among them."""

import functools
import io
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .deep import deep_png, deep_with
from .further_metadata import add_to_png, left_out
from .metadata import XMP_TEXT, png_xmp, savable, save_options
from .notes import note

NAME_BYTES = 255
"""Longest name of a file, bytes. Source: the file systems of Linux, macOS and Windows."""
MARKS = 10
"""Characters that a name has more while its file is written, see `tempfile.mkstemp`."""


def carries_text(path: str | os.PathLike[str]) -> bool:
    """Whether images written under this name carry texts: PNG does."""
    return Image.registered_extensions().get(Path(path).suffix.lower()) == "PNG"


@functools.cache
def holds_colour(suffix: str) -> bool:
    """Whether a suffix is that of an image format that can be written and holds colour."""
    try:
        Image.new("RGB", (1, 1)).save(io.BytesIO(), format=Image.registered_extensions().get(suffix.lower(), ""))
    except (OSError, KeyError, ValueError):
        return False
    return True


def write_picture(
    picture: Image.Image, path: str | os.PathLike[str], text: Mapping[str, str] | None = None, **options: Any
) -> Path:
    """Writes an image so that the file is either complete or not there.

    Profile, EXIF, XMP and resolution that stand in its `info` go into formats that carry them, a JPEG's quality into a
    JPEG. Formats without transparency get it laid over white. What of the metadata a format does not carry is noted.

    Args:
        picture: what to write.
        path: where; the suffix says the format.
        text: texts by keyword that the file carries, see `carries_text`; plain, because readers refuse long ones that
            are compressed.
        options: passed to PIL's `save`.

    Raises:
        ValueError: if the suffix names no image format, or one that carries no text where there is some.
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
        raise ValueError(f"output {target} must end in an image format such as .png or .jpg")
    kind = formats[target.suffix.lower()]
    if text and not carries_text(target):
        raise ValueError(f"output {target} cannot carry text; use the suffix .png")
    if kind == "PNG":
        options["pnginfo"] = _png_info(picture, text or {})
    lost = left_out(picture, kind)
    if lost is not None:
        note(f"{target.name}: {lost}")
    picture, options = savable(picture, kind), {**save_options(picture, kind), **options}
    deep = deep_with(picture)
    if deep is None:
        return lambda file: picture.save(file, format=kind, **options)
    if kind != "PNG":
        note(f"{target.name}: {kind} is written with 8 bits a channel; write PNG to keep the 16 bits of the input")
        return lambda file: picture.save(file, format=kind, **options)

    def fill(file: IO[bytes]) -> None:
        eight = io.BytesIO()
        picture.save(eight, format=kind, compress_level=1, **options)
        file.write(deep_png(eight.getvalue(), deep))

    return fill


def _png_info(picture: Image.Image, text: Mapping[str, str]) -> PngInfo:
    """Texts of a PNG, the image's XMP among them."""
    info, xmp = PngInfo(), png_xmp(picture)
    for keyword, value in {**text, **({} if xmp is None else {XMP_TEXT: xmp})}.items():
        info.add_itxt(keyword, value)
    add_to_png(picture, info, {*text, XMP_TEXT})
    return info


def partial_stem(target: Path) -> str:
    """What a file is called while it is written, between a point and what makes the name unique: as much as fits."""
    room = NAME_BYTES - len(os.fsencode(target.suffix)) - MARKS
    return os.fsdecode(os.fsencode(target.stem)[:room])


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
    handle, name = tempfile.mkstemp(prefix=f".{partial_stem(target)}-", suffix=target.suffix, dir=target.parent)
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
