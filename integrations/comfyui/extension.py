"""All nodes, and how ComfyUI finds them."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .edit_nodes import (
    AppearanceNode,
    AppearanceStep,
    DragNode,
    DragStep,
    LandmarksNode,
    LandmarksStep,
    MoveNode,
    MoveStep,
    PasteNode,
    PasteStep,
    RemoveNode,
    RemoveStep,
    RunRecipe,
    SeveralEdits,
)
from .model_nodes import InvertImage, LoadModel

NODES: tuple[type[io.ComfyNode], ...] = (
    LoadModel,
    InvertImage,
    MoveNode,
    RemoveNode,
    PasteNode,
    AppearanceNode,
    DragNode,
    LandmarksNode,
    SeveralEdits,
    RunRecipe,
    MoveStep,
    RemoveStep,
    PasteStep,
    AppearanceStep,
    DragStep,
    LandmarksStep,
)
"""All nodes."""


class DragonDiffusionExtension(ComfyExtension):
    """The pack."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """All nodes."""
        return list(NODES)


async def comfy_entrypoint() -> DragonDiffusionExtension:
    """What ComfyUI calls to find the nodes."""
    return DragonDiffusionExtension()
