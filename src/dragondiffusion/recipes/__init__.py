"""Recipes: whole jobs as JSON."""

from .recipe import Recipe, made_with, recipe_schema, versions

__all__ = ["Recipe", "made_with", "recipe_schema", "versions"]
