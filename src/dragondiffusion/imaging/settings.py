"""Settings of input and output: what masks may be, how an edited image is put together, at which size it is edited."""

from dataclasses import dataclass
from typing import Annotated

from ..core.bounds import Bounded, Range

LEAST_WORKING_SIZE = 64
"""Smallest working size, pixels. Source: chosen, eight latent cells of Stable Diffusion."""

MOST_WORKING_SIZE = 4096
"""Largest working size, pixels. Source: chosen, four times what Stable Diffusion XL was made for."""


@dataclass(frozen=True, kw_only=True)
class OutputSettings(Bounded):
    """Settings of the output.

    Args:
        restore_detail: where the result agrees with the proxy, high-frequency detail that the autoencoder lost is
            restored from it. Source: chosen, docs/experiments.md.
        composite: pixels away from the edit are those of the input.
        composite_feather: width of the transition, latent cells. Source: chosen, one cell beyond the free margin.
        working_size: images with a side of more than one and a half times this, in pixels, are edited in a frame
            around the edit, which is scaled down to about this many pixels along each side where it is larger. Source:
            None, what the model was made for.
        large_mask: a mask may mark more than 90 % of its image; otherwise it is refused, since it is probably inverted.
    """

    restore_detail: bool = True
    composite: bool = True
    composite_feather: Annotated[int, Range(0, 64, "latent cells")] = 1
    working_size: Annotated[int, Range(LEAST_WORKING_SIZE, MOST_WORKING_SIZE, "pixels")] | None = None
    large_mask: bool = False
