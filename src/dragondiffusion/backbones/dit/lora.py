"""LoRA files of transformers, added by diffusers and peft, which know the many namings of their layers, and merged."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ..lora import LoraFile


def add_loras(pipe: Any, loras: Sequence[LoraFile]) -> Mapping[str, int]:
    """Merges LoRA files into a pipeline's weights; nothing of peft stays in the model.

    Args:
        pipe: the pipeline, in its precision.
        loras: the files, read by their headers.

    Returns:
        For every file's title, how many layers of the model it changed.

    Raises:
        ValueError: if one does not fit the model.
    """
    names = [f"lora{k}" for k in range(len(loras))]
    changed = {lora.title: _load(pipe, name, lora) for name, lora in zip(names, loras, strict=True)}
    if names:
        pipe.set_adapters(names, [lora.factor for lora in loras])
        pipe.fuse_lora(components=sorted(pipe.get_list_adapters()), adapter_names=names)
        pipe.unload_lora_weights()
    return changed


def _load(pipe: Any, name: str, lora: LoraFile) -> int:
    kind, path = type(pipe).__name__, lora.path
    place = {"weight_name": path.name, "local_files_only": True, "use_safetensors": True}
    try:
        pipe.load_lora_weights(str(path.parent), adapter_name=name, **place)
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise ValueError(
            f"lora {lora.source} does not fit this {kind}: {reason}; use one made for this model"
        ) from error
    layers = _layers(pipe, name)
    if not layers:
        raise ValueError(f"lora {lora.source} changes no layer of this {kind}; use one made for this model")
    if not all(bool(value.isfinite().all()) for value in layers.values()):
        raise ValueError(f"lora {lora.source} holds NaN or infinity; its file is broken")
    return len({key.partition(".lora_")[0] for key in layers})


def _layers(pipe: Any, name: str) -> dict[str, torch.Tensor]:
    """The matrices that a LoRA brought, by name."""
    modules = [module for module in pipe.components.values() if isinstance(module, torch.nn.Module)]
    named = (item for module in modules for item in module.named_parameters())
    return {key: value for key, value in named if ".lora_" in key and f".{name}." in key}
