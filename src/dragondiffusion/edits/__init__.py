"""Edits: what a user wants, compiled to data that the sampler runs without knowing the edit."""

from .base import Carry, Edit, Guide, Objective
from .move import Move

__all__ = ["Carry", "Edit", "Guide", "Move", "Objective"]
