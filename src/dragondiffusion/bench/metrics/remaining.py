"""Remaining distances: how far handles and landmarks still are from their targets."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ...core.types import PointList, Size
from .. import scenes as S
from ..scenes.faces import LANDMARKS_17
from . import landmarks as L
from .pictures import Picture, Region

SPACING = 0.1
"""Shape parameters at which a scene is drawn to find one, at most so far apart: about two pixels of the handle."""

FINER = 8
"""Around the best of them it is drawn again, so many times as densely."""

SEARCHED = (-0.3, 1.3)
"""Shape parameters that are searched: drags may overshoot."""


def handle_distance(image: Picture, before: S.Scenes, after: S.Scenes, index: int, region: Region) -> float:
    """Remaining distance of the handle of a dragged object to its target, as a share of its displacement.

    Analysis by synthesis: the handle is where the scene's renderer puts it for the shape parameter whose image is
    most like the result.

    Args:
        image: The result.
        before: The scene before, alone in its batch.
        after: The scene of the truth, which differs by the first shape parameter of one object.
        index: That object.
        region: Where images are compared.

    Returns:
        0 at the target, 1 where it was.
    """
    shape, size = before.of_object("shape", index).clone(), _size(image)
    shape[:, 0] = shape_parameter(image, before, after, index, region)
    places = [S.handles(s, index, size)[0] for s in (before, after, before.with_object(index, shape=shape))]
    start, target, found = places
    return float((found - target).norm() / (start - target).norm())


def shape_parameter(image: Picture, before: S.Scenes, after: S.Scenes, index: int, region: Region) -> float:
    """The first shape parameter of an object at which its scene looks most like an image.

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
    """Images (n, 3, h, w) of scenes with one object plain, in the lightest and the darkest tone of its texture."""
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
    """Remaining distance of the landmarks of a face to their targets, as a share of their displacement.

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
