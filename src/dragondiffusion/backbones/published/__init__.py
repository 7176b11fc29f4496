"""The configurations of published checkpoints and CLIP's vocabulary, for single files, which hold weights alone."""

from .folder import KINDS, WORDS, Published, written
from .shapes import CLIP_G, CLIP_L, SCHEDULER, SD_15, SDXL, VAE

__all__ = ["CLIP_G", "CLIP_L", "KINDS", "SCHEDULER", "SDXL", "SD_15", "VAE", "WORDS", "Published", "written"]
