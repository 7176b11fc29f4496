"""What the method needs of a diffusion model: noise levels, predictions, features, and the tokens of self-attention."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..core.levels import Level, Levels
from ..core.types import BatchFeatures, Canvas, Latents, Number
from .bank import LayerMemory, Reader


@dataclass(frozen=True)
class Condition:
    """What a batch of images shows, as the network takes it.

    Args:
        text: text embeddings.
        extras: further conditioning by name (pooled text, sizes, image tokens), each with the batch first.
        image_scale: weight of an image prompt among the extras; 0 without one.
    """

    text: Float[Tensor, "batch tokens dim"]
    extras: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    image_scale: Number = 0.0

    def having(self, extras: dict[str, Tensor], image_scale: Number) -> "Condition":
        """The condition with the extras of an image prompt and its weight."""
        return replace(self, extras={**self.extras, **extras}, image_scale=image_scale)

    def row(self, b: int) -> "Condition":
        """The condition of one image of the batch."""
        extras = {name: value[b : b + 1] for name, value in self.extras.items()}
        return replace(self, text=self.text[b : b + 1], extras=extras)

    @staticmethod
    def cat(conditions: "Sequence[Condition]") -> "Condition":
        """The conditions of several batches as one batch."""
        names = conditions[0].extras
        extras = {name: torch.cat([c.extras[name] for c in conditions]) for name in names}
        return Condition(torch.cat([c.text for c in conditions]), extras, conditions[0].image_scale)


@dataclass(frozen=True)
class ImagePrompt:
    """Extras of a condition that say what an image looks like.

    Args:
        positive: for the conditional call, by name, each with the batch first.
        negative: for the unconditional one.
    """

    positive: dict[str, Tensor]
    negative: dict[str, Tensor]


@dataclass(frozen=True)
class PartialForward:
    """A call that ended once its features were computed.

    Args:
        features: decoder features of the batch, coarse scale first; differentiable.
        outputs: what was computed up to there, by name of a part of the network and without gradients, for a call that
            resumes; None where nothing is kept.
    """

    features: BatchFeatures
    outputs: dict[str, Any] | None = None


@dataclass(frozen=True)
class Prediction:
    """What a call predicts.

    Args:
        z_0: clean latents.
        eps: noise; with classifier-free guidance, that of both calls.
        features: decoder features of the conditional call, where taps were asked for.
        memory: for every image the memory of each self-attention layer by name, where it was asked for.
    """

    z_0: Latents
    eps: Latents
    features: BatchFeatures = ()
    memory: tuple[dict[str, LayerMemory], ...] = ()


class Denoiser(ABC):
    """A diffusion or flow model on latents, with the reading and replacing of its self-attention.

    Latents that go in and come out are single precision; the model's own precision stays inside. How classifier-free
    guidance is done (two calls in one batch, a guidance embedding, not at all) is the denoiser's own.
    """

    device: torch.device

    @property
    @abstractmethod
    def feature_taps(self) -> tuple[int, ...]:
        """The parts of the network whose outputs the energies compare, coarse scale first."""

    @abstractmethod
    def levels(self, steps: int, canvas: Canvas) -> Levels:
        """The noise levels of a run.

        Args:
            steps: of the run.
            canvas: grids of the image; the levels of some models depend on its size.

        Raises:
            ValueError: if the model has no run of so many steps.
        """

    @abstractmethod
    def predict(
        self,
        z_t: Latents,
        level: Level,
        condition: Condition,
        *,
        negative: Condition | None = None,
        guidance_scale: Number | Tensor = 1.0,
        taps: tuple[int, ...] = (),
        record: bool = False,
        attention: Reader | None = None,
        resume: PartialForward | None = None,
    ) -> Prediction:
        r"""Clean latents and noise, $\epsilon = \epsilon_u + w\,(\epsilon_c - \epsilon_u)$.

        Args:
            z_t: latents.
            level: their noise level.
            condition: what they show.
            negative: what they do not show; None leaves out classifier-free guidance.
            guidance_scale: $w$, one number or one per image; 1 leaves it out too.
            taps: parts of the network whose features are wanted.
            record: the memory of every decoder self-attention layer is wanted.
            attention: what decoder self-attention reads instead of its own tokens.
            resume: a partial forward of the same latents, level and condition, which is not computed again.
        """

    @abstractmethod
    def partial_forward(
        self, z_t: Latents, level: Level, condition: Condition, taps: tuple[int, ...] | None = None
    ) -> PartialForward:
        """Features by a call that goes no further than they need, with ordinary self-attention; differentiable.

        Args:
            z_t: latents.
            level: their noise level.
            condition: what they show.
            taps: parts of the network; None is `feature_taps`.
        """

    def memory_on_host(self, nbytes: int) -> bool:
        """Whether a memory bank of so many bytes waits in host memory."""
        return False
