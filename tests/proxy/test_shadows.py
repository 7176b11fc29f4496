"""A shadow is found where one was thrown, and nowhere else."""

import math

import pytest
import torch

from dragondiffusion.bench import scenes as S
from dragondiffusion.proxy.shadows import Shadow, blurred, find_shadow, shaded


def disc(size, centre, radius):
    y, x = torch.meshgrid(torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5, indexing="ij")
    return (radius + 0.5 - ((x - centre[0]).square() + (y - centre[1]).square()).sqrt()).clamp(0, 1)


def picture(shadow, mask, texture=0.0):
    """A grey gradient with an object and its shadow, in [-1, 1]."""
    height, width = mask.shape
    ramp = torch.linspace(0.5, 0.7, width).expand(3, height, width)
    ramp = ramp + texture * torch.sin(torch.arange(height) / 3.0)[None, :, None]
    lit = ramp if shadow is None else ramp * shadow.factor(mask)
    return (torch.lerp(lit, torch.tensor([0.8, 0.2, 0.2])[:, None, None], mask) * 2 - 1)[None]


@pytest.mark.parametrize("size", [(96, 96), (80, 130), (240, 320)])
@pytest.mark.parametrize("angle", [20, 140, 260])
def test_the_shadow_thrown_is_the_shadow_found(size, angle):
    radius = min(size) / 6
    mask = disc(size, (size[1] / 2, size[0] / 2), radius)
    way = (0.4 * radius * math.cos(math.radians(angle)), 0.4 * radius * math.sin(math.radians(angle)))
    thrown = Shadow(0.4, way, 0.25 * radius)
    found = find_shadow(picture(thrown, mask, texture=0.02), mask)
    assert found is not None
    assert math.dist(found.offset, way) < 0.2 * radius
    assert (found.factor(mask) - thrown.factor(mask)).abs()[mask < 0.5].max() < 0.08


@pytest.mark.parametrize("texture", [0.0, 0.03, 0.1])
def test_no_shadow_is_found_where_none_was_thrown(texture):
    mask = disc((96, 96), (48, 48), 16)
    assert find_shadow(picture(None, mask, texture), mask) is None


def test_a_bright_halo_is_no_shadow():
    mask = disc((96, 96), (48, 48), 16)
    x = picture(None, mask)
    halo = 1 + 0.2 * blurred(mask, 4.0)
    glowing = torch.where(mask > 0.5, x, (x + 1) * halo - 1).clamp(-1, 1)
    assert find_shadow(glowing, mask) is None


def test_a_thing_beside_the_object_is_no_shadow():
    mask, beside = disc((96, 96), (40, 48), 14), disc((96, 96), (66, 48), 10)
    x = torch.lerp(picture(None, mask), torch.tensor([0.1, 0.2, 0.9])[:, None, None] * 2 - 1, beside)
    assert find_shadow(x, mask) is None


@pytest.mark.parametrize("ground", [(0.05, 0.1, 0.9), (0.9, 0.85, 0.02), (0.5, 0.5, 0.5)])
@pytest.mark.parametrize("beside", [(0.4, 0.05, 0.5), (0.0, 0.3, 0.6), (0.35, 0.3, 0.3)])
def test_flat_shapes_beside_each_other_cast_no_shadow(ground, beside):
    """Also on saturated grounds, with channels near 0 whose ratios are unstable."""
    mask = disc((96, 96), (44, 48), 14)
    x = torch.tensor(ground)[:, None, None].expand(3, 96, 96)
    for centre, radius in (((68, 40), 9), ((40, 74), 11), ((20, 22), 10)):
        x = torch.lerp(x, torch.tensor(beside)[:, None, None], disc((96, 96), centre, radius) * (mask == 0))
    x = torch.lerp(x, torch.tensor([0.9, 0.3, 0.1])[:, None, None], mask) * 2 - 1
    assert find_shadow(x[None], mask) is None


@pytest.mark.parametrize("turn", [0.0, 0.5, 1.2])
def test_stripes_are_no_shadow(turn):
    mask = disc((96, 96), (44, 48), 14)
    y, x = torch.meshgrid(torch.arange(96) + 0.5, torch.arange(96) + 0.5, indexing="ij")
    wave = ((x * math.cos(turn) + y * math.sin(turn)) / 4).sin() > 0
    light, dark = (torch.tensor(colour)[:, None, None] for colour in ([0.9, 0.8, 0.7], [0.6, 0.5, 0.4]))
    drawn = torch.where(wave, light, dark)
    assert find_shadow((torch.lerp(drawn, torch.zeros(3, 1, 1), mask) * 2 - 1)[None], mask) is None


@pytest.mark.parametrize("mask", [torch.zeros(40, 40), torch.ones(40, 40)])
def test_nothing_and_everything_cast_no_shadow(mask):
    assert find_shadow(torch.rand(1, 3, 40, 40) * 2 - 1, mask) is None


def test_the_shadows_of_scenes_are_found():
    """Where an object is moved to another place of a scene, its own shadow explains what changed around it."""
    better = 0
    for seed in range(2_000_000_100, 2_000_000_110):
        scenes = S.sample([seed], objects=1)
        drawn = S.render(scenes)
        mask = drawn.masks[0, -1]
        found = find_shadow(drawn.image * 2 - 1, mask)
        if found is None:
            continue
        truth = 1 - drawn.shadows[0, -1]
        ring = shaded(truth) & (mask < 0.02)
        better += (
            float((found.factor(mask) - truth)[ring].square().mean()) < float((1 - truth)[ring].square().mean()) / 4
        )
    assert better >= 9


def test_a_factor_is_bounded_and_resizes_with_the_object():
    mask, shadow = disc((64, 64), (30, 30), 10), Shadow(0.5, (4.0, -2.0), 3.0)
    factor = shadow.factor(mask)
    assert 0.5 <= float(factor.min()) < 0.6 and float(factor.max()) == 1
    assert shadow.resized(2.0) == Shadow(0.5, (8.0, -4.0), 6.0)
    torch.testing.assert_close(blurred(mask, 3.0).sum(), mask.sum(), rtol=1e-3, atol=0)


def test_the_light_of_a_photograph_is_no_shadow_of_what_fills_it():
    """Photographs get darker on one side and at their corners; around a large object that looks like its shadow."""
    mask = disc((160, 112), (56, 80), 37)
    y, x = torch.meshgrid(torch.arange(160) + 0.5, torch.arange(112) + 0.5, indexing="ij")
    for way in ((1.0, 0.0), (0.0, 1.0), (-0.7, 0.7)):
        light = 0.7 - 0.3 * torch.exp(
            -((x - 56 - 30 * way[0]).square() + (y - 80 - 30 * way[1]).square()) / (2 * 30**2)
        )
        drawn = torch.lerp(light.expand(3, 160, 112), torch.tensor([0.8, 0.2, 0.2])[:, None, None], mask)
        assert find_shadow((drawn * 2 - 1)[None], mask) is None
