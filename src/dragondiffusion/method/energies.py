"""Energies: what it costs that the image being made differs from what an edit asks for.

An energy is a small frozen record of which features are compared and where; calling it gives a scalar that is
differentiable in the features of the image being made. Energies of one image are summed over the feature scales.

Source: DragonDiffusion (arXiv 2307.02421), section 4.2 and 4.3.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as nnf
from torch import Tensor

from ..core.geometry import Correspondence
from ..core.resampling import sample_at
from ..core.residents import cells
from ..core.types import FeatureMap, Features, Number, Points, Region, Size
from .similarity import Scalar, Vectors, c01, closeness_energy, cosine, mean_vector


def vectors(f: FeatureMap, region: Region) -> Vectors:
    """Feature vectors of the cells of a region, the map resized to the region's grid by nearest resampling."""
    size: Size = (region.shape[0], region.shape[1])
    rows, columns = cells(region, f.device)
    return nnf.interpolate(f, size)[0][:, rows, columns]


@dataclass(frozen=True)
class Energy(ABC):
    """One term of an objective.

    Args:
        name: what the term is called in results.
        weight: factor.
        guide: index of the image that guides: 0 is the image being edited, 1 and on the edit's other images.
    """

    name: str
    weight: Number
    guide: int

    def __call__(self, f_gen: Features, f_gud: Features) -> Scalar:
        """The weighted energy, summed over feature scales.

        Args:
            f_gen: features of the image being made.
            f_gud: features of the guiding image.
        """
        total = torch.stack([self.at_scale(gen, gud) for gen, gud in zip(f_gen, f_gud, strict=True)]).sum()
        return self.weight * total

    @abstractmethod
    def at_scale(self, f_gen: FeatureMap, f_gud: FeatureMap) -> Scalar:
        """The energy at one feature scale, without its weight."""

    @abstractmethod
    def without(self, region: Region) -> "Energy | None":
        """The energy of what lies outside some cells of the energy grid, which another edit touches.

        Returns:
            None if nothing is left; the energy as it is, if it compares no cells of the grid.
        """


@dataclass(frozen=True)
class LocalSimilarity(Energy):
    r"""Corresponding places look alike: $e(\mathrm{mean}_p\, s(f_p, g_p))$.

    Args:
        match: which place of the guiding image belongs to every cell.
        raw: $s$ is the raw cosine instead of $(\cos + 1)/2$; it has a pole, and is for exactness only.
    """

    match: Correspondence
    raw: bool = False

    def at_scale(self, f_gen: FeatureMap, f_gud: FeatureMap) -> Scalar:
        cos = cosine(vectors(f_gen, self.match.target), self.match.sample(f_gud)[0])
        return closeness_energy((cos if self.raw else c01(cos)).mean())

    def without(self, region: Region) -> "LocalSimilarity | None":
        match = self.match.restrict(~region)
        return replace(self, match=match) if bool(match.target.any()) else None


@dataclass(frozen=True)
class GlobalSimilarity(Energy):
    r"""Two regions look alike on the whole: $e(c_{01}(\bar f, \bar g))$ with mean feature vectors.

    Args:
        region: cells of the image being made.
        region_gud: cells of the guiding image.
    """

    region: Region
    region_gud: Region

    def at_scale(self, f_gen: FeatureMap, f_gud: FeatureMap) -> Scalar:
        mean_gen = mean_vector(vectors(f_gen, self.region))
        mean_gud = mean_vector(vectors(f_gud, self.region_gud))
        return closeness_energy(c01(cosine(mean_gen, mean_gud)).mean())

    def without(self, region: Region) -> "GlobalSimilarity | None":
        left = replace(self, region=self.region & ~region)
        return left if bool(left.region.any()) else None


@dataclass(frozen=True)
class Contrast(Energy):
    r"""A region no longer looks as it did: $\mathrm{mean}_p\, c_{01}(f_p, g_p)$.

    Args:
        match: the places compared, of the image being made and of the guiding image.
    """

    match: Correspondence

    def at_scale(self, f_gen: FeatureMap, f_gud: FeatureMap) -> Scalar:
        return c01(cosine(vectors(f_gen, self.match.target), self.match.sample(f_gud)[0])).mean()

    def without(self, region: Region) -> "Contrast | None":
        match = self.match.restrict(~region)
        return replace(self, match=match) if bool(match.target.any()) else None


@dataclass(frozen=True)
class PatchSimilarity(Energy):
    r"""Small patches look as other patches did: $\mathrm{mean}_k\, e(\mathrm{mean}_{p \in k}\, c_{01}(f_p, g_p))$.

    Patches may overlap. Every patch has its own energy, so that a far one does not excuse a near one.

    Args:
        target: places in the image being made, patch after patch.
        source: corresponding places in the guiding image.
        cells: places in a patch.
        extent: (height, width) that the places refer to.
        bilinear: how features are sampled, see `geometry.sample_at`.
    """

    target: Points
    source: Points
    cells: int
    extent: Size
    bilinear: bool

    def at_scale(self, f_gen: FeatureMap, f_gud: FeatureMap) -> Scalar:
        f = sample_at(f_gen, self.target, self.extent, self.bilinear)[0]
        g = sample_at(f_gud, self.source, self.extent, self.bilinear)[0]
        return closeness_energy(c01(cosine(f, g)).reshape(-1, self.cells).mean(1)).mean()

    def without(self, region: Region) -> "PatchSimilarity":
        return self  # patches follow points, which no other edit may touch


def zero_like(z: Tensor) -> Scalar:
    """A zero that depends on `z`, so that an empty sum of energies has a gradient."""
    return (z.float() * 0).sum()
