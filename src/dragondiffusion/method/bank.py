"""The memory bank and the ways decoder self-attention reads it.

The bank stores the tokens that enter a self-attention layer. Keys and values are linear in them, `K = W_k h` and
`V = W_v h`, so handing stored tokens to the layer is the same attention as storing keys and values, at half the memory.

Source: DragonDiffusion (arXiv 2307.02421), section 4.4, "visual cross-attention".
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from ..core.geometry import resize_nearest
from ..core.types import Mask, Size, TokenBatch, Tokens, Window


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

    def layers(self, step: int) -> dict[str, Tensor]:
        """Tokens of a step that is kept, by layer."""
        return dict(self._steps[step])

    def joined(self, other: "MemoryBank") -> "MemoryBank":
        """A bank with the steps of both; where both keep one, this one's."""
        bank = MemoryBank()
        for step in other.steps | self.steps:
            for layer, tokens in (self if step in self.steps else other).layers(step).items():
                bank.write(step, layer, tokens)
        return bank

    @property
    def steps(self) -> frozenset[int]:
        """Steps that are kept."""
        return frozenset(self._steps)

    @property
    def nbytes(self) -> int:
        """Memory taken, bytes."""
        return sum(h.numel() * h.element_size() for layers in self._steps.values() for h in layers.values())


def on_host(choice: bool | None, nbytes: int, device: torch.device, offloaded: bool) -> bool:
    """Whether a memory bank waits in host memory rather than on the device.

    Unless somebody chose: with weights that are offloaded, and where it would take more than half of what is free on a
    CUDA device. Elsewhere device and host share their memory.

    Args:
        choice: what somebody chose; None leaves it to the rule.
        nbytes: of the whole bank.
        device: where the model runs.
        offloaded: its weights wait in host memory.

    Source: chosen.
    """
    if choice is not None:
        return choice
    if device.type != "cuda":
        return False
    return offloaded or nbytes > torch.cuda.mem_get_info(device)[0] // 2


def waiting(tokens: Tensor) -> Tensor:
    """A copy in host memory, pinned where the device is a CUDA one."""
    host = torch.empty(tokens.shape, dtype=tokens.dtype, pin_memory=tokens.device.type == "cuda")
    return host.copy_(tokens, non_blocking=True)


@dataclass(frozen=True)
class Part:
    """What is read of one picture's memory.

    Args:
        guide: the picture, as in `Energy.guide`.
        region: pixels of that picture, padded, whose tokens are read, 1 inside; None reads all.
    """

    guide: int
    region: Mask | None = None

    def select(self, memory: Tokens) -> Tokens:
        """The tokens of a layer's memory that lie in the region."""
        if self.region is None:
            return memory
        height, width = self.region.shape
        inside = resize_nearest(self.region, token_grid(memory.shape[0], (height, width))) > 0.5
        return memory[inside.flatten().to(memory.device)]


@dataclass(frozen=True)
class Recall:
    """Which tokens a layer reads in place of its own.

    Args:
        window: steps in which the bank is read.
        own: the picture's own tokens are read too.
        parts: what is read of the memories.
    """

    window: Window
    own: bool
    parts: tuple[Part, ...]

    def select(self, own: Tokens, memories: Sequence[Tokens]) -> Tokens:
        """The tokens to read; the layer's own if nothing else is left.

        Args:
            own: the layer's own tokens.
            memories: stored tokens, one entry per part.
        """
        chosen = [part.select(memory) for part, memory in zip(self.parts, memories, strict=True)]
        tokens = torch.cat([own, *chosen] if self.own else chosen)
        return tokens if tokens.shape[0] else own


def replacing(window: Window) -> Recall:
    """The bank replaces the picture's own tokens: moving and resizing."""
    return Recall(window, own=False, parts=(Part(0),))


def appending(window: Window) -> Recall:
    """The bank's tokens follow the picture's own: dragging and landmarks."""
    return Recall(window, own=True, parts=(Part(0),))


def by_region(window: Window, replaced: Mask, taken: Mask, guide: int = 1) -> Recall:
    """The bank's tokens outside a region, and another picture's inside its own: appearance and pasting.

    Args:
        window: steps in which the bank is read.
        replaced: pixels of the edited picture whose tokens are left out.
        taken: pixels of the other picture whose tokens are read.
        guide: index of the other picture.
    """
    kept = (replaced <= 0.5).float()
    return Recall(window, own=False, parts=(Part(0, kept), Part(guide, (taken > 0.5).float())))


def merged(recalls: Sequence[Recall], i: int, n: int) -> Recall | None:
    """How step `i` of `n` reads the bank when several edits each ask for their own way; None if it does not.

    Of the edited picture only what no edit leaves out is read; of other pictures, what any edit takes; the picture's
    own tokens, if any edit reads them.
    """
    active = [recall for recall in recalls if recall.window.holds(i, n)]
    if len(active) < 2:
        return active[0] if active else None
    parts = [part for recall in active for part in recall.parts]
    kept = [part.region for part in parts if part.guide == 0 and part.region is not None]
    base = Part(0, torch.stack(kept).amin(0) if kept else None)
    others = tuple(part for part in parts if part.guide != 0)
    return Recall(active[0].window, any(recall.own for recall in active), (base, *others))


@dataclass(frozen=True)
class Reading:
    """One sample of a batch that reads the bank.

    Args:
        recall: what it reads.
        banks: memory banks by picture index.
    """

    recall: Recall
    banks: Sequence[MemoryBank]


TokensRead: TypeAlias = Float[Tensor, "rows _ dim"]
Bias: TypeAlias = Float[Tensor, "rows 1 _"]
Reader: TypeAlias = Callable[[str, TokenBatch], tuple[TokensRead, Bias | None]]
"""From a layer's name and its own tokens to the tokens it reads, with a bias that hides padding.

The tokens may have fewer rows than the layer's own; the batch then is copies of so many samples, one after the other,
which all read the same.
"""


def batch_reader(readings: Sequence[Reading | None], step: int, copies: int = 1) -> Reader:
    """How a batch of pictures reads its banks in one step.

    Args:
        readings: one entry per sample of the batch; None keeps the sample's own tokens. Samples may read different
            numbers of tokens: shorter ones are padded and the padding is hidden.
        step: step of the run.
        copies: how often these samples come in the batch, one after the other.
    """

    def read(layer: str, own: TokenBatch) -> tuple[TokensRead, Bias | None]:
        rows = list(own)
        chosen = [_read_one(reading, step, layer, h) for reading, h in zip(readings, rows, strict=False)]
        # Copies can share what they read if nothing of it is their own.
        if any(_has_own(*pair) for pair in zip(readings, zip(chosen, rows, strict=False), strict=True)):
            others = zip([*readings] * (copies - 1), rows[len(readings) :], strict=True)
            chosen += [_read_one(reading, step, layer, h) for reading, h in others]
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
    memories = [reading.banks[part.guide].read(step, layer).to(own, non_blocking=True) for part in reading.recall.parts]
    return reading.recall.select(own, memories)


def _has_own(reading: Reading | None, read: tuple[Tokens, Tokens]) -> bool:
    """Whether tokens that were read are, or hold, the layer's own: (read, own)."""
    chosen, own = read
    return reading is None or reading.recall.own or chosen is own


def token_grid(tokens: int, canvas: Size) -> Size:
    """Height and width of a layer's grid from its number of tokens and the proportions of the picture."""
    factor = math.sqrt(canvas[0] * canvas[1] / tokens)
    return (round(canvas[0] / factor), round(canvas[1] / factor))
