"""Diffusion models behind one interface; the only place that touches diffusers' models."""

from ..core.prediction import PredictionType
from ..method.denoiser import Condition
from .base import Backbone
from .checkpoint import Checkpoint
from .loading import Loaded, default_device, load, load_pipeline, wrap
from .savings import Offload, OutOfMemory, Saving, Savings, in_memory

__all__ = [
    "Backbone",
    "Checkpoint",
    "Condition",
    "Loaded",
    "Offload",
    "OutOfMemory",
    "PredictionType",
    "Saving",
    "Savings",
    "default_device",
    "in_memory",
    "load",
    "load_pipeline",
    "wrap",
]
