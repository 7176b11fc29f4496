"""How well a place can be inpainted, judged by what surrounds it."""

import math
from dataclasses import dataclass

import torch

from ..core.geometry import dilate, holds_any
from ..core.types import Pictures, Region
from .completion import completed
from .inpainting import EXACT, PATTERN, Fill, Tried, cut_out, inpaint, pieces, tried

SURROUNDINGS = 0.5
"""How wide the surroundings are that tell how well a place can be inpainted, in radii of it. Source: chosen."""

PATCHED = 1 / 6
"""Share of the error of places completed by patches that a model mends: the rest is what lies where, which it does not
know either. Source: tuning seeds of `bench photos`, docs/experiments.md."""

UNTRIED = 2.0
"""Mean squared error of a place that cannot be tried elsewhere, in medians of that of its surroundings, or in variances
of what is known, which is what one picture errs by as a guess of another. Source: as `PATTERN`."""
ANY = 1 / 3
"""Variance of values of which nothing is known but that they lie in [-1, 1]."""
LEAST_TRIED, LEAST_KNOWN = 0.2, 2.0
"""Shares of a place: trials beside it that stand for less, or fewer known pixels around it, tell too little of it.
Source: places of 5 to 80 % of tuning photographs, docs/experiments.md."""


@dataclass(frozen=True)
class Foretold:
    """How far an inpainted place may be wrong.

    Args:
        typical: root of the median squared error of its surroundings when they are inpainted too, units of the picture.
        mean: root of the mean squared error where the same shape is inpainted beside it.
        smooth: the same where it is filled smoothly.
        ways: what inpaints every piece of it best, as in `inpaint`; none where nothing was tried.
        expected: root of the mean squared error to be expected of it, units of the picture: as `mean`, and more where
            what was tried beside it stands for a part of it only.
        tried: share of it that what was tried beside it stands for: 1 its whole shape, 0 nothing.
        known: pixels around it that are known, of those that inpainting looks at, in its own number of pixels.
    """

    typical: float
    mean: float
    smooth: float
    ways: tuple[Fill, ...] = ()
    expected: float = 0.0
    tried: float = 1.0
    known: float = math.inf

    @property
    def uncertainty(self) -> float:
        """What a small model may mend, units of the picture: noise of as much hides it."""
        patched = bool(self.ways) and all(way is completed for way in self.ways)
        return PATCHED * self.typical if patched else self.typical

    @property
    def is_settled(self) -> bool:
        """Whether a model has nothing to add: what is around is right to a level of 8 bits, or a pattern continues."""
        return self.typical <= EXACT or self.mean <= PATTERN * self.smooth

    @property
    def is_thin(self) -> bool:
        """Whether what surrounds it is too little to tell of it."""
        return self.tried < LEAST_TRIED or self.known < LEAST_KNOWN


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
        Without error where there is no such place.
    """
    if not holds_any(place):
        return KNOWN
    typical, parts = _typical(x, place), pieces(place)
    found = [_tried(x, place, piece) for piece in parts]
    mean, smooth = (torch.cat(errors) for errors in ([one.errors for one in found], [one.smooth for one in found]))
    untried = math.sqrt(UNTRIED) * typical
    shares = [float(piece.sum()) / float(place.sum()) for piece in parts]
    anything = UNTRIED * _variance(x, ~place)
    expected = sum(share * _expected(one, anything) for share, one in zip(shares, found, strict=True))
    return Foretold(
        typical=typical,
        mean=math.sqrt(float(mean.mean())) if len(mean) else untried,
        smooth=math.sqrt(float(smooth.mean())) if len(smooth) else untried,
        ways=tuple(one.way for one in found),
        expected=math.sqrt(expected),
        tried=sum(share * one.share for share, one in zip(shares, found, strict=True)),
        known=float((~place).sum()) / float(place.sum()),
    )


def _tried(x: Pictures, place: Region, piece: Region) -> Tried:
    _, part, unknown, here = cut_out(x, place, piece)
    return tried(part, unknown, here)


def _expected(one: Tried, anything: float) -> float:
    """Mean squared error to be expected of a piece of a place.

    Trials of a part of it are blind to what a larger hole lacks: they count by how long they are beside it, what was
    not tried may be anything that is known. A plain ground goes on however large the piece is.

    Args:
        one: what was tried.
        anything: squared error of a guess by anything known.
    """
    if one.copy is None:
        return float(one.smooth.mean()) if len(one.smooth) else 0.0
    weight = math.sqrt(one.share)
    return (weight * float(one.errors.mean()) if len(one.errors) else 0.0) + (1 - weight) * anything


def _typical(x: Pictures, place: Region) -> float:
    """Root of the median squared error of what surrounds a place; 0 where nothing known is left around that."""
    near = dilate(place, max(2, round(SURROUNDINGS * math.sqrt(float(place.sum()) / math.pi))))
    ring = near & ~dilate(place, 1)
    if not holds_any(ring) or bool(near.all()):
        return 0.0
    error = (inpaint(x, near, quick=True) - x).square().mean((0, 1))
    return math.sqrt(float(error[ring.to(error.device)].median()))


def _variance(x: Pictures, known: Region) -> float:
    """Of known pixels, mean of the channels; that of any colour where there are too few."""
    values = x[0][:, known.to(x.device)]
    return float(values.var(1).mean()) if values.shape[1] > 1 else ANY
