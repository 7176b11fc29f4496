"""Thin plates pass through what they are given."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dragondiffusion.deformation import ThinPlate, pins

quick = settings(max_examples=25, deadline=None)


@quick
@given(st.integers(0, 10_000), st.integers(3, 40))
def test_interpolates(seed, count):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(count, 2, generator=generator).double() * 300
    images = centres + torch.randn(count, 2, generator=generator) * 5
    plate = ThinPlate.through(centres, images)
    near = torch.cdist(centres, centres).fill_diagonal_(1e9).min()
    if near > 3:
        torch.testing.assert_close(plate(centres), images, rtol=0, atol=0.05)


def test_an_affine_map_is_met_exactly_everywhere():
    points = torch.rand(12, 2).double() * 200
    matrix, shift = torch.tensor([[1.1, -0.2], [0.3, 0.9]]).double(), torch.tensor([4.0, -7.0]).double()
    plate = ThinPlate.through(points, points @ matrix.T + shift)
    elsewhere = torch.rand(50, 2).double() * 400 - 100
    torch.testing.assert_close(plate(elsewhere), elsewhere @ matrix.T + shift, rtol=1e-4, atol=1e-2)


def test_pins_lie_around_the_region():
    region = torch.zeros(20, 30, dtype=torch.bool)
    region[5:15, 10:20] = True
    points = pins(region, (40, 60), 16)
    assert len(points) == 16 + 4
    inside = (points > torch.tensor([20.0, 10.0])).all(1) & (points < torch.tensor([40.0, 30.0])).all(1)
    assert not bool(inside.any())
