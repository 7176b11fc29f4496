"""Rough edits in pixels, from which starting latents and held destinations are taken.

Latents are not equivariant to turns, flips and shifts of less than a cell; pixels are.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..geometry import Correspondence
from ..types import Pictures, Region


class Paint(ABC):
    """One change of the draft."""

    @property
    @abstractmethod
    def region(self) -> Region:
        """Pixels of the draft it changes."""

    @abstractmethod
    def onto(self, draft: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        """The draft with the change made.

        Args:
            draft: the draft so far, in [-1, 1].
            pictures: the edited picture and its guides, padded.
        """


@dataclass(frozen=True)
class Copied(Paint):
    """Content copied along a correspondence.

    Args:
        guide: picture it comes from, as in `Energy.guide`.
        match: which pixel comes from where.
    """

    guide: int
    match: Correspondence

    @property
    def region(self) -> Region:
        return self.match.target

    def onto(self, draft: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        return self.match.carry(pictures[self.guide], draft)


@dataclass(frozen=True)
class Recoloured(Paint):
    r"""A region whose colours get the mean and covariance of another picture's region.

    $x' = T (x - \mu) + \mu'$ with $T = \Sigma^{-1/2} (\Sigma^{1/2} \Sigma' \Sigma^{1/2})^{1/2} \Sigma^{-1/2}$, the linear
    map between two Gaussians that moves colours least.

    Args:
        cells: pixels that are recoloured.
        guide: picture whose colours are taken.
        like: its pixels that count.

    Source: F. Pitie and A. Kokaram, "The linear Monge-Kantorovitch linear colour mapping for example-based colour
    transfer", CVMP 2007.
    """

    cells: Region
    guide: int
    like: Region

    @property
    def region(self) -> Region:
        return self.cells

    def onto(self, draft: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        result = draft.clone()
        x, y = draft[0][:, self.cells.to(draft.device)], pictures[self.guide][0][:, self.like.to(draft.device)]
        result[0][:, self.cells.to(draft.device)] = transfer_colours(x, y).clamp(-1, 1)
        return result


def transfer_colours(x: Tensor, y: Tensor) -> Tensor:
    """Colours `x` (3, n) mapped so that their mean and covariance are those of the colours `y` (3, m)."""
    mean_x, mean_y = x.mean(1, keepdim=True), y.mean(1, keepdim=True)
    root, inverse = _roots(_covariance(x - mean_x))
    middle, _ = _roots(root @ _covariance(y - mean_y) @ root)
    return inverse @ middle @ inverse @ (x - mean_x) + mean_y


def _covariance(x: Tensor) -> Tensor:
    return x @ x.T / x.shape[1] + 1e-4 * torch.eye(3, dtype=x.dtype, device=x.device)


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Square root of a symmetric positive matrix and its inverse."""
    values, vectors = torch.linalg.eigh(matrix)
    root = values.clamp_min(1e-8).sqrt()
    return vectors @ torch.diag(root) @ vectors.T, vectors @ torch.diag(1 / root) @ vectors.T
