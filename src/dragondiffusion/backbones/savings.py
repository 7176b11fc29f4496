"""How a pipeline saves memory, with what diffusers has for it, and what to try next where it was not enough."""

import gc
import warnings
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

import torch
from torch import nn

from .compiled import compile_regions


class Offload(Enum):
    """Which weights wait in host memory while they do not work."""

    NONE = "none"
    """All of them stay on the device."""
    MODEL = "model"
    """One model of the pipeline is on the device at a time: text encoder, autoencoder or network."""
    GROUP = "group"
    """One layer is on the device at a time: slow, and the least memory in steps without energies.

    What the energies' backward pass needs of the weights stays on the device until it is done.
    """


@dataclass(frozen=True)
class Savings:
    """What is done to save memory. All but layerwise casting, tiling and precision give the same numbers.

    Args:
        offload: weights that wait in host memory; needs an accelerator.
        attention_slicing: attention works head by head. PyTorch's own attention needs little memory without it, so that
            it pays only on devices that lack it.
        vae_tiling: images larger than the autoencoder's sample size pass it in tiles, batches image by image.
        gradient_checkpointing: the energies' backward pass computes blocks again instead of keeping what is inside.
        layerwise_casting: the network's weights are stored in 8-bit floats and cast layer by layer; small loss of
            quality. What the energies' backward pass needs of them is kept as cast until it is done.
        channels_last: the memory layout that convolutions of CUDA devices like best; saves time, not memory.
        compiled: regions of the network are compiled when they first meet a shape (`compiled.compile_regions`); saves
            time, not memory, where many edits of few sizes follow, and differs by rounding.
        bank_on_host: the memory bank waits in (pinned) host memory. None decides by the rule of `memory.on_host`.
        named: the saving that was added last, for messages.
    """

    offload: Offload = Offload.NONE
    attention_slicing: bool = False
    vae_tiling: bool = False
    gradient_checkpointing: bool = False
    layerwise_casting: bool = False
    channels_last: bool = False
    compiled: bool = False
    bank_on_host: bool | None = None
    named: str = field(default="", compare=False)

    def check(self, device: str) -> None:
        """Checks that a device can do it.

        Raises:
            ValueError: if weights are to be offloaded from the processor, or two things do not go together.
        """
        if self.offload is not Offload.NONE and device.startswith("cpu"):
            raise ValueError(f"offload={self.offload.value} needs an accelerator and the device is {device}; use none")
        if self.gradient_checkpointing and self.swaps:
            raise ValueError(
                "gradient_checkpointing computes blocks again with weights that layerwise_casting or offload=group "
                "have swapped by then; use one of them alone"
            )

        if self.compiled and self.swaps:
            raise ValueError(
                "compiled regions would not see that layerwise_casting or offload=group swap their weights; use one of "
                "them alone"
            )

    @property
    def swaps(self) -> bool:
        """Whether layers change their weights before and after they work."""
        return self.layerwise_casting or self.offload is Offload.GROUP

    def apply(self, pipe: Any, device: str, before: "Savings | None" = None) -> Any:
        """The pipeline, saving memory, with its device chosen.

        Args:
            pipe: the pipeline.
            device: where it works.
            before: what it does already; None if nothing was done and its device is not chosen.
        """
        done = before or Savings()
        self._apply_to_parts(pipe, done)
        if before is not None and before.offload is self.offload:
            return pipe
        if done.offload is not Offload.NONE:
            undo_offload(pipe)
        if self.offload is Offload.MODEL:
            pipe.enable_model_cpu_offload(device=device)
        elif self.offload is Offload.GROUP:
            pipe.to("cpu")
            pipe.enable_group_offload(torch.device(device), torch.device("cpu"), offload_type="leaf_level")
        else:
            pipe.to(device)
        return pipe

    def _apply_to_parts(self, pipe: Any, done: "Savings") -> None:
        net, vae = network(pipe), pipe.vae
        if self.channels_last and not done.channels_last:
            net.to(memory_format=torch.channels_last)
            vae.to(memory_format=torch.channels_last)
        if self.compiled and not done.compiled:
            compile_regions(net)
        if self.layerwise_casting and not done.layerwise_casting:
            net.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=net.dtype)
        if self.attention_slicing and "unet" not in pipe.components:
            raise ValueError(
                "attention_slicing is for UNets; a transformer's attention needs no more memory without it"
            )
        if self.attention_slicing and not done.attention_slicing:
            pipe.enable_attention_slicing("max")
        if self.vae_tiling:
            vae.enable_tiling()
            vae.enable_slicing()
        if self.gradient_checkpointing:
            net.enable_gradient_checkpointing()
        elif done.gradient_checkpointing:
            net.disable_gradient_checkpointing()

    @staticmethod
    def of(pipe: Any) -> "Savings":
        """What somebody has done to a pipeline already."""
        offload = Offload.NONE
        if any(hasattr(module, "_hf_hook") for module in _modules(pipe.components.values())):
            offload = Offload.MODEL
        if _has_hook(network(pipe), "group_offloading"):
            offload = Offload.GROUP
        return Savings(
            offload=offload,
            layerwise_casting=_has_hook(network(pipe), "layerwise_casting"),
            vae_tiling=bool(getattr(pipe.vae, "use_tiling", False)),
            gradient_checkpointing=bool(network(pipe).is_gradient_checkpointing),
        )

    def following(self, device: str) -> "Savings | None":
        """These savings and the next one to try when memory runs out, cheapest in time first; None if none is left."""
        here = [{"vae_tiling": True}, {"gradient_checkpointing": not self.swaps}]
        there = [{"bank_on_host": True}] if not device.startswith("cpu") else []
        for change in (*here, *there):
            if any(getattr(self, name) != value for name, value in change.items()):
                return replace(self, named=next(iter(change)), **change)
        return self.offloading(device)

    def offloading(self, device: str) -> "Savings | None":
        """These savings with more of the weights offloaded; None if no more can be."""
        if device.startswith("cpu") or self.offload is Offload.GROUP:
            return None
        more = Offload.MODEL if self.offload is Offload.NONE else Offload.GROUP
        again = self.gradient_checkpointing and more is Offload.MODEL
        return replace(self, offload=more, gradient_checkpointing=again, named=f"offload={more.value}")


