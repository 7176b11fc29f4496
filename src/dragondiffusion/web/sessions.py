"""Sessions: images and jobs of one visitor in a folder of their own; it outlives the server until it is long unused.

Nobody but the visitor knows the session's token; the folder is named after a digest of it. No name that comes from
outside is used as a path: images are named after their content, jobs after random numbers, and both are matched
against that form first.
"""

import asyncio
import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from PIL import Image

from ..core.strict_json import Json, read_json
from ..imaging.files import load_pixels, open_image
from ..imaging.writing import write_file
from .formats import suffix_of
from .limits import Limits, RefusedError
from .titles import Titled

NAME = re.compile(r"[0-9a-f]{32}\.(png|jpg|webp|tif|bmp|gif|heic)")
"""The form of the names of images."""
OWN = re.compile(r"[0-9a-f]{32}")
"""The form of the names of jobs and sessions. What has another name is none: being removed, or somebody else's."""
PAUSE = 1.0
"""Seconds between looks for sessions that nobody needs, where there is no more room."""
UNUSED = 600.0
"""Seconds after which an empty session gives way to a new one where there is no more room."""
REMOVED = ".removed-"
"""How folders begin that are being removed."""
MAX_RECORD_BYTES = 64 * 2**20
"""Largest record of a job that is read, bytes."""


