"""A denoiser with its autoencoder and text encoder: what everything outside of `backbones` knows of a model."""

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from os import PathLike

from torch import Tensor

from ..core.levels import Level
from ..core.types import Canvas, Latents, ModelGrids, Pictures, Size
from ..method.denoiser import Condition, Denoiser, ImagePrompt
from .prompts import prompt_notes
from .savings import Saving
from .turns import turn

__all__ = ["Backbone", "Condition", "ImagePrompt", "weights_digest"]


class Backbone(Denoiser):
    """A denoiser with its autoencoder and text encoder."""

    working_size: int = 512
    """Side in pixels of the images the model was made for. Source: Stable Diffusion 1.x, if a model does not say."""

    @property
    def patch(self) -> int:
        """Latent cells per cell of the finest features and axis."""
        return 1

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
        """Sides of images are padded to multiples of this, pixels."""

    @abstractmethod
    def encode(self, x: Pictures) -> Latents:
        """Clean latents of images in [-1, 1]."""

    @abstractmethod
    def decode(self, z_0: Latents) -> Pictures:
        """Images in [-1, 1] of clean latents."""

    def take_preview_autoencoder(self, source: str | PathLike[str] | None) -> None:
        """Loads what decodes images in between; None is the model's own.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if the model takes none, or it is made for other latents.
        """
        if source is not None:
            raise ValueError(f"preview_autoencoder {source}: this model takes none; leave it out")

    def glimpse(self, z_0: Latents) -> Pictures:
        """Images in [-1, 1] of clean latents while a run goes on: rougher ones where that is quicker."""
        return self.decode(z_0)

    @abstractmethod
    def describe(self, prompts: Sequence[str], canvas: Canvas) -> Condition:
        """Text conditioning of a batch of prompts."""

    def prompt_notes(self, prompt: str) -> tuple[str, ...]:
        """What somebody who wrote a prompt should know: words that do not count, and syntax of other programs."""
        return prompt_notes(prompt, ())

    def level(self, t: int) -> Level:
        """The noise level of a training timestep, for those who name levels so.

        Raises:
            ValueError: if there is no such timestep, or the model was not trained at numbered ones.
        """
        raise ValueError(f"timestep {t}: this model has no numbered timesteps; use another")

    def check_image_prompt(self) -> None:
        """Checks that images can serve as prompts.

        Raises:
            ValueError: if nothing is loaded that reads them.
        """
        raise ValueError("image_prompt_scale is set but this model takes no image prompt; set it to 0")

    def check_negative_prompt(self, prompt: str) -> None:
        """Checks that the model can be told what an image does not show.

        Raises:
            ValueError: if somebody says so and it cannot.
        """

    def image_prompt(self, pictures: Sequence[Pictures]) -> ImagePrompt:
        """Images as a prompt, all of them together for one image that is made."""
        raise ValueError("this model takes no image prompt; set image_prompt_scale to 0")

    @property
    @abstractmethod
    def taps(self) -> range:
        """The parts of the network that features can be taken from, coarsest first."""

    def turn(self) -> AbstractContextManager[None]:
        """Context manager: other threads' calls of the model wait, and inference mode is left."""
        return turn(self)

    def fingerprint(self) -> str:
        """A name for the weights, to tell results of one model from those of another; empty if there is none."""
        return ""

    def next_saving(self) -> Saving | None:
        """What could still be done to save memory, and a function that does it; None if nothing is left or known."""
        return None

    @property
    def grids(self) -> ModelGrids:
        """What decides the grids of its images."""
        return ModelGrids(self.multiple, self.latent_factor, self.working_size, self.patch)

    def canvas(self, picture: Size, energy_grid: int) -> Canvas:
        """The grids of an image.

        Args:
            picture: its size in pixels.
            energy_grid: cells of the energy grid per cell of the finest features and axis.
        """
        return self.grids.canvas(picture, energy_grid)


def weights_digest(weights: Iterable[Tensor]) -> str:
    """A name for weights: a digest of the beginning of every tensor."""
    digest = hashlib.sha256()
    for value in weights:
        digest.update(value.detach().flatten()[:1024].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
