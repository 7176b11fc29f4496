"""The noise schedule of a model and the steps a run makes through it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

ALPHA_FLOOR = 1e-5
"""Smallest `alphas_cumprod` used. Source: schedules with zero terminal SNR reach 0, where `x0` cannot be solved for."""


class Spacing(Enum):
    """Where the timesteps of a run lie among the training timesteps (diffusers' `timestep_spacing`)."""

    LEADING = "leading"
    TRAILING = "trailing"
    LINSPACE = "linspace"


@dataclass(frozen=True)
class NoiseSchedule:
    r"""Signal levels $\alpha_t$ of the forward process $z_t = \sqrt{\alpha_t}\,z_0 + \sqrt{1-\alpha_t}\,\epsilon$.

    Args:
        alphas_cumprod: signal level for every training timestep.
        final_alpha: signal level below timestep 0.
        spacing: how a run picks its timesteps.
        steps_offset: added to the timesteps of leading spacing.

    Source: DDIM (arXiv 2010.02502); spacing as in "Common Diffusion Noise Schedules" (arXiv 2305.08891), table 2.
    """

    alphas_cumprod: tuple[float, ...]
    final_alpha: float
    spacing: Spacing = Spacing.LEADING
    steps_offset: int = 1

    def alpha(self, t: int) -> float:
        """Signal level of a training timestep as everything here uses it, never below `ALPHA_FLOOR`."""
        return max(self.alphas_cumprod[t], ALPHA_FLOOR)

    def levels(self, steps: int) -> "Levels":
        """The levels of a run of so many steps.

        Raises:
            ValueError: if there are fewer than one or more than the training timesteps.
        """
        total = len(self.alphas_cumprod)
        if not 1 <= steps <= total:
            raise ValueError(f"steps={steps} must lie between 1 and the {total} steps of training")
        timesteps = [min(int(t), total - 1) for t in self._timesteps(steps, total)]
        alphas = [self.alpha(t) for t in timesteps]
        return Levels(tuple(timesteps), (*alphas, self.final_alpha))

    def _timesteps(self, steps: int, total: int) -> "list[int]":
        if self.spacing is Spacing.LEADING:
            return [k * (total // steps) + self.steps_offset for k in reversed(range(steps))]
        if self.spacing is Spacing.TRAILING:
            return [int(t) - 1 for t in np.round(np.arange(total, 0, -total / steps))][:steps]
        return [int(t) for t in np.linspace(0, total - 1, steps).round()[::-1]]


@dataclass(frozen=True)
class Levels:
    """The noise levels of a run: level 0 is the noisiest, level `n` is clean; step `i` goes from level `i` to `i + 1`.

    Args:
        timesteps: the `n` timesteps at which the network is called, noisiest first.
        alphas: the `n + 1` signal levels.
    """

    timesteps: tuple[int, ...]
    alphas: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.timesteps)

    def is_noise(self, level: int) -> bool:
        """Whether nothing of the picture is left at a level, as at the end of schedules with zero terminal SNR."""
        return self.alphas[level] <= ALPHA_FLOOR

    def timestep(self, level: int) -> int:
        """Timestep of a level; the clean level counts as timestep 0."""
        return self.timesteps[level] if level < len(self.timesteps) else 0

    def up(self, start: int = 0, top: int | None = None) -> Iterator[int]:
        """Levels to arrive at, one after the other, when a picture is inverted from level `top` (None: clean) up."""
        return iter(reversed(range(start, len(self.timesteps) if top is None else top)))