class Session(Titled):
    """One visitor's files.

    Args:
        folder: where they are.
        limits: how much it may contain.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        super().__init__(folder)
        self.limits = limits
        self.name = folder.name
        self.turn = asyncio.Lock()
        """Held while something is computed for it: one thing at a time."""
        self.in_line = 0
        """How many wait for that."""
        self.used: float | None = None
        """When this server was last asked for it, by `time.monotonic`, which no change of the clock moves."""

    @property
    def unused(self) -> float:
        """Seconds for which nobody used it."""
        if self.used is not None:
            return time.monotonic() - self.used
        for path in (self.folder / "titles.json", self.folder):
            with contextlib.suppress(FileNotFoundError):  # its server was killed while it began, or it is being removed
                return time.time() - path.stat().st_mtime
        return 0.0

    @property
    def is_empty(self) -> bool:
        """Whether it has neither images nor jobs."""
        return not any(any(one.iterdir()) for one in (self.pictures, self.folder / "jobs") if one.is_dir())

    def touch(self) -> None:
        """Records that it is used.

        Raises:
            RefusedError: if it was removed (401).
        """
        try:
            os.utime(self.folder / "titles.json")
            self.used = time.monotonic()
        except FileNotFoundError as error:
            raise RefusedError(401, "this session is over and its files are removed; begin a new one") from error

    def add(self, data: bytes, title: str) -> str:
        """Keeps an image's file.

        Args:
            data: the file.
            title: the visitor's name for it.

        Returns:
            Its name, made from the content.

        Raises:
            RefusedError: if it is no image or has too many pixels (422), or there is no room (413).
        """
        suffix = suffix_of(data)
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.{suffix}"
        if not (self.pictures / name).exists():
            try:
                load_pixels(open_image(io.BytesIO(data), self.limits.pixels, "the image"), "the image")
            except (ValueError, MemoryError, Image.DecompressionBombError) as error:
                raise RefusedError(422, f"{error}") from error
            self.check_room(len(data))
            write_file(self.pictures / name, lambda file: file.write(data))
        self._entitle(name, title)
        return name

    def add_once(self, data: bytes, title: str) -> str:
        """Keeps an image's file as `add` does; one that has a title keeps it."""
        name = self.add(data, "")
        if name not in self._titles():
            self._entitle(name, title)
        return name

    def take(self, path: Path, title: str) -> str:
        """Adds a file that already lies in the folder of images under another name; returns its new name."""
        name = f"{_digest(path)}{path.suffix}"
        os.replace(path, self.pictures / name)
        self._entitle(name, title)
        return name

    def derived(self, name: str, make: Callable[[], bytes]) -> Path:
        """The file of an image that is made from another one when it is asked for first.

        Args:
            name: of the other one.
            make: gives its PNG data.

        Raises:
            RefusedError: if there is no room (413).
        """
        path = self.pictures / f"{hashlib.sha256(f'made from {name}'.encode()).hexdigest()[:32]}.png"
        if not path.is_file():
            data = make()
            self.check_room(len(data))
            write_file(path, lambda file: file.write(data))
        return path

    def path(self, name: str) -> Path:
        """The file of an image.

        Raises:
            RefusedError: if there is none of that name (404), or the session is over (401).
        """
        path = self.pictures / name
        if not NAME.fullmatch(name) or not path.is_file():
            self.names()
            raise RefusedError(404, f"there is no image {name[:80]!r} in this session; send it first")
        return path

    def write_job(self, job: str, record: Mapping[str, Json]) -> None:
        """Writes the record of a job, completely or not at all."""
        text = json.dumps(record, allow_nan=False).encode()
        write_file(self.folder / "jobs" / f"{job}.json", lambda file: file.write(text))

    def remove_job(self, job: str) -> None:
        """Forgets a job; its result stays an image of the session."""
        (self.folder / "jobs" / f"{job}.json").unlink(missing_ok=True)

    def jobs(self) -> dict[str, Json]:
        """Records of jobs by name; files that are no records are left out."""
        found: dict[str, Json] = {}
        for path in sorted((self.folder / "jobs").glob("*.json")):
            if OWN.fullmatch(path.stem):
                try:
                    found[path.stem] = read_json(path, MAX_RECORD_BYTES, "job")
                except (ValueError, OSError):
                    continue
        return found

    def tidy(self) -> None:
        """Removes what a server was writing when it was killed."""
        for path in filter(Path.is_file, [*self.folder.rglob(".*")]):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Removes all its files. They lose their place first, so that what is still being written goes with them."""
        gone = self.folder.with_name(f"{REMOVED}{secrets.token_hex(8)}")
        with contextlib.suppress(FileNotFoundError):  # somebody else may be quicker
            os.replace(self.folder, gone)
        shutil.rmtree(gone, ignore_errors=True)

    def check_room(self, more: int) -> None:
        """Checks that there is room for a file.

        Args:
            more: its bytes.

        Raises:
            RefusedError: if there is none (413).
        """
        sizes = [file.stat().st_size for file in self.pictures.iterdir()]
        used = sum(sizes)
        if len(sizes) >= self.limits.files:
            raise RefusedError(413, f"this session holds {len(sizes)} images and takes no more; begin a new one")
        if used + more > self.limits.session_bytes:
            raise RefusedError(
                413,
                f"this session holds {used / 1e6:.0f} MB of images and there is room for "
                f"{self.limits.session_bytes / 1e6:.0f}; download the images that you need and begin a new session",
            )


class Sessions:
    """All sessions, in one folder.

    Args:
        root: the folder; made if it is not there.
        limits: how many of them there may be, and for how long.
    """

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root, self.limits = root, limits
        self.on_removal: Callable[[str], None] = lambda _: None
        """Called with the name of every session that is removed because it is old, or empty and in the way."""
        self._open: dict[str, Session] = {}
        self._address: dict[str, str] = {}
        """Of the client that began a session, by the session's name."""
        self._looked = -PAUSE
        """When sessions that nobody needs were last looked for, by `time.monotonic`."""
        self._beginning = threading.Lock()
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def begin(self, address: str = "") -> tuple[str, Session]:
        """A new session and its token.

        Args:
            address: of the client.

        Raises:
            RefusedError: if there are too many, of this address or of all (429). Those with images or jobs are never
                removed for a new one.
        """
        with self._beginning:
            self._check_room(address)
            token = secrets.token_urlsafe(24)
            folder = self.root / _folder(token)
            try:
                for name in ("pictures", "jobs"):
                    (folder / name).mkdir(parents=True)
                write_file(folder / "titles.json", lambda file: file.write(b"{}"))
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._address[folder.name] = address
        return token, self.find(token)

    def _check_room(self, address: str) -> None:
        """Checks that there is room for a session; removes those that nobody needs where there is none."""
        if self._refusal(address) is None:
            return
        if time.monotonic() - self._looked > PAUSE:
            self._looked = time.monotonic()
            self.sweep()
            self.end(*(one for one in self.all() if one.unused > UNUSED and one.is_empty))
        refusal = self._refusal(address)
        if refusal is not None:
            raise RefusedError(429, refusal)

    def _refusal(self, address: str) -> str | None:
        """The reason why a client may not begin a session now; None if it may."""
        there = {path.name for path in self._folders()}
        self._address = {name: of for name, of in self._address.items() if name in there}
        own = sum(of == address for of in self._address.values())
        if own >= self.limits.sessions_each:
            return f"{own} sessions were begun from this address; end those that are done with (DELETE api/session)"
        if len(there) >= self.limits.sessions:
            return f"the server has {len(there)} sessions; try again when some are over"
        return None

    def find(self, token: str | None) -> Session:
        """The session of a token.

        Raises:
            RefusedError: if there is none (401).
        """
        if not token:
            raise RefusedError(401, "the header X-Session is missing; begin a session with POST api/session")
        name = _folder(token)
        with self._lock:
            session = self._open.get(name) or Session(self.root / name, self.limits)
            if not session.folder.is_dir():
                self._open.pop(name, None)
                raise RefusedError(401, "this session is unknown or over; begin a new one with POST api/session")
            self._open[name] = session
        session.touch()
        return session

    def all(self) -> Iterator[Session]:
        """Every session that there is."""
        for folder in self._folders():
            yield self._open.get(folder.name) or Session(folder, self.limits)

    def _folders(self) -> list[Path]:
        return [path for path in self.root.iterdir() if OWN.fullmatch(path.name)]

    def sweep(self) -> list[str]:
        """Removes sessions that are unused for too long; gives their names."""
        for left in self.root.glob(f"{REMOVED}*"):  # by a server that was killed
            shutil.rmtree(left, ignore_errors=True)
        old = [session for session in self.all() if session.unused > 3600 * self.limits.hours]
        self.end(*old)
        return [session.name for session in old]

    def end(self, *gone: Session) -> None:
        """Removes sessions."""
        for session in gone:
            session.remove()
            self.on_removal(session.name)
        with self._lock:
            for session in gone:
                self._open.pop(session.name, None)


def _folder(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
