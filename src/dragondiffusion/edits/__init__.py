"""Edits: what a user wants, compiled to data that the sampler runs without knowing the edit.

Names are imported when they are first used, so that the list of edits (`registry`) does not wait for a model's library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .appearance import ReplaceAppearance
    from .base import Carry, Edit, Guide, Objective, Strengths
    from .compose import join
    from .drag import Drag
    from .landmarks import Landmarks
    from .move import Move
    from .paste import Paste
    from .remove import Remove

__all__ = [
    "Carry",
    "Drag",
    "Edit",
    "Guide",
    "Landmarks",
    "Move",
    "Objective",
    "Paste",
    "Remove",
    "ReplaceAppearance",
    "Strengths",
    "join",
]

_HOMES = {
    "ReplaceAppearance": "appearance",
    "Carry": "base",
    "Edit": "base",
    "Guide": "base",
    "Objective": "base",
    "Strengths": "base",
    "join": "compose",
    "Drag": "drag",
    "Landmarks": "landmarks",
    "Move": "move",
    "Paste": "paste",
    "Remove": "remove",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
