"""The memory bank and the ways decoder self-attention reads it.

The bank stores the tokens that enter a self-attention layer. Keys and values are linear in them, `K = W_k h` and
`V = W_v h`, so handing stored tokens to the layer is the same attention as storing keys and values, at half the memory.

Source: DragonDiffusion (arXiv 2307.02421), section 4.4, "visual cross-attention".
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch
from jaxtyping import Int64
from torch import Tensor

from ..core.geometry import Correspondence, resize_nearest
from ..core.residents import remembered
from ..core.types import Mask, Number, Size, Tokens, Window


class LayerMemory(ABC):
    """What one self-attention layer holds of one image; only the model that made it looks inside.

    Where the tokens of the image lie among others, and how positions are told, is the model's own.
    """

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory taken, bytes."""

    @property
    @abstractmethod
    def is_empty(self) -> bool:
        """Whether there is nothing to read."""

    @abstractmethod
    def select(self, region: Mask) -> "LayerMemory":
        """The part whose cells lie in a region of the padded image, above one half inside."""

    @abstractmethod
    def joined(self, others: "Sequence[LayerMemory]") -> "LayerMemory":
        """This memory and others of the same layer, to be read together."""

    def moved(self, match: Correspondence) -> "LayerMemory | None":
        """The part that a correspondence brings to its target, to be read there.

        None for models that tell positions with their tokens or not at all: these are read where they are found.

        Args:
            match: from cells of this image's latents to cells of those of the image that is made.
        """
        return None

    @abstractmethod
    def to(self, like: "LayerMemory") -> "LayerMemory":
        """On the device and in the precision of another one."""

    @abstractmethod
    def stored(self, on_host: bool) -> "LayerMemory":
        """A copy to keep: in host memory, or where it is."""


@dataclass(frozen=True, eq=False)
class GridMemory(LayerMemory):
    """Tokens on a grid that covers the image, row by row; once selected or joined, tokens without a grid.

    Args:
        tokens: (n, dim).
        grid: (height, width) with height * width = n; None after a selection.
    """

    tokens: Tokens
    grid: Size | None

    @property
    def nbytes(self) -> int:
        return self.tokens.numel() * self.tokens.element_size()

    @property
    def is_empty(self) -> bool:
        return not len(self.tokens)

    def select(self, region: Mask) -> "GridMemory":
        if self.grid is None:
            raise ValueError("these tokens were selected before and have no grid; select from the whole memory")
        return GridMemory(self.tokens[inside(region, self.grid, self.tokens.device)], None)

    def joined(self, others: "Sequence[LayerMemory]") -> "GridMemory":
        rest = [other.tokens for other in others if isinstance(other, GridMemory)]
        return GridMemory(torch.cat([self.tokens, *rest]), None) if rest else self

    def to(self, like: LayerMemory) -> "GridMemory":
        tokens = self.tokens.to(like.tokens, non_blocking=True) if isinstance(like, GridMemory) else self.tokens
        return replace(self, tokens=tokens)

    def stored(self, on_host: bool) -> "GridMemory":
        return replace(self, tokens=waiting(self.tokens) if on_host else self.tokens.clone())


def inside(region: Mask, grid: Size, device: torch.device) -> Int64[Tensor, " _"]:
    """Numbers of the tokens of a grid that lie in a region of the padded image, above one half inside, on a device."""

    def make() -> Tensor:
        return (resize_nearest(region, grid) > 0.5).flatten().nonzero()[:, 0].to(device)

    return remembered(region, ("inside", grid, device), make)


class MemoryBank:
    """Memory of one image by step and layer."""

    def __init__(self) -> None:
        self._steps: dict[int, dict[str, LayerMemory]] = {}

    def write(self, step: int, layer: str, memory: LayerMemory) -> None:
        """Stores a layer's memory of a step."""
        self._steps.setdefault(step, {})[layer] = memory

    def read(self, step: int, layer: str) -> LayerMemory:
        """A layer's memory of a step.

        Raises:
            ValueError: if the step was not kept.
        """
        if step not in self._steps:
            raise ValueError(f"the reference keeps no memory of step {step}; invert the image again for this edit")
        return self._steps[step][layer]

    def layers(self, step: int) -> dict[str, LayerMemory]:
        """Memory of a step that is kept, by layer."""
        return dict(self._steps[step])

    def joined(self, other: "MemoryBank") -> "MemoryBank":
        """A bank with the steps of both; where both keep one, this one's."""
        bank = MemoryBank()
        for step in other.steps | self.steps:
            for layer, memory in (self if step in self.steps else other).layers(step).items():
                bank.write(step, layer, memory)
        return bank

    @property
    def steps(self) -> frozenset[int]:
        """Steps that are kept."""
        return frozenset(self._steps)

    @property
    def nbytes(self) -> int:
        """Memory taken, bytes."""
        return sum(memory.nbytes for layers in self._steps.values() for memory in layers.values())


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


Moves: TypeAlias = Mapping[int, Sequence[Correspondence]]
"""By image, as in `Energy.guide`, the content that an edit brings to another place."""


