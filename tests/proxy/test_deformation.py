"""Thin plates pass through what they are given."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dragondiffusion.core.geometry import cell_centres
from dragondiffusion.proxy.deformation import ThinPlate, flow, pins

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


def test_a_flow_leads_points_to_their_ends_and_does_not_fold():
    size = (40, 40)
    begin = torch.tensor([[15.0, 20.0], [19.0, 24.0], [19.0, 16.0]]).double()
    end = torch.tensor([[25.0, 20.0], [13.0, 24.0], [13.0, 16.0]]).double()
    fixed = torch.tensor([[2.0, 2.0], [38.0, 2.0], [2.0, 38.0], [38.0, 38.0], [20.0, 2.0], [20.0, 38.0]]).double()
    everywhere = torch.ones(size)
    torch.testing.assert_close(flow(begin, begin, end, fixed, everywhere, size), end, rtol=0, atol=0.01)
    points = cell_centres(size, size)

    def folded(steps):
        """Places where the map turns the plane over: its determinant is negative."""
        p = flow(points, begin, end, fixed, everywhere, size, steps).reshape(*size, 2)
        right, down = p.diff(dim=1)[:-1], p.diff(dim=0)[:, :-1]
        return int((right[..., 0] * down[..., 1] <= right[..., 1] * down[..., 0]).sum())

    assert folded(1) > 0
    assert folded(8) == 0


def test_a_flow_without_weight_moves_nothing():
    points = cell_centres((20, 20), (20, 20))
    begin, end = torch.tensor([[8.0, 8.0]]).double(), torch.tensor([[12.0, 9.0]]).double()
    fixed = torch.tensor([[1.0, 1.0], [19.0, 1.0], [1.0, 19.0]]).double()
    assert torch.equal(flow(points, begin, end, fixed, torch.zeros(20, 20), (20, 20)), points)
