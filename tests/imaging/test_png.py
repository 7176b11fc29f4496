"""PNG data are read as the picture and the mask they were made from."""

import io
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from dragondiffusion.imaging.files import read_picture
from dragondiffusion.imaging.masks import read_mask
from dragondiffusion.imaging.png import from_png, is_png, read_texts, to_png
from dragondiffusion.imaging.writing import carries_text, write_picture


def rgb(height=5, width=7):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def check_same(source):
    again = from_png(to_png(source), "it")
    assert np.array_equal(read_picture(again), read_picture(source))
    size = read_picture(again).shape[:2]
    try:
        mask = read_mask(source, size)
    except ValueError as error:  # a picture that is no mask
        with pytest.raises(ValueError, match=re.escape(str(error).partition(" ")[0])):
            read_mask(again, size)
    else:
        torch.testing.assert_close(read_mask(again, size), mask, rtol=0, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode(mode):
    check_same(Image.fromarray(rgb()).convert(mode))


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_sixteen_bits(dtype):
    check_same(Image.fromarray(np.array([[0, 65535], [32896, 257]], dtype=dtype)))


def test_transparent_colours():
    image = Image.fromarray(rgb()).quantize(4)
    image.info["transparency"] = 1
    check_same(image)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".webp", ".tiff", ".bmp"])
def test_files(tmp_path, suffix):
    Image.fromarray(rgb()).save(tmp_path / f"a{suffix}")
    check_same(tmp_path / f"a{suffix}")


def test_orientation_is_applied_and_metadata_stay_behind(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "where I live"
    Image.fromarray(rgb()).save(tmp_path / "a.jpg", exif=exif, comment=b"who I am")
    check_same(tmp_path / "a.jpg")
    assert not any(secret in to_png(tmp_path / "a.jpg") for secret in (b"live", b"who"))
    write_picture(Image.fromarray(rgb()), tmp_path / "b.png", {"secret": "a word"})
    assert b"a word" not in to_png(tmp_path / "b.png")


@pytest.mark.parametrize(
    "source",
    [
        np.repeat(rgb()[..., :1], 3, axis=2),
        np.repeat(rgb()[..., :1], 4, axis=2),
        rgb()[..., :1],
        rgb()[..., 0],
        rgb()[..., 0] > 100,
        (rgb()[..., 0] > 100).astype(np.uint8),
        rgb()[..., 0] / 255.0,
        (rgb()[..., :1] / 255.0).astype(np.float32),
        np.repeat(rgb()[..., :1], 3, axis=2) / 255.0,
    ],
)
def test_arrays(source):
    assert np.array_equal(read_picture(from_png(to_png(rgb()), "it")), rgb())
    check_same(source)
    check_same(torch.from_numpy(source.copy()))


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(0, 1)))
def test_floats_are_rounded_to_sixteen_bits_at_most(values):
    image = from_png(to_png(values), "it")
    again, top = np.asarray(image).astype(np.float64), 255 if image.mode == "L" else 65535
    assert np.abs(again / top - values).max() <= 0.5 / top + 1e-7


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.full((3, 4), np.nan), "outside of"),
        (np.full((3, 4), 7.0), "outside of"),
        (np.zeros((3, 4), np.int32), "dtype"),
        (np.zeros((3, 4, 7), np.uint8), "shape"),
    ],
)
def test_impossible_arrays(source, message):
    with pytest.raises(ValueError, match=message):
        to_png(source)


def test_data_that_are_no_picture():
    jpeg = io.BytesIO()
    Image.fromarray(rgb()).save(jpeg, format="JPEG")
    with pytest.raises(ValueError, match="mask holds no PNG"):
        from_png(jpeg.getvalue(), "mask")
    with pytest.raises(ValueError, match="mask is broken"):
        from_png(to_png(rgb(60, 60))[:-4000], "mask")


def test_texts(tmp_path):
    texts = {"some-word": "Stühle " * 300_000, "other": "{}"}
    write_picture(Image.fromarray(rgb()), tmp_path / "a.png", texts)
    assert read_texts(tmp_path / "a.png") == texts
    assert np.array_equal(read_picture(tmp_path / "a.png"), rgb())
    write_picture(Image.fromarray(rgb()), tmp_path / "a.jpg")
    assert read_texts(tmp_path / "a.jpg") == {}
    assert [is_png(tmp_path / name) for name in ("a.png", "a.jpg")] == [True, False]
    assert [carries_text(name) for name in ("a.png", "a.PNG", "a.jpg", "a")] == [True, True, False, False]
    with pytest.raises(ValueError, match=r"b\.jpg cannot carry text; use the suffix \.png"):
        write_picture(Image.fromarray(rgb()), tmp_path / "b.jpg", texts)
