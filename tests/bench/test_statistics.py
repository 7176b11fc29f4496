"""Intervals hold what they promise, and comparisons count wins."""

import numpy as np
import pytest

from dragondiffusion.bench.runs.statistics import compare, estimate


def test_intervals_cover_the_mean_of_a_known_distribution():
    """Of 200 samples of 40 exponential numbers, about 95 % of the intervals hold the mean 1."""
    samples = np.random.default_rng(0).exponential(size=(200, 40))
    held = [e.low <= 1 <= e.high for e in (estimate(list(row), resamples=400) for row in samples)]
    assert 0.88 <= np.mean(held) <= 0.99


def test_intervals_are_as_wide_as_theory_says():
    values = list(np.random.default_rng(1).normal(3, 2, size=400))
    found = estimate(values)
    assert found.mean == pytest.approx(np.mean(values)) and found.scenes == 400
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(values) / 20, rel=0.1)


def test_estimates_are_the_same_each_time_and_exact_for_constants():
    assert estimate([1.0, 4.0, 2.0]) == estimate([1.0, 4.0, 2.0])
    found = estimate([2.5] * 7)
    assert (found.mean, found.low, found.high) == (2.5, 2.5, 2.5)


def test_wins_are_counted_by_direction():
    row, other = [3.0, 1.0, 2.0, 5.0], [2.0, 2.0, 2.0, 1.0]
    more, less = compare(row, other, 1), compare(row, other, -1)
    assert (more.won, less.won) == (0.625, 0.375)
    assert more.difference.mean == less.difference.mean == pytest.approx(1.0)
    assert more.difference.low <= 1 <= more.difference.high


def test_pairs_are_surer_than_their_rows():
    """Scenes differ far more than rows do; differences on the same scenes do not."""
    scenes = np.random.default_rng(2).normal(30, 5, size=30)
    row = scenes + 0.5 + 0.01 * np.arange(30)
    pair = compare(list(row), list(scenes), 1)
    assert pair.won == 1 and pair.difference.low > 0
    assert estimate(list(row)).low < estimate(list(scenes)).high


def test_nothing_to_compare():
    with pytest.raises(ValueError, match="values is empty"):
        estimate([])
    with pytest.raises(ValueError, match="row has 1 scenes and other 2"):
        compare([1.0], [1.0, 2.0], 1)
