"""Images with 16 bits a channel: what an edit does not change keeps them.

PIL holds colour with 8 bits a channel. Of files with 16, it reads the high bytes; read with the other order of bytes,
it reads the low ones.
"""

import sys
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import UInt16
from PIL import Image, ImageOps

from ..core.messages import cut
from .files import MAX_PIXELS, Pixels, open_image

Deep: TypeAlias = UInt16[np.ndarray, "_ _ _"]
"""An image (height, width, 1 or 3) with 16 bits a channel."""

DEEP = "sixteen_bits"
"""Name in `Image.info` under which the image with 16 bits goes along with that of 8."""

NATIVE = "RGB;16L" if sys.byteorder == "little" else "RGB;16B"
OTHER_ORDER = {"RGB;16B": "RGB;16L", "RGB;16L": "RGB;16B"}
"""PIL's names for the order of bytes in a file, and for the other one."""


def deep_of(image: Image.Image, source: Path | None = None) -> Deep | None:
    """The upright pixels of a loaded image with 16 bits a channel; None if it has fewer, or PIL cannot tell them.

    Args:
        image: what was loaded.
        source: its file, which colour is read from once more.
    """
    if image.mode.startswith("I"):
        grey = np.asarray(ImageOps.exif_transpose(image))
        return None if grey.min(initial=0) < 0 or grey.max(initial=0) > 65535 else grey.astype(np.uint16)[..., None]
    if source is None or image.mode != "RGB" or image.format not in ("PNG", "TIFF"):
        return None
    again: Any = open_image(source, MAX_PIXELS, f"image {cut(source)}")
    with again:
        tiles = [_in_other_order(tile) for tile in again.tile]
        if not tiles or None in tiles:
            return None
        again.tile = tiles
        low = np.asarray(ImageOps.exif_transpose(again)).astype(np.uint16)
    return np.asarray(ImageOps.exif_transpose(image)).astype(np.uint16) << 8 | low


def _in_other_order(tile: Any) -> Any:
    """A piece of a file with the order of its bytes turned round; None if it does not have 16 bits a channel."""
    arguments = tile.args
    mode = arguments if isinstance(arguments, str) else arguments[0] if arguments else None
    turned = OTHER_ORDER.get(str(mode).replace("RGB;16N", NATIVE))
    if turned is None:
        return None
    return tile._replace(args=turned if isinstance(arguments, str) else (turned, *arguments[1:]))


def kept(deep: Deep, before: Pixels, after: Image.Image) -> Deep:
    """An edited image with 16 bits: those of the input where its 8 bits are the same, others made from 8 bits.

    Args:
        deep: the input with 16 bits.
        before: with 8.
        after: the edited image with 8, in grey or RGB.
    """
    eight = np.asarray(after).reshape(deep.shape)
    return np.where(before[..., : deep.shape[2]] == eight, deep, eight.astype(np.uint16) * np.uint16(257))


def deep_with(image: Image.Image) -> Deep | None:
    """The 16 bits that go along with an image; None if there are none, or the image was changed since."""
    deep = image.info.get(DEEP)
    if not isinstance(deep, np.ndarray) or image.mode != ("L" if deep.shape[2] == 1 else "RGB"):
        return None
    eight = np.asarray(image).reshape(image.height, image.width, -1)
    if eight.shape != deep.shape or int(np.abs((deep >> 8).astype(np.int16) - eight).max(initial=0)) > 1:
        return None
    return deep


def deep_png(data: bytes, deep: Deep) -> bytes:
    """A PNG of 8 bits a channel with pixels of 16 in place of its own; everything else stays.

    Source: PNG specification, 3rd edition; rows are filtered by "up", type 2.
    """
    start = 8
    pieces, written = [data[:8]], False
    while start < len(data):
        length, name = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8]
        body, start = data[start + 8 : start + 8 + length], start + length + 12
        if name == b"IHDR":
            body = body[:8] + bytes([16, 0 if deep.shape[2] == 1 else 2]) + body[10:]
        if name == b"IDAT":
            if written:
                continue
            body, written = _compressed(deep), True
        pieces.append(len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4))
    return b"".join(pieces)


def _compressed(deep: Deep) -> bytes:
    rows = np.ascontiguousarray(deep, dtype=">u2").view(np.uint8).reshape(len(deep), -1)
    filtered = np.full((len(rows), rows.shape[1] + 1), 2, np.uint8)
    filtered[:, 1:] = rows
    filtered[1:, 1:] -= rows[:-1]
    return zlib.compress(filtered.tobytes(), 6)
