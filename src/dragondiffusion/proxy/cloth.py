"""The cloth of an object as it was before light fell on it: whether it has a print, and its colours without folds.

Convention: pictures are in [-1, 1], masks in [0, 1]; lengths are pixels.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as nnf
from jaxtyping import Bool, Float
from torch import Tensor

from ..core.geometry import erode, fill
from ..core.types import Mask, Number, Pictures, Region, Size
from .prints import Regular, regular
from .shadows import blurred
from .weaving import scaled_object

WINDOW = 1 / 6
"""Side of the window in which a pattern is looked for, in sides of a square as large as the object. Source: chosen."""

PLAIN = 0.2
"""Share of the windows of a patterned object that may be plain. Source: docs/experiments.md."""
LOOKED_AT = 64.0
"""Side of a square as large as the object, to which it is reduced before its print is looked for, pixels, so that grain
does not count. Source: chosen."""
FOLDS = 4.0
"""How much more folds change brightness than colour. Source: docs/experiments.md."""
BLACK = 0.05
"""Added to channels in [0, 1] before their ratios are taken. Source: chosen, so that noise of dark places is none."""
EXPLAINED, APART, SHARE, BORDERS = 0.75, 0.1, 0.2, 0.1
"""Of a cloth of two colours: the share of its variance that they explain, their distance in the plane of `shades`, the
least share of pixels of one, and the most neighbours of different colours. Source: docs/experiments.md."""
ONE_HUE = 0.1
"""Deviation of `shades` without brightness up to which an object has one colour. Source: docs/experiments.md."""
ROUNDS = 20
"""Of moving the two colours to the means of their pixels, at most."""
SPECK = 1.0
"""Standard deviation with which fields are cleared of specks. Source: chosen."""


@dataclass(frozen=True)
class Printed:
    """A regular print of two colours.

    Args:
        pattern: where the first colour is, in pixels of the picture.
        colours: both without light and shade, in [-1, 1].
    """

    pattern: Regular
    colours: Float[Tensor, "3 2"]

    def over(self, size: Size, factor: Number, shift: tuple[Number, Number]) -> Pictures:
        """The print all over a picture of some size, scaled by a factor and then displaced by (dx, dy) pixels."""
        share = self.pattern.moved(factor, shift).over(size)
        return (self.colours[:, :1, None] * share + self.colours[:, 1:, None] * (1 - share))[None]


def shades(x: Pictures) -> Float[Tensor, "3 height width"]:
    r"""$\log(r/g)$, $\log(b/g)$, and $\log$ of brightness over `FOLDS`: what a print changes and folds hardly do."""
    channels = (x[0].cpu().float() + 1) / 2 + BLACK
    logs = channels.log()
    return torch.stack((logs[0] - logs[1], logs[2] - logs[1], channels.mean(0).log() / FOLDS))


def printed(x: Pictures, mask: Mask) -> Printed | None:
    """The stripes or checks of two colours that an object's cloth has; None if it has none.

    Each colour has its share, hardly any pixel lies between them, and both form fields of some width: light and shade
    may look so too, but not in stripes and checks.

    Args:
        x: one picture.
        mask: the object.
    """
    full = float(mask.sum())
    x, mask = _reduced(x, mask)
    inside = solid(mask)
    values = shades(x)
    seen = values[:, inside]
    if seen.shape[1] < 2:
        return None
    centres = _centres(seen)
    first = _first(values, centres)
    share = float(first[inside].float().mean())
    rest = torch.where(first[inside], *((seen - c[:, None]).square().sum(0) for c in centres.unbind(1))).mean()
    explained = 1 - float(rest / (seen - seen.mean(1, keepdim=True)).square().sum(0).mean().clamp_min(1e-9))
    apart = float((centres[:, 0] - centres[:, 1]).norm())
    clear = explained >= EXPLAINED and apart >= APART and SHARE <= share <= 1 - SHARE
    if not clear or _borders(first, inside) > BORDERS:
        return None
    whole = fill(first.float()[None, None], ~inside)[0, 0]
    first = blurred(whole, SPECK) > 0.5
    pattern = regular(first, inside)
    if pattern is None:
        return None
    colours = torch.stack([x[0][:, inside & field].mean(1) for field in (first, ~first)], 1)
    return Printed(pattern.moved(math.sqrt(full / float(mask.sum())), (0.0, 0.0)), colours)


def has_one_hue(x: Pictures, mask: Mask) -> bool:
    """Whether an object's colours differ by light and shade alone.

    Args:
        x: one picture.
        mask: the object.
    """
    x, mask = _reduced(x, mask)
    hues = shades(x)[:2, solid(mask)]
    return float(hues.var(1, correction=0).sum().sqrt()) <= ONE_HUE


def pattern(x: Pictures, mask: Mask) -> float:
    """How much of a pattern an object has: its brightness' local deviation, relative to local brightness.

    A pattern is everywhere. The deviation is taken from the windows that show little of it, one of `PLAIN` having less,
    so that an object with details, such as a face, counts as plain.

    Args:
        x: one picture in [-1, 1].
        mask: the object.
    """
    inside = solid(mask)
    brightness = fill((x.mean(1, keepdim=True).cpu() + 1) / 2, ~inside)
    reach = max(1, round(WINDOW * math.sqrt(float(mask.sum())) / 2))
    deviation = _variance(brightness, reach).sqrt() / _windowed(brightness, reach).clamp_min(0.05)
    return float(deviation[0, 0][inside].quantile(PLAIN))


def print_of(x: Pictures, mask: Mask) -> float:
    r"""How much of a print an object has: how far colours vary within a window, more than light and shade make them.

    The median over windows of the deviation of $\log(r/g)$ and $\log(b/g)$, or of relative brightness over `FOLDS`,
    whichever is more. Folds change brightness, and colours little.

    Args:
        x: one picture in [-1, 1].
        mask: the object.
    """
    x, mask = _reduced(x, mask)
    inside = solid(mask)
    if not bool(inside.any()):
        return 0.0
    channels = fill((x + 1) / 2, ~inside)
    reach = max(1, round(WINDOW * math.sqrt(float(mask.sum())) / 2))
    logs = (channels + BLACK).log()
    colour = _variance(logs[:, [0, 2]] - logs[:, [1]], reach).sum(1)[0].sqrt()
    grey = channels.mean(1, keepdim=True)
    bright = _variance(grey, reach).sqrt()[0, 0] / _windowed(grey, reach)[0, 0].clamp_min(0.05)
    return max(float(colour[inside].median()), float(bright[inside].median()) / FOLDS)


def _variance(x: Tensor, reach: int) -> Tensor:
    """Variances over square windows."""
    return (_windowed(x.square(), reach) - _windowed(x, reach).square()).clamp_min(0)


def _windowed(x: Tensor, reach: int) -> Tensor:
    """Means over square windows."""
    rows = nnf.avg_pool2d(nnf.pad(x, (reach,) * 4, mode="replicate"), (2 * reach + 1, 1), stride=1)
    return nnf.avg_pool2d(rows, (1, 2 * reach + 1), stride=1)


def solid(mask: Mask) -> Region:
    """Pixels that show an object alone; those of more than half of it, if there are none."""
    whole = mask > 0.98
    inner = erode(whole, 1)
    return next(region for region in (inner, whole, mask > 0.5) if bool(region.any()))


def _reduced(x: Pictures, mask: Mask) -> tuple[Pictures, Mask]:
    """A picture and its object, reduced to `LOOKED_AT` pixels."""
    x, mask = x.cpu().float(), mask.cpu()
    return scaled_object(x, mask, min(1.0, LOOKED_AT / math.sqrt(max(float(mask.sum()), 1.0))))


def _centres(seen: Float[Tensor, "3 n"]) -> Float[Tensor, "3 2"]:
    """Two colours, each the mean of those nearer to it; begun with the best cut along the longest axis."""
    away = seen - seen.mean(1, keepdim=True)
    along = torch.linalg.eigh(away @ away.T).eigenvectors[:, -1] @ away
    order = along.sort().values.double()
    n, sums = len(order), order.cumsum(0)
    k = torch.arange(1, n)
    cut = order[int((sums[:-1].square() / k + (sums[-1] - sums[:-1]).square() / (n - k)).argmax())]
    one = along > cut
    for _ in range(ROUNDS):
        if not 0 < int(one.sum()) < n:
            break
        centres = torch.stack((seen[:, one].mean(1), seen[:, ~one].mean(1)), 1)
        new = _first(seen, centres)
        if bool((new == one).all()):
            return centres
        one = new
    return torch.stack([seen[:, part].mean(1) if bool(part.any()) else seen.mean(1) for part in (one, ~one)], 1)


def _first(values: Float[Tensor, "3 *_"], centres: Float[Tensor, "3 2"]) -> Bool[Tensor, "*_"]:
    """Whether colours are nearer to the first of two."""
    one, other = ((values - c.reshape(3, *[1] * (values.ndim - 1))).square().sum(0) for c in centres.unbind(1))
    return one < other


def _borders(one: Region, inside: Region) -> float:
    """Share of pairs of neighbours within an object that have different colours."""
    pairs = [inside[1:] & inside[:-1], inside[:, 1:] & inside[:, :-1]]
    differ = [pairs[0] & (one[1:] ^ one[:-1]), pairs[1] & (one[:, 1:] ^ one[:, :-1])]
    return sum(float(d.sum()) for d in differ) / max(sum(float(p.sum()) for p in pairs), 1.0)
