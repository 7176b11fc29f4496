"""Reading and steering a diffusers UNet from outside: its decoder's self-attention, features and early stop.

Nothing of the UNet is changed for good: hooks enter and leave with a `with`, also when an exception passes through.
"""

import copy
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...core.types import Number, Size, TokenBatch
from ...method.bank import GridMemory, LayerMemory, Reader

TokensRead: TypeAlias = Float[Tensor, "rows _ dim"]
Grids: TypeAlias = dict[str, Size]
"""(height, width) of the tokens of each layer by name."""


_layers: WeakKeyDictionary[nn.Module, dict[str, nn.Module]] = WeakKeyDictionary()


def decoder_self_attention(unet: nn.Module) -> dict[str, nn.Module]:
    """The self-attention layers of the up-blocks by name, first to last; looked for once.

    Raises:
        ValueError: if there are none.
    """
    if unet in _layers:
        return _layers[unet]
    layers = {
        name: module
        for name, module in unet.named_modules()
        if name.startswith("up_blocks.") and name.endswith(".attn1")
    }
    if not layers:
        raise ValueError("the UNet has no self-attention in its up-blocks; use a Stable Diffusion checkpoint")
    _layers[unet] = layers
    return layers


@contextmanager
def recording(unet: nn.Module) -> Generator[dict[str, list[GridMemory]]]:
    """Context manager: a dict that every call fills with the tokens entering decoder self-attention, by image."""
    found: dict[str, list[GridMemory]] = {}

    def keep(name: str, grids: Grids) -> Any:
        def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            found[name] = _memories(_own_tokens(args, kwargs).detach(), grids[name])

        return hook

    layers = decoder_self_attention(unet)
    with token_grids(unet) as grids, _pre_hooks({module: keep(name, grids) for name, module in layers.items()}):
        yield found


