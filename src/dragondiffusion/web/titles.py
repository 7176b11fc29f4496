"""What a visitor calls the images of a session, and which of them are drawn scenes."""

import json
import re
import threading
from pathlib import Path

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

    def _drawn(self) -> list[str]:
        path = self.folder / "drawn.json"
        return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []

    def names(self) -> list[str]:
        """Images with a title, the oldest first."""
        return [name for name in self._titles() if (self.pictures / name).is_file()]

    def _titles(self) -> dict[str, str]:
        try:
            return dict(json.loads((self.folder / "titles.json").read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise RefusedError(401, "this session is over and its files are removed; begin a new one") from error

    def _entitle(self, name: str, title: str) -> None:
        with self._lock:
            titles = self._titles()
            if title and titles.get(name) != title:
                titles.pop(name, None)
                text = json.dumps(titles | {name: title}).encode()
                write_file(self.folder / "titles.json", lambda file: file.write(text))
