"""What the method needs of a diffusion model."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from ..core.levels import NoiseSchedule
from ..core.types import Canvas, Latents, Number, Pictures, Size, TokenBatch
from ..method.bank import Reader
from .savings import Saving


@dataclass(frozen=True)
class Condition:
    """What a batch of pictures shows, as the network takes it.

    Args:
        text: text embeddings.
        extras: further conditioning by name (pooled text, sizes, image tokens), each with the batch first.
    """

    text: Float[Tensor, "batch tokens dim"]
    extras: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def having(self, extras: dict[str, Tensor]) -> "Condition":
        """The condition with further extras."""
        return Condition(self.text, {**self.extras, **extras})

    @staticmethod
    def cat(conditions: "Sequence[Condition]") -> "Condition":
        """The conditions of several batches as one batch."""
        names = conditions[0].extras
        extras = {name: torch.cat([c.extras[name] for c in conditions]) for name in names}
        return Condition(torch.cat([c.text for c in conditions]), extras)


@dataclass(frozen=True)
class ImagePrompt:
    """Extras of a condition that say what a picture looks like.

    Args:
        positive: for the conditional call, by name, each with the batch first.
        negative: for the unconditional one.
    """

    positive: dict[str, Tensor]
    negative: dict[str, Tensor]


@dataclass(frozen=True)
class PartialForward:
    """How far a call got that was made for features: outputs of the network's blocks by name, without gradients."""

    outputs: dict[str, Any]


BatchFeatureMap: TypeAlias = Float[Tensor, "batch _ _ _"]
"""Features of a batch at one scale."""

BatchFeatures: TypeAlias = tuple[Float[Tensor, "batch _ _ _"], ...]
"""Decoder feature maps of a batch, coarse scale first."""


class Backbone(ABC):
    """A latent diffusion model with its autoencoder and text encoder.

    Latents that go in and come out are single precision; the model's own precision stays inside.
    """

    schedule: NoiseSchedule
    device: torch.device
    working_size: int = 512
    """Side in pixels of the pictures the model was made for. Source: Stable Diffusion 1.x, if a model does not say."""

    @property
    @abstractmethod
    def latent_factor(self) -> int:
        """Pixels per latent cell and axis."""

    @property
    @abstractmethod
    def latent_channels(self) -> int:
        """Channels of the latents."""

    @property
    @abstractmethod
    def multiple(self) -> int:
        """Sides of pictures are padded to multiples of this, pixels."""

    @abstractmethod
    def encode(self, x: Pictures) -> Latents:
        """Clean latents of pictures in [-1, 1]."""

    @abstractmethod
    def decode(self, z_0: Latents) -> Pictures:
        """Pictures in [-1, 1] of clean latents."""

    @abstractmethod
    def describe(self, prompts: Sequence[str], canvas: Canvas) -> Condition:
        """Text conditioning of a batch of prompts."""

    def check_image_prompt(self) -> None:
        """Checks that pictures can serve as prompts.

        Raises:
            ValueError: if nothing is loaded that reads them.
        """
        raise ValueError("image_prompt_scale is set but this model takes no image prompt; set it to 0")

    def image_prompt(self, pictures: Sequence[Pictures]) -> "ImagePrompt":
        """Pictures as a prompt, all of them together for one picture that is made."""
        raise ValueError("this model takes no image prompt; set image_prompt_scale to 0")

    def image_prompting(self, scale: Number) -> AbstractContextManager[None]:
        """Context manager: image prompts in conditions count with a weight; without, they do not count."""
        raise ValueError("this model takes no image prompt; set image_prompt_scale to 0")

    @abstractmethod
    def noise(self, z_t: Latents, t: int, condition: Condition) -> Latents:
        """Predicted noise at training timestep `t`."""

    @abstractmethod
    def features(self, z_t: Latents, t: int, condition: Condition) -> BatchFeatures:
        """Decoder features at training timestep `t`; differentiable, and no further than they need to be computed."""

    def begin(self, z_t: Latents, t: int, condition: Condition) -> "tuple[BatchFeatures, PartialForward | None]":
        """Features as `features` gives them, and what `resume` can go on from; None where nothing is kept."""
        return self.features(z_t, t, condition), None

    def resume(self, prefix: PartialForward, z_t: Latents, t: int, condition: Condition) -> Latents:
        """Predicted noise as `noise` gives it, without computing again what is known.

        Args:
            prefix: what `begin` gave for the same timestep, and for latents and conditions that are the last of this
                batch.
            z_t: latents.
            t: training timestep.
            condition: what they show.
        """
        return self.noise(z_t, t, condition)

    @abstractmethod
    def noise_and_features(self, z_t: Latents, t: int, condition: Condition) -> tuple[Latents, BatchFeatures]:
        """Both of one call."""

    def fingerprint(self) -> str:
        """A name for the weights, to tell results of one model from those of another; empty if there is none."""
        return ""

    def bank_on_host(self, nbytes: int) -> bool:
        """Whether a memory bank of so many bytes waits in host memory."""
        return False

    def next_saving(self) -> Saving | None:
        """What could still be done to save memory, and a function that does it; None if nothing is left or known."""
        return None

    @property
    def blocks(self) -> int:
        """How many decoder blocks `feature_map` knows, coarsest first; 0 if it knows none."""
        return 0

    def feature_map(self, z_t: Latents, t: int, condition: Condition, block: int) -> BatchFeatureMap:
        """Output of one decoder block at training timestep `t`, and no further than it needs to be computed.

        Raises:
            ValueError: if there is no such block.
        """
        raise ValueError(f"block={block}: this model gives no single feature maps; use another for features")

    @abstractmethod
    def recording(self) -> AbstractContextManager[dict[str, TokenBatch]]:
        """Context manager: the tokens that enter every decoder self-attention layer of the latest call, by layer."""

    @abstractmethod
    def recalling(self, reader: Reader) -> AbstractContextManager[None]:
        """Context manager: decoder self-attention reads the tokens the reader gives it."""

    def canvas(self, picture: Size, energy_grid: int) -> Canvas:
        """The grids of a picture.

        Args:
            picture: its size in pixels.
            energy_grid: cells of the energy grid per latent cell and axis.
        """
        return Canvas(picture, self.multiple, self.latent_factor, energy_grid)


def weights_digest(weights: Iterable[Tensor]) -> str:
    """A name for weights: a digest of the beginning of every tensor."""
    digest = hashlib.sha256()
    for value in weights:
        digest.update(value.detach().flatten()[:1024].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
