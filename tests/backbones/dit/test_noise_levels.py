"""Shares of a run, by noise: what windows and clamps mean for schedules of rectified flows."""

from itertools import pairwise

import pytest
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler

from dragondiffusion import Settings
from dragondiffusion.backbones.dit.noise_levels import flow_schedule, share
from dragondiffusion.backbones.published import SCHEDULER
from dragondiffusion.backbones.unet.noise_levels import noise_schedule
from dragondiffusion.core.levels import NEVER, Level, Levels


@pytest.mark.parametrize("steps", [5, 20, 50])
def test_by_noise_stable_diffusions_own_levels_have_the_shares_of_their_steps(steps):
    levels = noise_schedule(DDIMScheduler(**SCHEDULER).config).levels(steps)
    assert [share(level, steps) for level in levels.all[:-1]] == pytest.approx(
        [levels.share(i) for i in range(steps)], abs=1e-6
    )


@pytest.mark.parametrize("config", [{}, {"shift": 3.0}, {"use_dynamic_shifting": True}])
@pytest.mark.parametrize("steps", [5, 6, 10, 20])
def test_energies_of_a_flow_act_at_the_noise_at_which_they_act_in_stable_diffusion(steps, config):
    levels = flow_schedule(FlowMatchEulerDiscreteScheduler(**config)).levels(steps, tokens=4096)
    shares = [levels.share(i) for i in range(steps)]
    assert shares[0] == 0
    assert all(a <= b < 1 for a, b in pairwise(shares))
    guided = [i for i in range(steps) if Settings().guides(i, levels)]
    assert guided and 0 not in guided  # level 0 is pure noise
    last = noise_schedule(DDIMScheduler(**SCHEDULER).config).level(int(1000 * (0.4 - 1 / steps)) + 1)
    assert all(levels[i].ratio > last.ratio for i in guided)  # where its run of as many steps is over by 0.6
    released = levels.released(0.6)
    assert all((level.ratio > released) == (s < 0.6) for level, s in zip(levels.all, shares, strict=False))


def test_shares_are_one_for_each_step():
    levels = (Level(1, 0.0, 1.0), Level(0, 1.0, 0.0))
    assert Levels(levels).share(0) == 0
    assert Levels(levels, (0.5,)).released(0.6) == NEVER
    with pytest.raises(ValueError, match="one for each of 1 steps"):
        Levels(levels, (0.1, 0.2))
