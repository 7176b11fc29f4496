"""Calls of a UNet that go on from what another call on the same latents has computed.

A call for features and a call for noise differ only from where the second reads the memory bank: in the decoder's
self-attention. All before that, half the work or more, is the same.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from .hooks import decoder_self_attention, up_blocks, with_modules


class Precomputed(nn.Module):
    """A block in place of which stands what it gave for the last samples of a batch; it runs for those before them.

    Args:
        block: the block.
        output: tensors, or a nest of tuples of them, with the batch first.
    """

    def __init__(self, block: nn.Module, output: Any) -> None:
        super().__init__()
        self._block, self._output = (block,), output
        # What UNets ask of their blocks.
        self.has_cross_attention = bool(getattr(block, "has_cross_attention", False))
        self.resnets = tuple(cast(Any, block).resnets)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        first = args[0] if args else kwargs["hidden_states"]
        known = self._output[0] if isinstance(self._output, tuple) else self._output
        new = len(first) - len(known)
        if new == 0:
            return self._output

        def first_rows(value: Any) -> Any:
            return value[:new] if isinstance(value, Tensor) else value

        own_args, own_kwargs = tree_map(first_rows, (args, kwargs))
        own = self._block[0](*own_args, **own_kwargs)
        return tree_map(_joined, own, self._output)


def _joined(first: Tensor, last: Tensor) -> Tensor:
    return torch.cat((first, last))


@contextmanager
def keeping(unet: nn.Module) -> Generator[dict[str, Any]]:
    """Context manager: a dict that every call fills with the outputs of its blocks by name, without their gradients."""
    outputs: dict[str, Any] = {}

    def keep(name: str) -> Any:
        def hook(_module: nn.Module, _args: Any, output: Any) -> None:
            outputs[name] = tree_map(Tensor.detach, output)

        return hook

    handles = [block.register_forward_hook(keep(name)) for name, block in _blocks(unet).items()]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def resumed(unet: nn.Module, outputs: Mapping[str, Any], *, recalls: bool) -> nn.Module:
    """A UNet that shares all its modules with the given one and does not run blocks whose outputs are known.

    Args:
        unet: the network.
        outputs: what `keeping` gave.
        recalls: the bank is read, so that nothing is known from the first decoder self-attention on.
    """
    changed = min(int(name.split(".")[1]) for name in decoder_self_attention(unet)) if recalls else len(up_blocks(unet))
    later = {f"up_blocks.{k}" for k in range(changed, len(up_blocks(unet)))}
    blocks = {
        name: Precomputed(block, outputs[name]) if name in outputs and name not in later else block
        for name, block in _blocks(unet).items()
    }
    down, up = (
        nn.ModuleList(block for name, block in blocks.items() if name.startswith(side)) for side in ("down", "up")
    )
    return with_modules(unet, {"down_blocks": down, "mid_block": blocks.get("mid_block"), "up_blocks": up})


def _blocks(unet: nn.Module) -> dict[str, nn.Module]:
    """Blocks by name in the order in which they run."""
    names = [*(f"down_blocks.{k}" for k in range(len(cast(Any, unet).down_blocks)))]
    names += ["mid_block"] if getattr(unet, "mid_block", None) is not None else []
    names += [f"up_blocks.{k}" for k in range(len(up_blocks(unet)))]
    return {name: unet.get_submodule(name) for name in names}
