"""Metadata that only some formats hold: colour chunks and texts of PNG, IPTC and comments of JPEG; what is lost."""

import struct
from pathlib import Path
from typing import Any, cast

from PIL import Image
from PIL.PngImagePlugin import PngInfo

COLOUR, TEXTS, COMMENT, IPTC = "png_colour", "png_texts", "comment", "iptc"
"""Names in `Image.info` under which they are passed on."""

OWN = "dragondiffusion-"
"""How keywords of this package's texts begin; those of an input are not the result's."""
MOST_TEXT = 2**20
"""Characters of texts that are passed on at most. Source: chosen."""
MOST_MARKER = 65500
"""Bytes of a JPEG's IPTC or comment that are passed on at most. Source: its markers hold 65533."""
IPTC_RESOURCE = 0x0404
"""Adobe's number of IPTC among the resources of an image."""
IPTC_TEXT = "Raw profile type iptc"
"""Keyword under which ImageMagick and ExifTool keep IPTC in a PNG."""
USUAL_GAMMA = 45455
"""The value of gAMA that says the same as no chunk. Source: PNG specification, 3rd edition, 11.3.2.2: 1/2.2."""
USUAL_PRIMARIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
"""That of cHRM. Source: as above, 11.3.2.1, of sRGB."""


def further(image: Image.Image) -> dict[str, Any]:
    """What an image's file carries of these, by their names in `Image.info`."""
    info: dict[str, Any] = {}
    if image.format == "PNG":
        info[COLOUR] = _colour(image)
        texts = {k: str(v) for k, v in cast(Any, image).text.items() if not k.startswith(OWN) and k not in _ELSEWHERE}
        info[TEXTS] = texts if sum(map(len, texts.values())) <= MOST_TEXT else {}
    comment = image.info.get("comment")
    if isinstance(comment, bytes) and image.format in ("JPEG", "MPO") and len(comment) <= MOST_MARKER:
        info[COMMENT] = comment
    iptc = cast(Any, image.info.get("photoshop") or {}).get(IPTC_RESOURCE)
    if isinstance(iptc, bytes) and len(iptc) <= MOST_MARKER:
        info[IPTC] = iptc
    return {name: value for name, value in info.items() if value}


_ELSEWHERE = ("XML:com.adobe.xmp", "Raw profile type exif")
"""Keywords of texts that are passed on as XMP and EXIF."""


def _colour(image: Image.Image) -> dict[bytes, bytes]:
    """Chunks of a PNG that say which colours its numbers are."""
    found: dict[bytes, bytes] = {}
    if "gamma" in image.info:
        found[b"gAMA"] = struct.pack(">I", round(image.info["gamma"] * 100000))
    if "chromaticity" in image.info:
        found[b"cHRM"] = struct.pack(">8I", *(round(v * 100000) for v in image.info["chromaticity"]))
    if "srgb" in image.info:
        found[b"sRGB"] = bytes([image.info["srgb"]])
    file = getattr(image, "filename", "")
    cicp = _chunk(Path(file), b"cICP") if file else None  # which PIL does not read
    if cicp is not None and len(cicp) == 4:
        found[b"cICP"] = cicp
    return found


def _chunk(path: Path, name: bytes) -> bytes | None:
    """A chunk of a PNG's file that stands before its pixels."""
    try:
        with path.open("rb") as file:
            file.seek(8)
            while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
                length = int.from_bytes(head[:4])
                if head[4:] == name and length < 1024:
                    return file.read(length)
                file.seek(length + 4, 1)
    except OSError:
        return None
    return None


def add_to_png(picture: Image.Image, chunks: PngInfo, taken: "set[str]") -> None:
    """Adds them to the chunks of a PNG.

    Args:
        picture: what is saved.
        chunks: gets them.
        taken: keywords of texts that it carries already.
    """
    for name, data in picture.info.get(COLOUR, {}).items():
        chunks.add(name, data)
    texts = dict(picture.info.get(TEXTS, {}))
    if COMMENT in picture.info:
        texts.setdefault("Comment", picture.info[COMMENT].decode("utf-8", errors="replace"))
    if IPTC in picture.info:
        data = picture.info[IPTC]
        texts.setdefault(IPTC_TEXT, f"\niptc\n{len(data):8}\n{data.hex()}\n")
    for keyword, text in texts.items():
        if keyword not in taken:
            chunks.add_itxt(keyword, text)


def jpeg_options(picture: Image.Image) -> dict[str, Any]:
    """What PIL's `save` is told of them for a JPEG."""
    options: dict[str, Any] = {}
    if COMMENT in picture.info:
        options["comment"] = picture.info[COMMENT]
    if IPTC in picture.info:
        data = picture.info[IPTC]
        body = (
            b"Photoshop 3.0\0008BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(data)) + data + b"\0" * (len(data) % 2)
        )
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(body) + 2) + body
    return options


def left_out(picture: Image.Image, kind: str) -> str | None:
    """One sentence about what a format does not carry of an image's metadata; None if it carries all.

    Args:
        picture: what is saved.
        kind: PIL's name of the format.
    """
    if kind == "PNG":
        return None
    names = [str(name, "ascii") for name, data in picture.info.get(COLOUR, {}).items() if not _is_usual(name, data)]
    colours = bool(names)
    names += ["texts"] if picture.info.get(TEXTS) else []
    if kind != "JPEG":
        names += [word for word, name in (("its comment", COMMENT), ("IPTC", IPTC)) if name in picture.info]
    if not names:
        return None
    listed = ", ".join(names[:-1]) + (" and " if names[:-1] else "") + names[-1]
    why = ", so that its colours look different" if colours else ""
    return f"{kind} does not carry {listed} of the input{why}; write PNG to keep them"


def _is_usual(name: bytes, data: bytes) -> bool:
    """Whether a chunk says what is taken for granted without it."""
    if name == b"gAMA":
        return abs(struct.unpack(">I", data)[0] - USUAL_GAMMA) < 1000
    if name == b"cHRM":
        return all(abs(a - b) < 200 for a, b in zip(struct.unpack(">8I", data), USUAL_PRIMARIES, strict=True))
    return name == b"sRGB"
