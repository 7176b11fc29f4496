"""Functions of this folder by name, so that an entry of `KINDS` alone says what a kind is made of."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def function(path: str) -> Any:
    """The function that is named MODULE.FUNCTION, of a module in `bench/tasks/`."""
    module, name = path.split(".")
    return getattr(import_module(f".{module}", __package__), name)
