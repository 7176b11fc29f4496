"""Diffusion models behind one interface; the only place that touches diffusers' models."""

from .base import Backbone, Condition
from .loading import load_pipeline, wrap

__all__ = ["Backbone", "Condition", "load_pipeline", "wrap"]
