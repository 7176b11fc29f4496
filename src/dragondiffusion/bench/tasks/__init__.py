"""Edits of scenes with their true results: what the figures and the benchmark are measured on.

A generator yields tasks of one kind, a function of its arguments alone: it walks over seeds and passes over scenes that
do not fit. `TASKS` holds them by the name of the kind.
"""

from __future__ import annotations

from .base import HELD_OUT, TUNING, Range, Task
from .change import Second
from .editing import pixels
from .generators import TASKS
from .placing import moves, removals, resizes, rotations
from .reshaping import drags, face_landmarks
from .transferring import appearances, pastes

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
