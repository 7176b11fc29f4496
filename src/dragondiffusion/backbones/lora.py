"""LoRA files added to a pipeline through diffusers and peft, and merged into its weights."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ..core.types import Number
from .checkpoint import is_hub_id, read_shapes


def parse_lora(text: str) -> tuple[str, Number]:
    """Source and weight of PATH or PATH:WEIGHT; the weight is 1 without one.

    Raises:
        ValueError: if there is no path, or no finite weight.
    """
    source, _, weight = text.rpartition(":")
    try:
        number = float(weight)
    except ValueError:
        source, number = text, 1.0  # no colon, or one that belongs to the path
    if not source or not math.isfinite(number):
        raise ValueError(f"lora {text!r} must be PATH or PATH:WEIGHT, the weight a number")
    return source, number


def check_loras(loras: Sequence[str]) -> None:
    """Checks LoRA files by their headers, before anything is loaded.

    Raises:
        FileNotFoundError: if a file does not exist.
        ValueError: if a file holds no LoRA, is pickled, or peft is not installed.
    """
    for text in loras:
        source, _ = parse_lora(text)
        path = Path(source).expanduser()
        if not path.is_file():
            if path.exists() or not is_hub_id(source):
                raise FileNotFoundError(f"lora {source} does not exist; give a .safetensors file or a hub id")
            continue
        if path.suffix != ".safetensors":
            raise ValueError(f"lora {source} is no .safetensors file; convert it, pickled ones are not loaded")
        if not any("lora" in key for key in read_shapes(path)):
            raise ValueError(f"lora {source} holds no LoRA layers; give a LoRA made for this kind of model")
    if loras:
        _check_peft()


def add_loras(pipe: Any, loras: Sequence[str]) -> None:
    """Merges LoRA files into a pipeline's weights; nothing of peft stays in the model.

    Args:
        pipe: the pipeline, in its precision.
        loras: each PATH or PATH:WEIGHT.

    Raises:
        ValueError: if one does not fit the model.
    """
    chosen = [parse_lora(text) for text in loras]
    names = [f"lora{k}" for k in range(len(chosen))]
    for name, (source, _) in zip(names, chosen, strict=True):
        _load(pipe, name, source)
    if names:
        pipe.set_adapters(names, [weight for _, weight in chosen])
        pipe.fuse_lora(components=sorted(pipe.get_list_adapters()), adapter_names=names)
        pipe.unload_lora_weights()


def _load(pipe: Any, name: str, source: str) -> None:
    kind = type(pipe).__name__
    path = Path(source).expanduser()
    try:
        if path.is_file():
            place = {"weight_name": path.name, "local_files_only": True}
            pipe.load_lora_weights(str(path.parent), adapter_name=name, use_safetensors=True, **place)
        else:
            pipe.load_lora_weights(source, adapter_name=name, use_safetensors=True)
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise ValueError(f"lora {source} does not fit this {kind}: {reason}; use one made for this model") from error
    layers = _layers(pipe, name)
    if not layers:
        raise ValueError(f"lora {source} changes no layer of this {kind}; use one made for this model")
    if not all(bool(layer.isfinite().all()) for layer in layers):
        raise ValueError(f"lora {source} holds NaN or infinity; its file is broken")


def _layers(pipe: Any, name: str) -> list[torch.Tensor]:
    """The matrices that a LoRA brought."""
    modules = [module for module in pipe.components.values() if isinstance(module, torch.nn.Module)]
    named = (item for module in modules for item in module.named_parameters())
    return [value for key, value in named if ".lora_" in key and f".{name}." in key]


def _check_peft() -> None:
    try:
        import peft  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise ValueError("lora needs peft; install it with pip install 'dragondiffusion[lora]'") from error
