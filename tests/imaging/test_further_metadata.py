"""Colour chunks and texts of PNG, IPTC and comments of JPEG: kept, or one sentence says what is not."""

import struct

import numpy as np
import pytest
from PIL import Image, IptcImagePlugin
from PIL.PngImagePlugin import PngInfo

from dragondiffusion.imaging.notes import gathered_notes
from dragondiffusion.imaging.photos import read_photo
from dragondiffusion.imaging.writing import write_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
PRIMARIES = struct.pack(">8I", 31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600)  # of Rec. 2020
CHUNKS = {b"gAMA": struct.pack(">I", 100000), b"cHRM": PRIMARIES, b"cICP": bytes([9, 16, 0, 1])}
CAPTION = b"\x1c\x02\x78\x00\x05a cup"


def png(path, chunks=CHUNKS, **texts):
    info = PngInfo()
    for name, data in chunks.items():
        info.add(name, data)
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    Image.fromarray(PIXELS).save(path, pnginfo=info)
    return path


def jpeg(path):
    body = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(CAPTION)) + CAPTION
    body += b"\0" * (len(CAPTION) % 2)
    extra = b"\xff\xed" + struct.pack(">H", len(body) + 2) + body
    Image.fromarray(PIXELS).save(path, comment="by me", extra=extra)
    return path


def written(source, target):
    photo = read_photo(source)
    with gathered_notes() as notes:
        write_picture(photo.image(photo.pixels, None), target, {"some": "text"} if target.suffix == ".png" else None)
    return notes


def test_png_to_png(tmp_path):
    source = png(tmp_path / "a.png", Author="A. Person", parameters="a cat", **{"dragondiffusion-recipe": "old"})
    assert written(source, tmp_path / "b.png") == []
    data = (tmp_path / "b.png").read_bytes()
    for name, content in CHUNKS.items():
        assert data.count(name + content) == 1
        assert data.index(name) < data.index(b"IDAT")
    with Image.open(tmp_path / "b.png") as image:
        image.load()
        assert image.text == {"some": "text", "Author": "A. Person", "parameters": "a cat"}
        assert image.info["gamma"] == 1.0


def test_srgb_stays(tmp_path):
    written(png(tmp_path / "a.png", {b"sRGB": b"\1"}), tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["srgb"] == 1


def test_jpeg_to_jpeg_and_png(tmp_path):
    for suffix in (".jpg", ".png"):
        assert written(jpeg(tmp_path / "a.jpg"), tmp_path / f"b{suffix}") == []
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.info["comment"] == b"by me"
        assert IptcImagePlugin.getiptcinfo(image) == {(2, 120): b"a cup"}
    with Image.open(tmp_path / "b.png") as image:
        image.load()
        assert image.text["Comment"] == "by me"
        kind, length, data = image.text["Raw profile type iptc"].split()
        assert (kind, int(length), bytes.fromhex(data)) == ("iptc", len(CAPTION), CAPTION)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif"])
def test_what_is_dropped_is_said_in_one_sentence(suffix, tmp_path):
    kind = {".jpg": "JPEG", ".webp": "WEBP", ".tif": "TIFF"}[suffix]
    target = tmp_path / f"b{suffix}"
    assert written(png(tmp_path / "a.png", Author="A. Person"), target) == [
        (
            f"{target.name}: {kind} does not carry gAMA, cHRM, cICP and texts of the input, "
            "so that its colours look different; write PNG to keep them"
        )
    ]
    said = (
        []
        if suffix == ".jpg"
        else [f"{target.name}: {kind} does not carry its comment and IPTC of the input; write PNG to keep them"]
    )
    assert written(jpeg(tmp_path / "a.jpg"), target) == said
    usual = {b"sRGB": b"\0", b"gAMA": struct.pack(">I", 45455)}
    assert written(png(tmp_path / "a.png", usual), target) == []


def test_python_warns(editor, tmp_path):
    from dragondiffusion import BoxMask, Remove, Settings

    result = editor(png(tmp_path / "a.png"), Remove(BoxMask(8, 8, 20, 16)), settings=Settings(steps=2))
    result.save(tmp_path / "b.png")
    with pytest.warns(UserWarning, match="JPEG does not carry gAMA, cHRM and cICP of the input"):
        result.save(tmp_path / "b.jpg")
