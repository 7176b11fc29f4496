r"""The levels of a rectified flow, $z_t = (1 - \sigma_t)\,z_0 + \sigma_t\,\epsilon$, as a scheduler has them.

What settings call a share of a run is where Stable Diffusion's schedule, for which they were chosen, has as much noise.

Source: rectified flow, arXiv 2209.03003; shifts that depend on the size, arXiv 2403.03206, section 5.3.2.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

from ...core.levels import Level, Levels
from ..published import SCHEDULER


@dataclass(frozen=True)
class FlowSchedule:
    """How a run picks its noise levels.

    Args:
        config: of the scheduler.
        evenly: levels are spread evenly from 1 to 1/steps before they are shifted, as FLUX does it; otherwise between
            the scheduler's largest and smallest.
    """

    config: Any
    evenly: bool = False

    @property
    def depends_on_size(self) -> bool:
        """Whether larger images spend more of a run at high noise."""
        return bool(self.config.get("use_dynamic_shifting", False))

    def levels(self, steps: int, tokens: int) -> Levels:
        """The levels of a run.

        Args:
            steps: of the run.
            tokens: of the image, which the shift of some models depends on.

        Raises:
            ValueError: if there are fewer steps than one or more than those of training.
        """
        total = int(self.config.get("num_train_timesteps", 1000))
        if not 1 <= steps <= total:
            raise ValueError(f"steps={steps} must lie between 1 and the {total} steps of training")
        scheduler = cast(Any, FlowMatchEulerDiscreteScheduler).from_config(self.config)
        given = np.linspace(1.0, 1 / steps, steps) if self.evenly and not self._own_sigmas else None
        shift = {"mu": self._shift(tokens)} if self.depends_on_size else {}
        scheduler.set_timesteps(steps, sigmas=given, **shift)
        times, sigmas = scheduler.timesteps.tolist(), scheduler.sigmas.tolist()
        noisy = [Level(t, 1.0 - s, s) for t, s in zip(times, sigmas[:-1], strict=True)]
        return Levels((*noisy, Level(0, 1.0, 0.0)), tuple(share(level, steps) for level in noisy))

    @property
    def _own_sigmas(self) -> bool:
        return bool(self.config.get("use_flow_sigmas", False))

    def _shift(self, tokens: int) -> float:
        """The logarithm of the shift: linear in the number of tokens, between two of them that the scheduler names."""
        few, many = int(self._number("base_image_seq_len", 256)), int(self._number("max_image_seq_len", 4096))
        low, high = self._number("base_shift", 0.5), self._number("max_shift", 1.15)
        slope = (high - low) / (many - few)
        return tokens * slope + low - slope * few

    def _number(self, name: str, default: float) -> float:
        return float(self.config.get(name, default))


def share(level: Level, steps: int) -> float:
    """The share of a run of so many steps that is over when Stable Diffusion's schedule is at a level's noise.

    It counts as that schedule does, whose first step of `n` is made at timestep 1000 - 1000 / n + 1.
    """
    t = float(np.interp(level.ratio, _ratios(), np.arange(len(_ratios()))))
    return max(0.0, 1 - 1 / steps - (t - 1) / len(_ratios()))


@cache
def _ratios() -> npt.NDArray[np.float64]:
    """Noise in units of the clean latent at every timestep of Stable Diffusion's training."""
    first, last = (math.sqrt(SCHEDULER[name]) for name in ("beta_start", "beta_end"))
    kept = np.cumprod(1 - np.linspace(first, last, 1000) ** 2)
    return np.sqrt((1 - kept) / kept)


def flow_schedule(scheduler: Any, evenly: bool = False) -> FlowSchedule:
    """The schedule in a scheduler; how it samples otherwise (its order, noise of its own) is left out.

    Args:
        scheduler: of the pipeline.
        evenly: see `FlowSchedule`.

    Raises:
        ValueError: if it is no scheduler of a flow.
    """
    config, name = scheduler.config, type(scheduler).__name__
    if not name.startswith("FlowMatch") or config.get("invert_sigmas", False):
        raise ValueError(
            f"scheduler {name} gives no levels of a rectified flow; set pipe.scheduler to "
            "FlowMatchEulerDiscreteScheduler with the checkpoint's own configuration"
        )
    return FlowSchedule(config, evenly)
