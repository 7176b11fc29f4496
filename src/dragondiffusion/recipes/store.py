"""Where the images of a recipe are: paths relative to it, or PNG data inside it."""

import base64
import binascii
import hashlib
import os
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from ..core.messages import cut, reason
from ..imaging.files import MAX_PIXELS, ImageLike
from ..imaging.png import TooLargeError, from_png, to_png
from ..imaging.writing import write_file

DATA = "data:image/png;base64,"
"""What PNG data inside of JSON begin with (RFC 2397)."""

MAX_EMBEDDED_BYTES = 5 * 2**20
"""PNG data that one image carries at most, bytes. Source: with a third more in base64 they stay below the 8 000 000
bytes to which libpng limits a chunk by default."""

HUB_ID = re.compile(r"\w[\w.-]*/(?!.*\.safetensors$)[\w.-]+")
"""What a checkpoint on the hub is called: owner/name."""


@dataclass(frozen=True)
class Folder:
    """The folder a recipe is relative to.

    Args:
        path: the folder.
        allow_outside: the recipe may name files outside of it.
        decoded: pixels of the images that the recipe held so far; together they may have as many as one.
    """

    path: Path
    allow_outside: bool = False
    decoded: list[int] = field(default_factory=list[int])

    def inside(self, text: str, at: str) -> Path:
        """A path that a recipe names.

        Args:
            text: the path.
            at: where the recipe names it.

        Raises:
            ValueError: if it leads out of the folder, symbolic links followed, and must not.
        """
        try:
            whole, folder = (self.path / text).resolve(), self.path.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise ValueError(f"{at} {cut(text)!r} is not a path ({reason(error)}); correct it") from error
        if Path(text).is_absolute() or not whole.is_relative_to(folder):
            self._check_outside(text, at)
        return self.path / text

    def picture(self, text: str, at: str) -> Path | Image.Image:
        """An image that a recipe names or holds.

        Raises:
            ValueError: if its path leads out, or its data are no image or hold too many pixels.
        """
        if not text.startswith("data:"):
            return self.inside(text, at)
        if not text.startswith(DATA):
            raise ValueError(f"{at} holds data of another kind than {DATA}...; encode the image as PNG")
        try:
            data = base64.b64decode(text[len(DATA) :], validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"{at} is not valid base64 ({error}); encode the image again") from error
        image = from_png(data, at, MAX_PIXELS - sum(self.decoded))
        self.decoded.append(image.width * image.height)
        return image

    def model(self, text: str) -> str:
        """A checkpoint that a recipe names: in its folder, or on the hub.

        Raises:
            ValueError: if it leads out.
        """
        if not HUB_ID.fullmatch(text) or (self.path / text).exists():
            return str(self.inside(text, "model"))
        if Path(text).exists():  # in the working directory
            self._check_outside(text, "model")
        return text

    def _check_outside(self, text: str, at: str) -> None:
        if not self.allow_outside:
            raise ValueError(
                f"{at} {cut(text)} lies outside of the recipe's folder; put the file beside the recipe or, if you "
                "trust the recipe, allow it (allow_outside=True, --allow-outside)"
            )


class Store(ABC):
    """Where the images of a recipe go when it is written."""

    @abstractmethod
    def keep(self, source: ImageLike) -> str:
        """Text that stands for an image in the recipe."""

    @abstractmethod
    def model(self, name: str) -> str:
        """Text that stands for a checkpoint."""


class Inline(Store):
    """Paths as they are, images in memory as data."""

    def keep(self, source: ImageLike) -> str:
        return os.fspath(source) if isinstance(source, (str, os.PathLike)) else data_of(to_png(source))

    def model(self, name: str) -> str:
        return name


@dataclass(frozen=True)
class Beside(Store):
    """Paths relative to a folder; images in memory are written into it, named after their content.

    Args:
        folder: where the recipe goes.
    """

    folder: Path

    def keep(self, source: ImageLike) -> str:
        if isinstance(source, (str, os.PathLike)):
            return relative(Path(source), self.folder)
        data = to_png(source)
        path = self.folder / name_of(data)
        return relative(write_file(path, lambda file: file.write(data)), self.folder)

    def model(self, name: str) -> str:
        path = Path(name).expanduser()
        return relative(path, self.folder) if path.exists() else name


@dataclass(frozen=True)
class Embedded(Store):
    """All images as data, as long as there is room; the others as `Beside` does.

    Args:
        folder: where the image that carries the recipe goes.
        room: bytes of PNG data there is room for.
        taken: bytes of what found room.
        left: paths of what did not.
    """

    folder: Path
    room: int = MAX_EMBEDDED_BYTES
    taken: list[int] = field(default_factory=list[int])
    left: list[str] = field(default_factory=list[str])

    def keep(self, source: ImageLike) -> str:
        try:
            data = to_png(source, max(0, self.room - sum(self.taken)))
        except TooLargeError:
            self.left.append(self.elsewhere(source))
            return self.left[-1]
        self.taken.append(len(data))
        return data_of(data)

    def elsewhere(self, source: ImageLike) -> str:
        """Text that stands for an image for which there is no room."""
        return Beside(self.folder).keep(source)

    def model(self, name: str) -> str:
        return Beside(self.folder).model(name)


def name_of(data: bytes) -> str:
    """The name of a file for an image in memory, after its PNG data."""
    return f"{hashlib.sha256(data).hexdigest()[:16]}.png"


def data_of(data: bytes) -> str:
    """PNG data as text."""
    return DATA + base64.b64encode(data).decode("ascii")


def relative(path: Path, folder: Path) -> str:
    """A path as seen from a folder, with slashes; symbolic links to folders followed."""
    path = path.parent.resolve() / path.name
    try:
        text = Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:  # on another drive
        text = path.as_posix()
    return f"./{text}" if text.startswith("data:") else text