@dataclass(frozen=True)
class Excerpt:
    """What is read of one image's memory.

    Args:
        guide: the image, as in `Energy.guide`.
        region: pixels of that image, padded, whose tokens are read, 1 inside; None reads all.
    """

    guide: int
    region: Mask | None = None

    def of(self, memory: LayerMemory, moves: Sequence[Correspondence] = ()) -> LayerMemory:
        """The excerpt of a layer's memory.

        Args:
            memory: of the image.
            moves: content of the image that the edit brings to another place. Where positions are told to attention,
                it is read there: in place of what is there in the edited image, and of another image nothing else.
        """
        brought = [moved for moved in map(memory.moved, moves) if moved is not None]
        if not brought:
            return memory if self.region is None else memory.select(self.region)
        if self.guide:
            return brought[0].joined(brought[1:])
        left = ~torch.stack([match.target for match in moves]).any(0)
        if self.region is not None:
            left &= resize_nearest(self.region, (left.shape[0], left.shape[1])).to(left.device) > 0.5
        return memory.select(left.float()).joined(brought)


@dataclass(frozen=True)
class Recall:
    """What a layer reads in place of its own tokens.

    Args:
        window: steps in which the bank is read.
        own: the image's own tokens are read too.
        excerpts: what is read of the memories.
    """

    window: Window
    own: bool
    excerpts: tuple[Excerpt, ...]

    def select(self, own: LayerMemory, memories: Sequence[LayerMemory], moves: Moves | None = None) -> LayerMemory:
        """What is read; the layer's own tokens if nothing else is left.

        Args:
            own: the layer's own tokens.
            memories: stored ones, one entry per excerpt.
            moves: content that the edit brings to another place.
        """
        places = moves or {}
        chosen = [
            excerpt.of(memory, places.get(excerpt.guide, ()))
            for excerpt, memory in zip(self.excerpts, memories, strict=True)
        ]
        first, *others = [own, *chosen] if self.own else chosen
        joined = first.joined(others)
        return own if joined.is_empty else joined


def replacing(window: Window) -> Recall:
    """The bank replaces the image's own tokens: moving and resizing."""
    return Recall(window, own=False, excerpts=(Excerpt(0),))


def appending(window: Window) -> Recall:
    """The bank's tokens follow the image's own: dragging and landmarks."""
    return Recall(window, own=True, excerpts=(Excerpt(0),))


def by_region(window: Window, replaced: Mask, taken: Mask, guide: int = 1) -> Recall:
    """The bank's tokens outside a region, and another image's inside its own: appearance and pasting.

    Args:
        window: steps in which the bank is read.
        replaced: pixels of the edited image whose tokens are left out.
        taken: pixels of the other image whose tokens are read.
        guide: index of the other image.
    """
    kept = (replaced <= 0.5).float()
    return Recall(window, own=False, excerpts=(Excerpt(0, kept), Excerpt(guide, (taken > 0.5).float())))


def merged(recalls: Sequence[Recall], i: int, share: Number) -> Recall | None:
    """How step `i`, before which a share of the run is over, reads the bank for several edits; None if it does not.

    Of the edited image only what no edit leaves out is read; of other images, what any edit takes; the image's own
    tokens, if any edit reads them.
    """
    active = [recall for recall in recalls if recall.window.holds(i, share)]
    if len(active) < 2:
        return active[0] if active else None
    excerpts = [excerpt for recall in active for excerpt in recall.excerpts]
    kept = [excerpt.region for excerpt in excerpts if excerpt.guide == 0 and excerpt.region is not None]
    base = Excerpt(0, _in_all(kept) if kept else None)
    others = tuple(excerpt for excerpt in excerpts if excerpt.guide != 0)
    return Recall(active[0].window, any(recall.own for recall in active), (base, *others))


def _in_all(regions: Sequence[Mask]) -> Mask:
    """What lies in all of several regions; the same tensor for the same ones."""
    first = regions[0]
    others = [region for region in regions if region is not first]
    if not others:
        return first
    # The others are kept beside it, so that nothing else gets their identity.
    made = remembered(first, ("in all", *map(id, others)), lambda: (torch.stack(list(regions)).amin(0), others))
    return made[0]


@dataclass(frozen=True)
class Reading:
    """One image of a batch that reads the bank.

    Args:
        recall: what it reads.
        banks: memory banks by image index.
        moves: content that the edit brings to another place.
    """

    recall: Recall
    banks: Sequence[MemoryBank]
    moves: Moves = field(default_factory=dict[int, Sequence[Correspondence]])

    def read(self, step: int, layer: str, own: LayerMemory) -> LayerMemory:
        """What a layer reads in a step."""
        memories = [self.banks[excerpt.guide].read(step, layer).to(own) for excerpt in self.recall.excerpts]
        return self.recall.select(own, memories, self.moves)


Reader: TypeAlias = Callable[[str, Sequence[LayerMemory]], Sequence[LayerMemory]]
"""From a layer's name and the tokens of every image of the batch to what each reads.

What comes back may have fewer rows than the batch, which then is copies of so many images, one after the other, that
all read the same.
"""


def batch_reader(readings: Sequence[Reading | None], step: int) -> Reader | None:
    """How a batch reads its banks in one step; None if no image does.

    The model may call it with several copies of these images, one after the other, as for classifier-free guidance.

    Args:
        readings: one entry per image; None keeps the image's own tokens.
        step: step of the run.
    """
    if not any(readings):
        return None

    def one(reading: Reading | None, layer: str, own: LayerMemory) -> LayerMemory:
        return own if reading is None else reading.read(step, layer, own)

    def read(layer: str, own: Sequence[LayerMemory]) -> Sequence[LayerMemory]:
        count = len(readings)
        chosen = [one(reading, layer, h) for reading, h in zip(readings, own[:count], strict=True)]
        # Copies can share what they read if nothing of it is their own.
        if any(r is None or r.recall.own or h is o for r, h, o in zip(readings, chosen, own, strict=False)):
            chosen += [one(readings[k % count], layer, own[k]) for k in range(count, len(own))]
        return chosen

    return read
