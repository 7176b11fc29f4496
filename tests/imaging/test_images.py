"""Reading and writing pictures and masks."""

import numpy as np
import pytest
import torch
from PIL import Image

from dragondiffusion.imaging.compositing import composite, detailed
from dragondiffusion.imaging.files import read_picture
from dragondiffusion.imaging.masks import pad_mask, read_mask
from dragondiffusion.imaging.tensors import from_tensor, to_tensor
from dragondiffusion.imaging.writing import write_picture


def rgb(height=5, width=7, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_path_array_and_pil_are_the_same(tmp_path):
    pixels = rgb()
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for source in (pixels, Image.fromarray(pixels), tmp_path / "a.png", str(tmp_path / "a.png"), pixels / 255.0):
        assert np.array_equal(read_picture(source), pixels)


def test_orientation_is_applied(tmp_path):
    pixels = rgb()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_picture(tmp_path / "a.png"), np.rot90(pixels, -1))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P", "1"])
def test_modes_become_rgb(mode):
    assert read_picture(Image.fromarray(rgb()).convert(mode)).shape == (5, 7, 3)


def test_transparent_is_white():
    clear = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    assert np.array_equal(read_picture(clear), np.full((2, 2, 3), 255))


def test_sixteen_bit_is_scaled():
    grey = Image.fromarray(np.array([[0, 65535], [32896, 257]], dtype=np.uint16))
    assert read_picture(grey)[..., 0].tolist() == [[0, 255], [128, 1]]


def test_grey_arrays():
    assert read_picture(np.zeros((3, 4), np.uint8)).shape == (3, 4, 3)
    assert read_picture(np.ones((3, 4, 1), np.float32)).tolist() == np.full((3, 4, 3), 255).tolist()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((3, 4, 5), np.uint8), "shape"),
        (np.full((3, 4, 3), np.nan), "NaN"),
        (np.full((3, 4, 3), 7.0), "floats must lie"),
        (np.zeros((3, 4, 3), np.int32), "dtype"),
        (np.zeros((0, 4, 3), np.uint8), "at least one pixel"),
    ],
)
def test_impossible_arrays(source, message):
    with pytest.raises(ValueError, match=message):
        read_picture(source)


def test_unreadable_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_picture(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("this is no picture")
    with pytest.raises(ValueError, match="format"):
        read_picture(tmp_path / "text.png")
    Image.fromarray(rgb(64, 64)).save(tmp_path / "a.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:900])
    with pytest.raises(ValueError, match="broken or cut short"):
        read_picture(tmp_path / "cut.jpg")


def test_enormous_pictures_are_not_loaded(tmp_path):
    Image.new("1", (30000, 30000)).save(tmp_path / "bomb.png")
    with pytest.raises(ValueError, match="pixels; scale it down"):
        read_picture(tmp_path / "bomb.png")
    with pytest.raises(ValueError, match="more than 20"):
        read_picture(rgb(), max_pixels=20)


def test_masks():
    half = np.zeros((5, 7), np.uint8)
    half[:2] = 255
    for source in (half, half // 255, half > 0, half / 255.0, half[..., None].repeat(3, 2), Image.fromarray(half)):
        assert torch.equal(read_mask(source, (5, 7)), torch.from_numpy(half / 255).float())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((5, 7), bool), "mask is empty"),
        (np.ones((7, 5), bool), "image is 5x7"),
        (np.full((5, 7), np.nan), "NaN"),
    ],
)
def test_impossible_masks(source, message):
    with pytest.raises(ValueError, match=message):
        read_mask(source, (5, 7))


def test_padding_is_cropped_again():
    pixels = rgb()
    x = to_tensor(pixels, (8, 16))
    assert x.shape == (1, 3, 8, 16)
    assert torch.equal(x[..., :5, 15], x[..., :5, 6])
    assert np.array_equal(from_tensor(x, (5, 7)), pixels)
    assert pad_mask(torch.ones(5, 7), (8, 16)).sum() == 35


def test_broken_results_are_not_written():
    with pytest.raises(ValueError, match="not finite"):
        from_tensor(torch.full((1, 3, 4, 4), float("nan")), (4, 4))


def test_composite_keeps_what_is_outside():
    a, b = rgb(seed=1), rgb(seed=2)
    alpha = torch.zeros(5, 7)
    alpha[0], alpha[1] = 1.0, 0.5
    mixed = composite(a, b, alpha)
    assert np.array_equal(mixed[0], a[0])
    assert np.array_equal(mixed[2:], b[2:])
    assert np.abs(mixed[1].astype(float) - (a[1].astype(float) + b[1]) / 2).max() <= 0.5


def test_files_are_complete_or_absent(tmp_path, monkeypatch):
    image = Image.fromarray(rgb())
    assert np.array_equal(read_picture(write_picture(image, tmp_path / "out.png")), rgb())
    before = (tmp_path / "out.png").read_bytes()

    def fail(*_args, **_options):
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        write_picture(image, tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.png"]


def test_impossible_outputs(tmp_path):
    image = Image.fromarray(rgb())
    with pytest.raises(ValueError, match="image format"):
        write_picture(image, tmp_path / "out.txt")
    with pytest.raises(FileNotFoundError, match="folder"):
        write_picture(image, tmp_path / "none" / "out.png")


def test_detail_of_the_proxy_comes_back_where_the_result_agrees():
    torch.manual_seed(0)
    proxy = torch.rand(1, 3, 20, 30) * 2 - 1
    blurred = torch.nn.functional.avg_pool2d(proxy, 3, 1, 1)
    torch.testing.assert_close(detailed(blurred, proxy, blurred), proxy)
    other = blurred + 0.5
    assert torch.equal(detailed(other, proxy, blurred), other)
    half = torch.where(torch.arange(30) < 15, blurred, other)
    result = detailed(half, proxy, blurred)
    torch.testing.assert_close(result[..., :12], proxy[..., :12])
    assert torch.equal(result[..., 18:], other[..., 18:])


def test_only_formats_of_the_list_are_opened(tmp_path, monkeypatch):
    """An EPS would start Ghostscript, whatever its file is called."""
    import subprocess

    monkeypatch.setattr(subprocess, "check_call", lambda *_, **__: pytest.fail("a program was started"))
    Image.fromarray(rgb()).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png is not in a format that can be read"):
        read_picture(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png is not in a format that can be read"):
        read_mask(tmp_path / "a.png", (5, 7))


@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".ppm", ".tif", ".webp", ".avif", ".jp2", ".tga", ".qoi", ".ico"])
def test_formats_of_the_list_are_read(suffix, tmp_path):
    size = (32, 32) if suffix == ".ico" else (5, 7)
    try:
        Image.fromarray(rgb(*size)).save(tmp_path / f"a{suffix}")
    except OSError:
        pytest.skip("Pillow was built without it")
    assert read_picture(tmp_path / f"a{suffix}").shape == (*size, 3)
