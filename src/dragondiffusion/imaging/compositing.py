"""Two images in one: mixed, laid over each other, detail restored."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from ..core.types import Mask, Pictures
from .files import Pixels

AGREEMENT = 0.25
"""Difference, of images in [-1, 1], at which a result no longer agrees with its proxy. Source: chosen."""


def detailed(x: Pictures, proxy: Pictures, blurred: Pictures) -> Pictures:
    r"""A result with what the autoencoder lost of its proxy, $x + w\,(d - D(E(d)))$.

    The weight $w$ falls from 1 where result and decoded proxy agree to 0 where they differ by `AGREEMENT`, so that
    detail is not laid over content that the sampling changed; light and shade that it changed smoothly stay.

    Args:
        x: the result.
        proxy: $d$.
        blurred: $D(E(d))$, the proxy after the autoencoder.
    """
    return x + agreement(x, blurred) * (proxy - blurred)


def agreement(x: Pictures, y: Pictures) -> Float[Tensor, "batch 1 _ _"]:
    """Where images are alike: 1 where they are equal, falling to 0 where they differ by `AGREEMENT`."""
    difference = (x - y).abs().mean(1, keepdim=True)
    near = nnf.avg_pool2d(difference, 5, stride=1, padding=2, count_include_pad=False)
    return (1 - near / AGREEMENT).clamp(0, 1)


def composite(edited: Pixels, original: Pixels, alpha: Mask) -> Pixels:
    """The edited image inside, the original outside: where `alpha` is 0 the pixels are those of the original."""
    return mixed(edited, original, alpha.cpu().numpy()[..., None])


def mixed(new: npt.NDArray[Any], old: npt.NDArray[np.uint8], weight: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Two images or channels mixed and rounded; where the weight of the new is 0 they are the old bit for bit."""
    values = np.rint(weight * new.astype(np.float32) + (1 - weight) * old.astype(np.float32)).astype(np.uint8)
    return np.where(weight > 0, values, old)
