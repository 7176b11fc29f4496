"""Edits: what a user wants, compiled to data that the sampler runs without knowing the edit.

Names are imported when they are first used, so that the list of edits (`registry`) does not wait for a model's library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..method.objective import Objective, Strengths
    from .appearance import ReplaceAppearance
    from .base import Compiled, Edit, Guide
    from .compose import compose
    from .drag import Drag
    from .landmarks import Landmarks
    from .move import Move
    from .paste import Paste
    from .remove import Remove

__all__ = [
    "Compiled",
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
    "compose",
]

_HOMES = {
    "ReplaceAppearance": "appearance",
    "Compiled": "base",
    "Edit": "base",
    "Guide": "base",
    "Objective": "..method.objective",
    "Strengths": "..method.objective",
    "compose": "compose",
    "Drag": "drag",
    "Landmarks": "landmarks",
    "Move": "move",
    "Paste": "paste",
    "Remove": "remove",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    return getattr(import_module(home if home.startswith(".") else f".{home}", __name__), name)
