"""The command that serves the page."""

from __future__ import annotations

import dataclasses
import gc
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from ..console.model_options import WithModel

if TYPE_CHECKING:
    from .limits import Limits
    from .service import Service


@dataclasses.dataclass(frozen=True, kw_only=True)
class Web(WithModel):
    """Serve the page on which one drags objects, and the HTTP API behind it."""

    host: str = "127.0.0.1"
    """Address to listen at; 0.0.0.0 lets other machines in."""
    port: int = 7860
    """Port to listen at; 0 chooses a free one."""
    share: tyro.conf.FlagCreatePairsOff[bool] = False
    """Make the page reachable for everybody who knows a random address, through Gradio's server."""
    allow_host: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """A further name under which the server may be reached, such as that of a proxy; may be repeated."""
    root_path: str = ""
    """Path at which a proxy shows the page, such as /edit."""
    data: Path | None = None
    """Folder of the visitors' files; None is one in the user's cache. Unused sessions are removed from it."""
    weights: str | None = None
    """A SAM 2 checkpoint for selections: a folder or a hub id; None is GrabCut, which needs none."""
    upload: int = 64
    """Largest upload, MB."""
    pixels: int = 50
    """Largest image, megapixels."""
    steps: int = 300
    """Most steps of one run."""
    seconds: float = 20.0
    """Most seconds that a preview, a selection or the check of an edit may take."""
    waiting: int = 64
    """Most edits that wait."""
    hours: float = 24.0
    """Hours after which the files of an unused session are removed."""

    def run(self) -> None:
        from ..core.libraries import check_libraries

        check_libraries("web")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"--port {self.port} must lie between 0 and 65535")
        limits = self._limits()
        os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
        from .server import LOOPBACK, application, bound, locked, serve

        listening = bound(self.host, self.port)
        port = int(listening.getsockname()[1])
        folder = self.data or _cache() / str(port)
        lock = locked(folder)
        try:
            local = self.host in ("127.0.0.1", "localhost", "::1") and not self.share
            hosts = (*LOOPBACK, *self.allow_host) if local or self.allow_host else ("*",)
            root_path = self.root_path.rstrip("/")
            app = application(self._service(folder / "sessions", limits), hosts, root_path=root_path)
            shown = "localhost" if self.host in ("127.0.0.1", "0.0.0.0") else self.host  # noqa: S104
            print(f"open http://{shown}:{port}{root_path}/", file=sys.stderr, flush=True)
            if self.share:
                print(f"open {_shared(port)} from anywhere", file=sys.stderr, flush=True)
            serve(app, listening)
        finally:
            lock.release()

    def _limits(self) -> Limits:
        from .limits import Limits

        return Limits(
            upload=self.upload * 2**20,
            pixels=self.pixels * 1_000_000,
            steps=self.steps,
            seconds=self.seconds,
            waiting=self.waiting,
            hours=self.hours,
        )

    def _service(self, folder: Path, limits: Limits) -> Service:
        from .engine import Engine
        from .queue import Queue
        from .service import Service
        from .sessions import Sessions

        queue = Queue(limits)
        devices = (self.device or "").split(",")
        engines = [Engine(self._load(device or None), queue, limits) for device in devices]
        return Service(Sessions(folder, limits), queue, engines, limits, self.model, self.weights)

    def _load(self, device: str | None) -> Any:
        loading = {**self.loading(), **({"loras": self.lora} if self.lora else {})}
        if device is not None:
            loading["device"] = device
        return partial(_loaded, self.model, loading)


def _loaded(model: str | None, loading: dict[str, Any]) -> Any:
    """The editor.

    What is there with it lives as long as the server. Garbage is looked for elsewhere from then on: going through all
    of it would stop every thread again and again.
    """
    from ..console.terminal import load_editor

    editor = load_editor(model, **loading)
    gc.collect()
    gc.freeze()
    return editor


def _cache() -> Path:
    """The folder of this package in the user's cache."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:  # an account without a home
        raise ValueError(f"there is no folder for the visitors' files ({error}); name one with --data") from error
    return cache / "dragondiffusion" / "web"


def _shared(port: int) -> str:
    """An address under which everybody reaches a port of this machine.

    Raises:
        ValueError: if Gradio's server cannot be reached.
    """
    import secrets

    from gradio.networking import setup_tunnel

    try:
        return setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None)
    except Exception as error:
        raise ValueError(f"--share: Gradio's server cannot be reached ({error}); leave it out") from error
