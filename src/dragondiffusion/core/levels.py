r"""Noise levels: how much of an image and how much noise a latent holds.

Convention: $z_t = \alpha_t z_0 + \sigma_t \epsilon$ at every level. Variance-preserving diffusion has
$\alpha^2 + \sigma^2 = 1$, a rectified flow $\alpha + \sigma = 1$; nothing here asks which.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from .types import Number


@dataclass(frozen=True)
class Level:
    r"""One noise level of $z_t = \alpha z_0 + \sigma \epsilon$.

    Args:
        t: what the network is told, in the units of the model; 0 for the clean end.
        alpha: share of the clean latent.
        sigma: share of the noise.
    """

    t: Number
    alpha: Number
    sigma: Number

    NOISE = 4e-3
    """Up to this `alpha` nothing of the image is left. Source: schedules with zero terminal SNR, whose `alpha` is 0."""

    @property
    def is_noise(self) -> bool:
        """Whether nothing of the image is left, as at the end of schedules with zero terminal SNR."""
        return self.alpha < self.NOISE

    @property
    def ratio(self) -> Number:
        r"""$\sigma / \alpha$: standard deviation of the noise in units of the clean latent."""
        return self.sigma / self.alpha if self.alpha else math.inf


@dataclass(frozen=True)
class Levels:
    """The noise levels of a run: level 0 is the noisiest, level `n` the clean end; step `i` goes from `i` to `i + 1`.

    Args:
        all: the `n + 1` levels.
        shares: of the run that are over before each step, see `share`; empty is `i / n`.

    Raises:
        ValueError: if there are fewer than two, noise rises from level to level, or there is not one share a step. The
            last two levels may be the same: some schedules end at the level of their first timestep.
    """

    all: tuple[Level, ...]
    shares: tuple[Number, ...] = ()

    def __post_init__(self) -> None:
        ratios = [level.ratio for level in self.all]
        if len(ratios) < 2 or any(b > a for a, b in pairwise(ratios)):
            raise ValueError(f"noise must not rise along at least two levels; the levels are {self.all}")
        if self.shares and len(self.shares) != len(self):
            raise ValueError(f"shares={self.shares} must be one for each of {len(self)} steps, or none")

    def __len__(self) -> int:
        """Number of steps."""
        return len(self.all) - 1

    def __getitem__(self, i: int) -> Level:
        return self.all[i]

    def share(self, i: int) -> Number:
        """How much of a run is over when step `i` begins, in [0, 1): what windows and clamps are told in.

        Of models with Stable Diffusion's schedule it is the share of the steps. A model whose schedule has other noise
        at the same share says where Stable Diffusion's has as much, so that settings mean the same noise.
        """
        return self.shares[i] if self.shares else i / len(self)

    def up(self, start: int = 0, top: int | None = None) -> Iterator[int]:
        """Levels to arrive at, one after the other, when an image is inverted from level `top` (None: clean) up."""
        return iter(reversed(range(start, len(self) if top is None else top)))

    def released(self, share: Number) -> Number:
        """The `Level.ratio` at which something is released that is clamped for a share of the steps.

        Args:
            share: of the run, in [0, 1]; 0 is never clamped, 1 always.

        Returns:
            What is clamped at every level with a larger ratio: infinite for never clamped, `NEVER` for always.
        """
        step = next((i for i in range(len(self)) if not self.share(i) < share), None)
        if step is None:
            return NEVER
        return self[step].ratio if step else math.inf


NEVER = -1.0
"""A release ratio below that of every level: clamped to the end."""
