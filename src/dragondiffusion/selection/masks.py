"""What is done to masks: grown, shrunk, softened, filled, rid of specks, turned inside out, joined with a shadow.

Convention: masks are floats in [0, 1], above one half inside; distances are pixels between centres. Needs OpenCV, the
extra `masks` of the package.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool

from ..core.libraries import check_libraries
from ..core.types import Mask, Number
from ..imaging.files import Pixels
from ..imaging.tensors import to_unpadded
from ..proxy.shadows import find_shadow

DARKENED = 0.04
"""Where a shadow darkens by more it counts to the mask. Source: chosen, a step that is just seen."""


def grow(mask: Mask, distance: Number) -> Mask:
    """A mask with all that lies within a distance of it; its new border is as soft as one pixel.

    Args:
        mask: any size.
        distance: pixels, at least 0; fractions count.

    Raises:
        ValueError: if the distance is negative or not finite.
    """
    _check(distance, "grow")
    if distance == 0 or not bool((mask > 0.5).any()):
        return mask
    outside = _distance(~(mask > 0.5).numpy())
    return torch.maximum(mask, torch.from_numpy(np.clip(distance + 1 - outside, 0, 1).astype(np.float32)))


def shrink(mask: Mask, distance: Number) -> Mask:
    """What of a mask is farther than a distance from what is not in it; the image's border does not count.

    Raises:
        ValueError: if the distance is negative or not finite.
    """
    _check(distance, "shrink")
    return invert(grow(invert(mask), distance))


def feathered(mask: Mask, width: Number) -> Mask:
    """A mask whose border falls linearly from 1 to 0 within a width, half of it inside.

    Args:
        mask: any size.
        width: pixels, at least 0; 0 leaves the mask as it is.

    Raises:
        ValueError: if the width is negative or not finite.
    """
    _check(width, "feather")
    inside = (mask > 0.5).numpy()
    if width == 0 or inside.all() or not inside.any():
        return mask
    way = np.where(inside, _distance(inside) - 0.5, 0.5 - _distance(~inside))
    return torch.from_numpy(np.clip(0.5 + way / width, 0, 1).astype(np.float32))


def filled(mask: Mask) -> Mask:
    """A mask with its holes."""
    return torch.where(torch.from_numpy(holes((mask > 0.5).numpy())), torch.ones_like(mask), mask)


def holes(region: Bool[np.ndarray, "_ _"]) -> Bool[np.ndarray, "_ _"]:
    """The holes of a region: what is outside and does not reach the image's border through the outside."""
    outside = np.pad(~region, 1, constant_values=True)
    labels = _components(outside)[0]
    return ((labels != labels[0, 0]) & outside)[1:-1, 1:-1]


def without_specks(mask: Mask, area: Number) -> Mask:
    """A mask without its parts of less than an area, pixels; softly joined parts are one."""
    _check(area, "drop specks")
    return _parts(mask, lambda areas: areas >= area)


def largest(mask: Mask) -> Mask:
    """The largest part of a mask."""
    return _parts(mask, lambda areas: np.arange(len(areas)) == areas.argmax())


def invert(mask: Mask) -> Mask:
    """What is not in a mask."""
    return 1 - mask


def with_shadow(mask: Mask, picture: Pixels) -> tuple[Mask, bool]:
    """A mask together with the shadow that its object casts.

    Args:
        mask: the object.
        picture: what it was found in, of the same size.

    Returns:
        The mask, and whether there was a shadow.
    """
    shadow = find_shadow(to_unpadded(picture), mask)
    if shadow is None:
        return mask, False
    return torch.maximum(mask, (shadow.factor(mask) < 1 - DARKENED).float()), True


def _parts(mask: Mask, chosen: Callable[[np.ndarray], np.ndarray]) -> Mask:
    """The parts of a mask that a function of their areas chooses."""
    labels, count = _components((mask > 0).numpy())
    areas = np.bincount(labels.ravel(), mask.numpy().ravel(), minlength=count)[1:]
    if not len(areas):
        return mask
    kept = torch.from_numpy(np.concatenate(([False], chosen(areas)))[labels])
    return torch.where(kept, mask, torch.zeros_like(mask))


def _check(value: Number, what: str) -> None:
    if not 0 <= value < float("inf"):
        raise ValueError(f"{what} {value} must be a number of pixels, at least 0")


def _distance(region: Bool[np.ndarray, "_ _"]) -> np.ndarray:
    """Distance of every pixel of a region to the nearest that is not in it, 0 there."""
    check_libraries("masks")
    import cv2

    found = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Squares of distances between pixels are whole numbers; OpenCV's differ from them in the last digits.
    return np.sqrt(np.rint(np.square(found, dtype=np.float64)))


def _components(region: Bool[np.ndarray, "_ _"]) -> tuple[np.ndarray, int]:
    """Number of the part that every pixel belongs to, 0 outside, and how many numbers there are."""
    check_libraries("masks")
    import cv2

    count, labels = cv2.connectedComponents(region.astype(np.uint8), connectivity=4)
    return labels, count
