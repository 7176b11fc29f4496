"""One call at a time on a model: recording and recalling put hooks into it, which calls of other threads would meet."""

from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock, RLock
from typing import Any
from weakref import WeakKeyDictionary

import torch

_LOCK = Lock()
_TURNS: "WeakKeyDictionary[Any, Any]" = WeakKeyDictionary()


@contextmanager
def turn(model: Any) -> Generator[None]:
    """Context manager: other threads wait until the model is free, and gradients can be taken in inference mode too.

    Args:
        model: what is worked with; whoever passes the same object waits.
    """
    with _LOCK:
        lock = _TURNS.setdefault(model, RLock())
    with lock, torch.inference_mode(False):
        yield
