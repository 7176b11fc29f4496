"""Photographs with 16 bits a channel keep them where they are not edited."""

import cv2
import numpy as np
import pytest
from PIL import Image

from dragondiffusion import BoxMask, Remove, Settings
from dragondiffusion.imaging.deep import deep_png
from dragondiffusion.imaging.notes import gathered_notes
from dragondiffusion.imaging.photos import read_photo
from dragondiffusion.imaging.writing import write_picture

DEEP = np.random.default_rng(0).integers(0, 65536, (61, 90, 3), dtype=np.uint16)


def read(path):
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return values[..., ::-1] if values.ndim == 3 else values


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_away_from_the_edit_all_bits_stay(suffix, channels, tmp_path, editor):
    source = tmp_path / f"a{suffix}"
    cv2.imwrite(str(source), DEEP[..., 0] if channels == 1 else DEEP[..., ::-1])
    result = editor(source, Remove(BoxMask(20, 20, 40, 40)), settings=Settings(steps=2))
    assert "16 bits a channel" in result.notes[0]
    result.save(tmp_path / "b.png")
    after, before = read(tmp_path / "b.png"), read(source)
    assert after.dtype == np.uint16
    assert after.shape == before.shape
    outside = result.region == 0
    assert 0.5 < outside.mean() < 1
    assert np.array_equal(after[outside], before[outside])
    eight = np.asarray(result.image)
    assert np.abs((after >> 8).astype(int) - eight).max() <= 1
    with pytest.warns(UserWarning, match="JPEG is written with 8 bits"):
        result.save(tmp_path / "b.jpg")


def test_turned_photos(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), DEEP[..., ::-1])
    exif = Image.Exif()
    exif[0x0112] = 6
    data = (tmp_path / "a.png").read_bytes()
    chunk = exif.tobytes()[6:]
    import zlib

    piece = len(chunk).to_bytes(4) + b"eXIf" + chunk + zlib.crc32(b"eXIf" + chunk).to_bytes(4)
    (tmp_path / "a.png").write_bytes(data[:33] + piece + data[33:])
    assert np.array_equal(read_photo(tmp_path / "a.png").deep, np.rot90(DEEP, -1))


def test_images_changed_since_are_written_as_they_are(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), DEEP[..., ::-1])
    photo = read_photo(tmp_path / "a.png")
    image = photo.image(photo.pixels, None)
    image.paste((0, 0, 0), (0, 0, 30, 30))
    write_picture(image, tmp_path / "b.png")
    assert np.array_equal(read(tmp_path / "b.png"), np.asarray(image))


def test_eight_bits_stay_eight(tmp_path):
    Image.fromarray((DEEP >> 8).astype(np.uint8)).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    with gathered_notes() as notes:
        write_picture(photo.image(photo.pixels, None), tmp_path / "b.png")
    assert photo.deep is None
    assert not photo.notes
    assert not notes
    assert read(tmp_path / "b.png").dtype == np.uint8


@pytest.mark.parametrize("channels", [1, 3])
def test_other_chunks_stay(channels, tmp_path):
    image = Image.fromarray(np.zeros((61, 90), np.uint8) if channels == 1 else np.zeros((61, 90, 3), np.uint8))
    write_picture(image, tmp_path / "a.png", {"word": "text"})
    (tmp_path / "b.png").write_bytes(deep_png((tmp_path / "a.png").read_bytes(), DEEP[..., :channels]))
    assert np.array_equal(read(tmp_path / "b.png").reshape(61, 90, -1), DEEP[..., :channels])
    with Image.open(tmp_path / "b.png") as again:
        again.load()
        assert again.text == {"word": "text"}
