"""Regular prints: stripes, and checks of equal fields, fitted to what is seen of a cloth and continued without end.

Convention: masks are in [0, 1]; lengths are pixels, angles radians, phases periods.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..core.geometry import cell_centres
from ..core.stopping import go_on
from ..core.types import Mask, Number, Points, Region, Size

ANGLES, PERIODS = 36, 24
"""Directions and periods that are tried. Source: chosen, 5 degrees, and 15 % of a period between two."""
SHORTEST, LONGEST = 4.0, 1.3
"""Periods that are tried: pixels at least, at most so many sides of a square of the area seen. Source: chosen."""
BEST = 4
"""Stripes and checks that are refined, of each. Source: chosen."""
MOST = 3000
"""Pixels that are looked at, at most. Source: chosen."""
AGREED = 0.93
"""Share of pixels in whose field a print must be right. Source: docs/experiments.md."""
FINER = 6
"""How often steps of the refinement are halved. Source: chosen, to 0.1 degrees and a hundredth of a period."""
GAIN = 0.01
"""How much more checks must explain than stripes, which have fewer parameters. Source: chosen."""


@dataclass(frozen=True)
class Regular:
    r"""Stripes $s(u)$ or checks $s(u)\, s(v)$ of two colours.

    $u = (x \cos\theta + y \sin\theta) / T + \varphi$, $v$ the same at right angles, and $s$ is 1 in the first part of
    every period and -1 in the rest.

    Args:
        angle: $\theta$.
        period: $T$, pixels.
        phases: $\varphi$ along and across.
        share: of a period, in which $s$ is 1; a half for checks.
        checks: whether the other direction counts.
    """

    angle: float
    period: float
    phases: tuple[float, float]
    share: float = 0.5
    checks: bool = False

    def at(self, points: Points) -> Float[Tensor, " n"]:
        """Share of the first colour at points (x, y), between 0 and 1 along borders of a pixel's width."""
        waves = [self._wave(points, k) for k in range(1 + self.checks)]
        return (1 + math.prod(waves[1:], start=waves[0])) / 2

    def over(self, size: Size) -> Mask:
        """Share of the first colour all over a picture."""
        return self.at(cell_centres(size, size).float()).reshape(size)

    def moved(self, factor: Number, shift: tuple[Number, Number]) -> "Regular":
        """The print scaled by a factor and then displaced by (dx, dy) pixels."""
        period, (dx, dy) = self.period * factor, shift
        angles = self.angle, self.angle + math.pi / 2
        one, other = ((dx * math.cos(a) + dy * math.sin(a)) / period for a in angles)
        return replace(self, period=period, phases=(self.phases[0] - one, self.phases[1] - other))

    def _wave(self, points: Points, k: int) -> Float[Tensor, " n"]:
        angle = self.angle + k * math.pi / 2
        across = points @ torch.tensor((math.cos(angle), math.sin(angle)), dtype=points.dtype)
        u = (across / self.period + self.phases[k]) % 1
        share = 0.5 if self.checks else self.share
        inside = torch.minimum(u, share - u)  # to the nearer border of the first part, negative outside of it
        outside = torch.minimum(u - share, 1 - u)
        return (2 * self.period * torch.where(u < share, inside, -outside)).clamp(-1, 1)


def regular(one: Region, inside: Region) -> Regular | None:
    """The stripes or checks that fields of two colours form; None where they form neither.

    Args:
        one: fields of the first colour.
        inside: pixels that show the cloth.
    """
    every = max(1, math.ceil(int(inside.sum()) / MOST))
    points = cell_centres((one.shape[0], one.shape[1]), (one.shape[0], one.shape[1])).float()[inside.flatten()][::every]
    signs = one[inside][::every].float() * 2 - 1
    if len(points) < 2:
        return None
    side = math.sqrt(float(inside.sum()))
    found = [_best(points, signs, side, checks) for checks in (False, True)]
    (stripes, agreed), (checks, more) = found
    best, share = (checks, more) if more > agreed + GAIN else (stripes, agreed)
    return best if share >= AGREED else None


def _best(points: Points, signs: Float[Tensor, " n"], side: float, checks: bool) -> tuple[Regular, float]:
    """The best stripes or checks, and the share of pixels in whose field they are right."""
    best, most = Regular(0.0, side, (0.0, 0.0)), 0.0
    for begin in _begun(points, signs, side, checks):
        found, agreed = _refined(begin, points, signs)
        if agreed > most:
            best, most = found, agreed
    return best, most


