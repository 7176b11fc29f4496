"""Workers that somebody else may kill: what is asked of them, and what comes back.

An engine knows nothing of images. A worker holds an object that is made where the worker is; calls of its methods are
made one after the other, in the order in which they were asked for.
"""

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Make: TypeAlias = Callable[[int], Any]
"""Makes the object of a worker from the worker's number among those that work at once; picklable."""


@dataclass(frozen=True)
class Returned:
    """The next call of a worker came to an end."""

    worker: int
    value: Any


@dataclass(frozen=True)
class Raised:
    """The next call of a worker raised an error."""

    worker: int
    error: Exception


@dataclass(frozen=True)
class Lost:
    """A worker is no more, and neither are the calls it had not answered."""

    worker: int
    why: str


Event: TypeAlias = Returned | Raised | Lost

NO_FILES: Mapping[str, Path] = {}


class BatchEngine(ABC):
    """Workers, by number. Numbers of lost workers are not given again."""

    ahead: int = 2
    """Calls that a worker is given at once, so that it need not wait for the next."""

    @property
    @abstractmethod
    def places(self) -> int:
        """How many workers can work at once."""

    @abstractmethod
    def add(self, place: int) -> int:
        """Begins a worker; gives its number.

        Args:
            place: its number among those that work at once, from 0 on; it says which device it has.
        """

    @abstractmethod
    def call(self, worker: int, method: str, argument: Any, files: Mapping[str, Path] = NO_FILES) -> None:
        """Asks for a call of a method.

        Args:
            worker: its number.
            method: name of the method, called with the argument and the content of files by name, which is empty where
                the worker can read them itself.
            argument: picklable.
            files: what it reads, by name.

        Raises:
            OSError: if a file cannot be read.
        """

    @abstractmethod
    def wait(self, seconds: float) -> list[Event]:
        """What happened; waits so long at most."""

    @abstractmethod
    def end(self, worker: int) -> None:
        """Kills a worker; nothing more is heard of it."""

    @abstractmethod
    def close(self) -> None:
        """Kills all workers."""


class Held:
    """The object of a worker, made when it is first called.

    Args:
        make: makes it.
        place: the worker's number among those that work at once.
    """

    def __init__(self, make: Make, place: int) -> None:
        self._make, self._place = make, place
        self._object: Any = None

    def call(self, method: str, argument: Any, files: Mapping[str, bytes]) -> tuple[bool, Any]:
        """True and what the method gives, or False and the error that it raised, fit for another process."""
        try:
            if self._object is None:
                self._object = self._make(self._place)
            return True, getattr(self._object, method)(argument, files)
        except Exception as error:  # noqa: BLE001  # whoever asked decides what to do
            return False, portable(error)


def portable(error: Exception) -> Exception:
    """An error that another process can be sent."""
    try:
        again = pickle.loads(pickle.dumps(error))  # noqa: S301  # what was pickled here
        if str(again) == str(error):
            return error
    except Exception:  # noqa: BLE001, S110  # errors may do anything there
        pass
    return RuntimeError(f"{type(error).__name__}: {error}")


def each(engine: BatchEngine, method: str, arguments: Sequence[Any]) -> Iterator[Any]:
    """Calls a method for every argument, on all workers; yields what comes back, as it does.

    Args:
        engine: the workers; closed at the end.
        method: see `BatchEngine.call`.
        arguments: each picklable.

    Raises:
        OSError: if a worker is lost.
    """
    left, open_calls = iter(arguments), dict[int, int]()

    def feed(worker: int) -> None:
        while open_calls[worker] < engine.ahead and (argument := next(left, None)) is not None:
            engine.call(worker, method, argument)
            open_calls[worker] += 1

    try:
        for place in range(min(engine.places, len(arguments))):
            worker = engine.add(place)
            open_calls[worker] = 0
            feed(worker)
        while any(open_calls.values()):
            for event in engine.wait(1.0):
                if isinstance(event, Lost):
                    raise OSError(f"a worker was lost ({event.why}); what is finished stays, the same command goes on")
                if isinstance(event, Raised):
                    raise event.error
                open_calls[event.worker] -= 1
                feed(event.worker)
                yield event.value
    finally:
        engine.close()
