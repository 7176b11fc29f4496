"""Photos of every kind: how files are read, and what their edited versions carry."""

import importlib.util
import io
import warnings

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from dragondiffusion.imaging.files import read_picture
from dragondiffusion.imaging.photos import read_photo, without_white
from dragondiffusion.imaging.writing import write_picture

HAS_HEIF = importlib.util.find_spec("pillow_heif") is not None
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'


def rgb(height=40, width=56, seed=0):
    smooth = np.linspace(20, 220, height * width * 3).reshape(height, width, 3)
    return (smooth + np.random.default_rng(seed).integers(0, 20, (height, width, 3))).astype(np.uint8)


def exif(orientation=6):
    data = Image.Exif()
    data[ExifTags.Base.Orientation] = orientation
    data[ExifTags.Base.Make] = "A phone"
    data.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2024:05:01 10:00:00"
    data.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
    return data


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied_and_reset(orientation, tmp_path):
    upright = rgb()
    turn = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.swapaxes(0, 1),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
        8: lambda p: np.rot90(p, -1),
    }[orientation]
    Image.fromarray(np.ascontiguousarray(turn(upright))).save(tmp_path / "a.png", exif=exif(orientation))
    photo = read_photo(tmp_path / "a.png")
    assert np.array_equal(photo.pixels, upright)
    write_picture(photo.image(photo.pixels, None), tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as again:
        assert again.getexif()[ExifTags.Base.Orientation] == 1
    assert np.array_equal(read_picture(tmp_path / "b.png"), upright)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_files_keep_profile_metadata_and_resolution(suffix, tmp_path):
    before, after = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    given = {"exif": exif(), "icc_profile": SRGB} | ({"dpi": (300, 300)} if suffix != ".webp" else {})
    Image.fromarray(rgb()).save(before, **given, **({"xmp": XMP} if suffix in (".jpg", ".webp") else {}))
    photo = read_photo(before)
    write_picture(photo.image(photo.pixels, None), after)
    with Image.open(after) as image:
        assert image.size == (40, 56)  # upright
        assert image.info["icc_profile"] == SRGB
        found = image.getexif()
        assert found[ExifTags.Base.Make] == "A phone"
        assert found.get(ExifTags.Base.Orientation, 1) == 1
        if suffix != ".tif":  # PIL writes none of the inner directories here
            assert found.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2024:05:01 10:00:00"
            assert found.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"
        if suffix != ".webp":
            assert tuple(float(v) for v in image.info["dpi"]) == pytest.approx((300, 300), abs=0.1)
        if suffix in (".jpg", ".webp"):
            assert image.info["xmp"] == XMP.replace(b'"6"', b'"1"')


def test_xmp_goes_from_one_format_to_another(tmp_path):
    Image.fromarray(rgb()).save(tmp_path / "a.jpg", xmp=XMP)
    photo = read_photo(tmp_path / "a.jpg")
    write_picture(photo.image(photo.pixels, None), tmp_path / "b.png")
    photo = read_photo(tmp_path / "b.png")
    write_picture(photo.image(photo.pixels, None), tmp_path / "c.jpg")
    with Image.open(tmp_path / "c.jpg") as image:
        assert image.info["xmp"] == XMP.replace(b'"6"', b'"1"')


@pytest.mark.parametrize(("quality", "subsampling"), [(60, 2), (92, 0)])
def test_jpegs_keep_their_quality(quality, subsampling, tmp_path):
    Image.fromarray(rgb()).save(tmp_path / "a.jpg", quality=quality, subsampling=subsampling)
    photo = read_photo(tmp_path / "a.jpg")
    write_picture(photo.image(photo.pixels, None), tmp_path / "b.jpg")
    with Image.open(tmp_path / "a.jpg") as a, Image.open(tmp_path / "b.jpg") as b:
        assert a.quantization == b.quantization
        assert [layer[1:3] for layer in a.layer] == [layer[1:3] for layer in b.layer]


def test_thumbnails_of_the_photo_before_stay_behind(tmp_path):
    """They would show what an edit took away."""
    small = io.BytesIO()
    Image.fromarray(rgb(8, 8)).save(small, "JPEG")
    thumbnail = small.getvalue()
    head = b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08"
    make = b"\x01\x0f\x00\x02\x00\x00\x00\x03ab\x00\x00"
    first = b"\x00\x01" + make + (8 + 2 + 12 + 4).to_bytes(4, "big")
    start = 8 + len(first) + 2 + 24 + 4
    second = b"\x00\x02\x02\x01\x00\x04\x00\x00\x00\x01" + start.to_bytes(4, "big")
    second += b"\x02\x02\x00\x04\x00\x00\x00\x01" + len(thumbnail).to_bytes(4, "big") + bytes(4)
    Image.fromarray(rgb()).save(tmp_path / "a.jpg", exif=head + first + second + thumbnail)
    with Image.open(tmp_path / "a.jpg") as image:
        assert thumbnail in image.info["exif"]
    photo = read_photo(tmp_path / "a.jpg")
    assert thumbnail not in photo.info["exif"]
    assert b"ab" in photo.info["exif"]


def test_grey_stays_grey_and_keeps_its_size():
    photo = read_photo(Image.fromarray(rgb()[..., 0]))
    assert photo.grey
    assert photo.image(photo.pixels, None).mode == "L"
    assert np.array_equal(np.asarray(photo.image(photo.pixels, None)), rgb()[..., 0])


def test_transparency_is_kept_and_colours_are_those_before(tmp_path):
    alpha = np.linspace(1, 255, 40 * 56).reshape(40, 56).astype(np.uint8)
    Image.fromarray(np.dstack((rgb(), alpha))).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    assert np.array_equal(photo.alpha, alpha)
    again = np.asarray(photo.image(photo.pixels, photo.alpha))
    assert np.array_equal(again[..., 3], alpha)
    solid = alpha > 128
    assert np.abs(again[..., :3][solid].astype(int) - rgb()[solid]).max() <= 1
    white = np.full((2, 2, 3), 255, np.uint8)
    assert np.array_equal(without_white(white, np.zeros((2, 2), np.uint8)), white)


def test_formats_without_transparency_get_it_over_white(tmp_path):
    clear = Image.new("RGBA", (16, 16), (200, 0, 0, 0))
    write_picture(clear, tmp_path / "a.jpg")
    assert read_picture(tmp_path / "a.jpg").min() >= 250


def test_palettes_with_transparency_are_read(tmp_path):
    image = Image.fromarray(rgb()).quantize(16)
    image.save(tmp_path / "a.png", transparency=0)
    photo = read_photo(tmp_path / "a.png")
    assert photo.alpha is not None
    assert not photo.grey


def test_animated_files_give_their_first_picture_and_say_so(tmp_path):
    frames = [Image.fromarray(rgb(seed=s)) for s in (0, 1)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    photo = read_photo(tmp_path / "a.webp")
    assert np.array_equal(photo.pixels, rgb())
    assert "holds 2 images; the first one is edited" in photo.notes[0]


def test_cmyk_and_deep_pictures_say_what_becomes_of_them(tmp_path):
    Image.fromarray(rgb()).convert("CMYK").save(tmp_path / "a.jpg", icc_profile=b"broken", quality=95)
    photo = read_photo(tmp_path / "a.jpg")
    assert "CMYK" in photo.notes[0]
    assert "icc_profile" not in photo.info
    assert np.abs(photo.pixels.astype(int) - rgb()).mean() < 4
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(tmp_path / "b.png")
    photo = read_photo(tmp_path / "b.png")
    assert "16 bits a channel" in photo.notes[0]
    assert int(photo.pixels[0, 0, 0]) == 156


def test_cielab_is_read_by_its_colours():
    lab = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    grey = Image.new("RGB", (4, 4), (119, 119, 119))
    image = ImageCms.profileToProfile(grey, lab[1], lab[0], outputMode="LAB")
    assert np.abs(read_picture(image).astype(int) - 119).max() <= 2


def test_broken_files_are_named(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"empty\.jpg is empty"):
        read_photo(tmp_path / "empty.jpg")
    for suffix in (".jpg", ".png", ".webp", ".gif", ".tif"):
        path = tmp_path / f"whole{suffix}"
        Image.fromarray(rgb(200, 200)).save(path)
        data = path.read_bytes()
        (tmp_path / f"cut{suffix}").write_bytes(data[: len(data) // 2])
        with pytest.raises(ValueError, match=rf"cut\{suffix} .*(broken|cannot be read|cut short|format)"):
            read_photo(tmp_path / f"cut{suffix}")


def test_large_pictures_within_the_limit_cause_no_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.fromarray(rgb(40, 40)).save(tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_photo(tmp_path / "a.png")
    Image.fromarray(rgb(60, 60)).save(tmp_path / "b.png")
    with pytest.raises(ValueError, match="scale it down first"):
        read_photo(tmp_path / "b.png")


def heif_start():
    return b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)


def test_heic_without_its_reader_says_what_to_install(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pillow_heif" else find(name))
    (tmp_path / "a.heic").write_bytes(heif_start())
    with pytest.raises(ValueError, match=r"is HEIC; install pillow-heif .*dragondiffusion\[heic\]"):
        read_photo(tmp_path / "a.heic")


@pytest.mark.skipif(not HAS_HEIF, reason="pillow-heif is not installed")
def test_heic_is_read_where_its_reader_is_installed(tmp_path):
    import pillow_heif

    pillow_heif.from_pillow(Image.fromarray(rgb())).save(tmp_path / "a.heic", quality=95, exif=exif(1).tobytes())
    photo = read_photo(tmp_path / "a.heic")
    assert np.abs(photo.pixels.astype(int) - rgb()).mean() < 6
    write_picture(photo.image(photo.pixels, None), tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.getexif()[ExifTags.Base.Make] == "A phone"
