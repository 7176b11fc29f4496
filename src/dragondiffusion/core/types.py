"""Names for the array types, sizes and windows that every module shares.

Convention: points are (x, y) in pixels with the origin at the top left corner of the image and pixel centres at
+0.5; sizes are (height, width); masks are float in [0, 1] or bool; images inside the package are in [-1, 1].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

from jaxtyping import Bool, Float
from torch import Tensor

from .bounds import Bounded, Length, Range

Number: TypeAlias = float | int
"""A real number as users write it."""

FARTHEST = 1_000_000
"""Largest coordinate, pixels. Source: chosen, beyond the longer side of any image that fits into memory."""

Coordinate: TypeAlias = Annotated[Number, Range(-FARTHEST, FARTHEST, "pixels")]
"""x or y in pixels."""

Share: TypeAlias = Annotated[Number, Range(0, 1)]
"""A part of a whole."""

Text: TypeAlias = Annotated[str, Length(0, 10_000, "characters")]
"""A prompt. Source of its length: chosen, a hundred times what a text encoder reads."""

Seed: TypeAlias = Annotated[int, Range(0, 2**63 - 1)]
"""Seed of noise; its largest value is the largest of torch's generators."""

Point: TypeAlias = tuple[Coordinate, Coordinate]
"""(x, y) in pixels."""

PointList: TypeAlias = Sequence[Point]
"""Points of an image."""

Points: TypeAlias = Float[Tensor, "_ 2"]
"""Points (x, y), one a row."""

MOST_POINTS = 500
"""Points, or pairs of them, of one edit. Source: chosen, the 478 landmarks of a face; time grows with their cube."""

Pairs: TypeAlias = Sequence[tuple[Point, Point]]
"""Pairs of points (from, to)."""

Size: TypeAlias = tuple[int, int]
"""(height, width)."""

Latents: TypeAlias = Float[Tensor, "batch channels height width"]
"""Noisy or clean latents of a batch of images."""

FeatureMap: TypeAlias = Float[Tensor, "1 _ _ _"]
"""Decoder features (1, channels, height, width) of one image at one scale."""

Pictures: TypeAlias = Float[Tensor, "batch 3 _ _"]
"""Images (batch, 3, height, width) in [-1, 1]."""

Features: TypeAlias = tuple[FeatureMap, ...]
"""Decoder features of one image, coarse scale first."""

Mask: TypeAlias = Float[Tensor, "_ _"]
"""Soft mask (height, width), 0 outside and 1 inside."""

Region: TypeAlias = Bool[Tensor, "_ _"]
"""Hard mask (height, width): the cells of a grid that belong to a region."""

BatchFeatureMap: TypeAlias = Float[Tensor, "batch _ _ _"]
"""Decoder features of a batch at one scale."""

BatchFeatures: TypeAlias = tuple[Float[Tensor, "batch _ _ _"], ...]
"""Decoder features of a batch, coarse scale first."""

Tokens: TypeAlias = Float[Tensor, "_ dim"]
"""Tokens of one image as a self-attention layer reads them."""

TokenBatch: TypeAlias = Float[Tensor, "batch _ dim"]
"""Tokens of a batch of images."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the phase, the number of finished steps and their total."""


@dataclass(frozen=True)
class Window(Bounded):
    """A part of the run: a step is inside when the share of the run that is over before it is in `[start, stop)`.

    The share is that of the steps, `i / n`; rectified flows measure it by noise (`core.levels.Levels.share`).

    Args:
        start: first fraction inside, 0 is the noisiest step.
        stop: first fraction outside, 1 is the end of the run.
        every: only steps whose index is a multiple of this are inside.

    Raises:
        TypeError: if one is no number.
        ValueError: if the fractions are not ordered within [0, 1], or one lies outside of its range.
    """

    start: Share
    stop: Share
    every: Annotated[int, Range(1, 1000, "steps")] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start > self.stop:
            raise ValueError(f"window ({self.start}, {self.stop}) must satisfy 0 <= start <= stop <= 1")

    def holds(self, i: int, share: Number) -> bool:
        """Whether step `i` lies inside, before which a share of the run is over."""
        return self.start <= share < self.stop and i % self.every == 0


NEVER = Window(0.0, 0.0)
ALWAYS = Window(0.0, 1.0)


@dataclass(frozen=True)
class Canvas:
    """The grids one image lives on while it is edited.

    The image is padded at its right and bottom edge to what the network can take, so pixel coordinates stay as
    they are; every grid below covers the padded image.

    Args:
        picture: size of the image as given, pixels.
        multiple: sides of the padded image are multiples of this, pixels.
        factor: pixels per latent cell and axis.
        grid: cells of the energy grid per latent cell and axis.
    """

    picture: Size
    multiple: int
    factor: int
    grid: int

    @property
    def padded(self) -> Size:
        """Size after padding, pixels."""
        height, width = (-(-side // self.multiple) * self.multiple for side in self.picture)
        return height, width

    @property
    def latent(self) -> Size:
        """Size of the latents, cells."""
        return self.padded[0] // self.factor, self.padded[1] // self.factor

    @property
    def energy(self) -> Size:
        """Size of the grid on which energies compare features, cells."""
        return self.latent[0] * self.grid, self.latent[1] * self.grid

    def of(self, picture: Size) -> "Canvas":
        """The grids of another image of the same model."""
        return replace(self, picture=picture)


@dataclass(frozen=True)
class ModelGrids:
    """What decides the grids of a model's images; known from its configuration, without weights.

    Args:
        multiple: sides of padded images are multiples of this, pixels.
        factor: pixels per latent cell and axis.
        working_size: side in pixels of the images the model was made for.
        patch: latent cells per cell of the finest features and axis.

    Source: Stable Diffusion 1.x, where nothing is said.
    """

    multiple: int = 64
    factor: int = 8
    working_size: int = 512
    patch: int = 1

    def canvas(self, picture: Size, energy_grid: int = 1) -> Canvas:
        """The grids of an image.

        Args:
            picture: its size in pixels.
            energy_grid: cells of the energy grid per cell of the finest features and axis; it is never coarser than
                the latents.
        """
        return Canvas(picture, self.multiple, self.factor, max(1, energy_grid // self.patch))