_inside: WeakKeyDictionary[nn.Module, tuple[nn.Module, ...]] = WeakKeyDictionary()

Saving: TypeAlias = tuple[str, Callable[[], None]]
"""Something that could be done to save memory: what it is called, and a function that does it."""

Result = TypeVar("Result")


def in_memory(work: Callable[[], Result], more: Callable[[], Saving | None], fall_back: bool) -> Result:
    """Does something; where memory runs out, saves more of it and begins again.

    Args:
        work: what is done.
        more: what could still be done to save memory.
        fall_back: to do that, with a warning, rather than to say it.

    Raises:
        OutOfMemory: if memory runs out and nothing is done about it, or nothing is left.
    """
    while True:
        try:
            return work()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else "no memory left"
        # Out here nothing holds what the attempt had allocated.
        forget_cached()
        saving = more()
        if saving is None:
            raise OutOfMemory(f"{reason}; nothing is left to try but smaller images and dtype bfloat16 or float16")
        if not fall_back:
            raise OutOfMemory(f"{reason}; try {saving[0]} next (a field of Savings), or fall_back=True to try all")
        warnings.warn(f"memory ran out ({reason}); trying again with {saving[0]}", stacklevel=2)
        saving[1]()


def undo_offload(pipe: Any) -> None:
    """Takes a pipeline's offloading back, so that another kind can follow."""
    pipe.remove_all_hooks()
    for module in _modules(pipe.components.values()):
        if hasattr(module, "disable_group_offload"):
            cast(Any, module).disable_group_offload()


def swaps_weights(module: nn.Module) -> bool:
    """Whether layers change their weights' device or type before and after they work."""
    return _has_hook(module, "group_offloading") or _has_hook(module, "layerwise_casting")


@contextmanager
def keeping_weights(net: nn.Module) -> Generator[None]:
    """Context manager: what is kept for a backward pass outlives weights that change after their layer has worked.

    Group offload and layerwise casting swap the data of a parameter, and what autograd keeps of it would be swapped
    too; an alias is not.
    """
    if not (torch.is_grad_enabled() and swaps_weights(net)):
        yield
        return
    with torch.autograd.graph.saved_tensors_hooks(lambda kept: kept.detach(), lambda kept: kept):
        yield


def network(pipe: Any) -> Any:
    """The part of a pipeline that makes images: its transformer or its UNet."""
    # `pipe.components` inspects the signature of the pipeline's class, which takes a millisecond.
    transformer = getattr(pipe, "transformer", None)
    return pipe.unet if transformer is None else transformer


def precision(net: Any) -> torch.dtype:
    """The precision in which a network computes.

    diffusers' own property looks at every module, which takes a millisecond of each call; the first floating-point
    parameter tells the same, unless weights are stored in another precision or some are kept in a higher one.
    """
    if swaps_weights(net) or getattr(net, "_keep_in_fp32_modules", None):
        return cast(torch.dtype, net.dtype)
    return next(value.dtype for value in cast(nn.Module, net).parameters() if value.is_floating_point())


def _has_hook(module: nn.Module, name: str) -> bool:
    registries = (vars(part).get("_diffusers_hook") for part in (module, *_inner_modules(module)))
    return any(registry is not None and registry.get_hook(name) is not None for registry in registries)


def _inner_modules(module: nn.Module) -> tuple[nn.Module, ...]:
    """All modules inside of one, listed once: a UNet has 700, and every call asks."""
    if module not in _inside:
        _inside[module] = tuple(part for part in module.modules() if part is not module)
    return _inside[module]


class OutOfMemory(MemoryError):  # noqa: N818  # what it is, as torch calls its own
    """Memory ran out; the message says what to try next."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device or the host has no memory left.

    CUDA raises `torch.OutOfMemoryError`, MPS and the processor a RuntimeError with a message.
    """
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    says = str(error)
    return isinstance(error, RuntimeError) and ("out of memory" in says or "can't allocate memory" in says)


def forget_cached() -> None:
    """Gives memory back that torch keeps for later."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _modules(parts: Iterable[Any]) -> list[nn.Module]:
    return [part for part in parts if isinstance(part, nn.Module)]
