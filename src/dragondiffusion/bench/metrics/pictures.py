"""Metrics of images in [0, 1]: how far a result is from the truth, and how much of it is as it was before."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Picture = Float[Tensor, "3 h w"]
Region = Float[Tensor, "h w"]


def psnr(image: Picture, truth: Picture, region: Region | None = None) -> float:
    """Peak signal-to-noise ratio in dB, `10 log10(1 / MSE)`, over the whole image or over a region.

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


def ssim_map(image: Picture, truth: Picture) -> Region:
    r"""Structural similarity at every pixel, mean over the channels; 1 where both are the same.

    $\frac{(2\mu_x\mu_y + c_1)(2\sigma_{xy} + c_2)}{(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)}$ with
    moments under a Gaussian window of 11 pixels and $\sigma = 1.5$, $c_1 = 0.01^2$, $c_2 = 0.03^2$.

    Source: Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", TIP 2004; as
    scikit-image computes it.
    """
    from skimage.metrics import structural_similarity

    arrays = (x.permute(1, 2, 0).double().numpy() for x in (image, truth))
    found: Any = structural_similarity(
        *arrays,
        data_range=1.0,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return torch.from_numpy(found[1]).mean(dim=2).float()


def inner(similarity: Region) -> Region:
    """1 where the window of SSIM lies inside the image: what counts for the mean of a whole image."""
    region = torch.zeros_like(similarity)
    region[5:-5, 5:-5] = 1
    return region


def mean_over(values: Region, region: Region) -> float:
    """The mean of a map over a region.

    Raises:
        ValueError: The region is empty.
    """
    if float(region.sum()) == 0:
        raise ValueError("mean_over: region has no pixel; score only the regions that a task has")
    return float((values * region).sum() / region.sum())


def warp_error(image: Picture, transported: Picture, region: Region) -> float:
    """Mean absolute difference to the object before, transported to its new place, in levels of 255.

    It measures whether the object is preserved. The truth is lit anew where it stands, so that its error is not 0.

    Source: defined here, for scenes whose map is known.

    Args:
        image: The result.
        transported: The image that the object comes from, transported by the edit's map.
        region: Pixels that show the object alone after the edit.
    """
    return 255 * mean_over((image - transported).abs().mean(dim=0), region)


def difference(image: Picture, before: Picture, region: Region) -> float:
    """Mean absolute difference to the image before over a region, in levels of 255, both rounded to 8 bits."""
    return mean_over((_levels(image).float() - _levels(before).float()).abs().mean(dim=0), region)


def exact(image: Picture, before: Picture, region: Region) -> float:
    """The share of a region's pixels that are the same bit for bit, at 8 bits a channel."""
    same = (_levels(image) == _levels(before)).all(dim=0).float()
    return mean_over(same, region)


def _levels(image: Picture) -> Tensor:
    return (image.clamp(0, 1) * 255).round().byte()


def ghost(image: Picture, before: Picture, truth: Picture, hole: Region) -> float:
    r"""How much of the object is still where it was: 0 when gone, 1 when nothing changed there.

    $\langle y - y^*, x - y^* \rangle / \lVert x - y^* \rVert^2$ over the hole region, for the result $y$,
    the image before $x$ and the truth $y^*$.
    """
    was = (before - truth) * hole
    return float((((image - truth) * hole) * was).sum() / was.square().sum().clamp_min(1e-8))


def changed(image: Picture, before: Picture, region: Region, tolerance: float = 2.5 / 255) -> float:
    """The share of a region's pixels of which some channel differs by more than `tolerance`."""
    differs = ((image - before).abs().amax(dim=0) > tolerance).float()
    return float((differs * region).sum() / region.sum().clamp_min(1e-8))
