"""Edits: what a user wants, compiled to data that the sampler runs without knowing the edit."""

from .appearance import ReplaceAppearance
from .base import Carry, Edit, Guide, Objective, Strengths
from .drag import Drag
from .landmarks import Landmarks
from .move import Move
from .paste import Paste
from .remove import Remove
from .union import join

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
