"""Recipes: whole jobs as JSON."""

from .hints import edit_class
from .recipe import Recipe, made_with, versions
from .schema import recipe_schema
from .writing import nearest_preset

__all__ = ["Recipe", "edit_class", "made_with", "nearest_preset", "recipe_schema", "versions"]
