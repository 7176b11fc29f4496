"""Rough new looks of an object: another's colours, or its pattern too, laid on by its outline or continued over it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as nnf
from torch import Tensor

from ..core.geometry import Correspondence, bounding_box, erode, fill
from ..core.types import Mask, Pictures, Region
from .rough import Paint
from .shadows import blurred
from .weaving import scaled_object, woven

SHADE = 0.2
"""Width (standard deviation) of the light and shade that an object keeps, in sides of a square as large as it is.
Source: docs/experiments.md."""

SHADE_RANGE = (0.5, 2.0)
"""Light and shade brighten at most so much. Source: chosen, a stop."""

WINDOW = 1 / 6
"""Side of the window in which a pattern is looked for, in sides of a square as large as the object. Source: chosen."""

PLAIN = 0.2
"""Share of the windows of a patterned object that may be plain. Source: docs/experiments.md."""

LOOKED_AT = 64.0
"""Side of a square as large as the object, to which it is reduced before its print is looked for, pixels, so that grain
does not count. Source: chosen."""

FOLDS = 4.0
"""How much more folds change brightness than colour, see `print_of`. Source: docs/experiments.md."""

BLACK = 0.05
"""Added to channels in [0, 1] before their ratios are taken. Source: chosen, so that noise of dark places is none."""


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

    def renumbered(self, number: Callable[[int], int]) -> "Recoloured":
        return replace(self, guide=number(self.guide))

    def onto(self, proxy: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        inside, like = solid(self.mask), solid(self.like)
        own = fill(proxy, ~inside)
        colours = own[0].flatten(1)
        moved = transfer_colours(colours, colours[:, inside.flatten()], pictures[self.guide][0][:, like])
        change = (moved - colours).reshape(own.shape)
        return torch.where(self.mask > 0, proxy + self.mask.to(proxy) * change, proxy).clamp(-1, 1)


@dataclass(frozen=True)
class Redressed(Paint):
    """A region that shows what another object shows at the corresponding places, in its own light and shade.

    Light and shade are the brightness, smoothed over `SHADE` of the object, of the recoloured region over that of what
    is laid onto it.

    Args:
        recoloured: the region with the other object's colours, and which object that is.
        match: for every pixel of the region the place in the other picture.
    """

    recoloured: Recoloured
    match: Correspondence

    @property
    def region(self) -> Region:
        return self.recoloured.region

    @property
    def reach(self) -> Region:
        return self.match.target

    def renumbered(self, number: Callable[[int], int]) -> "Redressed":
        return replace(self, recoloured=self.recoloured.renumbered(number))

    def onto(self, proxy: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        mask = self.recoloured.mask
        source = fill(pictures[self.recoloured.guide], ~solid(self.recoloured.like))
        laid = self.match.carry_pixels(source, proxy)
        own, other = (shade(x, mask) for x in (self.recoloured.onto(proxy, pictures), laid))
        light = (own / other.clamp_min(1e-3)).clamp(*SHADE_RANGE).to(proxy)
        return torch.lerp(proxy, ((laid + 1) * light - 1).clamp(-1, 1), mask.to(proxy))


@dataclass(frozen=True)
class Woven(Paint):
    """A region in the cloth of another object: its pattern at its own size, under the region's own light and shade.

    The pattern keeps its size relative to the object, and its direction. Light and shade of the other object, smoothed
    over `SHADE` of it, are taken off, and those of the region, in full detail, put on: folds and seams stay.

    Args:
        recoloured: the region with the other object's colours, and which object that is.
    """

    recoloured: Recoloured

    @property
    def region(self) -> Region:
        return self.recoloured.region

    @property
    def reach(self) -> Region:
        return self.recoloured.mask > 0

    def renumbered(self, number: Callable[[int], int]) -> "Woven":
        return replace(self, recoloured=self.recoloured.renumbered(number))

    def onto(self, proxy: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        mask, like = self.recoloured.mask, self.recoloured.like
        left, top, right, bottom = bounding_box(like > 0)
        rows, columns = slice(max(0, top - 2), bottom + 2), slice(max(0, left - 2), right + 2)
        factor = math.sqrt(float(mask.sum()) / float(like.sum()))
        flat = _evenly_lit(pictures[self.recoloured.guide].cpu().float(), like)
        cloth, like = scaled_object(flat[..., rows, columns], like[rows, columns], factor)
        cloth = woven(cloth, solid(like), mask > 0).to(proxy)
        brightness = fill((proxy.mean(1, keepdim=True) + 1) / 2, ~solid(mask))
        mean = float(brightness[0, 0][solid(mask)].mean())
        light = ((brightness + BLACK) / (mean + BLACK)).clamp(*SHADE_RANGE)
        return torch.lerp(proxy, ((cloth + 1) * light - 1).clamp(-1, 1), mask.to(proxy))


def _evenly_lit(x: Pictures, mask: Mask) -> Pictures:
    """A picture whose object has no smooth light and shade any more; what surrounds it is the object's, continued."""
    inside, light = solid(mask), shade(x, mask)
    factor = (float(light[inside].mean()) / light.clamp_min(1e-3)).clamp(*SHADE_RANGE)
    return fill((x + 1) * factor - 1, ~inside).clamp(-1, 1)


def shade(x: Pictures, mask: Mask) -> Mask:
    """Smooth brightness of a picture within an object, in [0, 1]."""
    sigma = SHADE * math.sqrt(float(mask.sum()))
    brightness = (x[0].mean(0).cpu() + 1) / 2
    return blurred(brightness * mask, sigma) / blurred(mask, sigma).clamp_min(1e-3)


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
    mask, x = mask.cpu(), x.cpu().float()
    x, mask = scaled_object(x, mask, min(1.0, LOOKED_AT / math.sqrt(max(float(mask.sum()), 1.0))))
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
