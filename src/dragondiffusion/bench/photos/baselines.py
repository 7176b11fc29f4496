"""Edits without a model, as an engineer makes them with OpenCV and scikit-image."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float
from skimage.transform import ThinPlateSplineTransform

from ...core.geometry import Affine
from .arrays import Bytes, Image, Mask, Region, dilated, matrix, pixel_centres, to_bytes, to_image
from .problem import Problem

RADIUS = 3
"""Neighbourhood of the inpainting, pixels. Source: OpenCV's tutorial."""
FRINGE = 2
"""Pixels around a mask that are inpainted too, because edges are soft. Source: as `bench.baselines`."""
ANCHORS = 12
"""Points along the border of an editable region that a bending keeps in place."""


def unedited_input(problem: Problem) -> Bytes:
    """The image as it was."""
    return problem.before


def copy_paste(problem: Problem) -> Bytes:
    """Source hole inpainted by Telea's method, the thing copied through its mask along its map.

    Removals are inpainted alone, pastes laid over. A new appearance takes mean and standard deviation of the other's
    colours in CIELAB. A drag is one thin-plate spline through its points and through points of its mask's border.

    Source: A. Telea, "An image inpainting technique based on the fast marching method", 2004; E. Reinhard et al.,
    "Color transfer between images", 2001; both as OpenCV and scikit-image have their parts.
    """
    if problem.action == "appearance":
        return _recoloured(problem)
    if problem.action == "drag":
        return _bent(problem)
    ground = problem.before if problem.action == "paste" else inpainted(problem.before, problem.mask)
    if problem.motion is None:
        return ground
    source, mask = problem.before, problem.mask
    if problem.second is not None:
        source, mask = problem.second.image, problem.second.mask
    image, alpha = carried(to_image(source), mask, problem.motion.affine, problem.size)
    return to_bytes(to_image(ground) * (1 - alpha[..., None]) + alpha[..., None] * image)


def inpainted(image: Bytes, mask: Mask) -> Bytes:
    """An image whose masked pixels, and `FRINGE` around them, are inpainted by Telea's method."""
    hole = dilated(mask > 0.02, FRINGE).astype(np.uint8) * 255
    return np.asarray(cv2.inpaint(np.ascontiguousarray(image), hole, RADIUS, cv2.INPAINT_TELEA), np.uint8)


def carried(image: Image, mask: Mask, affine: Affine, size: tuple[int, int]) -> tuple[Image, Mask]:
    """An image and a mask after a map, sampled bilinearly, on a canvas of (height, width) `size`."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    m = (np.linalg.inv(half) @ matrix(affine) @ half)[:2]
    target = size[1], size[0]
    moved = cv2.warpAffine(image, m, target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved, cv2.warpAffine(mask.astype(np.float32), m, target, flags=cv2.INTER_LINEAR)


def _recoloured(problem: Problem) -> Bytes:
    second = problem.second
    if second is None:
        raise ValueError("second is missing; an appearance needs a reference image")
    lab, like = (cv2.cvtColor(to_image(v), cv2.COLOR_RGB2LAB) for v in (problem.before, second.image))
    (mean, std), (new_mean, new_std) = _moments(lab, problem.mask > 0.5), _moments(like, second.mask > 0.5)
    matched = (lab - mean) / np.maximum(std, 1e-3) * new_std + new_mean
    new = np.clip(cv2.cvtColor(matched.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1)
    alpha = problem.mask[..., None]
    return to_bytes(to_image(problem.before) * (1 - alpha) + alpha * new)


def _moments(lab: Float[np.ndarray, "_ _ 3"], region: Region) -> tuple[np.ndarray, np.ndarray]:
    return lab[region].mean(axis=0), lab[region].std(axis=0)


def _bent(problem: Problem) -> Bytes:
    """A backward thin-plate spline; only the editable region changes."""
    inside = problem.mask > 0.5
    rim = _border(inside)
    ends = np.array([end for _, end in problem.pairs] + rim)
    starts = np.array([start for start, _ in problem.pairs] + rim)
    spline = ThinPlateSplineTransform.from_estimate(ends, starts)
    points = pixel_centres(problem.size)[inside]
    source = (np.asarray(spline(points)) - 0.5).astype(np.float32)
    found = cv2.remap(
        problem.before, source[None, :, 0], source[None, :, 1], cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT
    )
    result = problem.before.copy()
    result[inside] = np.asarray(found)[0]
    return result


def _border(inside: Region) -> list[tuple[float, float]]:
    """Points along the longest contour of a region."""
    contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(contours, key=len)[:, 0] + 0.5
    chosen = longest[np.linspace(0, len(longest), ANCHORS, endpoint=False).astype(int)]
    return [(float(x), float(y)) for x, y in chosen]
