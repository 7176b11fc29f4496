"""Small files of millions of parts: their reading ends when it is asked to, in whatever part it is."""

import gc
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dragondiffusion.core.stopping import stoppable
from dragondiffusion.imaging.files import load_pixels, open_image


class EnoughError(Exception):
    """Whoever wanted the image does not want it any more."""


def stored(kind, **options):
    data = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(data, format=kind, **options)
    return data.getvalue()


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def comments(count):
    """A JPEG of so many empty comments."""
    data = stored("JPEG")
    return data[:2] + segment(0xFE, b"") * count + data[2:]


def scans(count):
    """A progressive JPEG of so many scans, none of which says anything."""
    table = b"\x01" + bytes(15) + b"\x00"
    head = segment(0xDB, b"\x00" + b"\x01" * 64) + segment(
        0xC2, struct.pack(">BHHB", 8, 1000, 1000, 1) + b"\x01\x11\x00"
    )
    head += segment(0xC4, b"\x00" + table) + segment(0xC4, b"\x10" + table)
    first, further = segment(0xDA, b"\x01\x01\x00\x00\x00\x00"), segment(0xDA, b"\x01\x01\x00\x01\x3f\x00")
    return b"\xff\xd8" + head + first + b"\x00" + (further + b"\x00") * count + b"\xff\xd9"


def chunks(count):
    """A PNG of so many short texts."""
    data, text = stored("PNG"), b"tEXta\x00b"
    return data[:33] + (struct.pack(">I", 3) + text + struct.pack(">I", zlib.crc32(text))) * count + data[33:]


def frames(count):
    """A GIF of so many images."""
    data = stored("GIF")
    first = data.index(b",", 13)
    return data[:first] + data[first:-1] * count + b";"


def pages(count):
    """A TIFF of so many images."""
    images = [Image.new("L", (1, 1))] * count
    data = io.BytesIO()
    images[0].save(data, format="TIFF", save_all=True, append_images=images[1:])
    return data.getvalue()


@pytest.mark.parametrize("data", [comments(2000), scans(30_000), chunks(2000), frames(500), pages(300)], ids=len)
def test_reading_ends_when_it_should(data):
    asked = 0

    def check():
        nonlocal asked
        asked += 1
        if asked == 40:
            raise EnoughError

    def read():
        return load_pixels(open_image(io.BytesIO(data), 10**8, "the image"), "the image").n_frames

    with stoppable(check), pytest.raises(EnoughError):
        read()
    assert asked == 40


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM"])
def test_files_are_read_as_ever_and_closed(tmp_path, kind):
    path = tmp_path / "image"
    path.write_bytes(stored(kind))
    with Image.open(path) as plain:
        values, named = np.array(plain), plain.format
    del plain
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = load_pixels(open_image(path, 100, "the image"), "the image")
        assert image.format == named and np.array_equal(np.asarray(image), values)
        del image
        open_image(path, 100, "the image")
        gc.collect()
    assert not [link for link in open_files() if link == str(path)]


def open_files():
    """Files that this process holds open, where the system tells."""
    folder = Path("/proc/self/fd")
    return [str(one.resolve()) for one in folder.iterdir()] if folder.is_dir() else []
