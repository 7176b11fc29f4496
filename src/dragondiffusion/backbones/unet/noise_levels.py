"""What a scheduler's configuration says: the noise schedule, and what the network predicts."""

from typing import Any, cast

from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from ...core.levels import NoiseSchedule, Spacing


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
            "nothing of the picture there; set the scheduler's prediction_type to 'v_prediction' if the checkpoint "
            "was trained so, or rescale_betas_zero_snr=False"
        )
    return kind == "v_prediction"


def _chosen(config: Any, name: str, default: Any) -> Any:
    """A value of the configuration, unless it is only there because the scheduler's class has that default."""
    return default if name in config.get("_use_default_values", ()) else config.get(name, default)
