"""Rough edits in pixels, from which starting latents and held destinations are taken.

Latents are not equivariant to turns, flips and shifts of less than a cell; pixels are.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..geometry import Correspondence, dilate, fill
from ..types import Mask, Pictures, Region

SURROUNDINGS = 0.5
"""How wide the surroundings are that tell how well a place can be made up, in radii of it. Source: chosen."""


PURE = 0.9
"""From this share of a pixel on that an object covers, its colour counts as the object's. Source: chosen."""


class Paint(ABC):
    """One change of the draft."""

    @property
    @abstractmethod
    def region(self) -> Region:
        """Pixels of the draft it changes."""

    @property
    def reach(self) -> Region:
        """Pixels it changes at all; `region` are those that it changes for the most part."""
        return self.region

    @property
    def is_content(self) -> bool:
        """Whether it puts something in a place, which no other edit may then do; light and shade may overlap."""
        return True

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

    Pixels at an object's soft border show what was behind it too. Where its mask is known they get the object's
    colours, continued from inside, and cover the draft by the share of them that the object covers.

    Args:
        guide: picture it comes from, as in `Energy.guide`.
        match: which pixel comes from where.
        mask: the object on its own picture, 0 to 1; None copies pixels as they are.
        cover: the same at its new place.
    """

    guide: int
    match: Correspondence
    mask: Mask | None = None
    cover: Mask | None = None

    @property
    def region(self) -> Region:
        return self.match.target if self.cover is None else self.cover > 0.5

    @property
    def reach(self) -> Region:
        return self.match.target

    def onto(self, draft: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        source = pictures[self.guide]
        if self.mask is None or self.cover is None:
            return self.match.carry(source, draft)
        return torch.lerp(draft, self.match.carry(fill(source, self.mask < PURE), draft), self.cover.to(draft))


@dataclass(frozen=True)
class Recoloured(Paint):
    r"""A region whose colours get the mean and covariance of another picture's region.

    $x' = T (x - \mu) + \mu'$ with $T = \Sigma^{-1/2} (\Sigma^{1/2} \Sigma' \Sigma^{1/2})^{1/2} \Sigma^{-1/2}$, the
    linear map between two Gaussians that moves colours least.

    Pixels at a soft border show the object and what is behind it; they get the object's change of colour, continued
    from inside, by the share of it they show.

    Args:
        mask: pixels that are recoloured, 0 to 1.
        guide: picture whose colours are taken.
        like: its pixels that count, 0 to 1.

    Source: F. Pitie and A. Kokaram, "The linear Monge-Kantorovitch linear colour mapping for example-based colour
    transfer", CVMP 2007.
    """

    mask: Mask
    guide: int
    like: Mask

    @property
    def region(self) -> Region:
        return self.mask > 0.5

    def onto(self, draft: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        inside, like = solid(self.mask), solid(self.like)
        own = fill(draft, ~inside)
        colours = own[0].flatten(1)
        moved = transfer_colours(colours, colours[:, inside.flatten()], pictures[self.guide][0][:, like])
        change = (moved - colours).reshape(own.shape)
        return torch.where(self.mask > 0, draft + self.mask.to(draft) * change, draft).clamp(-1, 1)


def doubt(x: Pictures, place: Region) -> float:
    """How far a place is made up wrongly when it is smoothed over, judged by its surroundings.

    The surroundings are made up from beyond them, as the place is from them. Half of them may be something else, such
    as another object.

    Args:
        x: one picture.
        place: what is made up.

    Returns:
        Root of the median squared error, in units of the picture; 0 where there is nothing around.
    """
    width = max(2, round(SURROUNDINGS * math.sqrt(float(place.sum()) / math.pi)))
    near = dilate(place, width)
    ring = near & ~dilate(place, 1)
    if not bool(ring.any()) or bool(near.all()):
        return 0.0
    error = (fill(x, near) - x).square().mean((0, 1))
    return math.sqrt(float(error[ring.to(error.device)].median()))


def solid(mask: Mask) -> Region:
    """Pixels that show an object alone; those of more than half of it, if there are none."""
    whole = mask > 0.98
    inner = ~dilate(~whole, 1)
    return next(region for region in (inner, whole, mask > 0.5) if bool(region.any()))


def transfer_colours(x: Tensor, own: Tensor, like: Tensor) -> Tensor:
    """Colours mapped so that some of them get the mean and covariance of others.

    Args:
        x: colours (3, n) that are mapped.
        own: colours (3, m) whose statistics are replaced.
        like: colours (3, k) whose statistics they get.
    """
    mean, mean_like = own.mean(1, keepdim=True), like.mean(1, keepdim=True)
    root, inverse = _roots(_covariance(own - mean))
    middle, _ = _roots(root @ _covariance(like - mean_like) @ root)
    return inverse @ middle @ inverse @ (x - mean) + mean_like


def _covariance(x: Tensor) -> Tensor:
    return x @ x.T / x.shape[1] + 1e-4 * torch.eye(3, dtype=x.dtype, device=x.device)


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Square root of a symmetric positive matrix and its inverse."""
    values, vectors = torch.linalg.eigh(matrix)
    root = values.clamp_min(1e-8).sqrt()
    return vectors @ torch.diag(root) @ vectors.T, vectors @ torch.diag(1 / root) @ vectors.T
