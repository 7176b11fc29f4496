"""Notes: what a user should know of how something was read, gathered while a job is checked."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_gathered: ContextVar["list[str] | None"] = ContextVar("_gathered", default=None)


def note(text: str) -> None:
    """Adds a note to those that are gathered; one that stands there already is not repeated."""
    notes = _gathered.get()
    if notes is not None and text not in notes:
        notes.append(text)


@contextmanager
def gathered_notes() -> Generator[list[str]]:
    """Context manager: a list that gets the notes of everything read inside, in order."""
    notes: list[str] = []
    token = _gathered.set(notes)
    try:
        yield notes
    finally:
        _gathered.reset(token)
