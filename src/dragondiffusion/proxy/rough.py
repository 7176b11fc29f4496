"""Rough edits in pixels, from which starting latents and held destinations are taken.

Latents are not equivariant to turns, flips and shifts of less than a cell; pixels are.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from ..core.geometry import Correspondence, dilate, fill
from ..core.types import Mask, Pictures, Region

SURROUNDINGS = 0.5
"""How wide the surroundings are that tell how well a place can be made up, in radii of it. Source: chosen."""


PURE = 0.9
"""From this share of a pixel on that an object covers, its colour counts as the object's. Source: chosen."""


class Paint(ABC):
    """One change of the proxy."""

    @property
    @abstractmethod
    def region(self) -> Region:
        """Pixels of the proxy it changes."""

    @property
    def reach(self) -> Region:
        """Pixels it changes at all; `region` are those that it changes for the most part."""
        return self.region

    @property
    def is_content(self) -> bool:
        """Whether it puts something in a place, which no other edit may then do; light and shade may overlap."""
        return True

    def renumbered(self, number: Callable[[int], int]) -> "Paint":
        """The same with other numbers of pictures; as it is, where it takes nothing from one."""
        return self

    @abstractmethod
    def onto(self, proxy: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        """The proxy with the change made.

        Args:
            proxy: the proxy so far, in [-1, 1].
            pictures: the edited picture and its guides, padded.
        """


@dataclass(frozen=True)
class Copied(Paint):
    """Content copied along a correspondence.

    Pixels at an object's soft border show what was behind it too. Where its mask is known they get the object's
    colours, continued from inside, and cover the proxy by the share of them that the object covers.

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

    def renumbered(self, number: Callable[[int], int]) -> "Copied":
        return replace(self, guide=number(self.guide))

    def onto(self, proxy: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        source = pictures[self.guide]
        if self.mask is None or self.cover is None:
            return self.match.carry(source, proxy)
        return torch.lerp(proxy, self.match.carry(fill(source, self.mask < PURE), proxy), self.cover.to(proxy))


def uncertainty(x: Pictures, place: Region) -> float:
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
