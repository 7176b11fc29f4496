"""DDIM against oracles: diffusers' scheduler, and Gaussian data, whose noise predictor and flow are known exactly."""

import itertools
import math

import pytest
import torch
from diffusers import DDIMScheduler

from checkpoints import DDIM
from dragondiffusion.backbones.unet.noise_levels import NoiseSchedule, Spacing, noise_schedule
from dragondiffusion.method import solver as ddim

MU, SPREAD = 1.5, 0.7


def gaussian_noise(z, alpha):
    """Exact noise prediction for data from N(MU, SPREAD^2)."""
    return math.sqrt(1 - alpha) * (z - math.sqrt(alpha) * MU) / (alpha * SPREAD**2 + 1 - alpha)


def gaussian_flow(z, alpha, to):
    """Exact solution of the probability flow between two levels."""
    u = (z - math.sqrt(alpha) * MU) / math.sqrt(alpha * SPREAD**2 + 1 - alpha)
    return math.sqrt(to) * MU + u * math.sqrt(to * SPREAD**2 + 1 - to)


def smooth_levels(steps):
    """Levels that refine evenly, so that the order shows."""
    return [math.cos(math.pi / 2 * (0.95 - 0.9 * k / steps)) ** 2 for k in range(steps + 1)]


@pytest.mark.parametrize("upwards", [False, True])
def test_order_one_on_gaussian_data(upwards):
    z_T = torch.linspace(-2, 2, 16, dtype=torch.float64).reshape(1, 1, 4, 4)
    errors = []
    for steps in (40, 80, 160):
        alphas = smooth_levels(steps)[:: -1 if upwards else 1]
        z = z_T
        for a, b in itertools.pairwise(alphas):
            z = ddim.step(z, gaussian_noise(z, a), a, b)
        errors.append(float((z - gaussian_flow(z_T, alphas[0], alphas[-1])).abs().max()))
    orders = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    assert all(abs(order - 1) < 0.15 for order in orders), (errors, orders)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("steps", [1, 7, 25, 50])
def test_timesteps_are_those_of_diffusers(spacing, steps):
    scheduler = DDIMScheduler(**DDIM, timestep_spacing=spacing)
    scheduler.set_timesteps(steps)
    levels = noise_schedule(scheduler.config).levels(steps)
    assert list(levels.timesteps) == scheduler.timesteps.tolist()
    assert levels.alphas[0] == pytest.approx(float(scheduler.alphas_cumprod[levels.timesteps[0]]))


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_step_is_that_of_diffusers(eta):
    scheduler = DDIMScheduler(**DDIM)
    scheduler.set_timesteps(50)
    levels = noise_schedule(scheduler.config).levels(50)
    generator = torch.Generator().manual_seed(0)
    z, eps, noise = torch.randn(3, 2, 4, 8, 8, generator=generator)
    for i in (0, 17, 48, 49):
        a_t, a_s = levels.alphas[i], levels.alphas[i + 1]
        std = eta * ddim.posterior_std(a_t, a_s)
        own = ddim.stochastic_step(ddim.predict_clean(z, eps, a_t), eps, noise if eta else None, std, a_s)
        theirs = scheduler.step(eps, levels.timesteps[i], z, eta=eta, variance_noise=noise if eta else None)
        torch.testing.assert_close(own, theirs.prev_sample, rtol=1e-5, atol=1e-5)


def test_step_is_undone_by_the_step_back():
    z, eps = torch.randn(2, 1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    there = ddim.step(z, eps, 0.3, 0.9)
    torch.testing.assert_close(ddim.step(there, eps, 0.9, 0.3), z)


def test_implied_noise_is_what_was_added():
    z_0, eps = torch.randn(2, 1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ddim.implied_noise(ddim.add_noise(z_0, eps, 0.4), z_0, 0.4), eps)


def test_levels_start_noisy_and_end_clean():
    schedule = NoiseSchedule(tuple(1 - t / 100 for t in range(1, 100)), 1.0, Spacing.LEADING, 0)
    levels = schedule.levels(9)
    assert list(levels.alphas) == sorted(levels.alphas)
    assert levels.alphas[-1] == 1.0
    assert list(levels.up()) == list(range(9))[::-1]
    assert levels.timestep(9) == 0


@pytest.mark.parametrize("steps", [0, -3, 1001])
def test_impossible_numbers_of_steps(steps):
    with pytest.raises(ValueError, match=f"steps={steps}"):
        noise_schedule(DDIMScheduler(**DDIM).config).levels(steps)
