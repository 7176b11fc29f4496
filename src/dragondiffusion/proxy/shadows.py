"""The shadow that an object casts on what is behind it: found in a picture, taken off, thrown anew.

Convention: pictures are in [-1, 1], masks in [0, 1]; lengths are pixels, offsets (x, y) to the right and down.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from ..core.geometry import Affine, cell_centres, dilate, sample_mask, surroundings, warp_mask
from ..core.stopping import go_on
from ..core.types import Mask, Number, Pictures, Point, Points, Region, Size
from .smooth import smoothly

RADIUS = 24.0
"""Objects are reduced to this radius before their shadow is looked for, pixels. Source: chosen; shadows are soft."""
REACH = 0.9
"""How far around an object its shadow is looked for, in radii of it. Source: chosen, docs/experiments.md."""
LENGTHS, DIRECTIONS, BLURS = (0.0, 0.2, 0.4, 0.6), 8, (0.12, 0.28)
"""Displacements and standard deviations that are tried, in radii of the object. Source: as `REACH`."""
STEPS, PATIENCE = (0.08, 0.04, 0.02), 4
"""Then the best is refined in these steps, in radii, each taken so often at most."""
COLOURED = 0.08
"""A shadow darkens all channels alike; pixels whose channels differ from the mean by more are something else."""
DARKER, BRIGHTER = 0.4, 1.15
"""Pixels darker or brighter than this share of what surrounds them are something else."""
EXPLAINED, LEAST, MOST = 0.3, 0.06, 0.8
"""Share of the variance around the object that a shadow must explain, and the strengths it may have."""
DIM = 0.2
"""Channels darker than this, of brightness in [0, 2], say nothing of how colours changed. Source: chosen, a tenth."""
CORE, DARKENED, SHARE = 0.5, 0.4, 0.7
"""Control of a shadow where it should be darkest, from this part of its most on: pixels must be darkened by this part
of what it says, and so many of them, others that hide it included. Source: chosen, docs/experiments.md."""
ENOUGH = 20
"""Pixels that a shadow must be looked for in, at least."""
BEYOND = 0.5
"""What is farther from the object than its shadow is looked for must be seen in so many pixels, in those in which it is
looked for: less says too little of what the ground is like without one. Source: tuning things in their own photographs,
docs/experiments.md."""
VISIBLE = 0.01
"""Where a shadow darkens by less it is not seen."""
OFFSET = 0.04
"""Added to brightness in [0, 2] before ratios are taken, so that black pixels do not rule."""


@dataclass(frozen=True)
class Shadow:
    r"""A cast shadow: the silhouette of an object, displaced, blurred, darkening what it falls on.

    $\mathrm{lit}' = \mathrm{lit}\,(1 - a\,(G_\sigma * m)(p - d))$ with the mask $m$.

    Args:
        strength: $a$ in [0, 1].
        offset: $d$, pixels.
        blur: $\sigma$, pixels.
    """

    strength: Number
    offset: Point
    blur: Number

    def factor(self, mask: Mask) -> Mask:
        """What the brightness of every pixel is multiplied by, in [1 - strength, 1]."""
        moved = warp_mask(blurred(mask, self.blur), Affine.about((0.0, 0.0), self.offset))
        return (1 - self.strength * moved).clamp(1 - self.strength, 1)

    def resized(self, factor: Number) -> "Shadow":
        """The shadow of the object at another size; the light stays where it is."""
        x, y = self.offset
        return replace(self, offset=(factor * x, factor * y), blur=factor * self.blur)


def shaded(factor: Mask) -> Region:
    """Pixels that a shadow visibly darkens."""
    return factor < 1 - VISIBLE


def find_shadow(x: Pictures, mask: Mask) -> Shadow | None:
    """The shadow of an object, where there is one.

    What the picture would be without the object and its shadow is made up smoothly from its surroundings; of many
    shadows the one is taken that explains most of the darkness around the object. It must then be seen all over the
    place where it should be darkest: darker stripes, or a thing beside the object, are only in a part of it.

    Args:
        x: one picture.
        mask: the object.

    Returns:
        None if nothing around the object looks like its shadow.
    """
    radius = math.sqrt(float(mask.sum()) / math.pi)
    shrink = max(1, math.floor(radius / RADIUS))
    if shrink > 1:
        x, mask = (
            nnf.avg_pool2d(x, shrink, ceil_mode=True),
            nnf.avg_pool2d(mask[None, None], shrink, ceil_mode=True)[0, 0],
        )
        radius /= shrink
    thing = mask > 0.02
    if radius < 1 or bool(thing.all()):
        return None
    near = dilate(thing, max(3, round(REACH * radius)))
    around = near & ~dilate(thing, 1)
    if int((~near).sum()) < BEYOND * int(around.sum()):
        return None
    ground = smoothly(x, near)[0] + 1
    ratio = (x[0] + 1 + OFFSET) / (ground + OFFSET)
    # Weighed by brightness: a channel that is dark in the ground says little, and its ratio is unstable.
    darker = (x[0] + 1 + OFFSET).sum(0) / (ground + OFFSET).sum(0)
    seen = around & _like_shadow(ratio, darker, ground)
    if int(seen.sum()) < ENOUGH:
        return None
    scene = _Seen.of(1 - darker, seen, mask)
    found = _refined(max((scene.fitted(unit) for unit in _candidates(radius)), key=_explained), scene, radius)
    if found.explained < EXPLAINED or not LEAST <= found.shadow.strength <= MOST:
        return None
    if not _is_seen(found.shadow, 1 - darker, seen, around, mask):
        return None
    return found.shadow.resized(shrink)


def _like_shadow(ratio: Tensor, mean: Mask, ground: Tensor) -> Region:
    """Pixels whose channels (3, h, w) changed alike, and not by more than shadows change them."""
    apart = (ratio - mean).abs() * (ground > DIM)
    return (apart.amax(0) < COLOURED) & (mean > DARKER) & (mean < BRIGHTER)


def _is_seen(shadow: Shadow, darkness: Mask, seen: Region, around: Region, mask: Mask) -> bool:
    """Whether the place where a shadow should be darkest is dark.

    Args:
        shadow: found.
        darkness: how much darker pixels are than without object and shadow.
        seen: pixels that look as if a shadow fell on them, or nothing did.
        around: all pixels in which the shadow was looked for.
        mask: the object.
    """
    expected = (1 - shadow.factor(mask)) * around
    core = around & (expected > CORE * float(expected.max()))
    dark = core & seen & (darkness > DARKENED * expected)
    return bool(core.any()) and float(dark.sum()) >= SHARE * float(core.sum())


@dataclass(frozen=True)
class _Fit:
    """A shadow, and the share of the variance around an object that it explains."""

    shadow: Shadow
    explained: float


def _explained(fit: _Fit) -> float:
    return fit.explained


@dataclass(frozen=True, eq=False)
class _Seen:
    """What is seen around an object.

    Args:
        darkness: how much darker pixels are than without object and shadow, less their mean.
        points: where these pixels are.
        mask: the object.
        soft: the object blurred, by standard deviation.
    """

    darkness: Float[Tensor, " _"]
    points: Points
    mask: Mask
    soft: dict[Number, Mask]

    @staticmethod
    def of(darkness: Float[Tensor, "_ _"], region: Region, mask: Mask) -> "_Seen":
        """What is seen in a region."""
        size: Size = (mask.shape[0], mask.shape[1])
        y = darkness[region]
        return _Seen(y - y.mean(), cell_centres(size, size)[region.flatten()], mask, {})

    def fitted(self, unit: Shadow) -> _Fit:
        """A shadow with the strength that fits best, at least 0."""
        if unit.blur not in self.soft:
            self.soft[unit.blur] = blurred(self.mask, unit.blur)
        s = sample_mask(self.soft[unit.blur], self.points - self.points.new_tensor(unit.offset)).to(self.darkness)
        s, y = s - s.mean(), self.darkness
        strength = max(0.0, float((s * y).sum() / s.square().sum().clamp_min(1e-9)))
        left = (y - strength * s).square().sum()
        return _Fit(replace(unit, strength=strength), 1 - float(left / y.square().sum().clamp_min(1e-9)))


def _candidates(radius: float) -> Iterator[Shadow]:
    for blur in BLURS:
        for length in LENGTHS:
            go_on()
            for k in range(DIRECTIONS if length else 1):
                turn = 2 * math.pi * k / DIRECTIONS
                offset = (length * radius * math.cos(turn), length * radius * math.sin(turn))
                yield Shadow(1.0, offset, blur * radius)


def _refined(found: _Fit, scene: _Seen, radius: float) -> _Fit:
    """The best shadow near one, by a search of offset and blur in ever smaller steps."""
    for step in STEPS:
        for _ in range(PATIENCE):
            go_on()
            (x, y), by = found.shadow.offset, step * radius
            moves = ((by, 0.0, 0.0), (-by, 0.0, 0.0), (0.0, by, 0.0), (0.0, -by, 0.0), (0.0, 0.0, by), (0.0, 0.0, -by))
            near = [
                scene.fitted(Shadow(1.0, (x + dx, y + dy), max(found.shadow.blur + grow, 0.0)))
                for dx, dy, grow in moves
            ]
            best = max((found, *near), key=_explained)
            if best is found:
                break
            found = best
    return found


def blurred(mask: Mask, sigma: Number) -> Mask:
    """A mask blurred by a Gaussian; it is 0 beyond the border.

    Args:
        mask: any size.
        sigma: standard deviation, pixels.
    """
    reach = math.ceil(3 * sigma)
    if reach == 0 or not bool((mask > 0).any()):
        return mask
    soft, near = torch.zeros_like(mask), surroundings(mask > 0, reach)
    part = mask[near]
    # Bands of matrices: an order of magnitude faster than convolutions with kernels that are long and thin.
    down, across = (_band(side, sigma, reach).to(part) for side in part.shape)
    soft[near] = down @ part @ across
    return soft


def _band(side: int, sigma: Number, reach: int) -> Float[Tensor, "side side"]:
    """The Gaussian filter of one axis as a matrix."""
    k = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weight = torch.exp(-0.5 * (k / sigma).square())
    places = torch.arange(side)
    apart = (places[:, None] - places).abs()
    return (weight / weight.sum())[(reach + apart).clamp(max=2 * reach)] * (apart <= reach)
