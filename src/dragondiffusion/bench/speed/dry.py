"""Runs that compute nothing: models of any size on torch's meta device, whose tensors have shapes and no numbers.

Tensors on the CPU (masks, maps, proxies) are computed as ever, so that a run takes the same steps as a real one. Those
on the device cost nothing, and can be counted.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from ...backbones.savings import Offload
from ...core.clock import Clock
from .layers import layer_by_layer

META = torch.device("meta")
"""Where tensors have shapes and no numbers."""

_aten = torch.ops.aten


@contextmanager
def dry() -> Generator[None]:
    """Context manager: the meta device works like any other, as long as no number that it lacks decides anything."""
    with _Finite(), _Hollow():
        yield


class _Hollow(TorchDispatchMode):
    """Context manager: tensors that come back from the meta device are zeros, single numbers are not a number.

    It knows the regions it was given, so that cells can be picked by them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._regions = WeakTensorKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        source = args[0] if args and isinstance(args[0], Tensor) else None
        if func is _aten._to_copy.default and source is not None:
            return self._copied(func, source, kwargs)
        if func is _aten._local_scalar_dense.default and source is not None and source.device == META:
            return _unknown_number(source)
        if func is _aten.index.Tensor and source is not None and source.device == META:
            return func(source, self._places(args[1]))
        return func(*args, **kwargs)

    def _copied(self, func: Any, source: Tensor, kwargs: Mapping[str, Any]) -> Tensor:
        device = kwargs.get("device")
        if source.device == META and device is not None and torch.device(device) != META:
            return _zeros(source.shape, kwargs.get("dtype") or source.dtype)
        copied = func(source, **kwargs)
        if copied.device == META and source.device != META and source.dtype == torch.bool:
            self._regions[copied] = source
        return copied

    def _places(self, indices: list[Tensor | None]) -> list[Tensor | None]:
        """Indices with places instead of regions: how many places a region has cannot be known of its shape."""
        known: list[Tensor | None] = []
        for index in indices:
            if index is None or index.dtype != torch.bool:
                known.append(index)
                continue
            region = index if index.device != META else self._regions[index]
            known += [place.to(META) for place in region.nonzero(as_tuple=True)]
        return known


def _zeros(shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """Zeros that take memory only where they are written to."""
    size = torch.empty((), dtype=dtype).element_size()
    return torch.from_numpy(np.zeros(shape.numel() * size, np.uint8)).view(dtype).view(shape)


def _unknown_number(source: Tensor) -> float:
    if not source.dtype.is_floating_point:
        raise ValueError("a dry run cannot go on: a number decides that only a computed tensor has; run it without")
    return float("nan")


class _Finite(TorchFunctionMode):
    """Context manager: tensors on the meta device count as finite, so no run falls back to a higher precision."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.isfinite, Tensor.isfinite) and args[0].device == META:
            return torch.ones((), dtype=torch.bool)
        return func(*args, **(kwargs or {}))


class FusedAttention(TorchFunctionMode):
    """Context manager: attention on the meta device is one call, as on a GPU, and keeps no weight matrix."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.nn.functional.scaled_dot_product_attention:
            return _fused(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _fused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    if enable_gqa:
        raise ValueError("attention with fewer heads of keys than of queries has no dry run; run it without")
    graph = torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value))
    if attn_mask is not None:
        attn_mask = attn_mask.expand(*query.shape[:-1], key.shape[-2])
    call = _aten._scaled_dot_product_efficient_attention
    return call(query, key, value, attn_mask, graph, dropout_p, is_causal, scale=scale)[0]


class Ledger(TorchDispatchMode):
    """Context manager: the bytes of all tensors on the meta device that are alive, and their peak.

    Args:
        modules: networks that are on the device.
        offload: with MODEL, only the network that runs is on the device, as diffusers' model offload has it; with
            GROUP, none of their weights but those that are made while it lasts (`layer_by_layer`).
    """

    def __init__(self, modules: Mapping[str, nn.Module], offload: Offload = Offload.NONE) -> None:
        super().__init__()
        self._sizes = {name: module_bytes(module) for name, module in modules.items()}
        self._alive: dict[int, int] = {}
        self._elsewhere: set[int] = set()
        self._offload = offload
        self.resident = self.live = self.peak = 0
        for storage in (x.untyped_storage() for m in modules.values() for x in (*m.parameters(), *m.buffers())):
            if offload is Offload.NONE:
                self._add(storage)
            else:
                self._elsewhere.add(id(storage))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor) and value.device == META:
                self._add(value.untyped_storage())
        return result

    def forget_peak(self) -> None:
        """Begins to look for a new peak."""
        self.peak = self.resident + self.live

    def enter(self, name: str) -> None:
        """A network is about to run."""
        if self._offload is Offload.MODEL:
            self.resident = self._sizes[name]
            self.peak = max(self.peak, self.resident + self.live)

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = id(storage)  # torch keeps the object as long as the storage lives
        if key in self._alive or key in self._elsewhere:
            return
        self._alive[key] = storage.nbytes()
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.resident + self.live)
        weakref.finalize(storage, self._free, key)

    def _free(self, key: int) -> None:
        self.live -= self._alive.pop(key)


def module_bytes(module: nn.Module) -> int:
    """Memory of a network's parameters and buffers, bytes."""
    return sum(x.numel() * x.element_size() for x in (*module.parameters(), *module.buffers()))


@dataclass
class DryMeter(Clock):
    """A clock that knows the peak memory of each phase of a dry run.

    It counts the networks and all tensors that live on the device. Libraries' own workspaces, the fragments
    between blocks and what the driver takes come on top on a real one.

    Args:
        ledger: within which the run is made.
        memory: peak bytes by phase.
    """

    ledger: Ledger = field(default_factory=lambda: Ledger({}))
    memory: dict[str, int] = field(default_factory=dict[str, int])

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        self.ledger.forget_peak()
        with super().phase(name):
            yield
        self.memory[name] = max(self.memory.get(name, 0), self.ledger.peak)


@contextmanager
def remembering(modules: Mapping[str, nn.Module], offload: Offload = Offload.NONE) -> Generator[DryMeter]:
    """Context manager: a dry run whose memory is counted by the meter that is given."""
    ledger = Ledger(modules, offload)
    with ExitStack() as stack:
        if offload is Offload.GROUP:
            stack.enter_context(layer_by_layer(modules.values()))
        for name, module in modules.items():
            # Autoencoders run by their halves, not by their own `forward`.
            halves = [half for part, half in module.named_children() if part in ("encoder", "decoder")]
            for part in (module, *halves):
                stack.callback(part.register_forward_pre_hook(_entering(ledger, name)).remove)
        for context in (dry(), ledger, FusedAttention()):
            stack.enter_context(context)
        yield DryMeter(ledger=ledger)


def _entering(ledger: Ledger, name: str) -> Callable[[nn.Module, Any], None]:
    def hook(_module: nn.Module, _args: Any) -> None:
        ledger.enter(name)

    return hook
