"""One layer's weights at a time on the meta device, as diffusers' group offload has it on a real one."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import torch
from diffusers.hooks.hooks import HookRegistry, ModelHook
from torch import Tensor, nn

NAME = "group_offloading"
"""What diffusers calls its own hook, by which it is known that weights are swapped."""


class _Brought(ModelHook):
    """Gives a layer new memory for its weights while it works; what a backward pass keeps of them stays."""

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(onload_device=torch.device("meta"))  # where pipelines look for their device
        self._away: list[tuple[Tensor, Tensor]] = []

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self._away = [(weight, weight.data) for weight in _own(module)]
        for weight, data in self._away:
            weight.data = torch.empty_like(data)
        return args, kwargs

    def post_forward(self, module: nn.Module, output: Any) -> Any:
        for weight, data in self._away:
            weight.data = data
        self._away = []
        return output


@contextmanager
def layer_by_layer(modules: Iterable[nn.Module]) -> Generator[None]:
    """Context manager: every layer of some networks gets its weights when it begins to work and gives them back.

    Args:
        modules: the networks, on the meta device.
    """
    layers = {part for module in modules for part in module.modules() if _own(part)}
    try:
        for layer in layers:
            cast(Any, HookRegistry).check_if_exists_or_initialize(layer).register_hook(_Brought(), NAME)
        yield
    finally:
        for layer in layers:
            if hasattr(layer, "_diffusers_hook"):
                cast(Any, layer)._diffusers_hook.remove_hook(NAME, recurse=False)


def _own(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]
