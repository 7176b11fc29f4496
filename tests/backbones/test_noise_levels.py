"""Schedulers lend their noise levels, whichever they are; the last level may be all noise."""

import math

import diffusers
import pytest
import torch

from checkpoints import DDIM, sd21
from dragondiffusion import Editor, Move, Settings
from dragondiffusion.backbones.unet.noise_levels import noise_schedule, predicts_v
from dragondiffusion.method import solver

ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("PNDMScheduler", {}),
        ("EulerDiscreteScheduler", {}),
        ("EulerAncestralDiscreteScheduler", {}),
        ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True, "algorithm_type": "sde-dpmsolver++"}),
        ("UniPCMultistepScheduler", {}),
        ("HeunDiscreteScheduler", {}),
        ("LCMScheduler", {}),
        ("DDPMScheduler", {}),
    ],
)
def test_every_scheduler_lends_the_same_levels(name, changes):
    """A scheduler made from another's configuration, as one swaps them, gives the same run."""
    base = diffusers.DDIMScheduler(**DDIM)
    other = getattr(diffusers, name).from_config(base.config, **changes)
    assert noise_schedule(other.config) == noise_schedule(base.config)
    chosen = type(other).from_config(other.config, timestep_spacing="trailing")
    assert noise_schedule(chosen.config).levels(10)[0].t == 999


@pytest.mark.parametrize("name", ["FlowMatchEulerDiscreteScheduler", "EDMEulerScheduler"])
def test_schedulers_of_other_kinds_are_refused(name):
    with pytest.raises(ValueError, match="gives no betas"):
        noise_schedule(getattr(diffusers, name)().config)


def test_noise_cannot_be_predicted_from_nothing_but_noise():
    with pytest.raises(ValueError, match="rescale_betas_zero_snr=True with prediction_type 'epsilon'"):
        predicts_v(diffusers.DDIMScheduler(**{**DDIM, "rescale_betas_zero_snr": True}).config)


@torch.no_grad()
def test_the_level_of_pure_noise_says_what_the_model_says(data):
    r"""There $\hat z_0 = -v$, which passes through $\epsilon$ and comes out again."""
    backbone = Editor(sd21(data, **ZERO_SNR)).backbone
    levels = backbone.schedule.levels(5)
    assert backbone.schedule.alphas_cumprod[int(levels[0].t)] == 0
    assert levels[0].is_noise and not levels[1].is_noise
    z, condition = torch.randn(1, 4, 8, 8), backbone.describe(["a cup"], backbone.canvas((64, 64), 2))
    v = backbone.pipe.unet(z, 999, encoder_hidden_states=condition.text).sample
    found = backbone.predict(z, levels[0], condition)
    for z_0 in (solver.predict_clean(z, found.eps, levels[0]), found.z_0):
        torch.testing.assert_close(z_0, levels[0].alpha * z - v, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("preset", ["default", "reference"])
def test_pictures_are_edited_from_pure_noise(preset, data, picture, mask):
    settings = Settings.preset(preset, steps=6, clamp_hole=None)
    result = Editor(sd21(data, **ZERO_SNR))(picture, Move(mask, (20, 3)), settings=settings)
    assert bool(result.latents.isfinite().all())
    assert all(math.isfinite(e) for _, values in result.energies for e in values.values())
    assert 0 not in [step for step, _ in result.energies]  # in pure noise there is nothing to compare
