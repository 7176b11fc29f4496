"""How well a place can be inpainted, judged by what surrounds it."""

import math
from dataclasses import dataclass

import torch

from ..core.geometry import dilate
from ..core.types import Pictures, Region
from .completion import completed
from .inpainting import EXACT, PATTERN, Fill, Tried, cut_out, inpaint, pieces, tried

SURROUNDINGS = 0.5
"""How wide the surroundings are that tell how well a place can be inpainted, in radii of it. Source: chosen."""

PATCHED = 1 / 6
"""Share of the error of places completed by patches that a model mends: the rest is what lies where, which it does not
know either. Source: tuning seeds of `bench photos`, docs/experiments.md."""

UNTRIED = 2.0
"""Mean squared error of a place that cannot be tried elsewhere, in medians of that of its surroundings. Source: as
`PATTERN`."""


@dataclass(frozen=True)
class Foretold:
    """How far an inpainted place may be wrong.

    Args:
        typical: root of the median squared error of its surroundings when they are inpainted too, units of the picture.
        mean: root of the mean squared error where the same shape is inpainted beside it.
        smooth: the same where it is filled smoothly.
        ways: what inpaints every piece of it best, as in `inpaint`; none where nothing was tried.
    """

    typical: float
    mean: float
    smooth: float
    ways: tuple[Fill, ...] = ()

    @property
    def uncertainty(self) -> float:
        """What a small model may mend, units of the picture: noise of as much hides it."""
        patched = bool(self.ways) and all(way is completed for way in self.ways)
        return PATCHED * self.typical if patched else self.typical

    @property
    def is_settled(self) -> bool:
        """Whether a model has nothing to add: what is around is right to a level of 8 bits, or a pattern continues."""
        return self.typical <= EXACT or self.mean <= PATTERN * self.smooth


KNOWN = Foretold(0.0, 0.0, 0.0)
"""Of no place at all."""


def foretell(x: Pictures, place: Region) -> Foretold:
    """How well a place can be inpainted.

    Its surroundings are inpainted from beyond them, as it is from them; half of them may be something else, such as
    another object. Its shape is laid over known places beside it too, and inpainted there.

    Args:
        x: one picture.
        place: what is inpainted.

    Returns:
        Without error where there is no such place, or nothing around it.
    """
    typical = _typical(x, place)
    if typical is None:
        return KNOWN
    found = [_tried(x, place, piece) for piece in pieces(place)]
    mean, smooth = (torch.cat(errors) for errors in ([one.errors for one in found], [one.smooth for one in found]))
    ways = tuple(one.way for one in found)
    if not len(mean):
        untried = math.sqrt(UNTRIED) * typical
        return Foretold(typical, untried, untried, ways)
    return Foretold(typical, math.sqrt(float(mean.mean())), math.sqrt(float(smooth.mean())), ways)


def _tried(x: Pictures, place: Region, piece: Region) -> Tried:
    _, part, unknown, here = cut_out(x, place, piece)
    return tried(part, unknown, here)


def _typical(x: Pictures, place: Region) -> float | None:
    """Root of the median squared error of what surrounds a place; None without any of either."""
    if not bool(place.any()):
        return None
    near = dilate(place, max(2, round(SURROUNDINGS * math.sqrt(float(place.sum()) / math.pi))))
    ring = near & ~dilate(place, 1)
    if not bool(ring.any()) or bool(near.all()):
        return None
    error = (inpaint(x, near, quick=True) - x).square().mean((0, 1))
    return math.sqrt(float(error[ring.to(error.device)].median()))
