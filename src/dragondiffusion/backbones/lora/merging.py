"""LoRA files merged into the weights of a pipeline; nothing else of them stays."""

from collections.abc import Mapping
from typing import cast

import torch
from safetensors import safe_open
from torch import Tensor, nn

from .deltas import scale_of
from .files import alphas
from .fitting import LoraFit


@torch.no_grad()
def merge(modules: Mapping[str, nn.Module], fit: LoraFit) -> None:
    r"""Merges a LoRA file into weights: $W \leftarrow W + w\,(W' - W)$ with its factor $w$.

    Computed in single precision, so that several files in half precision do not lose what the first ones added.

    Args:
        modules: parts of a pipeline by name.
        fit: the file and the layers that it changes.

    Raises:
        ValueError: if the file holds NaN or infinity.
    """
    file = fit.file
    config = alphas(file)
    with safe_open(file.path, framework="pt") as opened:
        for name, (part, module) in fit.used.items():
            layer, weight = file.layers[name], cast(Tensor, modules[part].get_submodule(module).weight)
            parts: dict[str, Tensor] = {
                kind: opened.get_tensor(key).to(weight.device, torch.float32) for kind, key in layer.keys.items()
            }
            own = None if "alpha" in parts else scale_of(config, part, module, layer.kind.rank(parts))
            before = weight.float()
            new = layer.changed(before, parts, own)
            if not bool(new.isfinite().all()):
                raise ValueError(f"lora {file.source} holds NaN or infinity; its file is broken")
            weight.copy_(before + file.factor * (new - before))
