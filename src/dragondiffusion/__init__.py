"""DragonDiffusion: drag-style image editing on pre-trained diffusion models (arXiv 2307.02421).

Names are imported when they are first used, so that what needs no model does not wait for one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backbones import Offload, OutOfMemory, Savings
    from .editor import Editor, EditResult
    from .edits import Drag, Edit, Landmarks, Move, Objective, Paste, Remove, ReplaceAppearance
    from .finishing import Live
    from .inversion import Reference
    from .planning import Request
    from .previews import Preview, preview
    from .recipes import Recipe, recipe_schema
    from .report import Report
    from .settings import Geometry, Settings
    from .shapes import BoxMask, PolygonMask, RunLengthMask
    from .types import Window

__version__ = "0.1.0"

__all__ = [
    "BoxMask",
    "Drag",
    "Edit",
    "EditResult",
    "Editor",
    "Geometry",
    "Landmarks",
    "Live",
    "Move",
    "Objective",
    "Offload",
    "OutOfMemory",
    "Paste",
    "PolygonMask",
    "Preview",
    "Recipe",
    "Reference",
    "Remove",
    "ReplaceAppearance",
    "Report",
    "Request",
    "RunLengthMask",
    "Savings",
    "Settings",
    "Window",
    "preview",
    "recipe_schema",
]

_HOMES = {
    "Offload": "backbones",
    "OutOfMemory": "backbones",
    "Savings": "backbones",
    "Editor": "editor",
    "EditResult": "editor",
    "Drag": "edits",
    "Edit": "edits",
    "Landmarks": "edits",
    "Move": "edits",
    "Objective": "edits",
    "Paste": "edits",
    "Remove": "edits",
    "ReplaceAppearance": "edits",
    "Live": "finishing",
    "Preview": "previews",
    "preview": "previews",
    "Reference": "inversion",
    "Report": "report",
    "Request": "planning",
    "Recipe": "recipes",
    "recipe_schema": "recipes",
    "Geometry": "settings",
    "Settings": "settings",
    "BoxMask": "shapes",
    "PolygonMask": "shapes",
    "RunLengthMask": "shapes",
    "Window": "types",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
