"""The noise schedule of a model that was trained by variance-preserving diffusion, and what its network predicts."""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import numpy as np
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from ...core.levels import Level, Levels

ALPHA_FLOOR = 1e-5
"""Smallest `alphas_cumprod` used. Source: schedules with zero terminal SNR reach 0, where `x0` cannot be solved for."""


class Spacing(Enum):
    """Where the timesteps of a run lie among the training timesteps (diffusers' `timestep_spacing`)."""

    LEADING = "leading"
    TRAILING = "trailing"
    LINSPACE = "linspace"


@dataclass(frozen=True)
class NoiseSchedule:
    r"""The forward process $z_t = \sqrt{\bar\alpha_t}\,z_0 + \sqrt{1-\bar\alpha_t}\,\epsilon$.

    Args:
        alphas_cumprod: $\bar\alpha_t$ for every training timestep.
        final_alpha: $\bar\alpha$ below timestep 0.
        spacing: how a run picks its timesteps.
        steps_offset: added to the timesteps of leading spacing.

    Source: DDIM (arXiv 2010.02502); spacing as in "Common Diffusion Noise Schedules" (arXiv 2305.08891), table 2.
    """

    alphas_cumprod: tuple[float, ...]
    final_alpha: float
    spacing: Spacing = Spacing.LEADING
    steps_offset: int = 1

    def level(self, t: int) -> Level:
        """The level of a training timestep; its signal is never below `ALPHA_FLOOR`.

        Raises:
            ValueError: if there is no such timestep.
        """
        total = len(self.alphas_cumprod)
        if not 0 <= t < total:
            raise ValueError(f"timestep {t} must lie between 0 and {total - 1}")
        return _level(t, max(self.alphas_cumprod[t], ALPHA_FLOOR))

    def levels(self, steps: int) -> Levels:
        """The levels of a run of so many steps.

        Raises:
            ValueError: if there are fewer than one or more than the training timesteps.
        """
        total = len(self.alphas_cumprod)
        if not 1 <= steps <= total:
            raise ValueError(f"steps={steps} must lie between 1 and the {total} steps of training")
        timesteps = [min(int(t), total - 1) for t in self._timesteps(steps, total)]
        return Levels((*(self.level(t) for t in timesteps), _level(0, self.final_alpha)))

    def _timesteps(self, steps: int, total: int) -> list[int]:
        if self.spacing is Spacing.LEADING:
            return [k * (total // steps) + self.steps_offset for k in reversed(range(steps))]
        if self.spacing is Spacing.TRAILING:
            return [int(t) - 1 for t in np.round(np.arange(total, 0, -total / steps))][:steps]
        return [int(t) for t in np.linspace(0, total - 1, steps).round()[::-1]]


def _level(t: int, alpha_cumprod: float) -> Level:
    return Level(t, math.sqrt(alpha_cumprod), math.sqrt(1 - alpha_cumprod))


def noise_schedule(config: Any) -> NoiseSchedule:
    """The schedule in a scheduler's configuration, whichever scheduler it is.

    A scheduler only lends its noise levels: how it samples (its order, Karras's levels, noise of its own) is left out,
    and so is a spacing of the timesteps that nobody chose but the scheduler's class.

    Raises:
        ValueError: if it has no noise levels of the kind that Stable Diffusion is trained with.
    """
    if config.get("trained_betas") is None and config.get("beta_schedule") is None:
        raise ValueError(
            f"scheduler {config.get('_class_name', 'of this pipeline')} gives no betas; set pipe.scheduler to one that "
            "does, such as DDIMScheduler with the checkpoint's own schedule"
        )
    try:
        ddim = cast(Any, DDIMScheduler).from_config(config)
    except NotImplementedError as error:
        raise ValueError(f"beta_schedule={config['beta_schedule']!r} of the scheduler is not supported") from error
    return NoiseSchedule(
        tuple(ddim.alphas_cumprod.tolist()),
        float(ddim.final_alpha_cumprod),
        Spacing(_chosen(config, "timestep_spacing", "leading")),
        int(_chosen(config, "steps_offset", 0)),
    )


def predicts_v(config: Any) -> bool:
    """Whether the model predicts `v` rather than noise.

    Raises:
        ValueError: if it predicts something else, or noise where there is nothing but noise.
    """
    kind = config.get("prediction_type", "epsilon")
    if kind not in ("epsilon", "v_prediction"):
        raise ValueError(
            f"prediction_type {kind!r} is not supported; use a model that predicts epsilon or v_prediction"
        )
    if kind == "epsilon" and config.get("rescale_betas_zero_snr", False):
        raise ValueError(
            "rescale_betas_zero_snr=True with prediction_type 'epsilon': the last level is all noise, and noise says "
            "nothing of the image there; set the scheduler's prediction_type to 'v_prediction' if the checkpoint "
            "was trained so, or rescale_betas_zero_snr=False"
        )
    return kind == "v_prediction"


def _chosen(config: Any, name: str, default: Any) -> Any:
    """A value of the configuration, unless it is only there because the scheduler's class has that default."""
    return default if name in config.get("_use_default_values", ()) else config.get(name, default)
