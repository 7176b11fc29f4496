"""The pattern of one object continued over another: periods, direction, and what cannot be known."""

import math

import pytest
import torch

from dragondiffusion.core.geometry import cell_centres
from dragondiffusion.proxy.weaving import scaled_object, woven

SIZE = (72, 80)


def waves(size, period=9.0, angle=0.4, shift=(0.0, 0.0)):
    """Stripes in one direction, colours in [-1, 1], as a picture."""
    x, y = (cell_centres(size, size).float() - torch.tensor(shift)).unbind(1)
    u = (x * math.cos(angle) + y * math.sin(angle)).reshape(size)
    wave = 0.8 * torch.sin(2 * math.pi * u / period)
    return torch.stack((wave, -wave, 0.5 * wave))[None]


def region(size, left, top, right, bottom):
    found = torch.zeros(size, dtype=torch.bool)
    found[top:bottom, left:right] = True
    return found


def nearest_shift(made, where, period, angle):
    """Least mean squared error against the same waves at any phase."""
    errors = []
    for k in range(36):
        away = period * k / 36
        truth = waves(SIZE, period, angle, (away * math.cos(angle), away * math.sin(angle)))
        errors.append(float((made - truth)[0, :, where].square().mean()))
    return min(errors)


@pytest.mark.parametrize("size", [(72, 80), (40, 50)])
def test_stripes_go_on_beyond_what_was_seen_of_them(size):
    like, target = region(size, 6, 8, 36, 34), region(SIZE, 10, 6, 74, 66)
    made = woven(waves(size), like, target)
    assert made.shape == (1, 3, *SIZE)
    power = 0.8**2 * (1 + 1 + 0.25) / 3 / 2
    assert nearest_shift(made, target, 9.0, 0.4) < 0.1 * power


def test_a_smaller_target_is_a_copy():
    like, target = region((60, 60), 5, 5, 55, 55), region(SIZE, 30, 20, 60, 50)
    x = torch.rand(1, 3, 60, 60, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = woven(x, like, target)
    found = [
        torch.equal(made[0, :, 20:50, 30:60], x[0, :, dy : dy + 30, dx : dx + 30])
        for dy in range(31)
        for dx in range(31)
    ]
    assert any(found)


def test_a_single_colour_stays_one():
    like, target = region((40, 40), 12, 15, 20, 24), region(SIZE, 2, 2, 70, 60)
    made = woven(torch.full((1, 3, 40, 40), 0.25), like, target)
    assert float((made[0, :, target] - 0.25).abs().max()) < 1e-4


def test_what_is_resized_keeps_its_share():
    mask = region((40, 60), 10, 10, 40, 30).float()
    x, found = scaled_object(waves((40, 60)), mask, 0.5)
    assert x.shape[-2:] == found.shape == (20, 30)
    assert float(found.sum()) == pytest.approx(float(mask.sum()) / 4, rel=0.02)
