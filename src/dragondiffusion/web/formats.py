"""The formats of images that are taken, told by their first bytes."""

from .limits import RefusedError

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpg"),
    (8, b"WEBP", "webp"),
    (0, b"II*\x00", "tif"),
    (0, b"MM\x00*", "tif"),
    (0, b"BM", "bmp"),
    (0, b"GIF8", "gif"),
    (4, b"ftyphei", "heic"),
    (4, b"ftyphev", "heic"),
    (4, b"ftypmif1", "heic"),
    (4, b"ftypmsf1", "heic"),
)
"""Formats that are taken, by bytes at a place. Others, such as those that PIL hands to other programs, are not."""


def suffix_of(data: bytes) -> str:
    """The suffix of an image's file.

    Raises:
        RefusedError: if it is none of a known format (422).
    """
    for place, signature, suffix in SIGNATURES:
        if data[place : place + len(signature)] == signature:
            return suffix
    raise RefusedError(422, "this is no image that can be read; give a PNG, JPEG, WebP, TIFF, BMP, GIF or HEIC")
