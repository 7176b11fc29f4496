"""The memory bank and the ways decoder self-attention reads it.

The bank stores the tokens that enter a self-attention layer. Keys and values are linear in them, `K = W_k h` and
`V = W_v h`, so handing stored tokens to the layer is the same attention as storing keys and values, at half the memory.

Source: DragonDiffusion (arXiv 2307.02421), section 4.4, "visual cross-attention".
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from .geometry import resize_nearest
from .types import Mask, Size, TokenBatch, Tokens, Window


class MemoryBank:
    """Tokens of one picture by step and layer."""

    def __init__(self) -> None:
        self._steps: dict[int, dict[str, Tensor]] = {}

    def write(self, step: int, layer: str, tokens: Tokens) -> None:
        """Stores a layer's tokens of a step."""
        self._steps.setdefault(step, {})[layer] = tokens.detach()

    def read(self, step: int, layer: str) -> Tokens:
        """A layer's tokens of a step.

        Raises:
            ValueError: if the step was not kept.
        """
        if step not in self._steps:
            raise ValueError(f"the reference keeps no memory of step {step}; invert the picture again for this edit")
        return self._steps[step][layer]

    @property
    def steps(self) -> frozenset[int]:
        """Steps that are kept."""
        return frozenset(self._steps)

    @property
    def nbytes(self) -> int:
        """Memory taken, bytes."""
        return sum(h.numel() * h.element_size() for layers in self._steps.values() for h in layers.values())


@dataclass(frozen=True)
class Recall(ABC):
    """Which tokens a layer reads in place of its own.

    Args:
        window: steps in which the bank is read.
        guides: pictures that are read, as in `Energy.guide`.
    """

    window: Window
    guides: tuple[int, ...]

    @abstractmethod
    def select(self, own: Tokens, memories: Sequence[Tokens], canvas: Size) -> Tokens:
        """The tokens to read.

        Args:
            own: the layer's own tokens.
            memories: stored tokens, one entry per guide.
            canvas: any size with the proportions of the layer's grid, for instance of the padded picture.
        """


@dataclass(frozen=True)
class Replace(Recall):
    """The bank replaces the picture's own tokens: moving and resizing."""

    def select(self, own: Tokens, memories: Sequence[Tokens], canvas: Size) -> Tokens:
        return memories[0]


@dataclass(frozen=True)
class Append(Recall):
    """The bank's tokens follow the picture's own: dragging and landmarks."""

    def select(self, own: Tokens, memories: Sequence[Tokens], canvas: Size) -> Tokens:
        return torch.cat((own, *memories))


@dataclass(frozen=True)
class ByRegion(Recall):
    """Tokens of every guide inside its own region: appearance and pasting.

    Args:
        regions: one pixel mask per guide, 1 where its tokens are read.
    """

    regions: tuple[Mask, ...]

    def select(self, own: Tokens, memories: Sequence[Tokens], canvas: Size) -> Tokens:
        chosen = [
            m[resize_nearest(region, token_grid(m.shape[0], canvas)).flatten().to(m.device) > 0.5]
            for m, region in zip(memories, self.regions, strict=True)
        ]
        return torch.cat(chosen)


@dataclass(frozen=True)
class Reading:
    """One sample of a batch that reads the bank.

    Args:
        recall: what it reads.
        banks: memory banks by picture index.
        canvas: size of the padded picture.
    """

    recall: Recall
    banks: Sequence[MemoryBank]
    canvas: Size


Bias: TypeAlias = Float[Tensor, "batch 1 _"]
Reader: TypeAlias = Callable[[str, TokenBatch], tuple[TokenBatch, Bias | None]]
"""From a layer's name and its own tokens to the tokens it reads, with a bias that hides padding."""


def batch_reader(readings: Sequence[Reading | None], step: int) -> Reader:
    """How a batch of pictures reads its banks in one step.

    Args:
        readings: one entry per sample of the batch; None keeps the sample's own tokens. Samples may read different
            numbers of tokens: shorter ones are padded and the padding is hidden.
        step: step of the run.
    """

    def read(layer: str, own: TokenBatch) -> tuple[TokenBatch, Bias | None]:
        chosen = [_read_one(reading, step, layer, h) for reading, h in zip(readings, own, strict=True)]
        longest = max(h.shape[0] for h in chosen)
        stacked = torch.stack([nnf.pad(h, (0, 0, 0, longest - h.shape[0])) for h in chosen])
        if all(h.shape[0] == longest for h in chosen):
            return stacked, None
        bias = torch.zeros(len(chosen), 1, longest, dtype=own.dtype, device=own.device)
        for row, h in zip(bias, chosen, strict=True):
            row[:, h.shape[0] :] = torch.finfo(own.dtype).min
        return stacked, bias

    return read


def _read_one(reading: Reading | None, step: int, layer: str, own: Tokens) -> Tokens:
    if reading is None:
        return own
    memories = [reading.banks[g].read(step, layer).to(own) for g in reading.recall.guides]
    return reading.recall.select(own, memories, reading.canvas)


def token_grid(tokens: int, canvas: Size) -> Size:
    """Height and width of a layer's grid from its number of tokens and the proportions of the picture."""
    factor = math.sqrt(canvas[0] * canvas[1] / tokens)
    return (round(canvas[0] / factor), round(canvas[1] / factor))
