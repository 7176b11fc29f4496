"""The light of a place, and what a thing must be multiplied by to look as if it lay in that of another.

What surrounds a thing tells of its light and of its own colour at once, and nothing tells these apart. So only a share
of the difference between two surroundings counts as light, strong colours count as the ground's own, and where the
surroundings are drawn or overexposed, all the same from pixel to pixel, they count for nothing.
"""

import math
from typing import TypeAlias

import torch
from torch import Tensor

from ..core.geometry import dilate
from ..core.types import Mask, Pictures, Region

Gain: TypeAlias = tuple[float, float, float]
"""Factors of red, green and blue, of brightness in [0, 1]."""

UNLIT: Gain = (1.0, 1.0, 1.0)
"""Leaves colours as they are."""

AROUND = 0.6
"""Width of the surroundings, in radii of the thing. Source: docs/experiments.md."""
BRIGHTNESS, TINT = 0.25, 0.35
"""Shares of the difference of surroundings, in logarithms, that are taken for light. Source: as `AROUND`."""
OWN = 0.3
"""Logarithms of red over green and of blue over green beyond which a ground's colour is its own. Source: chosen; grey
between shade under a blue sky and sunlight differs by about twice this."""
MOST = 0.25
"""Largest change of brightness, in logarithms. Source: chosen, a third of a stop."""
DARK = 0.02
"""Added to brightness before logarithms are taken. Source: chosen."""
EVEN = 0.5
"""Surroundings of which so many pixels are as the one beside them are drawn or overexposed. Source: chosen."""
ENOUGH = 32
"""Pixels that surroundings must have. Source: chosen."""


def fitted_light(x: Pictures, cover: Mask, other: Pictures, mask: Mask) -> Gain:
    """What a thing's colours are multiplied by when it comes from one picture to another.

    Args:
        x: the picture that it comes to, in [-1, 1].
        cover: the thing there, 0 to 1.
        other: the picture that it comes from.
        mask: the thing there.

    Returns:
        `UNLIT` where one of the two places says nothing of its light.
    """
    here, there = _place(x, cover), _place(other, mask)
    if here is None or there is None:
        return UNLIT
    brightness = max(-MOST, min(MOST, BRIGHTNESS * float(here.mean() - there.mean())))
    tint = TINT * (_tint(here) - _tint(there))
    logs = tint - tint.mean() + brightness
    red, green, blue = (math.exp(float(v)) for v in logs)
    return red, green, blue


def relit(x: Pictures, gain: Gain) -> Pictures:
    """A picture in [-1, 1] whose channels are multiplied."""
    if gain == UNLIT:
        return x
    return ((x + 1) * x.new_tensor(gain)[:, None, None] - 1).clamp(-1, 1)


def _place(x: Pictures, mask: Mask) -> Tensor | None:
    """Logarithms of the mean colour around a thing; None where it says nothing."""
    thing = mask > 0.02
    width = max(3, round(AROUND * math.sqrt(float(mask.sum()) / math.pi)))
    around = dilate(thing, width) & ~dilate(thing, 2)
    if int(around.sum()) < ENOUGH or _even(x, around) > EVEN:
        return None
    colour = (x[0].cpu()[:, around].double().mean(1) + 1) / 2
    return (colour + DARK).log()


def _even(x: Pictures, region: Region) -> float:
    """Share of a region's pixels that are as the one beside them, to the bit."""
    same = torch.zeros_like(region)
    same[:, 1:] = (x[0, :, :, 1:] == x[0, :, :, :-1]).all(0).cpu()
    return float(same[region].float().mean())


def _tint(logs: Tensor) -> Tensor:
    """Logarithms of the channels over green, as far as they may be light's."""
    return (logs - logs[1]).clamp(-OWN, OWN)
