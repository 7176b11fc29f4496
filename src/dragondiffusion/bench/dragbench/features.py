"""Diffusion features (DIFT, arXiv 2306.03881) and where in an image they are most alike.

An image is encoded, noised to one timestep and shown to the network once for each of several draws of noise; the mean
output of one decoder block is its feature map, read at every pixel by bilinear sampling.

Source: numbers from `run_eval_point_matching.py` of DragDiffusion (arXiv 2306.14435). What differs from it: images
are padded rather than cut to what the network takes, so that cells stay where their pixels are, and latents are the
mean of the autoencoder's distribution instead of a draw from it, as in RegionDrag's evaluator (arXiv 2407.18247).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from ...backbones import Backbone, Condition
from ...core.levels import Level
from ...core.types import Mask, Size
from ...imaging.files import Pixels
from ...imaging.tensors import to_tensor
from ...method.solver import add_noise
from .cases import Centre

STRIP = 32
"""Rows of pixels that are compared at once; whole maps of a large model would fill gigabytes. Source: chosen."""


@dataclass(frozen=True)
class FeatureSettings:
    """How features are taken.

    Args:
        timestep: training timestep of the noise. Source: DragDiffusion's evaluation (261).
        block: decoder block, 0 is the coarsest. Source: as `timestep` (`up_ft_index` = 1).
        ensemble: draws of noise that are averaged. Source: as `timestep` (8).
        prompt: in place of the case's own, which the papers use.
        seed: of the noise. Source: as `timestep` (42).
    """

    timestep: int = 261
    block: int = 1
    ensemble: int = 8
    prompt: str | None = None
    seed: int = 42

    def check(self, backbone: Backbone) -> None:
        """Checks that a model can give these features, before any work.

        Raises:
            ValueError: it cannot.
        """
        try:
            backbone.level(self.timestep)
        except ValueError as error:
            raise ValueError(f"features {error}") from error
        if self.block not in backbone.taps:
            count = len(backbone.taps)
            raise ValueError(f"features block {self.block} must be one of the {count} of the model, from 0")
        if self.ensemble < 1:
            raise ValueError(f"features ensemble {self.ensemble} must be at least 1")


@dataclass(frozen=True, eq=False)
class FeatureField:
    """Features of an image at every pixel.

    Args:
        cells: the feature map of the padded image, (channels, height, width).
        padded: size of the padded image, pixels.
        size: size of the image, pixels.
    """

    cells: Float[Tensor, "c _ _"]
    padded: Size
    size: Size

    def at(self, points: Float[Tensor, "*n 2"]) -> Float[Tensor, "c *n"]:
        """Features at points (x, y) in pixels, bilinear between centres of cells and constant beyond the outermost."""
        extent = points.new_tensor([self.padded[1], self.padded[0]])
        grid = (2 * points / extent - 1).reshape(1, 1, -1, 2).to(self.cells)
        values = nnf.grid_sample(self.cells[None], grid, padding_mode="border", align_corners=False)
        return values.reshape(len(self.cells), *points.shape[:-1])

    def likeness(self, queries: Float[Tensor, "c n"]) -> Float[Tensor, "n _ _"]:
        """Cosine of every pixel's features and each query."""
        wanted = nnf.normalize(queries.to(self.cells), dim=0)
        strips = [
            torch.einsum("cn,chw->nhw", wanted, nnf.normalize(self.at(pixel_centres(rows, self.size[1])), dim=0))
            for rows in torch.arange(self.size[0]).split(STRIP)
        ]
        return torch.cat(strips, dim=1).cpu()


def pixel_centres(rows: Tensor, width: int) -> Float[Tensor, "h w 2"]:
    """Centres (x, y) of the pixels of some rows."""
    y, x = torch.meshgrid(rows + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([x, y], dim=-1)


@torch.no_grad()
def features(backbone: Backbone, pixels: Pixels, prompt: str, recipe: FeatureSettings, draw: int) -> FeatureField:
    r"""The features of an image, $\frac{1}{n}\sum_k F(\alpha_t z_0 + \sigma_t \epsilon_k, t)$.

    Args:
        backbone: the model.
        pixels: the image.
        prompt: what it shows, unless the recipe says something else.
        recipe: how.
        draw: which noise; an image and its result get different ones, or noise would be matched with itself.
    """
    size = (pixels.shape[0], pixels.shape[1])
    canvas = backbone.canvas(size, 1)
    z_0 = backbone.encode(to_tensor(pixels, canvas.padded))
    condition = backbone.describe([recipe.prompt if recipe.prompt is not None else prompt], canvas)
    level = backbone.level(recipe.timestep)
    generator = torch.Generator().manual_seed(recipe.seed + draw)
    noises = torch.randn(recipe.ensemble, *z_0.shape[1:], generator=generator)
    maps = [_map(backbone, add_noise(z_0, eps[None].to(z_0), level), level, condition, recipe.block) for eps in noises]
    return FeatureField(torch.stack(maps).mean(dim=0), canvas.padded, size)


def _map(backbone: Backbone, z_t: Tensor, level: Level, condition: Condition, block: int) -> Float[Tensor, "c _ _"]:
    return backbone.partial_forward(z_t, level, condition, taps=(block,)).features[0][0].float()


def best(likeness: Mask, region: Tensor | None) -> Centre:
    """The centre of the pixel that is most alike, in a region or everywhere; the first of equals.

    Raises:
        ValueError: if the region has no pixel.
    """
    if region is not None:
        if not bool(region.any()):
            raise ValueError("the region that is searched has no pixel; search everywhere")
        likeness = likeness.masked_fill(~region, -torch.inf)
    y, x = divmod(int(likeness.argmax()), likeness.shape[1])
    return x + 0.5, y + 0.5


def points_tensor(points: Sequence[Centre]) -> Float[Tensor, "n 2"]:
    """Points as a tensor."""
    return torch.tensor(points, dtype=torch.float32)