def _begun(points: Points, signs: Float[Tensor, " n"], side: float, checks: bool) -> list[Regular]:
    """Angles and periods under which waves explain most of the signs, with their phases."""
    turn = math.pi / 2 if checks else math.pi
    ratio = max(LONGEST * side / SHORTEST, 1.0)
    tried: list[tuple[float, Regular]] = []
    for angle in (turn * k / ANGLES for k in range(ANGLES)):
        go_on()
        for period in (SHORTEST * ratio ** (k / (PERIODS - 1)) for k in range(PERIODS)):
            basis = _waves(points, angle, period, checks)
            gram = basis.T @ basis + 1e-3 * len(points) * torch.eye(basis.shape[1])
            right = basis.T @ signs
            weights = torch.linalg.solve(gram, right)
            tried.append((float(right @ weights), Regular(angle, period, _phases(weights), checks=checks)))
    tried.sort(key=lambda pair: -pair[0])
    apart: list[Regular] = []
    for _, one in tried:
        if all(abs(one.angle - o.angle) > 0.1 or abs(math.log(one.period / o.period)) > 0.2 for o in apart):
            apart.append(one)
        if len(apart) == BEST:
            break
    return apart


def _waves(points: Points, angle: float, period: float, checks: bool) -> Float[Tensor, "n k"]:
    """Sines and cosines of a print; of checks their products in both directions."""
    c, s = math.cos(angle), math.sin(angle)
    x, y = points.unbind(1)
    u = 2 * math.pi / period * (c * x + s * y)
    if not checks:
        return torch.stack((u.sin(), u.cos(), torch.ones_like(u)), 1)
    v = 2 * math.pi / period * (c * y - s * x)
    return torch.stack((u.sin() * v.sin(), u.cos() * v.sin(), u.sin() * v.cos(), u.cos() * v.cos()), 1)


def _phases(weights: Float[Tensor, " k"]) -> tuple[float, float]:
    """Phases of waves; of products those of the nearest product of two waves."""
    if len(weights) == 3:
        return _phase(weights[:2]), 0.0
    u, _, v = torch.linalg.svd(weights.reshape(2, 2))  # rows: sine, cosine of v; columns: of u
    return _phase(v[0]), _phase(u[:, 0])


def _phase(weights: Float[Tensor, "2"]) -> float:
    """Phase of a wave of a sine and a cosine."""
    return float(torch.atan2(weights[1], weights[0])) / (2 * math.pi)


def _refined(begin: Regular, points: Points, signs: Float[Tensor, " n"]) -> tuple[Regular, float]:
    """A print with its parameters changed in ever smaller steps while more pixels are right."""
    best = max(
        (begin, replace(begin, phases=(begin.phases[0] + 0.5, begin.phases[1]))),
        key=lambda r: _agreed(r, points, signs),
    )
    agreed, scale = _agreed(best, points, signs), 1.0
    for _ in range(FINER):
        go_on()
        better = True
        while better:
            better = False
            for other in _near(best, scale, points):
                share = _agreed(other, points, signs)
                if share > agreed + 1e-6:
                    best, agreed, better = other, share, True
        scale /= 2
    return best, agreed


def _agreed(found: Regular, points: Points, signs: Float[Tensor, " n"]) -> float:
    return float(((found.at(points) * 2 - 1) * signs).clamp_min(-1).mean() + 1) / 2


def _near(found: Regular, scale: float, points: Points) -> Iterator[Regular]:
    """Prints that differ in one parameter; turned and scaled about the middle of what is seen."""
    middle = points.mean(0)
    for sign in (scale, -scale):
        yield _about(found, middle, found.angle + 0.08 * sign, found.period)
        yield _about(found, middle, found.angle, found.period * (1 + 0.08 * sign))
        for k in range(1 + found.checks):
            phases = [*found.phases]
            phases[k] += 0.06 * sign
            yield replace(found, phases=(phases[0], phases[1]))
        if not found.checks and 0.1 < found.share + 0.06 * sign < 0.9:
            yield replace(found, share=found.share + 0.06 * sign)


def _about(found: Regular, middle: Float[Tensor, "2"], angle: float, period: float) -> Regular:
    """A print turned and scaled so that a place keeps its phases."""
    phases: list[float] = []
    for k in (0, 1):
        old, new = found.angle + k * math.pi / 2, angle + k * math.pi / 2
        x, y = float(middle[0]), float(middle[1])
        before = (x * math.cos(old) + y * math.sin(old)) / found.period
        phases.append(found.phases[k] + before - (x * math.cos(new) + y * math.sin(new)) / period)
    return replace(found, angle=angle, period=period, phases=(phases[0], phases[1]))
