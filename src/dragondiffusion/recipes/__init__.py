"""Recipes: whole jobs as JSON."""

from .parts import nearest_preset
from .recipe import Recipe, made_with, recipe_schema, versions

__all__ = ["Recipe", "made_with", "nearest_preset", "recipe_schema", "versions"]
