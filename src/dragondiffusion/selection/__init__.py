"""Masks of things that somebody points at: by SAM 2 where its weights are at hand, by GrabCut otherwise."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from ..core.libraries import check_libraries
from ..core.types import Mask
from ..imaging.files import ImageLike, Pixels, read_picture
from ..imaging.mask_noise import without_dust
from .clicks import Clicks
from .doubts import doubts

__all__ = ["Candidates", "Clicks", "Selection", "candidates", "glance", "select", "snap"]

LEAST = 0.5
"""Above this a pixel is inside."""
OFFERED = 4
"""Masks that are offered at most."""


@dataclass(frozen=True)
class Selection:
    """A mask and where it comes from.

    Args:
        mask: soft, of the image's size.
        by: what found it, in words.
        notes: reasons to doubt it, with remedies.
    """

    mask: Mask
    by: str
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the image that it covers."""
        return float((self.mask > LEAST).float().mean())


@dataclass(frozen=True)
class Candidates:
    """Masks that the same clicks may mean.

    Args:
        selections: from the smallest to the largest, at least one.
        choice: place of the likeliest, which `select` returns.
    """

    selections: tuple[Selection, ...]
    choice: int

    @property
    def chosen(self) -> Selection:
        """The likeliest one."""
        return self.selections[self.choice]

    def beside(self, steps: int) -> Selection:
        """A smaller or a larger one.

        Args:
            steps: places from the likeliest one; negative is smaller.

        Raises:
            ValueError: if there is none.
        """
        place = self.choice + steps
        if not 0 <= place < len(self.selections):
            size, way = ("smaller", "beside the object") if steps < 0 else ("larger", "on another part of the object")
            raise ValueError(f"no {size} candidate is found there; click {way} or draw a box around it")
        return self.selections[place]


def select(picture: ImageLike, clicks: Clicks, weights: str | None = None, device: str = "cpu") -> Selection:
    """The mask of the thing that clicks mean.

    Args:
        picture: where it is.
        clicks: points on it, points beside it, a box around it. GrabCut takes points one after the other: one in what
            is selected already changes nothing, any other adds to it.
        weights: folder or hub id of a SAM 2 checkpoint; None is GrabCut, which needs none, and OpenCV.
        device: where SAM 2 runs.

    Raises:
        FileNotFoundError: if the image or the checkpoint does not exist.
        ValueError: if clicks lie outside of the image, nothing is found there, or OpenCV is missing.
    """
    return _found(picture, clicks, weights, device, 1).chosen


def candidates(picture: ImageLike, clicks: Clicks, weights: str | None = None, device: str = "cpu") -> Candidates:
    """Masks that clicks may mean, from small to large, no two of them nearly the same.

    Arguments and errors are those of `select`. SAM 2 gives several for a single point only, as it does itself.
    """
    return _found(picture, clicks, weights, device, OFFERED)


def glance(picture: ImageLike, clicks: Clicks) -> Mask:
    """The mask that `select` gives without SAM 2, on a copy of at most 256 pixels: to be shown while somebody points.

    Args:
        picture: where it is.
        clicks: as for `select`.

    Raises:
        FileNotFoundError: if the image does not exist.
        ValueError: if clicks lie outside of the image, nothing is found there, or OpenCV is missing.
    """
    check_libraries("masks")
    from .grabcut import roughly

    pixels = read_picture(picture)
    clicks.check((pixels.shape[0], pixels.shape[1]))
    return torch.from_numpy(roughly(pixels, clicks)).float()


def snap(picture: ImageLike, mask: Mask) -> Mask:
    """A mask drawn around a thing by hand, its border moved to edges of the image nearby.

    It stays where it was drawn where that looks better, as with a thing that is coloured like its surroundings.

    Args:
        picture: the image.
        mask: drawn on it; inside above one half.

    Raises:
        ValueError: if OpenCV is missing, or the mask is of another size.
    """
    check_libraries("masks")
    from .grabcut import snapped

    pixels = read_picture(picture)
    if mask.shape != pixels.shape[:2]:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)} but the image is {pixels.shape[:2]}; draw it on the image"
        )
    return torch.from_numpy(snapped(pixels, mask.float().numpy()))


def _found(picture: ImageLike, clicks: Clicks, weights: str | None, device: str, count: int) -> Candidates:
    pixels = read_picture(picture)
    clicks.check((pixels.shape[0], pixels.shape[1]))
    if weights is None:
        by, masks = "GrabCut", _cut(pixels, clicks, count)
    else:
        by, masks = f"SAM 2 ({weights})", _predicted(pixels, clicks, weights, device, count)
    masks = [replace(cut, mask=_clean(cut.mask)) for cut in masks]
    found = [
        Selection(cut.mask, by, doubts(cut.mask, clicks, cut.leap, weights, cut.certain))
        for cut in masks
        if _marks(cut.mask)
    ]
    if not found or not _marks(masks[0].mask):
        raise ValueError(f"{by} finds nothing there; click on another part of the thing or draw a box around it")
    order = sorted(range(len(found)), key=lambda k: found[k].share)
    return Candidates(tuple(found[k] for k in order), order.index(0))


def _clean(mask: Mask) -> Mask:
    """A mask without faint values beyond its border, which whoever reads it would take for noise."""
    return torch.from_numpy(without_dust(mask.numpy())[0])


def _marks(mask: Mask) -> bool:
    return bool((mask > LEAST).any())


@dataclass(frozen=True)
class _Found:
    """A mask; by how much more than plausible the last click enlarged it; how certain it is that this much is meant."""

    mask: Mask
    leap: float | None = None
    certain: float = 1.0


def _cut(pixels: Pixels, clicks: Clicks, count: int) -> list[_Found]:
    """Masks, the likeliest first."""
    check_libraries("masks")
    from .grabcut import cut_out

    return [_Found(torch.from_numpy(cut.mask), cut.leap, cut.certain) for cut in cut_out(pixels, clicks, count)]


def _predicted(pixels: Pixels, clicks: Clicks, weights: str, device: str, count: int) -> list[_Found]:
    from .sam2 import predicted

    masks: list[np.ndarray] = predicted(pixels, clicks, weights, device)
    return [_Found(torch.from_numpy(mask)) for mask in masks[:count]]
