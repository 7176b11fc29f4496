"""LoRA files: read by their headers, fitted to a model's layers, merged into its weights."""

from .files import LoraFile, open_loras, parse_lora
from .fitting import LoraFit, ModelLayers, fitted
from .merging import merge

__all__ = ["LoraFile", "LoraFit", "ModelLayers", "fitted", "merge", "open_loras", "parse_lora"]
