"""What is found of a transformer once, by giving it noise: channels to leave out of features, and parts of places."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from ...core.levels import Level
from ...core.types import Size

OUTLIER = 50.0
"""Channels whose mean activation is so many times the median are left out of features.

Source: "massive activations" of DiTs hide all else in a cosine; that they are dropped, arXiv 2505.18584 (DiTF); the
factor is chosen.
"""
PROBE = (16, 16)
"""Tokens of the image by which these channels are found. Source: chosen."""
PLACES = 16
"""Images of noise by which that part of tokens is found which depends on their place alone. Source: chosen; of 4, a
small transformer finds less."""
SIZES = 4
"""Sizes of images for which that part is kept. Source: chosen."""
HALF = Level(500.0, 0.5, 0.5)
"""The level at which a transformer is looked at."""

Look: TypeAlias = Callable[[Size, float, Sequence[int], torch.Generator], dict[int, Tensor]]
"""From the grid of an image's tokens, the deviation of its noise, blocks and what draws the noise to the tokens that
enter these blocks."""


class Probes:
    """What is found once of a transformer. It is a property of its weights.

    Args:
        look: gives it noise at `HALF` under no text.
        normalised: from a block and tokens that enter it to these as it has them before it modulates them.
        blocks: how many blocks it has.
    """

    def __init__(self, look: Look, normalised: Callable[[int, Tensor], Tensor], blocks: int) -> None:
        self._look, self._normalised, self._blocks = look, normalised, blocks
        self._clear: dict[int, Tensor] | None = None
        self._common: dict[Size, dict[int, Tensor]] = {}

    def clear(self) -> dict[int, Tensor]:
        """For every block with channels of massive activation, a factor by channel: 0 for these, 1 for others."""
        if self._clear is None:
            with torch.no_grad():
                seen = self._look(PROBE, 1.0, range(self._blocks), torch.Generator().manual_seed(0))
            sizes = {k: image.float().abs().mean((0, 1)).cpu() for k, image in seen.items()}
            clear = {k: (size <= OUTLIER * size.median()).float() for k, size in sizes.items()}
            self._clear = {k: factor for k, factor in clear.items() if not bool(factor.all())}
        return self._clear

    def common(self, grid: Size, taps: Sequence[int]) -> dict[int, Tensor]:
        """What normalised tokens of all images have in common at a place, (1, tokens, channels) by block.

        It is their mean over images of noise whose clean latents are zero; found once for every size.
        """
        if grid not in self._common and len(self._common) >= SIZES:
            self._common.pop(next(iter(self._common)))
        known = self._common.setdefault(grid, {})
        missing = [k for k in taps if k not in known]
        if missing:
            known |= self._found(grid, missing)
        return known

    @torch.no_grad()
    def _found(self, grid: Size, taps: Sequence[int]) -> dict[int, Tensor]:
        clear, generator = self.clear(), torch.Generator().manual_seed(0)
        sums: dict[int, Tensor] = {}
        for _ in range(PLACES):
            for k, image in self._look(grid, HALF.sigma, taps, generator).items():
                tokens = self._normalised(k, cleared(image, clear.get(k))).float() / PLACES
                sums[k] = tokens if k not in sums else sums[k] + tokens
        return sums


def cleared(image: Tensor, clear: Tensor | None) -> Tensor:
    """Tokens without channels of massive activation."""
    return image if clear is None else image * clear.to(image)
