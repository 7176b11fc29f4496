"""Computations that can be stopped from outside: their loops ask at every turn whether they should go on.

A thread cannot be ended from without, and one that is not asked for its result any more works on. Whoever begins a
computation says how it is stopped (`stoppable`), and loops whose length the input decides ask (`go_on`).
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

_CHECK: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


@contextmanager
def stoppable(check: Callable[[], None]) -> Generator[None]:
    """Context manager: loops of this thread ask `check` whether they should go on; it raises what ends them.

    One within another asks both.
    """
    outer = _CHECK.get()

    def both() -> None:
        if outer is not None:
            outer()
        check()

    token = _CHECK.set(both)
    try:
        yield
    finally:
        _CHECK.reset(token)


def go_on() -> None:
    """Goes on, or raises what the innermost `stoppable` raises. Costs less than a microsecond."""
    check = _CHECK.get()
    if check is not None:
        check()
