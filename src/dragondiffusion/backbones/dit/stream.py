"""What goes through the blocks of a transformer, and what is asked of one call."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Stream:
    """What goes from block to block.

    Args:
        image: (batch, tokens, dim).
        text: the same of the text; None after a last block that leaves it out.
    """

    image: Tensor
    text: Tensor | None

    def rows(self, start: int, stop: int) -> "Stream":
        """A part of the batch."""
        return Stream(self.image[start:stop], None if self.text is None else self.text[start:stop])

    def then(self, other: "Stream") -> "Stream":
        """This batch, and another one after it."""
        text = None if self.text is None or other.text is None else torch.cat((self.text, other.text))
        return Stream(torch.cat((self.image, other.image)), text)

    def detached(self) -> "Stream":
        """Without gradients."""
        return Stream(self.image.detach(), None if self.text is None else self.text.detach())


@dataclass(frozen=True)
class Modulation:
    """What every block is told beside the stream.

    Args:
        temb: embedding of time and pooled text, (batch, dim).
        shared: further arguments of blocks, the same for the whole batch.
    """

    temb: Tensor
    shared: tuple[Any, ...] = ()

    def rows(self, stop: int) -> "Modulation":
        """For the first samples of a batch."""
        return replace(self, temb=self.temb[:stop])


@dataclass(frozen=True)
class Blocks:
    """Which blocks are looked at, counted from 0 through all of the network.

    Args:
        features: whose inputs the energies compare, in the order in which they run.
        memory: whose attention reads the memory bank.
    """

    features: tuple[int, ...]
    memory: tuple[int, ...]


@dataclass
class Call:
    """What is asked of one call of the network.

    Args:
        taps: blocks whose features are wanted.
        stop: block before which the call ends; None runs all.
        keep: blocks whose inputs are kept for a call that resumes.
        resume: inputs of blocks that are known for the last samples of the batch, by block.
        before: the latest block that can be resumed from.
        features: what was found.
        kept: inputs of blocks.
    """

    taps: tuple[int, ...] = ()
    stop: int | None = None
    keep: tuple[int, ...] = ()
    resume: Mapping[str, Stream] = field(default_factory=dict[str, Stream])
    before: int = 0
    features: list[Tensor] = field(default_factory=list[Tensor])
    kept: dict[str, Any] = field(default_factory=dict[str, Any])
