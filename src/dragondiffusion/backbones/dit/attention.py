"""Reading and replacing the image tokens of joint attention.

In joint attention, image and text tokens attend to all of both. The bank holds the tokens of the image as they enter a
layer, before keys and values are made of them and before positions are told; text tokens never enter it.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from ...core.residents import places
from ...core.types import Size
from ...method.bank import GridMemory, Reader

Attend: TypeAlias = Callable[..., Any]
"""From a layer, the image's tokens that enter it, all that do and those of the text, and those of the image that are
read, to what the layer gives."""

Remember: TypeAlias = Callable[[Tensor, Size], GridMemory]
"""From the tokens of one image and their grid to its memory."""


class Watched:
    """An attention processor that tells and changes which tokens of the image are read.

    Args:
        own: the layer's processor, which works where nothing is replaced.
        name: of the layer.
        grid: (height, width) of the image's tokens.
        remember: makes a memory of an image's tokens.
        attend: the attention itself, where something is replaced.
        found: what is recorded, by layer; None records nothing.
        reader: what is read; None reads the image's own tokens.
    """

    def __init__(
        self,
        own: Any,
        name: str,
        grid: Size,
        remember: Remember,
        attend: Attend,
        found: dict[str, list[GridMemory]] | None,
        reader: Reader | None,
    ) -> None:
        self.own, self._name, self._grid = own, name, grid
        self._remember, self._attend, self._found, self._reader = remember, attend, found, reader

    def __call__(
        self,
        attn: nn.Module,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Any = None,
    ) -> Any:
        rotary = {} if image_rotary_emb is None else {"image_rotary_emb": image_rotary_emb}
        # Single-stream layers get the text's tokens before the image's.
        image = hidden_states[:, hidden_states.shape[1] - self._grid[0] * self._grid[1] :]
        if self._found is not None:
            self._found[self._name] = [self._remember(h, self._grid) for h in image.detach()]
        if self._reader is None:
            return self.own(attn, hidden_states, encoder_hidden_states, attention_mask, **rotary)
        memories = [self._remember(h, self._grid) for h in image]
        read = [memory for memory in self._reader(self._name, memories) if isinstance(memory, GridMemory)]
        return self._attend(attn, image, hidden_states, encoder_hidden_states, read, **rotary)


@contextmanager
def watching(
    layers: Mapping[str, nn.Module],
    grid: Size,
    remember: Remember,
    attend: Attend,
    *,
    record: bool,
    reader: Reader | None,
) -> Generator[dict[str, list[GridMemory]]]:
    """Context manager: a dict that every call fills with the tokens entering some layers, which read what is given.

    Args:
        layers: attention layers by name.
        grid: (height, width) of the image's tokens.
        remember: makes a memory of an image's tokens.
        attend: the attention itself, where something is replaced.
        record: fill the dict.
        reader: what is read; None reads the image's own tokens.
    """
    found: dict[str, list[GridMemory]] = {}
    before = {name: _processor(layer) for name, layer in layers.items()} if record or reader is not None else {}
    try:
        for name, own in before.items():
            _set(layers[name], Watched(own, name, grid, remember, attend, found if record else None, reader))
        yield found
    finally:
        for name, own in before.items():
            _set(layers[name], own)


def check_processors(layers: Mapping[str, nn.Module], known: tuple[type, ...], fused: str) -> None:
    """Checks that attention is diffusers' own, so that what it reads can be replaced.

    Args:
        layers: attention layers by name.
        known: their processors.
        fused: name of the attribute that says that a layer's projections were fused.

    Raises:
        ValueError: if a layer has another processor.
    """
    for name, layer in layers.items():
        processor = _processor(layer)
        if type(processor) not in known or bool(getattr(layer, fused, False)):
            raise ValueError(
                f"layer {name} has the attention processor {type(processor).__name__}"
                f"{' with fused projections' if getattr(layer, fused, False) else ''} and the memory bank needs "
                f"{known[0].__name__}; unload what set it (IP-Adapter, fused projections) and make the editor again"
            )


def as_batch(values: Sequence[Tensor], count: int) -> Tensor:
    """Something of the tokens of every image as one batch of so many rows, shorter ones padded with zeros.

    Args:
        values: of the batch, or of copies of it one after the other that all read the same; tokens first.
        count: rows of the batch.
    """
    rows = nn.utils.rnn.pad_sequence(list(values), batch_first=True)
    return rows.repeat(count // len(rows), *(1 for _ in rows.shape[1:]))


def attended(
    query: Tensor, key: Tensor, value: Tensor, memories: Sequence[GridMemory], text: int, text_first: bool
) -> Tensor:
    """Attention (batch, heads, tokens, dim) to what `as_batch` made of memories, without its padding.

    Rows that read equally many tokens are computed together: with a mask the fastest attention of GPUs does not run.

    Args:
        query: of all rows.
        key: of the tokens they read, padded.
        value: likewise.
        memories: that are read, of every row or of copies of the batch one after the other.
        text: number of text tokens, which are read too.
        text_first: they come before the image's.
    """
    lengths = [len(memory.tokens) for memory in memories]
    longest, begin = max(lengths), text if text_first else 0
    if min(lengths) == longest:
        return nnf.scaled_dot_product_attention(query, key, value)
    groups = [
        tuple(row for row in range(len(query)) if lengths[row % len(lengths)] == length)
        for length in dict.fromkeys(lengths)
    ]
    made: list[Tensor] = []
    for group in groups:
        rows, padded = places(group, query.device), longest - lengths[group[0] % len(lengths)]
        keys, values = (
            torch.cat((x[rows, :, : begin + longest - padded], x[rows, :, begin + longest :]), dim=2)
            for x in (key, value)
        )
        made.append(nnf.scaled_dot_product_attention(query[rows], keys, values))
    order = sorted(range(len(query)), key=[row for group in groups for row in group].__getitem__)
    return torch.cat(made)[places(tuple(order), query.device)]


def _processor(layer: Any) -> Any:
    return layer.processor


def _set(layer: Any, processor: Any) -> None:
    layer.set_processor(processor)
