"""How sure a figure is: intervals over scenes, and rows compared on the same scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

RESAMPLES = 2000
"""Source: Efron & Tibshirani, section 13.3: 1000 or more for percentiles."""

LEVEL = 0.95
SEED = 20230705
"""Of the resampling, so that a report made again has the same intervals."""

Direction: TypeAlias = Literal[-1, 0, 1]
"""Whether smaller values are better, neither, or larger ones."""


@dataclass(frozen=True)
class Estimate:
    """A mean over scenes, and between what limits it lies."""

    mean: float
    low: float
    high: float
    scenes: int


@dataclass(frozen=True)
class Comparison:
    """How a row differs from another on the same scenes.

    Args:
        difference: mean of the row minus the other, with its interval.
        won: share of the scenes on which the row is better; a tie counts as half.
    """

    difference: Estimate
    won: float


def estimate(values: Sequence[float], resamples: int = RESAMPLES, level: float = LEVEL) -> Estimate:
    """The mean of values and its percentile bootstrap interval.

    Scenes are drawn with replacement, as many as there are; the interval holds the middle `level` of the means.

    Source: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Args:
        values: one per scene.
        resamples: how often scenes are drawn.
        level: probability that the interval is to have.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("values is empty; an estimate needs at least one scene")
    x = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(SEED).integers(0, len(x), size=(resamples, len(x)))
    low, high = np.quantile(x[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(x.mean()), float(low), float(high), len(x))


def compare(row: Sequence[float], other: Sequence[float], better: Direction) -> Comparison:
    """A row against another, scene by scene.

    Args:
        row: values of the row.
        other: those of the other on the same scenes.
        better: whether larger or smaller values are better.

    Raises:
        ValueError: The numbers of scenes differ, or there are none.
    """
    if len(row) != len(other):
        raise ValueError(f"row has {len(row)} scenes and other {len(other)}; compare them on the same scenes")
    gains = [a - b for a, b in zip(row, other, strict=True)]
    wins = [0.5 if gain == 0 else float(gain * better > 0) for gain in gains]
    return Comparison(estimate(gains), sum(wins) / len(wins))
