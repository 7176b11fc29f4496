"""What a mask leaves of its object outside: rims and contact shadows that would stay as an outline around the hole.

Around every pixel beside the mask two models of colour are made, of the object inside and of the ground a few pixels
further out. A pixel belongs to the object if colours between both, or the ground darkened, explain it better than the
ground does, and so do those beside it along the outline.

Convention: pictures are in [-1, 1], masks in [0, 1].
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ..core.geometry import dilate, erode, holds_any, surroundings
from ..core.stopping import go_on
from ..core.types import Mask, Number, Pictures, Region
from .shadows import blurred

WIDTHS = (0.08, 3, 6)
"""How far from a hole leftovers are looked for: in radii of it, at least and at most in pixels. Source: chosen."""
PASSES = 2
"""How often, from what reached so far on. Source: docs/experiments.md."""
GRAIN = 0.02
"""Standard deviation that every colour has at least, four levels of 8 bits. Source: chosen."""
LOOKED = 4
"""How far around a hole colours count, in these widths. Source: chosen, the reach of their weights."""
KERNEL, AROUND = 0.03, 1.5
"""Standard deviations of the kernels with which the ground's colours are counted, in colour and, for how far away they
are, in widths. Source: as `ENOUGH`."""
SAMPLES = 2000
"""Pixels of the ground whose colours are counted, about. Source: chosen, for time."""
SHARES = (0.15, 0.4, 0.7, 1.0)
"""Shares of a pixel that an object covers which are tried. Source: chosen."""
DARKENED = (0.93, 0.85, 0.7, 0.45)
"""What a shadow leaves of brightness: these are tried. Source: chosen."""
ELSE = -math.log(8.0)
"""Logarithm of the density of a colour that is neither's: all are as likely, of a cube of side 2."""
MOST, LEAST = 3.0, 1.0
"""Evidence of one pixel counts up to here for and against, in logarithms: beside pixels of a thin rim are such that are
none. Source: as `ENOUGH`."""
ALONG = 8.0
"""Standard deviation of the weights along the outline with which evidence is averaged, pixels. Source: as `ENOUGH`."""
ENOUGH = 0.4
"""Mean evidence from which on pixels are taken. Source: tuning seeds of `bench photos`, docs/experiments.md."""
CORE = 3
"""Pixels inside of a hole, at most, to where the object's own colours begin. Source: as `hole.FRINGE`, soft edges."""


def leftovers(x: Pictures, hole: Region) -> Region:
    """Pixels beside a hole that still show the object that is taken away.

    Args:
        x: one picture.
        hole: what is taken for the object.
    """
    found = torch.zeros_like(hole)
    if not holds_any(hole) or bool(hole.all()):
        return found
    width = width_of(float(hole.sum()))
    near = surroundings(hole, reach_of(float(hole.sum())))
    part, inner = x[..., near[0], near[1]].cpu().float(), hole[near]
    taken = start = inner
    for _ in range(PASSES):
        grown = _grown(part, taken, start, width)
        start = grown & ~dilate(taken, width - 1)  # what reached the last ring may go on
        taken = taken | grown
        if not holds_any(start):
            break
    found[near] = taken & ~inner
    return found


def reach_of(area: Number) -> int:
    """How far from a hole of so many pixels colours count."""
    return (LOOKED + PASSES - 1) * width_of(area)


def width_of(area: Number) -> int:
    """How far from a hole of so many pixels leftovers are looked for."""
    share, least, most = WIDTHS
    return min(max(round(share * math.sqrt(area / math.pi)), least), most)


def _grown(x: Pictures, hole: Region, start: Region, width: int) -> Region:
    """Ring by ring what the evidence takes around a hole, each beside what was taken before, from a start on."""
    beside, taken = _Beside.of(x, hole, width), start
    for k in range(1, width + 1):
        go_on()
        ring = dilate(hole, k) & ~dilate(hole, k - 1)
        evidence = torch.zeros_like(hole, dtype=torch.float32)
        evidence[ring] = beside.evidence(ring)
        positive = (evidence + LEAST) * ring  # as blurred values must be
        mean = blurred(positive, ALONG) / blurred(ring.float(), ALONG).clamp_min(1e-6) - LEAST
        more = ring & (mean > ENOUGH) & dilate(taken, 1)
        if not holds_any(more):
            break
        taken = taken | more
    return taken & ~hole


