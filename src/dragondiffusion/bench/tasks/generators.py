"""The generators of tasks by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from ..kinds import KINDS
from .base import Task
from .named import function

Generator: TypeAlias = Callable[..., Iterator[Task]]


class Generators(Mapping[str, Generator]):
    """The generator of every kind in `KINDS`, imported when it is asked for."""

    def __getitem__(self, kind: str) -> Generator:
        return function(KINDS[kind].tasks)

    def __iter__(self) -> Iterator[str]:
        return iter(KINDS)

    def __len__(self) -> int:
        return len(KINDS)


TASKS: Mapping[str, Generator] = Generators()
"""Generators of tasks: how many, from which seed on, (height, width) of the images, then the options of the kind."""
