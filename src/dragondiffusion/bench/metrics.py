"""How far a result is from the truth. Each metric is defined once, here, for pictures in [0, 1]."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..core.types import PointList, Size
from . import landmarks as L
from . import scenes as S
from .faces import LANDMARKS_17

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
    """1 where the window of SSIM lies inside the picture: what counts for the mean of a whole picture."""
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


def warp_error(image: Picture, carried: Picture, region: Region) -> float:
    """Mean absolute difference to the object as it was, carried to its new place, in levels of 255.

    It says whether the object is still itself, whatever the light does to it: the truth is shaded anew and does not
    have the error 0. Source: defined here, for scenes whose map is known.

    Args:
        image: The result.
        carried: The picture that the object comes from, carried along the edit's map.
        region: Pixels that show the object alone after the edit.
    """
    return 255 * mean_over((image - carried).abs().mean(dim=0), region)


def difference(image: Picture, before: Picture, region: Region) -> float:
    """Mean absolute difference to the picture before over a region, in levels of 255, both rounded to 8 bits."""
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
    the picture before $x$ and the truth $y^*$.
    """
    was = (before - truth) * hole
    return float((((image - truth) * hole) * was).sum() / was.square().sum().clamp_min(1e-8))


def changed(image: Picture, before: Picture, region: Region, tolerance: float = 2.5 / 255) -> float:
    """The share of a region's pixels of which some channel differs by more than `tolerance`."""
    differs = ((image - before).abs().amax(dim=0) > tolerance).float()
    return float((differs * region).sum() / region.sum().clamp_min(1e-8))


# --- distances that remain -------------------------------------------------------------------------------------------

SPACING = 0.1
"""Shape parameters at which a scene is drawn to find one, at most so far apart: about two pixels of the handle."""

FINER = 8
"""Around the best of them it is drawn again, so many times as densely."""

SEARCHED = (-0.3, 1.3)
"""Shape parameters that are searched: drags may overshoot."""


def handle_distance(image: Picture, before: S.Scenes, after: S.Scenes, index: int, region: Region) -> float:
    """How far the handle of a dragged object still is from where it should be, as a share of the way it had to go.

    Analysis by synthesis: the handle is where the scene's renderer puts it for the shape parameter whose picture is
    most like the result.

    Args:
        image: The result.
        before: The scene before, alone in its batch.
        after: The scene of the truth, which differs by the first shape parameter of one object.
        index: That object.
        region: Where pictures are compared.

    Returns:
        0 at the target, 1 where it was.
    """
    shape, size = before.of_object("shape", index).clone(), _size(image)
    shape[:, 0] = shape_parameter(image, before, after, index, region)
    places = [S.handles(s, index, size)[0] for s in (before, after, before.with_object(index, shape=shape))]
    start, target, found = places
    return float((found - target).norm() / (start - target).norm())


def shape_parameter(image: Picture, before: S.Scenes, after: S.Scenes, index: int, region: Region) -> float:
    """The first shape parameter of an object at which its scene looks most like a picture.

    The scene is drawn at evenly spaced parameters, those before and after among them, then more densely around the one
    that fits best by mean squared error, which is refined by the parabola through it and its neighbours. Where the
    object has a texture, a pixel may have any tone of it: a result may stretch the texture, and what is asked is where
    the object reaches to.
    """
    start, stop = (float(s.of_object("shape", index)[0, 0]) for s in (before, after))
    step = abs(stop - start) / math.ceil(abs(stop - start) / SPACING)
    low, high = (round((end - start) / step) for end in SEARCHED)
    coarse = start + step * torch.arange(low, high + 1)
    found = float(coarse[_errors(image, before, index, coarse, region).argmin()])
    fine = found + step * torch.linspace(-1, 1, 2 * FINER + 1)
    return found + step * (lowest(_errors(image, before, index, fine, region)) / FINER - 1)


def _errors(image: Picture, scene: S.Scenes, index: int, values: Tensor, region: Region) -> Float[Tensor, " n"]:
    """Squared error of a scene drawn at values of an object's first shape parameter."""
    many = scene[torch.zeros_like(values, dtype=torch.int64)]
    shape = many.of_object("shape", index).clone()
    shape[:, 0] = values
    light, dark = _tones(many.with_object(index, shape=shape), index, _size(image))
    span = dark - light
    share = ((image - light) * span).sum(dim=1) / span.square().sum(dim=1).clamp_min(1e-6)
    nearest = light + share.clamp(0, 1)[:, None] * span
    return ((nearest - image).square() * region).sum(dim=(1, 2, 3))


def _tones(scenes: S.Scenes, index: int, size: Size) -> tuple[Tensor, Tensor]:
    """Pictures (n, 3, h, w) of scenes with one object plain, in the lightest and the darkest tone of its texture."""
    if not bool(scenes.of_object("texture", index).any()):
        drawn = S.render(scenes, size).image
        return drawn, drawn
    rgb = scenes.of_object("rgb", index)
    plain = (scenes.with_object(index, texture=0, rgb=tone * rgb) for tone in S.TONES)
    light, dark = (S.render(s, size).image for s in plain)
    return light, dark


def lowest(values: Float[Tensor, " n"]) -> float:
    """Where evenly spaced values are smallest, in steps from the first, by the parabola through three of them."""
    k = int(values.argmin())
    if k in (0, len(values) - 1):
        return float(k)
    left, middle, right = (float(v) for v in values[k - 1 : k + 2])
    curvature = left - 2 * middle + right
    return k + (0.5 * (left - right) / curvature if curvature > 0 else 0.0)


def landmark_distance(
    image: Picture, scenes: S.Scenes, index: int, points_from: PointList, points_to: PointList
) -> float:
    """How far the landmarks of a face still are from where they should be, as a share of the way they had to go.

    Means over the landmarks; those of the result are found by a network (`landmarks.find`), whose own error is the
    least that can be measured.

    Args:
        image: The result.
        scenes: The scene before, alone in its batch: where the face stands.
        index: The face.
        points_from: Its 68 or 17 landmarks before.
        points_to: The same afterwards.

    Returns:
        0 at the target, 1 where they were.
    """
    found = L.find(image[None], S.frame_of(scenes, index, _size(image)))[0]
    start, target = torch.tensor(points_from), torch.tensor(points_to)
    found = found[list(LANDMARKS_17)] if len(target) == len(LANDMARKS_17) else found
    return L.distance(found, target) / L.distance(start, target)


def _size(image: Picture) -> Size:
    return image.shape[1], image.shape[2]
