"""What a visitor calls the images of a session, and which of them are drawn scenes."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..imaging.writing import write_file
from .limits import RefusedError


class Titled:
    """A folder of images with titles.

    Args:
        folder: where images, titles and notes on them are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._read: dict[str, tuple[tuple[int, int], Any]] = {}

    @property
    def pictures(self) -> Path:
        """The folder of its images and masks, and nothing else."""
        return self.folder / "pictures"

    def title(self, name: str) -> str:
        """The title that the visitor gave an image."""
        return self._titles().get(name, name)

    def told(self, text: str) -> str:
        """A text with what the visitor calls its images; masks, which have no title, are left unnamed."""
        titles = self._titles()
        places = rf" ?(?:{re.escape(str(self.pictures))}/)([\w.-]+)"
        return re.sub(places, lambda found: f" {titles[found[1]]}" if found[1] in titles else "", text)

    def titled(self, title: str) -> str | None:
        """The newest image of a title; None if there is none."""
        found = [name for name, own in self._titles().items() if own == title and (self.pictures / name).is_file()]
        return found[-1] if found else None

    def mark_drawn(self, name: str) -> None:
        """Notes that an image is a drawn scene, or came of one."""
        with self._lock:
            text = json.dumps(sorted({*self._drawn(), name})).encode()
            write_file(self.folder / "drawn.json", lambda file: file.write(text))

    def is_drawn(self, name: str) -> bool:
        """Whether an image is a drawn scene, or came of one."""
        return name in self._drawn()

    def _drawn(self) -> frozenset[str]:
        try:
            return self._written("drawn.json", frozenset)
        except FileNotFoundError:
            return frozenset()

    def names(self) -> list[str]:
        """Images with a title, the oldest first."""
        return [name for name in self._titles() if (self.pictures / name).is_file()]

    def _titles(self) -> Mapping[str, str]:
        try:
            return self._written("titles.json", dict)
        except FileNotFoundError as error:
            raise RefusedError(401, "this session is over and its files are removed; begin a new one") from error

    def _written(self, name: str, kind: Callable[[Any], Any]) -> Any:
        """The JSON of a file as some kind of collection, which nobody changes.

        It is read again only when the file changed: those who list thousands of images ask for each.
        """
        state = (self.folder / name).stat()
        known = self._read.get(name)
        if known is None or known[0] != (state.st_ino, state.st_mtime_ns):
            value = kind(json.loads((self.folder / name).read_text(encoding="utf-8")))
            known = self._read[name] = (state.st_ino, state.st_mtime_ns), value
        return known[1]

    def _entitle(self, name: str, title: str) -> None:
        with self._lock:
            titles = dict(self._titles())
            if title and titles.get(name) != title:
                titles.pop(name, None)
                text = json.dumps(titles | {name: title}).encode()
                write_file(self.folder / "titles.json", lambda file: file.write(text))
