"""Nodes for ComfyUI that move, resize, turn, remove, paste, recolour and drag things in images with dragondiffusion."""

from .extension import comfy_entrypoint

WEB_DIRECTORY = "./web"
"""Where ComfyUI finds the help pages, `web/docs/NODE_ID.md`. There is no JavaScript."""

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
