"""Workers that are processes of this machine and end with the process that began them, however that ends."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from .engine import NO_FILES, BatchEngine, Event, Held, Lost, Make, Raised, Returned

PR_SET_PDEATHSIG = 1
"""Source: prctl(2) of Linux."""


class LocalEngine(BatchEngine):
    """Processes of this machine.

    Args:
        make: see `engine.Make`.
        places: how many processes work at once.
    """

    def __init__(self, make: Make, places: int) -> None:
        self._make, self._places = make, places
        # A forked process would inherit locks of torch's threads.
        self._context = multiprocessing.get_context("spawn")
        self._alive, self._life = self._context.Pipe(duplex=False)
        self._processes: dict[int, Any] = {}
        self._lines: dict[int, Connection] = {}
        self._count = 0

    @property
    def places(self) -> int:
        return self._places

    def add(self, place: int) -> int:
        ours, theirs = self._context.Pipe()
        worker, self._count = self._count, self._count + 1
        arguments = (theirs, self._alive, os.getpid(), self._make, place)
        process = self._context.Process(target=_work, args=arguments, name=f"worker-{worker}", daemon=True)
        with _uninterrupted():
            process.start()
        theirs.close()
        self._processes[worker], self._lines[worker] = process, ours
        return worker

    def call(self, worker: int, method: str, argument: Any, files: Mapping[str, Path] = NO_FILES) -> None:
        # What the process would do with a line that is cut is to end, which `wait` tells.
        try:
            self._lines[worker].send((method, argument))
        except OSError:
            return

    def wait(self, seconds: float) -> list[Event]:
        workers = {line: worker for worker, line in self._lines.items()}
        return [self._heard(workers[line]) for line in wait(list(workers), seconds) if isinstance(line, Connection)]

    def _heard(self, worker: int) -> Event:
        try:
            fine, value = self._lines[worker].recv()
        except (EOFError, OSError):
            return Lost(worker, self._ended(worker))
        return Returned(worker, value) if fine else Raised(worker, value)

    def _ended(self, worker: int) -> str:
        process = self._processes.pop(worker)
        self._lines.pop(worker).close()
        process.join(5)
        code = process.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def end(self, worker: int) -> None:
        self._processes[worker].kill()
        self._ended(worker)

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
        for worker in list(self._processes):
            self._ended(worker)


def devices(device: str | None) -> tuple[str | None, ...]:
    """The devices of this machine that workers are shared out to: all GPUs, or the one that is asked for."""
    import torch

    if device in (None, "cuda") and torch.cuda.is_available():
        return tuple(f"cuda:{k}" for k in range(torch.cuda.device_count()))
    return (device,)


@contextmanager
def _uninterrupted() -> Generator[None]:
    """Context manager: Ctrl-C does not reach processes started within; this one decides what happens to them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(line: Connection, alive: Connection, parent: int, make: Make, place: int) -> None:
    """What a process does: call by call, as long as there is somebody to answer."""
    end_with(parent, alive)
    held = Held(make, place)
    while True:
        try:
            method, argument = line.recv()
            line.send(held.call(method, argument, {}))
        except (EOFError, OSError):
            return


def end_with(parent: int, alive: Connection) -> None:
    """Lets this process end as soon as its parent has.

    Args:
        parent: its process id.
        alive: of a pipe whose other end only the parent holds.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was quicker
            os._exit(1)
    threading.Thread(target=_end_after, args=(alive,), daemon=True).start()


def _end_after(alive: Connection) -> None:
    try:
        alive.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)
