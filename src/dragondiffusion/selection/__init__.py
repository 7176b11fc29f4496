"""Masks of things that somebody points at: by SAM 2 where its weights are at hand, by GrabCut otherwise."""

from dataclasses import dataclass

import torch

from ..core.libraries import check_libraries
from ..core.types import Mask
from ..imaging.files import ImageLike, Pixels, read_picture
from .clicks import Clicks

__all__ = ["Clicks", "Selection", "select"]

LEAST = 0.5
"""Above this a pixel is inside."""


@dataclass(frozen=True)
class Selection:
    """A mask and where it comes from.

    Args:
        mask: soft, of the image's size.
        by: what found it, in words.
    """

    mask: Mask
    by: str


def select(picture: ImageLike, clicks: Clicks, weights: str | None = None, device: str = "cpu") -> Selection:
    """The mask of the thing that clicks mean.

    Args:
        picture: where it is.
        clicks: points on it, points beside it, a box around it.
        weights: folder or hub id of a SAM 2 checkpoint; None is GrabCut, which needs none, and OpenCV.
        device: where SAM 2 runs.

    Raises:
        FileNotFoundError: if the image or the checkpoint does not exist.
        ValueError: if clicks lie outside of the image, nothing is found there, or OpenCV is missing.
    """
    pixels = read_picture(picture)
    clicks.check((pixels.shape[0], pixels.shape[1]))
    mask, by = _cut(pixels, clicks) if weights is None else _predicted(pixels, clicks, weights, device)
    if not bool((mask > LEAST).any()):
        raise ValueError(f"{by} finds nothing there; click on another part of the thing or draw a box around it")
    return Selection(mask, by)


def _cut(pixels: Pixels, clicks: Clicks) -> tuple[Mask, str]:
    check_libraries("masks")
    from .grabcut import cut_out

    return torch.from_numpy(cut_out(pixels, clicks)), "GrabCut"


def _predicted(pixels: Pixels, clicks: Clicks, weights: str, device: str) -> tuple[Mask, str]:
    from .sam2 import predicted

    return torch.from_numpy(predicted(pixels, clicks, weights, device)), f"SAM 2 ({weights})"
