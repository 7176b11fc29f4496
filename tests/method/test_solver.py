"""DDIM against oracles: diffusers' scheduler, and Gaussian data, whose noise predictor and flow are known exactly."""

import itertools
import math

import pytest
import torch
from diffusers import DDIMScheduler

from checkpoints import DDIM
from dragondiffusion.backbones.unet.noise_levels import NoiseSchedule, Spacing, noise_schedule
from dragondiffusion.core.levels import Level
from dragondiffusion.method import solver

MU, SPREAD = 1.5, 0.7


def gaussian_noise(z, t):
    """Exact noise prediction for data from N(MU, SPREAD^2)."""
    return t.sigma * (z - t.alpha * MU) / (t.alpha**2 * SPREAD**2 + t.sigma**2)


def gaussian_flow(z, t, s):
    """Exact solution of the probability flow between two levels."""
    u = (z - t.alpha * MU) / math.hypot(t.alpha * SPREAD, t.sigma)
    return s.alpha * MU + u * math.hypot(s.alpha * SPREAD, s.sigma)


def preserving(alpha):
    """The level of variance-preserving diffusion with a squared signal."""
    return Level(0, math.sqrt(alpha), math.sqrt(1 - alpha))


def smooth_levels(steps):
    """Levels that refine evenly, so that the order shows."""
    return [preserving(math.cos(math.pi / 2 * (0.95 - 0.9 * k / steps)) ** 2) for k in range(steps + 1)]


@pytest.mark.parametrize("upwards", [False, True])
def test_order_one_on_gaussian_data(upwards):
    z_T = torch.linspace(-2, 2, 16, dtype=torch.float64).reshape(1, 1, 4, 4)
    errors = []
    for steps in (40, 80, 160):
        levels = smooth_levels(steps)[:: -1 if upwards else 1]
        z = z_T
        for t, s in itertools.pairwise(levels):
            z = solver.step(z, gaussian_noise(z, t), t, s)
        errors.append(float((z - gaussian_flow(z_T, levels[0], levels[-1])).abs().max()))
    orders = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    assert all(abs(order - 1) < 0.15 for order in orders), (errors, orders)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("steps", [1, 7, 25, 50])
def test_timesteps_are_those_of_diffusers(spacing, steps):
    scheduler = DDIMScheduler(**DDIM, timestep_spacing=spacing)
    scheduler.set_timesteps(steps)
    levels = noise_schedule(scheduler.config).levels(steps)
    assert [level.t for level in levels.all[:-1]] == scheduler.timesteps.tolist()
    assert levels[0].alpha ** 2 == pytest.approx(float(scheduler.alphas_cumprod[int(levels[0].t)]))
    assert all(level.alpha**2 + level.sigma**2 == pytest.approx(1) for level in levels.all)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_step_is_that_of_diffusers(eta):
    scheduler = DDIMScheduler(**DDIM)
    scheduler.set_timesteps(50)
    levels = noise_schedule(scheduler.config).levels(50)
    generator = torch.Generator().manual_seed(0)
    z, eps, noise = torch.randn(3, 2, 4, 8, 8, generator=generator)
    for i in (0, 17, 48, 49):
        t, s = levels[i], levels[i + 1]
        std = eta * solver.posterior_std(t, s)
        own = solver.stochastic_step(solver.predict_clean(z, eps, t), eps, noise if eta else None, std, s)
        theirs = scheduler.step(eps, int(t.t), z, eta=eta, variance_noise=noise if eta else None)
        torch.testing.assert_close(own, theirs.prev_sample, rtol=1e-5, atol=1e-5)


def test_step_is_undone_by_the_step_back():
    z, eps = torch.randn(2, 1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    t, s = preserving(0.3), preserving(0.9)
    torch.testing.assert_close(solver.step(solver.step(z, eps, t, s), eps, s, t), z)


def test_implied_noise_is_what_was_added():
    z_0, eps = torch.randn(2, 1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    t = preserving(0.4)
    torch.testing.assert_close(solver.implied_noise(solver.add_noise(z_0, eps, t), z_0, t), eps)


def test_levels_start_noisy_and_end_clean():
    schedule = NoiseSchedule(tuple(1 - t / 100 for t in range(1, 100)), 1.0, Spacing.LEADING, 0)
    levels = schedule.levels(9)
    alphas = [level.alpha for level in levels.all]
    assert alphas == sorted(alphas)
    assert alphas[-1] == 1.0
    assert list(levels.up()) == list(range(9))[::-1]
    assert levels[9].t == 0 and levels[9].sigma == 0


@pytest.mark.parametrize("steps", [0, -3, 1001])
def test_impossible_numbers_of_steps(steps):
    with pytest.raises(ValueError, match=f"steps={steps}"):
        noise_schedule(DDIMScheduler(**DDIM).config).levels(steps)
