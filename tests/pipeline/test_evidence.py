"""Evidence against results: constructed images whose flaws are known."""

import math

import pytest
import torch

from dragondiffusion.core.geometry import Affine, Correspondence
from dragondiffusion.pipeline.evidence import DARK, light_gap, missing_outline, remains, seam, smear, specks, stretch


def disc(centre, radius, size=96):
    y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    return ((x - centre[0]).square() + (y - centre[1]).square()).sqrt() < radius


def noise(seed, strength):
    return strength * torch.randn(3, 96, 96, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def scene():
    """A speckled red disc on speckled grey, and the disc."""
    thing = disc((48, 48), 20)
    ground = (0.5 + noise(0, 0.05)).clamp(0, 1)
    red = (torch.tensor([0.8, 0.2, 0.2])[:, None, None] + noise(1, 0.05)).clamp(0, 1)
    return torch.where(thing, red, ground), ground, thing


def test_the_outline_of_the_thing_is_there(scene):
    x, _, thing = scene
    assert missing_outline(x, thing) == 0


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_mask_that_misses_a_part_lacks_outline(scene, share):
    x, _, thing = scene
    part = thing.clone()
    part[round(68 - 40 * share) :] = False
    assert missing_outline(x, part) > 0.1


def test_a_box_around_a_thing_lacks_outline(scene):
    x, _, thing = scene
    box = torch.zeros_like(thing)
    box[26:70, 26:70] = True
    assert missing_outline(x, box) > 0.3
    assert missing_outline(x, torch.zeros_like(thing)) == 0


@pytest.mark.parametrize("width", [1, 2, 3])
def test_what_stays_in_a_slit_of_the_mask_is_specks(scene, width):
    x, ground, thing = scene
    slit = torch.zeros_like(thing)
    slit[40:56, 48 : 48 + width] = True
    hole = thing & ~slit
    made = torch.where(hole, ground, x)
    assert specks(made, x, hole, ~hole) >= 0.8 * int(slit.sum())
    assert specks(torch.where(slit, ground, made), x, hole, ~hole) == 0
    assert specks(torch.where(thing, ground, x), x, thing, ~thing) == 0


def test_what_is_left_of_fine_detail(scene):
    x, ground, thing = scene
    assert remains(x, x, thing) == pytest.approx(1)
    assert remains((x + ground) / 2, x, thing) == pytest.approx(0.5, abs=0.1)
    assert abs(remains(ground, x, thing)) < 0.15


def test_a_smooth_place_in_grain_is_a_smear(scene):
    x, ground, thing = scene
    assert smear(ground, thing, ~thing) == pytest.approx(1, abs=0.2)
    assert smear(torch.where(thing, torch.full_like(x, 0.5), x), thing, ~thing) < 0.1


def test_on_plain_ground_nothing_is_a_smear():
    x = torch.full((3, 96, 96), 0.5)
    thing = disc((48, 48), 20)
    assert smear(x, thing, ~thing) == 1 and seam(x, thing, ~thing) < 1


def test_a_step_around_a_place_is_a_seam(scene):
    _, ground, thing = scene
    whole, stepped = ground, torch.where(thing, ground + 0.3, ground)
    assert seam(whole, thing, ~thing) == pytest.approx(1, abs=0.25) and seam(stepped, thing, ~thing) > 2


@pytest.mark.parametrize(("scales", "angle"), [((1.0, 1.0), 30), ((2.0, 1.0), 0), ((0.5, 3.0), 20)])
def test_stretch_is_the_larger_scale_of_an_affine_map(scales, angle):
    region = disc((48, 48), 30)
    affine = Affine.about((48.0, 48.0), (3.0, -2.0), scales, angle)
    match = Correspondence.along(affine, region, (96, 96))
    inner = match.restrict(disc((48, 48), 12))
    assert stretch(inner) == pytest.approx(max(scales), rel=1e-3)


def test_a_map_to_one_point_stretches_without_end():
    region = disc((48, 48), 10)
    point = torch.full((int(region.sum()), 2), 5.0)
    assert math.isfinite(stretch(Correspondence.to(point, region, (96, 96))))


def test_the_light_of_two_places_differs_by_the_ratio_of_what_surrounds_a_thing():
    here, there = torch.full((3, 80, 90), 0.6 - DARK), torch.full((3, 60, 60), 0.3 - DARK)
    there[2] = 0.6 - DARK
    put, thing = torch.zeros(80, 90, dtype=torch.bool), torch.zeros(60, 60, dtype=torch.bool)
    put[30:50, 30:50], thing[20:40, 20:40] = True, True
    here[:, put], there[:, thing] = 0.0, 1.0
    gap = light_gap(here, put, put, there, thing)
    assert torch.allclose(gap, torch.tensor([2.0, 2.0, 1.0]).log(), atol=1e-5)
    everywhere = torch.ones_like(thing)
    assert not light_gap(here, put, put, there, everywhere).any()
