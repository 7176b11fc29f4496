"""Workers that are actors of Ray, on this machine or on a cluster: the only module that imports ray.

Files that a worker reads go into Ray's object store once, however many jobs use them, as long as they are in use; what
workers give back comes through it too. Models are loaded by the actors themselves. So machines need to share no folder
but that of the checkpoint. Restarts and retries are the driver's, which counts them for every job.
"""

import importlib
import logging
import os
import socket
import threading
import warnings
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.libraries import check_libraries
from .engine import NO_FILES, BatchEngine, Event, Held, Lost, Make, Raised, Returned

STORED_BYTES = 2**28
"""Bytes of files that are kept in the object store at most, beside those of calls that are made. Source: chosen."""

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
"""How long is waited for a cluster: for its machine, and for Ray on it. Source: chosen."""


class RayEngine(BatchEngine):
    """Actors of Ray.

    Args:
        make: see `engine.Make`.
        places: how many actors work at once; None is one for every GPU of the cluster, or as many as its processors
            allow where it has none.
        processors: of each actor; its threads.
        gpus: each actor has a GPU of its own; None says so if the cluster has one.
        address: of a cluster, "auto" for that of this machine; None begins Ray here, for this batch alone.

    Raises:
        ValueError: if ray is not installed.
        OSError: if there is no cluster at the address.
    """

    def __init__(
        self,
        make: Make,
        places: int | None,
        processors: int = 1,
        gpus: bool | None = None,
        address: str | None = None,
    ) -> None:
        check_libraries("ray")
        self._ray: Any = importlib.import_module("ray")
        self._errors: Any = importlib.import_module("ray.exceptions")
        self._make = make
        self._ours = not self._ray.is_initialized()
        if self._ours:
            connect(self._ray, address, places * processors if places else max(processors, os.cpu_count() or 1))
        there: dict[str, float] = self._ray.cluster_resources()
        has_gpus = there.get("GPU", 0) >= 1
        self._gpus = has_gpus if gpus is None else gpus
        free = there.get("GPU" if self._gpus else "CPU", 1)
        self._places = places or max(1, int(free if self._gpus else free // processors))
        self._note_room(processors)
        self._actor = self._ray.remote(num_cpus=processors, num_gpus=int(self._gpus), max_restarts=0)(_Actor)
        self._actors: dict[int, Any] = {}
        self._calls: dict[int, deque[Any]] = {}
        self._stored: OrderedDict[Path, tuple[Any, int]] = OrderedDict()
        self._count = 0

    def _note_room(self, processors: int) -> None:
        """Says so if no machine of the cluster has room for a worker; one that has may be on its way."""
        machines: list[dict[str, float]] = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if not any(one.get("CPU", 0) >= processors and one.get("GPU", 0) >= int(self._gpus) for one in machines):
            need = f"{processors} processors{' and a GPU' if self._gpus else ''}"
            warnings.warn(f"no machine of the cluster has {need} for a worker; waiting until one has", stacklevel=3)

    @property
    def places(self) -> int:
        return self._places

    @property
    def gpus(self) -> bool:
        """Whether each actor has a GPU."""
        return self._gpus

    def add(self, place: int) -> int:
        worker, self._count = self._count, self._count + 1
        self._actors[worker] = self._actor.remote(self._make, place)
        self._calls[worker] = deque()
        return worker

    def call(self, worker: int, method: str, argument: Any, files: Mapping[str, Path] = NO_FILES) -> None:
        data = [self._put(path) for path in files.values()]
        self._calls[worker].append(self._actors[worker].call.remote(method, argument, list(files), *data))

    def _put(self, path: Path) -> Any:
        """The content of a file in the object store."""
        if path in self._stored:
            self._stored.move_to_end(path)
            return self._stored[path][0]
        content = path.read_bytes()
        self._stored[path] = self._ray.put(content), len(content)
        while sum(size for _, size in self._stored.values()) > STORED_BYTES and len(self._stored) > 1:
            self._stored.popitem(last=False)
        return self._stored[path][0]

    def wait(self, seconds: float) -> list[Event]:
        first = {calls[0]: worker for worker, calls in self._calls.items() if calls}
        if not first:
            return []
        ready, _ = self._ray.wait(list(first), num_returns=1, timeout=seconds)
        if ready:
            more, _ = self._ray.wait(list(first), num_returns=len(first), timeout=0)
            ready = more or ready
        return [self._heard(first[call], call) for call in ready]

    def _heard(self, worker: int, call: Any) -> Event:
        try:
            fine, value = self._ray.get(call)
        except self._errors.RayError as error:
            self._forget(worker)
            return Lost(worker, _first_line(error))
        self._calls[worker].popleft()
        return Returned(worker, value) if fine else Raised(worker, value)

    def _forget(self, worker: int) -> None:
        del self._actors[worker], self._calls[worker]

    def end(self, worker: int) -> None:
        self._ray.kill(self._actors[worker], no_restart=True)
        self._forget(worker)

    def close(self) -> None:
        for worker in list(self._actors):
            self.end(worker)
        self._stored.clear()
        if self._ours:
            self._ray.shutdown()


class _Actor:
    """A worker on Ray; ray is not imported where its code is."""

    def __init__(self, make: Make, place: int) -> None:
        self._held = Held(make, place)

    def call(self, method: str, argument: Any, names: Sequence[str], *contents: bytes) -> tuple[bool, Any]:
        """See `engine.Held.call`; the contents of files by their names."""
        return self._held.call(method, argument, dict(zip(names, contents, strict=True)))


def connect(ray: Any, address: str | None, processors: int) -> None:
    """Begins Ray here, or connects to a cluster, in bounded time.

    Args:
        ray: the library.
        address: of a cluster, "auto" for that of this machine; None begins Ray.
        processors: that Ray hands out where it is started here.

    Raises:
        OSError: if there is no cluster at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        ray.init(address="local", num_cpus=processors, include_dashboard=False, **options)
        return
    _check_answers(address)
    failures: list[BaseException] = []

    def begin() -> None:
        try:
            ray.init(address=address, **options)
        except BaseException as error:  # noqa: BLE001  # told by the thread that waits
            failures.append(error)

    thread = threading.Thread(target=begin, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    if thread.is_alive():
        raise OSError(f"--address {address}: no Ray cluster answers within {ANSWER_SECONDS:.0f} s; check it")
    if failures:
        remedy = "start one with ray start --head, or leave --address out"
        raise OSError(f"--address {address}: no Ray cluster is there ({_first_line(failures[0])}); {remedy}")


def _check_answers(address: str) -> None:
    """Checks that somebody listens at HOST:PORT or ray://HOST:PORT."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise OSError(
            f"--address {address}: nothing answers there ({error}); check host and port, and that ray start --head runs"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
