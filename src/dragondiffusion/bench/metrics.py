"""How far a result is from the truth. Each metric is defined once, here, for pictures in [0, 1]."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Picture = Float[Tensor, "3 h w"]
Region = Float[Tensor, "h w"]


def psnr(image: Picture, truth: Picture, region: Region | None = None) -> float:
    """Peak signal-to-noise ratio in dB, `10 log10(1 / MSE)`, over the whole picture or over a region.

    Args:
        image: The result.
        truth: What it should be.
        region: Weight of each pixel, in [0, 1]; None counts all.

    Returns:
        dB, at most 100 (an exact copy).

    Raises:
        ValueError: The region is empty.
    """
    error = (image - truth).square().mean(dim=0)
    if region is None:
        region = torch.ones_like(error)
    if float(region.sum()) == 0:
        raise ValueError("psnr: region has no pixel; score only the regions that a task has")
    mse = float((error * region).sum() / region.sum())
    return float(-10 * torch.log10(torch.tensor(max(mse, 1e-10))))


def ghost(image: Picture, before: Picture, truth: Picture, vacated: Region) -> float:
    r"""How much of the object is still where it was: 0 when gone, 1 when nothing changed there.

    $\langle y - y^*, x - y^* \rangle / \lVert x - y^* \rVert^2$ over the vacated region, for the result $y$,
    the picture before $x$ and the truth $y^*$.
    """
    was = (before - truth) * vacated
    return float((((image - truth) * vacated) * was).sum() / was.square().sum().clamp_min(1e-8))


def changed(image: Picture, before: Picture, region: Region, tolerance: float = 2.5 / 255) -> float:
    """The share of a region's pixels of which some channel differs by more than `tolerance`."""
    differs = ((image - before).abs().amax(dim=0) > tolerance).float()
    return float((differs * region).sum() / region.sum().clamp_min(1e-8))
