"""DragonDiffusion: drag-style image editing on pre-trained diffusion models (arXiv 2307.02421).

Names are imported when they are first used, so that what needs no model does not wait for one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backbones import Offload, OutOfMemory, Savings
    from .core.types import Window
    from .edits import Drag, Edit, Landmarks, Move, Paste, Remove, ReplaceAppearance
    from .edits.settings import Geometry, Settings
    from .imaging.shapes import BoxMask, PolygonMask, RunLengthMask
    from .method.objective import Objective
    from .pipeline.editor import Editor
    from .pipeline.postprocess import PreviewStream
    from .pipeline.preview import Preview, preview
    from .pipeline.reference import Reference
    from .pipeline.report import Report
    from .pipeline.request import Request
    from .pipeline.result import EditResult
    from .recipes import Recipe, recipe_schema

__version__ = "0.1.0"

__all__ = [
    "BoxMask",
    "Drag",
    "Edit",
    "EditResult",
    "Editor",
    "Geometry",
    "Landmarks",
    "Move",
    "Objective",
    "Offload",
    "OutOfMemory",
    "Paste",
    "PolygonMask",
    "Preview",
    "PreviewStream",
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
    "Editor": "pipeline.editor",
    "EditResult": "pipeline.result",
    "Drag": "edits",
    "Edit": "edits",
    "Landmarks": "edits",
    "Move": "edits",
    "Objective": "method.objective",
    "Paste": "edits",
    "Remove": "edits",
    "ReplaceAppearance": "edits",
    "PreviewStream": "pipeline.postprocess",
    "Preview": "pipeline.preview",
    "preview": "pipeline.preview",
    "Reference": "pipeline.reference",
    "Report": "pipeline.report",
    "Request": "pipeline.request",
    "Recipe": "recipes",
    "recipe_schema": "recipes",
    "Geometry": "edits.settings",
    "Settings": "edits.settings",
    "BoxMask": "imaging.shapes",
    "PolygonMask": "imaging.shapes",
    "RunLengthMask": "imaging.shapes",
    "Window": "core.types",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
