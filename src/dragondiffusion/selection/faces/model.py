"""Mediapipe's model file for faces: given by path, or downloaded once."""

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path

from ...core.messages import is_file
from ...imaging.writing import write_file

URL = "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
MAX_BYTES, SECONDS = 16 * 2**20, 30


def model_file(path: str | os.PathLike[str] | None = None) -> Path:
    """The model's file.

    Args:
        path: where it is; None is the cache, into which it is downloaded the first time.

    Raises:
        FileNotFoundError: if it is not there and cannot be downloaded; says where to get it.
        ValueError: if what was downloaded is something else.
    """
    if path is not None:
        if not is_file(Path(path), f"face model {path}"):
            raise FileNotFoundError(f"face model {path} does not exist; download {URL}")
        return Path(path)
    cached = cache_folder() / Path(URL).name
    return cached if cached.is_file() and _checksum(cached.read_bytes()) == SHA256 else _downloaded(cached)


def cache_folder() -> Path:
    """Where downloaded files are kept: `$XDG_CACHE_HOME/dragondiffusion`, or `~/.cache/dragondiffusion`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dragondiffusion"


def _downloaded(target: Path) -> Path:
    try:
        with urllib.request.urlopen(URL, timeout=SECONDS) as answer:  # the address above
            data = answer.read(MAX_BYTES)
    except (urllib.error.URLError, OSError) as error:
        raise FileNotFoundError(
            f"the face model cannot be downloaded ({error}); get {URL} elsewhere, and give its path (--model)"
        ) from error
    if _checksum(data) != SHA256:
        raise ValueError(f"what {URL} answered has another checksum than {SHA256}; get the file elsewhere (--model)")
    target.parent.mkdir(parents=True, exist_ok=True)
    return write_file(target, lambda file: file.write(data))


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
