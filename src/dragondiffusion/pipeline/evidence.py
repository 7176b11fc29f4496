"""Evidence against a result that the edit's own mask cannot spoil: what a careful person looks at, in numbers.

Convention: images are (3, height, width) in [0, 1]; regions are of their size.
"""

import math

import torch
import torch.nn.functional as nnf
from torch import Tensor

from ..core.geometry import Correspondence, dilate, erode
from ..core.types import Mask, Region

INSIDE, OUTSIDE = (1, 4), (1, 4)
"""Pixels from an outline between which the bands on both sides of it lie, whose colours are compared. Source: chosen;
soft edges are narrower."""
FAINT, FAINTEST = 0.15, 0.03
"""The outline is missing where its contrast is below this share of its upper quartile, or below this difference of
colours. Source: chosen on tuning seeds of `bench photos`, docs/experiments.md."""
FINE = 1.5
"""Standard deviation of the blur that fine detail is what is left of, pixels. Source: chosen."""
PLAIN = 0.01
"""Root mean square of fine detail up to which surroundings count as plain. Source: chosen, two levels of 8 bits."""
AROUND = 8
"""Width of the band whose grain a made-up place should have, pixels. Source: chosen."""

SLIT, SPECK, STRAY = 2, 0.1, 3.0
"""Half the width of slits of a mask in which specks are looked for, pixels, and the difference of colours from what is
made beside them by which they are seen, also in its standard deviations. Source: chosen, docs/experiments.md."""
PLACE, DARK = 20, 0.02
"""Width of the surroundings that tell of a place's light, pixels, and what is added to their brightness before its
logarithm is taken. Source: as `FAINT`."""


def missing_outline(x: Tensor, thing: Region) -> float:
    """Share of a mask's outline at which the image shows no edge: there the mask follows no contour.

    Args:
        x: the image before the edit.
        thing: what the mask marks.

    Returns:
        0 for a mask whose outline lies on edges everywhere; 0 too where the mask is too small to tell.
    """
    inner = erode(thing, INSIDE[0]) & dilate(~thing, INSIDE[1])
    outer = dilate(thing, OUTSIDE[1]) & ~dilate(thing, OUTSIDE[0])
    outline = dilate(thing, 1) & ~thing
    one, known = _local_mean(x, inner)
    other, seen = _local_mean(x, outer)
    told = outline & known & seen
    if not bool(told.any()):
        return 0.0
    contrast = (one - other).square().mean(0).sqrt()[told]
    limit = max(FAINTEST, FAINT * float(contrast.quantile(0.75)))
    return float((contrast < limit).float().mean())


