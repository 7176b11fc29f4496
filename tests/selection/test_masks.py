"""What is done to masks: growing is monotone and undone by shrinking, areas are those of discs, parts are parts."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dragondiffusion.bench import scenes as S
from dragondiffusion.imaging.shapes import BoxMask
from dragondiffusion.selection import masks

RANDOM = st.builds(
    lambda seed, share: torch.from_numpy((np.random.default_rng(seed).random((17, 22)) < share).astype(np.float32)),
    st.integers(0, 999),
    st.floats(0.05, 0.95),
)
FAST = settings(max_examples=40, deadline=None)


def disc(radius, side=101):
    y, x = np.mgrid[:side, :side] - side // 2
    return torch.from_numpy((np.hypot(x, y) <= radius).astype(np.float32))


@given(RANDOM, st.floats(0, 6), st.floats(0, 6))
@FAST
def test_growing_is_monotone(mask, one, other):
    small, large = sorted((one, other))
    assert (masks.grow(mask, small) >= mask).all()
    assert (masks.grow(mask, large) >= masks.grow(mask, small)).all()
    assert (masks.shrink(mask, large) <= masks.shrink(mask, small)).all()


@given(RANDOM, RANDOM, st.floats(0, 6))
@FAST
def test_larger_masks_grow_larger(one, other, distance):
    assert (masks.grow(torch.maximum(one, other), distance) >= masks.grow(one, distance)).all()


@pytest.mark.parametrize("distance", [1, 2.5, 10])
def test_discs_grow_and_shrink_to_discs(distance):
    assert float(masks.grow(disc(20), distance).sum()) == pytest.approx(math.pi * (20 + distance) ** 2, rel=0.06)
    assert float(masks.shrink(disc(20), distance).sum()) == pytest.approx(math.pi * (20 - distance) ** 2, rel=0.1)


def test_a_box_grows_by_whole_pixels():
    grown = masks.grow(torch.from_numpy(BoxMask(5, 6, 15, 12).drawn((30, 30))), 3)
    assert float(grown[9].sum()) == 16 and float(grown[:, 9].sum()) == 12


def test_the_picture_s_border_does_not_shrink():
    half = torch.zeros(20, 20)
    half[:, :10] = 1
    assert masks.shrink(half, 3).sum() == 20 * 7
    assert torch.equal(masks.shrink(torch.ones(5, 5), 2), torch.ones(5, 5))


@given(RANDOM, st.floats(0.1, 8))
@FAST
def test_feathering_keeps_what_is_inside(mask, width):
    soft = masks.feathered(mask, width)
    assert torch.equal(soft > 0.5, mask > 0.5) and soft.min() >= 0 and soft.max() <= 1


def test_feathering_fades_linearly_and_keeps_the_area():
    half = torch.zeros(9, 40)
    half[:, :20] = 1
    soft = masks.feathered(half, 8)[4]
    np.testing.assert_allclose(soft[16:24], 1 - (np.arange(8) + 0.5) / 8, atol=1e-6)
    assert float(soft.sum()) == pytest.approx(20)


@given(RANDOM)
@FAST
def test_filling_and_choosing_are_idempotent(mask):
    for change in (masks.filled, masks.largest, lambda m: masks.without_specks(m, 4)):
        once = change(mask)
        assert torch.equal(change(once), once)
    assert (masks.filled(mask) >= mask).all() and (masks.largest(mask) <= masks.without_specks(mask, 0)).all()


def test_holes_and_bays():
    ring = disc(20) - disc(8)
    assert torch.equal(masks.filled(ring), disc(20))
    ring[50:, 48:53] = 0  # now a bay
    assert torch.equal(masks.filled(ring), ring)


def test_parts():
    mask = torch.zeros(30, 30)
    mask[2:10, 2:10], mask[20:23, 20:23] = 1, 0.8
    assert float(masks.largest(mask).sum()) == 64
    assert float(masks.without_specks(mask, 8).sum()) == 64 and torch.equal(masks.without_specks(mask, 7), mask)
    assert torch.equal(masks.largest(torch.zeros(4, 4)), torch.zeros(4, 4))


@given(RANDOM)
@FAST
def test_twice_inverted_is_as_before(mask):
    assert torch.equal(masks.invert(masks.invert(mask)), mask)


@pytest.mark.parametrize("change", [masks.grow, masks.shrink, masks.feathered, masks.without_specks])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_bad_numbers(change, value):
    with pytest.raises(ValueError, match="at least 0"):
        change(torch.zeros(3, 3), value)


def test_shadows_are_joined():
    """On scenes the shadow is known."""
    shares = []
    for seed in range(9100, 9110):
        drawn = S.render(S.sample([seed], objects=1), (128, 128))
        mask, shade = drawn.masks[0, -1], drawn.shadows[0, -1]
        pixels = (drawn.image[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        joined, there = masks.with_shadow(mask, pixels)
        assert (joined >= mask).all() and there == bool((joined > mask).any())
        truth, found = (shade > masks.DARKENED) & (mask < 0.5), (joined > 0.5) & (mask < 0.5)
        shares.append(float((truth & found).sum() / (truth | found).sum()))
    assert np.median(shares) > 0.75


def test_no_shadow_on_a_plain_picture():
    mask = torch.from_numpy(BoxMask(20, 20, 40, 40).drawn((64, 64)))
    pixels = np.full((64, 64, 3), 120, np.uint8)
    assert masks.with_shadow(mask, pixels)[1] is False


def test_a_missing_library_is_named(monkeypatch):
    from dragondiffusion.core import libraries

    monkeypatch.setattr(libraries, "find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match=r"opencv-python-headless is not installed; run pip install 'dragondiffusion\[masks\]'"
    ):
        masks.grow(disc(3), 2)
