"""Diffusion models behind one interface; the only place that touches diffusers' models."""

from ..method.denoiser import Condition
from .base import Backbone
from .checkpoint import Checkpoint
from .loading import default_device, load_pipeline, wrap
from .savings import Offload, OutOfMemory, Saving, Savings, in_memory

__all__ = [
    "Backbone",
    "Checkpoint",
    "Condition",
    "Offload",
    "OutOfMemory",
    "Saving",
    "Savings",
    "default_device",
    "in_memory",
    "load_pipeline",
    "wrap",
]
