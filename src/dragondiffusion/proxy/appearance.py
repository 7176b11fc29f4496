"""Rough new looks of an object: another's colours, or its pattern too, laid on by its outline or continued over it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from ..core.geometry import Correspondence, bounding_box, fill
from ..core.types import Mask, Pictures, Region, Size
from .cloth import BLACK, Printed, solid
from .rough import Paint
from .shadows import blurred
from .weaving import overlaid, scaled_object, woven

SHADE = 0.2
"""Width (standard deviation) of the light and shade that an object keeps, in sides of a square as large as it is.
Source: docs/experiments.md."""

SHADE_RANGE = (0.5, 2.0)
"""Light and shade brighten at most so much. Source: chosen, a stop."""

OWN = 0.85
"""How much of its contrast an object keeps in another cloth, an exponent; part of it is its own print. Source:
docs/experiments.md."""


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
class Dyed(Paint):
    """A region in the one colour of another object, under the region's own light and shade.

    Args:
        recoloured: the region with the other object's colours, and which object that is.
    """

    recoloured: Recoloured

    @property
    def region(self) -> Region:
        return self.recoloured.region

    def renumbered(self, number: Callable[[int], int]) -> "Dyed":
        return replace(self, recoloured=self.recoloured.renumbered(number))

    def onto(self, proxy: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        colour = pictures[self.recoloured.guide][0][:, solid(self.recoloured.like)].mean(1)
        return lit(proxy, colour[None, :, None, None], self.recoloured.mask)


@dataclass(frozen=True)
class Woven(Paint):
    """A region in the cloth of another object: its print at its own size, under the region's own light and shade.

    The print keeps its size relative to the object, and its direction. Stripes and checks go on as such, in their two
    colours. Of other cloth light and shade, smoothed over `SHADE` of the object, are taken off, and it is continued by
    copies. Light and shade of the region, in full detail, are put on: folds and seams stay.

    Args:
        recoloured: the region with the other object's colours, and which object that is.
        regular: the stripes or checks of the cloth; None if it has something else.
    """

    recoloured: Recoloured
    regular: Printed | None = None

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
        top, left = max(0, top - 2), max(0, left - 2)
        rows, columns = slice(top, bottom + 2), slice(left, right + 2)
        factor, target = math.sqrt(float(mask.sum()) / float(like.sum())), mask > 0
        flat = _evenly_lit(pictures[self.recoloured.guide].cpu().float(), like)
        cloth, like = scaled_object(flat[..., rows, columns], like[rows, columns], factor)
        if self.regular is None:
            return lit(proxy, woven(cloth, solid(like), target), mask)
        dy, dx = overlaid(solid(like), target)
        size: Size = (target.shape[0], target.shape[1])
        return lit(proxy, self.regular.over(size, factor, (dx - factor * left, dy - factor * top)), mask)


Appearance: TypeAlias = Recoloured | Redressed | Dyed | Woven
"""What an object with another's looks is painted by."""


def lit(proxy: Pictures, cloth: Pictures, mask: Mask) -> Pictures:
    """An object in cloth without light and shade, under its own; soft borders as in `Recoloured`.

    Args:
        proxy: picture that shows the object.
        cloth: of its size; it counts where the mask is above 0.
        mask: the object.
    """
    inside = solid(mask)
    own = fill(proxy, ~inside)
    brightness = (own.mean(1, keepdim=True) + 1) / 2 + BLACK
    light = (brightness / brightness[0, 0][inside].mean()).pow(OWN).clamp(*SHADE_RANGE)
    new = ((cloth.to(proxy) + 1) * light - 1).clamp(-1, 1)
    return torch.where(mask > 0, proxy + mask.to(proxy) * (new - own), proxy).clamp(-1, 1)


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