@contextmanager
def recalling(unet: nn.Module, reader: Reader) -> Generator[None]:
    """Context manager: decoder self-attention takes its keys and values from the tokens that the reader gives.

    The tokens go to the layer as `encoder_hidden_states`, which self-attention layers project with their own `W_k` and
    `W_v` and do not normalise, so the layer's own processor, whichever it is, does the work. Images that read the same
    tokens go to it as one long sample: queries do not see each other, and keys and values are projected once. Images
    that read different numbers of tokens go to it one after the other: padding would take a mask, and with a mask the
    fastest attention of GPUs does not run.
    """
    waiting: dict[nn.Module, _Apart] = {}

    def swap(name: str, grids: Grids) -> Any:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            own = _own_tokens(args, kwargs)
            read = reader(name, _memories(own, grids[name]))
            groups = grouped(read)
            rest = {key: value for key, value in kwargs.items() if key != "hidden_states"}
            waiting[module] = _Apart(folded(own, len(read)), groups, rest, len(own) // len(read))
            return (), waiting[module].inputs(0)

        return hook

    def unfold(module: nn.Module, _args: Any, output: Tensor) -> Tensor:
        apart = waiting.pop(module)
        # The layer's own forward: this hook and the one before it are not called again.
        others = [cast(Any, module).forward(**apart.inputs(k)) for k in range(1, len(apart.groups))]
        return unfolded(apart.joined([output, *others]), apart.copies)

    layers = decoder_self_attention(unet)
    with token_grids(unet) as grids:
        swaps = {module: swap(name, grids) for name, module in layers.items()}
        with _pre_hooks(swaps), _hooks(layers.values(), unfold):
            yield


@dataclass(frozen=True)
class _Apart:
    """A layer's inputs by groups of rows that read equally many tokens.

    Args:
        queries: tokens of all rows.
        groups: rows and what they read, see `grouped`.
        rest: further arguments of the layer.
        copies: see `folded`.
    """

    queries: Tensor
    groups: list[tuple[list[int], TokensRead]]
    rest: dict[str, Any]
    copies: int

    def inputs(self, k: int) -> dict[str, Any]:
        """Arguments of the layer for one group."""
        rows, tokens = self.groups[k]
        queries = self.queries if len(self.groups) == 1 else torch.stack([self.queries[row] for row in rows])
        return {**self.rest, "hidden_states": queries, "encoder_hidden_states": tokens}

    def joined(self, outputs: Sequence[Tensor]) -> Tensor:
        """What the layer gave for all groups, row by row."""
        if len(outputs) == 1:
            return outputs[0]
        placed = {
            row: y
            for (rows, _), out in zip(self.groups, outputs, strict=True)
            for row, y in zip(rows, out, strict=True)
        }
        return torch.stack([placed[row] for row in sorted(placed)])


@contextmanager
def token_grids(unet: nn.Module) -> Generator[Grids]:
    """Context manager: a dict that every call fills with the grid on which each layer's tokens lie, (height, width)."""
    grids: Grids = {}

    def note(names: list[str]) -> Any:
        def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            shape = _hidden_states(args, kwargs).shape
            grids.update(dict.fromkeys(names, (int(shape[-2]), int(shape[-1]))))

        return hook

    inside: dict[str, list[str]] = {}
    for name in decoder_self_attention(unet):
        inside.setdefault(name.split(".transformer_blocks.")[0], []).append(name)
    with _pre_hooks({unet.get_submodule(parent): note(names) for parent, names in inside.items()}):
        yield grids


def grouped(memories: Sequence[LayerMemory]) -> list[tuple[list[int], TokensRead]]:
    """Rows whose memories hold equally many tokens, and these as one batch, for each number of tokens.

    Args:
        memories: one per row.
    """
    groups: dict[int, list[int]] = {}
    rows = [memory.tokens for memory in memories if isinstance(memory, GridMemory)]
    for row, tokens in enumerate(rows):
        groups.setdefault(len(tokens), []).append(row)
    return [(found, torch.stack([rows[row] for row in found])) for found in groups.values()]


def folded(x: TokenBatch, rows: int) -> TokensRead:
    """Copies of a batch of so many rows, put one behind the other into the same rows."""
    return torch.cat(x.split(rows), dim=1) if len(x) > rows else x


def unfolded(x: TokensRead, copies: int) -> TokenBatch:
    """The inverse of `folded`."""
    return torch.cat(x.chunk(copies, dim=1)) if copies > 1 else x


@contextmanager
def collecting(unet: nn.Module, blocks: tuple[int, ...]) -> Generator[list[Tensor]]:
    """Context manager: a list that every call fills with the outputs of some up-blocks."""
    maps: list[Tensor] = []

    def hook(_module: nn.Module, _args: Any, output: Tensor) -> None:
        maps.append(output)

    with _hooks([up_blocks(unet)[k] for k in blocks], hook):
        yield maps


def up_blocks(unet: nn.Module) -> nn.ModuleList:
    """The decoder's blocks."""
    return cast(nn.ModuleList, unet.get_submodule("up_blocks"))


def feature_blocks(unet: nn.Module) -> tuple[int, int]:
    """The two up-blocks whose outputs are compared: the last two before the finest one.

    Source: paper, section 4.2, layers 2 and 3 of the 4 of Stable Diffusion 1.5: one semantic and one geometric scale.
    In UNets of three blocks the same resolutions, half and full latent size, come from the first two.

    Raises:
        ValueError: if there are fewer than three up-blocks.
    """
    count = len(up_blocks(unet))
    if count < 3:
        raise ValueError(f"the UNet has {count} up-blocks; features are taken from UNets with at least 3")
    return (count - 3, count - 2)


def stopped_after(unet: nn.Module, block: int) -> nn.Module:
    """A UNet that shares all its modules with the given one and ends after an up-block; its output means nothing."""
    blocks = nn.ModuleList(list(up_blocks(unet))[: block + 1])
    return with_modules(unet, {"up_blocks": blocks, "conv_norm_out": None, "conv_out": nn.Identity()})


def with_modules(unet: nn.Module, modules: dict[str, nn.Module | None]) -> nn.Module:
    """A UNet that shares all its modules with the given one but some."""
    other = copy.copy(unet)
    state = dict(vars(unet))
    # Whole-model offload wraps `forward` of the instance; the copy must run its own.
    for name in ("forward", "_old_forward", "_hf_hook"):
        state.pop(name, None)
    state["_modules"] = {**state["_modules"], **modules}
    vars(other).clear()
    vars(other).update(state)
    return other


def adapter_processors(unet: Any) -> list[Any]:
    """The attention processors of loaded IP-Adapters; their images enter by a projection of the UNet's."""
    if getattr(unet, "encoder_hid_proj", None) is None:
        return []
    return [p for p in unet.attn_processors.values() if isinstance(getattr(p, "scale", None), list)]


@contextmanager
def adapters_scaled(unet: Any, scale: Number) -> Generator[None]:
    """Context manager: all IP-Adapters count with one weight."""
    processors = adapter_processors(unet)
    before = [processor.scale for processor in processors]
    for processor in processors:
        processor.scale = [scale] * len(processor.scale)
    try:
        yield
    finally:
        for processor, own in zip(processors, before, strict=True):
            processor.scale = own


def _memories(tokens: TokenBatch, grid: Size) -> list[GridMemory]:
    return [GridMemory(h, grid) for h in tokens]


def _own_tokens(args: tuple[Any, ...], kwargs: dict[str, Any]) -> TokenBatch:
    return _hidden_states(args, kwargs)


def _hidden_states(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    return cast(Tensor, args[0] if args else kwargs["hidden_states"])


@contextmanager
def _hooks(modules: Iterable[nn.Module], hook: Any) -> Generator[None]:
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _pre_hooks(hooks: dict[nn.Module, Any]) -> Generator[None]:
    handles = [module.register_forward_pre_hook(hook, with_kwargs=True) for module, hook in hooks.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
