"""Affine maps and correspondences on odd, non-square grids."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as nnf
from hypothesis import given, settings
from hypothesis import strategies as st

from dragondiffusion.core.geometry import (
    Affine,
    Correspondence,
    bounding_box,
    cell_centres,
    centroid,
    coverage,
    covered_cells,
    dilate,
    feather,
    fill,
    warp,
    warp_mask,
)
from dragondiffusion.core.resampling import nearest_cells, sample_bicubic, sample_bilinear

numbers = st.floats(-50, 50)
affines = st.builds(
    Affine.about,
    st.tuples(numbers, numbers),
    st.tuples(numbers, numbers),
    st.tuples(st.floats(0.3, 3), st.floats(0.3, 3)),
    st.floats(-180, 180),
    st.booleans(),
)
POINTS = torch.tensor([[0.0, 0.0], [13.5, -2.0], [100.0, 31.0]], dtype=torch.float64)
sizes = st.tuples(st.integers(3, 17), st.integers(3, 17))
quick = settings(max_examples=40, deadline=None)


@quick
@given(affines, affines)
def test_composition(f, g):
    torch.testing.assert_close((f @ g)(POINTS), f(g(POINTS)))


@quick
@given(affines)
def test_inverse(f):
    torch.testing.assert_close(f.inverse()(f(POINTS)), POINTS, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close((f @ f.inverse())(POINTS), POINTS, rtol=1e-6, atol=1e-6)


@quick
@given(st.tuples(numbers, numbers), st.tuples(numbers, numbers), st.floats(0.3, 3), st.floats(-180, 180))
def test_anchor_moves_by_the_offset_only(anchor, offset, scale, angle):
    moved = Affine.about(anchor, offset, (scale, scale), angle)(torch.tensor([anchor], dtype=torch.float64))
    expected = torch.tensor([[anchor[0] + offset[0], anchor[1] + offset[1]]], dtype=torch.float64)
    torch.testing.assert_close(moved, expected, rtol=1e-6, atol=1e-6)


def test_positive_angles_turn_counter_clockwise_on_the_screen():
    right = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(Affine.about((0, 0), angle=90)(right), torch.tensor([[0.0, -1.0]], dtype=torch.float64))


def test_flip_mirrors_left_and_right():
    x = torch.rand(3, 7, 11)
    torch.testing.assert_close(warp(x, Affine.about((5.5, 3.5), flip=True)), x.flip(-1), rtol=1e-5, atol=1e-5)


def test_quarter_turn_is_that_of_torch():
    x = torch.rand(2, 9, 9)
    torch.testing.assert_close(warp(x, Affine.about((4.5, 4.5), angle=90)), x.rot90(1, (-2, -1)), rtol=1e-5, atol=1e-5)


def test_singular_map():
    with pytest.raises(ValueError, match="no inverse"):
        Affine.about((0, 0), scale=(0.0, 1.0)).inverse()


def slices(size, shift):
    """Where a whole shift takes from and brings to, along one axis."""
    return slice(max(0, -shift), size - max(0, shift)), slice(max(0, shift), size - max(0, -shift))


@quick
@given(sizes, st.integers(-9, 9), st.integers(-9, 9), st.booleans())
def test_whole_shift_is_slicing_and_nothing_wraps(size, dx, dy, bilinear):
    values = torch.rand(1, 2, *size)
    affine = Affine.about((0.0, 0.0), (dx, dy))
    everything = torch.ones(size)
    target = warp_mask(everything, affine) > 0.5
    expected = torch.full_like(values, -1.0)
    if abs(dy) < size[0] and abs(dx) < size[1]:
        (rows, to_rows), (columns, to_columns) = slices(size[0], dy), slices(size[1], dx)
        expected[..., to_rows, to_columns] = values[..., rows, columns]
    match = replace(Correspondence.along(affine, target, size), bilinear=bilinear)
    carried = match.carry(values, torch.full_like(values, -1.0))
    torch.testing.assert_close(carried, expected, rtol=1e-5, atol=1e-5)


@quick
@given(sizes, st.integers(1, 4))
def test_same_region_keeps_values_at_any_feature_scale(size, factor):
    region = torch.rand(size[0] * factor, size[1] * factor) > 0.5
    values = torch.rand(1, 3, *size)
    fine = values.repeat_interleave(factor, -1).repeat_interleave(factor, -2)
    torch.testing.assert_close(Correspondence.same(region).sample(values), fine[:, :, region])


def test_half_cell_shift_is_the_mean_of_neighbours():
    values = torch.arange(6.0).reshape(1, 1, 1, 6).repeat(1, 1, 4, 1)
    target = torch.zeros(4, 6, dtype=torch.bool)
    target[1, 3] = True
    sampled = Correspondence.along(Affine.about((0, 0), (0.5, 0)), target, (4, 6)).sample(values)
    assert float(sampled) == pytest.approx(2.5, abs=1e-5)


def test_restrict_keeps_pairs_together():
    region = torch.ones(4, 5, dtype=torch.bool)
    part = torch.zeros_like(region)
    part[2, 1:4] = True
    values = torch.rand(1, 2, 4, 5)
    torch.testing.assert_close(Correspondence.same(region).restrict(part).sample(values), values[:, :, part])


def test_small_objects_are_not_lost():
    mask = torch.zeros(64, 64)
    mask[10:12, 33:35] = 1
    assert int(covered_cells(mask, (8, 8)).sum()) == 1
    assert covered_cells(mask, (8, 8))[1, 4]
    assert not covered_cells(torch.zeros(64, 64), (8, 8)).any()


def test_masks():
    mask = torch.zeros(6, 9)
    mask[2:4, 3:7] = 1
    assert centroid(mask) == pytest.approx((5.0, 3.0))
    assert bounding_box(mask > 0) == (3, 2, 7, 4)
    assert float(coverage(mask, (3, 3))[1, 1]) == 1.0
    grown = dilate(mask > 0, 1)
    assert bounding_box(grown) == (2, 1, 8, 5)
    alpha = feather(mask > 0, 1)
    assert alpha[2, 3] == 1
    assert alpha[1, 2] == 0.5
    assert alpha[0, 0] == 0


def test_centres_are_at_one_half():
    torch.testing.assert_close(cell_centres((1, 2), (10, 20)), torch.tensor([[5.0, 5.0], [15.0, 5.0]]).double())


def test_fill_keeps_what_is_known_and_makes_up_the_rest_smoothly():
    y, x = torch.meshgrid(torch.arange(24.0), torch.arange(31.0), indexing="ij")
    plane = (x + 2 * y)[None, None] / 80
    unknown = torch.zeros(24, 31, dtype=torch.bool)
    unknown[6:15, 9:20] = True
    holed = torch.where(unknown, torch.full_like(plane, 9.0), plane)
    filled = fill(holed, unknown)
    assert torch.equal(filled[..., ~unknown], plane[..., ~unknown])
    assert (filled - plane).abs()[..., unknown].max() < 0.15, "no trace of what was there"
    assert torch.equal(fill(plane, torch.zeros_like(unknown)), plane)


def test_pixels_between_centres_are_met_better_by_cubic_weights_and_stay_in_range():
    """A smooth image shifted by part of a pixel; on a step, what lies between does not leave its range."""
    size = (24, 24)
    y, x = torch.meshgrid(torch.arange(24) + 0.5, torch.arange(24) + 0.5, indexing="ij")
    shift = torch.tensor([[0.3, 0.6]]).double()
    wave = lambda x, y: torch.sin(x / 1.5) * torch.cos(y / 2)  # noqa: E731
    points = cell_centres(size, size) + shift
    inner = ((points > 3) & (points < 21)).all(1)
    truth = wave(points[:, 0], points[:, 1])[inner]
    image = wave(x, y)[None, None].float()
    linear, cubic = (f(image, points, size)[0, 0, inner] for f in (sample_bilinear, sample_bicubic))
    assert float((cubic - truth).abs().max()) < 0.5 * float((linear - truth).abs().max())
    step = (x > 12).float()[None, None]
    found = sample_bicubic(step, points, size)
    assert float(found.min()) == 0
    assert float(found.max()) == 1


def test_pixels_that_shrink_are_averages_of_what_they_cover():
    """Stripes finer than the pixels of the result become their mean, which pixels alone are not."""
    size, scale = (48, 48), 1 / 3
    stripes = (torch.arange(48) % 3 == 0).float().expand(1, 3, 48, 48)
    target = torch.zeros(size, dtype=torch.bool)
    target[2:14, 2:14] = True
    match = Correspondence.along(Affine.about((0.0, 0.0), scale=(scale, scale)), target, size)
    found = match.carry_pixels(stripes, torch.zeros(1, 3, *size))[0, 0][target]
    torch.testing.assert_close(found, torch.full_like(found, 1 / 3), rtol=0, atol=0.05)
    assert float((match.carry(stripes, torch.zeros(1, 3, *size))[0, 0][target] - 1 / 3).abs().min()) > 0.3


@given(st.integers(1, 40), st.integers(1, 300))
def test_nearest_cells_are_those_that_resizing_reads(n, resized):
    image = torch.rand(1, 1, n, 1, generator=torch.Generator().manual_seed(n))
    assert torch.equal(image[0, 0, nearest_cells(n, resized), 0], nnf.interpolate(image, (resized, 1))[0, 0, :, 0])


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 14), st.integers(0, 99))
def test_dilation_is_what_lies_so_near(rows, columns, cells, seed):
    region = torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed)) > 0.9
    places = region.nonzero()
    expected = torch.zeros_like(region)
    for y in range(rows):
        for x in range(columns):
            near = (places - torch.tensor((y, x))).abs().amax(1) <= cells
            expected[y, x] = bool(near.any())
    assert torch.equal(dilate(region, cells), expected)


def test_the_centroid_of_a_box_is_its_middle():
    mask = torch.zeros(40, 30)
    mask[10:20, 6:9] = 0.5
    assert centroid(mask) == pytest.approx((7.5, 15.0))
