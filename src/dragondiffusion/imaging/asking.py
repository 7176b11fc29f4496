"""Files of images that are read only as long as somebody wants them: a small one can hold millions of parts.

PIL reads segments, chunks, frames and pages one by one. Whoever began the reading may stop it between any two of them
(`core.stopping`).
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from PIL import Image

from ..core.stopping import go_on

BLOCK = 2**13
"""Bytes of pixels that are decoded without asking. PIL's 65536 hold thousands of scans of a progressive JPEG, each of
which goes over the whole image."""

READS = 1_000_000
"""How often a file is read at most: PIL keeps what parts say, and millions of comments take a gigabyte. Source: chosen;
an image of 100 million pixels takes some ten thousand reads."""


class AskingFile:
    """A file that asks before every read whether it should go on, and counts them.

    Args:
        file: the file itself; closed with this one, unless it is in memory.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._left = READS

    def read(self, size: int = -1) -> bytes:
        """Some bytes, or all that are left.

        Raises:
            ValueError: after `READS` of them.
        """
        go_on()
        self._left -= 1
        if self._left < 0:
            raise ValueError("it has too many parts (comments, chunks or scans); save it anew without them")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __del__(self) -> None:
        if not isinstance(self._file, io.BytesIO):
            self._file.close()


def asking(source: Path | io.BytesIO, formats: Sequence[str]) -> Image.Image:
    """Opens an image as `PIL.Image.open` does.

    Args:
        source: its file.
        formats: that it may have, by PIL's names.

    Raises:
        UnidentifiedImageError: if it is in none of them.
    """
    file = AskingFile(source if isinstance(source, io.BytesIO) else source.open("rb"))
    image = Image.open(cast(Any, file), formats=tuple(formats))
    opened = cast(Any, image)
    opened.decodermaxblock = BLOCK
    if isinstance(source, Path):
        opened.filename = str(source)
    return image
