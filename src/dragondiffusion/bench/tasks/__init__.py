"""Edits of scenes with their true results: what the figures and the benchmark are measured on.

A generator yields tasks of one kind, a function of its arguments alone: it walks over seeds and passes over scenes that
do not fit. `TASKS` holds them by the name of the kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .base import HELD_OUT, TUNING, Range, Second, Task, pixels
from .placing import moves, removals, resizes, rotations
from .reshaping import drags, face_landmarks
from .transferring import appearances, pastes

TASKS: dict[str, Callable[..., Iterator[Task]]] = {
    "move": moves,
    "resize": resizes,
    "rotate": rotations,
    "paste": pastes,
    "appearance": appearances,
    "drag": drags,
    "landmarks": face_landmarks,
    "remove": removals,
}
"""Generators of tasks: how many, from which seed on, (height, width) of the pictures, then what is the kind's own."""

__all__ = [
    "HELD_OUT",
    "TASKS",
    "TUNING",
    "Range",
    "Second",
    "Task",
    "appearances",
    "drags",
    "face_landmarks",
    "moves",
    "pastes",
    "pixels",
    "removals",
    "resizes",
    "rotations",
]
