"""The generators of tasks by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TypeAlias

from ..kinds import KINDS
from .base import Task

Generator: TypeAlias = Callable[..., Iterator[Task]]


def _generator(path: str) -> Generator:
    """The generator that is named MODULE.FUNCTION."""
    module, name = path.split(".")
    return getattr(import_module(f".{module}", __package__), name)


TASKS: Mapping[str, Generator] = {name: _generator(kind.tasks) for name, kind in KINDS.items()}
"""Generators of tasks: how many, from which seed on, (height, width) of the images, then the options of the kind."""
