"""What files of images carry besides pixels: profile, EXIF, XMP, resolution, quality; read and passed on."""

from typing import Any, cast

from PIL import ExifTags, Image
from PIL.JpegImagePlugin import get_sampling

from .further_metadata import further, jpeg_options

QUALITY = 95
"""Of formats with losses, where the photo's own quality is not known. Source: chosen, the highest that PIL advises."""

TIFF_STRUCTURE = frozenset(
    (*range(254, 269), 273, *range(277, 282), 284, 297, 317, *range(320, 326), 338, 339, *range(512, 522), 700, 34675)
)
"""Tags of TIFF files that say how pixels are stored; they are not the photo's."""

SUBSAMPLING, TABLES = "jpeg_subsampling", "jpeg_tables"
"""Names in `Image.info` under which a JPEG's own quality is passed on."""

XMP_TEXT = "XML:com.adobe.xmp"
"""Keyword of the text with XMP in a PNG. Source: Adobe's XMP specification, part 3, 1.1.5."""

WITH_ALPHA = frozenset(("PNG", "WEBP", "TIFF", "AVIF", "HEIF", "GIF", "JPEG2000", "TGA", "ICO"))
"""Formats that hold transparency."""


CARRYING = frozenset(("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"))
"""Formats that carry a profile and metadata."""

MOST_XMP = 65504
"""Bytes of XMP that a JPEG has room for. Source: Adobe's XMP specification, part 3, 1.1.3."""


def carried(image: Image.Image) -> dict[str, Any]:
    """What a file carries that its edited version should carry too."""
    info = {name: image.info[name] for name in ("icc_profile", "xmp", "dpi") if image.info.get(name)}
    if image.mode in ("CMYK", "LAB"):
        info.pop("icc_profile", None)  # a profile of colours that the result does not have
    if XMP_TEXT in image.info:
        info.setdefault("xmp", str(image.info[XMP_TEXT]).encode())
    exif = _exif(image)
    if exif:
        info["exif"] = exif
    if "xmp" in info:
        info["xmp"] = _upright_xmp(info["xmp"])
    info |= further(image)
    tables = getattr(image, "quantization", None)
    if tables and image.mode in ("RGB", "L"):
        info[TABLES] = [list(tables[k]) for k in sorted(tables)]
        info[SUBSAMPLING] = get_sampling(cast(Any, image))
    return info


def _exif(image: Image.Image) -> bytes | None:
    """EXIF of the upright image, without its thumbnail, which would show what the edit took away."""
    exif = image.getexif()
    if image.format == "TIFF":
        for tag in set(exif) & TIFF_STRUCTURE:
            del exif[tag]
    if not len(exif):
        return None
    # A copy: the image is the user's.
    copy = Image.Exif()
    copy.load(exif.tobytes())
    turned = copy.get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
    if ExifTags.Base.Orientation in copy:
        copy[ExifTags.Base.Orientation] = 1
    inner = copy.get_ifd(ExifTags.IFD.Exif)
    width, height = inner.get(ExifTags.Base.ExifImageWidth), inner.get(ExifTags.Base.ExifImageHeight)
    if turned and width and height:
        inner[ExifTags.Base.ExifImageWidth], inner[ExifTags.Base.ExifImageHeight] = height, width
    return copy.tobytes()


def _upright_xmp(xmp: bytes) -> bytes:
    """XMP that says its image is upright."""
    for before, after in ((b'tiff:Orientation="', b'"'), (b"<tiff:Orientation>", b"</tiff:Orientation>")):
        start = xmp.find(before)
        if start >= 0 and xmp[start + len(before) + 1 :].startswith(after):
            xmp = xmp[: start + len(before)] + b"1" + xmp[start + len(before) + 1 :]
    return xmp


def png_xmp(picture: Image.Image) -> str | None:
    """XMP of an image as the text that a PNG carries."""
    xmp = picture.info.get("xmp")
    return xmp.decode("utf-8", errors="replace") if isinstance(xmp, bytes) else None


def save_options(picture: Image.Image, kind: str) -> dict[str, Any]:
    """What PIL's `save` is told, so that a file of a format carries what an image has in its `info`.

    Args:
        picture: what is saved.
        kind: PIL's name of the format.
    """
    info = picture.info
    options: dict[str, Any] = {name: info[name] for name in ("icc_profile", "exif", "xmp", "dpi") if info.get(name)}
    if kind == "JPEG":
        options |= _jpeg_quality(picture) | jpeg_options(picture)
        if len(options.get("xmp", b"")) > MOST_XMP:
            del options["xmp"]
    elif kind in ("WEBP", "AVIF", "HEIF"):
        options["quality"] = QUALITY
    elif kind == "PNG":
        options.pop("xmp", None)  # a text there, see `write_picture`
    return options if kind in CARRYING else {}


def savable(picture: Image.Image, kind: str) -> Image.Image:
    """An image as a format can hold it: laid over white where it knows no transparency."""
    if picture.mode not in ("RGBA", "LA") or kind in WITH_ALPHA:
        return picture
    rgba = picture.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert(picture.mode[:-1])
    flat.info.update(picture.info)
    return flat


def _jpeg_quality(picture: Image.Image) -> dict[str, Any]:
    """The tables and subsampling that a photo came with, or a good quality."""
    tables, sampling = picture.info.get(TABLES), picture.info.get(SUBSAMPLING, -1)
    if not tables:
        return {"quality": QUALITY}
    single = picture.mode == "L"
    return {"qtables": tables[:1] if single else tables} | ({} if single or sampling < 0 else {"subsampling": sampling})
