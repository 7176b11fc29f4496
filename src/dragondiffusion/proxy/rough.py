"""The proxy: a rough edit in pixels, from which starting latents and clamped destinations are taken.

Latents are not equivariant to turns, flips and shifts of less than a cell; pixels are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from ..core.geometry import Correspondence, fill
from ..core.paint import Paint, Placed
from ..core.stopping import go_on
from ..core.types import Latents, Mask, Pictures, Region
from .inpainting import Inpaint, inpaint
from .light import UNLIT, Gain, relit
from .outlines import has_hard_edges
from .shading import scaled

PURE = 0.9
"""From this share of a pixel on that an object covers, its colour counts as the object's. Source: chosen."""


@dataclass(frozen=True, eq=False)
class Proxy:
    """The proxy of an image.

    Args:
        x: the padded proxy in [-1, 1].
        latents: its clean latents.
    """

    x: Pictures
    latents: Latents


@dataclass(frozen=True)
class Copied(Paint):
    """Content copied along a correspondence.

    Pixels at an object's soft border show what was behind it too. Where its mask is known they get the object's
    colours, continued from inside, and cover the proxy by the share of them that the object covers. An object with hard
    edges keeps them: it covers whole pixels, and its pixels have colours that it has.

    Args:
        guide: picture it comes from, as in `Energy.guide`.
        match: which pixel comes from where.
        mask: the object on its own picture, 0 to 1; None copies pixels as they are.
        cover: the same at its new place.
        gain: what its colours are multiplied by, see `light.fitted_light`.
    """

    guide: int
    match: Correspondence
    mask: Mask | None = None
    cover: Mask | None = None
    gain: Gain = UNLIT

    @property
    def region(self) -> Region:
        return self.match.target if self.cover is None else self.cover > 0.5

    @property
    def reach(self) -> Region:
        return self.match.target

    def renumbered(self, number: Callable[[int], int]) -> "Copied":
        return replace(self, guide=number(self.guide))

    def onto(self, proxy: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        source = relit(pictures[self.guide], self.gain)
        if self.mask is None or self.cover is None:
            return self.match.carry_pixels(source, proxy)
        whole = fill(source, self.mask < PURE)
        if has_hard_edges(source, self.mask):
            return self.match.restrict(self.cover > 0.5).nearest.carry(whole, proxy)
        return torch.lerp(proxy, self.match.carry_pixels(whole, proxy), self.cover.to(proxy))


def painted(
    pictures: Sequence[Pictures],
    placed: Sequence[Placed],
    hole_pixels: Region,
    lit: Mask | None = None,
    way: Inpaint = inpaint,
) -> Pictures:
    """An image with its edits made roughly in pixels.

    The source hole is inpainted first: the autoencoder would let it bleed into what arrives beside it.

    Args:
        pictures: the padded image and those that its edits take something from, in [-1, 1].
        placed: content that comes to a new place.
        hole_pixels: pixels whose content goes away.
        lit: what brightness is multiplied by before; None leaves it.
        way: how the source hole is made up.
    """
    x = pictures[0] if lit is None else scaled(pictures[0], lit)
    x = way(x, hole_pixels)
    for one in placed:
        go_on()
        x = x if one.paint is None else one.paint.onto(x, pictures)
    return x