def _local_mean(x: Tensor, band: Region) -> tuple[Tensor, Region]:
    """Mean colours of a band near every pixel, and where there are any."""
    side = 2 * max(INSIDE[1], OUTSIDE[1]) + 1
    share = nnf.avg_pool2d(band[None, None].to(x), side, stride=1, padding=side // 2)[0, 0]
    total = nnf.avg_pool2d((x * band)[None], side, stride=1, padding=side // 2)[0]
    return total / share.clamp_min(1e-6), share > 0


def remains(y: Tensor, x: Tensor, hole: Region) -> float:
    """How much of the fine detail of what was in a place is still there, by projection: 1 all of it, about 0 nothing.

    Args:
        y: the result.
        x: the image before the edit.
        hole: pixels whose content went away.
    """
    inside = erode(hole, 2)
    inside = inside if bool(inside.any()) else hole
    now, was = fine(y)[:, inside], fine(x)[:, inside]
    return float((now * was).sum() / was.square().sum().clamp_min(1e-9))


def smear(y: Tensor, hole: Region, off: Region) -> float:
    """Fine detail of a made-up place as a share of that around it, by root mean square; 1 the same grain.

    Args:
        y: the result.
        hole: pixels that were made up.
        off: pixels that the edit does not touch.
    """
    inside = erode(hole, 2)
    band = dilate(hole, AROUND) & off & ~dilate(~off & ~hole, math.ceil(3 * FINE))
    if not bool(inside.any()) or not bool(band.any()):
        return 1.0
    detail = fine(y)
    made, around = (float(detail[:, region].square().mean()) for region in (inside, band))
    return math.sqrt(made / around) if around > PLAIN**2 else 1.0


def seam(y: Tensor, hole: Region, off: Region) -> float:
    """Steps across the border of a made-up place as a multiple of the steps beside it.

    Args:
        y: the result.
        hole: pixels that were made up.
        off: pixels that the edit does not touch.
    """
    across = dilate(hole, 1) & ~hole & off
    beside = dilate(hole, AROUND) & ~dilate(hole, 2) & off
    if not bool(across.any()) or not bool(beside.any()):
        return 1.0
    step = _steps(y)
    usual = max(float(step[beside].mean()), FAINTEST / 4)
    return float(step[across].mean()) / usual


def specks(y: Tensor, x: Tensor, hole: Region, off: Region) -> int:
    """Number of pixels in slits of a mask that still look like what was there, not like what was made beside them.

    Args:
        y: the result.
        x: the image before the edit.
        hole: pixels that were made up.
        off: pixels that the edit does not touch.
    """
    slits = erode(dilate(hole, SLIT), SLIT) & ~hole & off
    made, known = _local_mean(y, hole)
    was, _ = _local_mean(x, hole)
    spread = (_local_mean(y.square(), hole)[0] - made.square()).clamp_min(0).mean(0).sqrt()
    new, old = ((y - mean).square().mean(0).sqrt() for mean in (made, was))
    seen = slits & known & (new > SPECK) & (new > STRAY * spread) & (old < new)
    return int(seen.sum())


def around(thing: Region) -> Region:
    """What surrounds a thing and tells of its light."""
    return dilate(thing, PLACE) & ~dilate(thing, 1)


def light_gap(x: Tensor, put: Region, edited: Region, other: Tensor, thing: Region) -> Tensor:
    """How much lighter the place is to which a thing comes than that from which it comes.

    Args:
        x: the image that it comes to, before the edit.
        put: the thing there.
        edited: what else is edited there and tells nothing.
        other: the image that it comes from.
        thing: the thing there.

    Returns:
        (3,), differences of the logarithms of the mean colours around; 0 where one of them is not to be seen.
    """
    here, there = dilate(put, PLACE) & ~dilate(put | edited, 1), around(thing)
    if not bool(here.any()) or not bool(there.any()):
        return torch.zeros(3)
    return (x[:, here].mean(1) + DARK).log() - (other[:, there].mean(1) + DARK).log()


def _steps(y: Tensor) -> Mask:
    """Root mean square step to the most different of the four next pixels."""
    right, down = (y[:, :, 1:] - y[:, :, :-1]).square().mean(0), (y[:, 1:] - y[:, :-1]).square().mean(0)
    steps = (nnf.pad(right, (0, 1)), nnf.pad(right, (1, 0)), nnf.pad(down, (0, 0, 0, 1)), nnf.pad(down, (0, 0, 1, 0)))
    return torch.stack(steps).amax(0).sqrt()


def fine(x: Tensor) -> Tensor:
    """What a blur of `FINE` pixels takes away."""
    reach = math.ceil(3 * FINE)
    places = torch.arange(-reach, reach + 1, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (places / FINE).square())
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
    soft = nnf.conv2d(nnf.pad(x[None], (reach, reach, 0, 0), mode="replicate"), kernel, groups=3)
    soft = nnf.conv2d(nnf.pad(soft, (0, 0, reach, reach), mode="replicate"), kernel.transpose(2, 3), groups=3)
    return x - soft[0]


def stretch(match: Correspondence) -> float:
    r"""How far a map stretches content in one direction: upper decile of the largest singular value of its Jacobian.

    Args:
        match: where every target pixel comes from.

    Returns:
        1 for rigid maps, 2 where a tenth of the content is drawn out to twice its length.
    """
    rows, columns = match.target.shape
    source = torch.full((2, rows, columns), math.nan)
    source[:, match.target] = match.source.T.float()
    dx = source[:, :-1, 1:] - source[:, :-1, :-1]
    dy = source[:, 1:, :-1] - source[:, :-1, :-1]
    jacobian = torch.stack((dx, dy), -1).permute(1, 2, 0, 3).flatten(0, 1)
    jacobian = jacobian[jacobian.isfinite().all(-1).all(-1)]
    if not len(jacobian):
        return 1.0
    # The map leads from the target back to the source: what it shrinks there, the edit stretches.
    least = torch.linalg.svdvals(jacobian)[:, 1].clamp_min(0.02)
    return float((1 / least).quantile(0.9))
