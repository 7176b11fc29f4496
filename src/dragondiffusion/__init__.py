"""DragonDiffusion: drag-style image editing on pre-trained diffusion models (arXiv 2307.02421)."""

from .editor import Editor, EditResult
from .edits import Edit, Move, Objective
from .inversion import Reference
from .settings import Geometry, Settings
from .types import Window

__version__ = "0.1.0"

__all__ = ["Edit", "EditResult", "Editor", "Geometry", "Move", "Objective", "Reference", "Settings", "Window"]