@dataclass(frozen=True, eq=False)
class _Beside:
    """What is seen on both sides of a band around a hole.

    Args:
        x: one picture.
        band: its pixels.
        width: of the band, pixels.
        ground: colours of what lies beyond, for every pixel of the band.
        thing: the same of what lies in the hole.
        samples: places beyond whose colours are counted, (row, column).
    """

    x: Pictures
    band: Region
    width: int
    ground: "_Colours"
    thing: "_Colours"
    samples: Int64[Tensor, "samples 2"]

    @staticmethod
    def of(x: Pictures, hole: Region, width: int) -> "_Beside":
        """The band around a hole."""
        taken = dilate(hole, width)
        band = taken & ~hole
        inner = _inside(hole) & dilate(~hole, CORE + 2 * width)
        samples = (dilate(taken, LOOKED // 2 * width) & ~taken).nonzero()
        samples = samples[:: max(1, len(samples) // SAMPLES)]
        ground, thing = (_Colours.around(x, known, band, width) for known in (~taken, inner))
        return _Beside(x, band, width, ground, thing, samples)

    def evidence(self, ring: Region) -> Float[Tensor, " pixels"]:
        """Logarithm of how much likelier pixels of the band are the object's than the ground's or something else's."""
        c, chosen = self.x[0][:, ring].T, ring[self.band]
        ground, thing = self.ground.of_some(chosen), self.thing.of_some(chosen)
        models = [ground.mixed(thing, share) for share in SHARES] + [ground.darkened(left) for left in DARKENED]
        own = torch.logsumexp(torch.stack([model.likelihood(c) for model in models]), 0) - math.log(len(models))
        other = torch.maximum(ground.likelihood(c), self._seen(c, ring)).clamp_min(ELSE)
        return (own - other).nan_to_num(-LEAST).clamp(-LEAST, MOST)

    def _seen(self, c: Float[Tensor, "pixels 3"], ring: Region) -> Float[Tensor, " pixels"]:
        """Logarithm of the density of colours among those that are seen in the ground around, stripes or grain.

        Source: E. Parzen, "On estimation of a probability density function and mode", 1962.
        """
        if not len(self.samples):
            return torch.full((len(c),), -math.inf)
        rows, columns = self.samples.unbind(1)
        near = torch.cdist(ring.nonzero().float(), self.samples.float()) / (AROUND * self.width)
        alike = torch.cdist(c, self.x[0][:, rows, columns].T) / KERNEL
        near = -0.5 * near.square()
        density = torch.logsumexp(near - 0.5 * alike.square(), 1) - torch.logsumexp(near, 1)
        return density - 3 * math.log(KERNEL) - 1.5 * math.log(2 * math.pi)


def _inside(hole: Region) -> Region:
    """The part of a hole whose colours are the object's alone."""
    return next((core for by in range(CORE, 0, -1) if holds_any(core := erode(hole, by))), hole)


@dataclass(frozen=True, eq=False)
class _Colours:
    """A normal distribution of colours for every pixel of a band.

    Args:
        mean: its mean.
        spread: its covariance.
    """

    mean: Float[Tensor, "pixels 3"]
    spread: Float[Tensor, "pixels 3 3"]

    @staticmethod
    def around(x: Pictures, known: Region, at: Region, width: int) -> "_Colours":
        """Colours of known pixels around others, the nearer the more they count."""
        here = known.to(x)
        weight = blurred(here, width)[at].clamp_min(1e-9)

        def mean(values: Mask) -> Float[Tensor, " pixels"]:
            return blurred(values * here, width)[at] / weight

        lit = x[0] + 1  # blurred values must not be negative
        c = torch.stack([mean(one) for one in lit], 1)
        products = torch.stack([torch.stack([mean(a * b) for b in lit], 1) for a in lit], 1)
        return _Colours(c - 1, products - c[:, :, None] * c[:, None])

    def of_some(self, chosen: Bool[Tensor, " pixels"]) -> "_Colours":
        """Those of some pixels of the band."""
        return _Colours(self.mean[chosen], self.spread[chosen])

    def mixed(self, other: "_Colours", share: float) -> "_Colours":
        """Colours of pixels of which another covers a share."""
        spread = (1 - share) ** 2 * self.spread + share**2 * other.spread
        return _Colours(torch.lerp(self.mean, other.mean, share), spread)

    def darkened(self, left: float) -> "_Colours":
        """Colours in a shadow."""
        return _Colours(left * (self.mean + 1) - 1, left**2 * self.spread)

    def likelihood(self, c: Float[Tensor, "pixels 3"]) -> Float[Tensor, " pixels"]:
        """Logarithm of the density of colours."""
        factor, _ = torch.linalg.cholesky_ex(self.spread + GRAIN**2 * torch.eye(3))
        z = torch.linalg.solve_triangular(factor, (c - self.mean)[..., None], upper=False)[..., 0]
        logs = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return -0.5 * z.square().sum(-1) - logs - 1.5 * math.log(2 * math.pi)
