"""Tables of a run: means with intervals by kind and by ground, and rows compared case by case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from .grounds import CLASSES
from .metrics import BETTER
from .record import Line

RESAMPLES, LEVEL, SEED = 2000, 0.95, 20230705
"""Of the bootstrap. Source: Efron and Tibshirani, section 13.3: 1000 or more for percentiles."""
COLUMNS = (
    "psnr whole",
    "psnr destination",
    "psnr hole",
    "ssim whole",
    "right 2",
    "right 5",
    "right 10",
    "perceptual whole",
    "perceptual destination",
    "perceptual hole",
    "perceptual seam",
    "seam",
    "texture destination",
    "texture hole",
    "texture surroundings",
    "outside",
)
"""Metrics in the order of tables."""
COMPARED = (
    "psnr whole",
    "right 5",
    "perceptual whole",
    "perceptual hole",
    "seam",
    "texture destination",
    "texture hole",
)
"""Metrics by which rows are compared case by case."""
UNEDITED = "unedited input"
AGAINST = ("copy-paste", "proxy alone")
"""Rows that the others are compared with."""


@dataclass(frozen=True)
class Estimate:
    """A mean, and between what limits it lies.

    Args:
        mean: over cases.
        low: lower end of its interval.
        high: upper end.
        count: cases.
    """

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Comparison:
    """A row against another on the same cases.

    Args:
        difference: mean of the row minus the other.
        won: share of the cases on which the row is better, ties count half.
    """

    difference: Estimate
    won: float


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of values and its percentile bootstrap interval of `LEVEL`.

    Source: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("values is empty; an estimate needs at least one case")
    x = np.asarray(values, np.float64)
    low, high = interval(x[resampled(len(x))].mean(axis=1))
    return Estimate(float(x.mean()), low, high, len(x))


def resampled(count: int, times: int = RESAMPLES) -> Int64[np.ndarray, "_ _"]:
    """Cases of bootstrap samples, as numbers from 0."""
    return np.random.default_rng(SEED).integers(0, count, (times, count))


def interval(found: Float[np.ndarray, " _"]) -> tuple[float, float]:
    """The percentile interval of `LEVEL` of what bootstrap samples gave."""
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def compare(row: Sequence[float], other: Sequence[float], better: int) -> Comparison:
    """A row against another, case by case.

    Args:
        row: its values.
        other: those of the other on the same cases.
        better: 1 if larger values are better, -1 if smaller ones.

    Raises:
        ValueError: the numbers of cases differ, or there are none.
    """
    if len(row) != len(other):
        raise ValueError(f"row has {len(row)} cases and other {len(other)}; compare them on the same cases")
    gains = [a - b for a, b in zip(row, other, strict=True)]
    return Comparison(estimate(gains), float(np.mean([0.5 * (1 + np.sign(gain * better)) for gain in gains])))


def group_of(ground: str) -> str:
    """The class of a ground; drawn ones together."""
    return ground if ground in CLASSES else "drawn"


@dataclass(frozen=True)
class Group:
    """Cases that are reported together.

    Args:
        title: what they have in common.
        scores: by row, then by case.
    """

    title: str
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]

    def values(self, row: str, metric: str) -> dict[str, float]:
        """A metric of a row by case."""
        return {case: own[metric] for case, own in self.scores.get(row, {}).items() if metric in own}

    def estimates(self, row: str) -> dict[str, Estimate]:
        """Means of a row by metric."""
        found = {metric: list(self.values(row, metric).values()) for metric in COLUMNS}
        return {metric: estimate(values) for metric, values in found.items() if values}

    def comparisons(self, row: str, other: str) -> dict[str, Comparison]:
        """A row against another by metric, on the cases that both solved."""
        found: dict[str, Comparison] = {}
        for metric in COMPARED:
            mine, theirs = self.values(row, metric), self.values(other, metric)
            cases = sorted(mine.keys() & theirs.keys())
            if cases:
                better = BETTER[metric.split()[0]]
                found[metric] = compare([mine[c] for c in cases], [theirs[c] for c in cases], better)
        return found


def groups(lines: Iterable[Line], drawn_apart: bool = False) -> list[Group]:
    """All cases, those of each kind, and those of each class of ground.

    Args:
        lines: results.
        drawn_apart: drawn grounds are not put together.
    """
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = {"all": {}}
    for line in lines:
        if "scores" not in line:
            continue
        label = line["ground"] if drawn_apart else group_of(line["ground"])
        for title in ("all", f"kind: {line['kind']}", f"ground: {label}"):
            found.setdefault(title, {}).setdefault(line["row"], {})[line["case"]] = line["scores"]
    order = sorted(found, key=lambda title: (title != "all", title.startswith("ground")))
    return [Group(title, found[title]) for title in order]


def markdown(found: Sequence[Group], rows: Sequence[str], columns: Sequence[str] = COLUMNS) -> str:
    """Tables of groups, the method's rows against others below each."""
    return "\n".join(_table(group, rows, columns) + _wins(group, rows) for group in found)


def _table(group: Group, rows: Sequence[str], columns: Sequence[str]) -> str:
    estimates = {row: group.estimates(row) for row in rows if row in group.scores}
    shown = [metric for metric in columns if any(metric in own for own in estimates.values())]
    count = max((len(own) for own in group.scores.values()), default=0)
    head = f"### {group.title} ({count} cases)\n\n| row | {' | '.join(shown)} |\n|---|{'---|' * len(shown)}\n"
    body = "".join(
        f"| {row} | {' | '.join(_cell(own.get(metric)) for metric in shown)} |\n" for row, own in estimates.items()
    )
    return head + body + "\n"


def _cell(value: Estimate | None) -> str:
    if value is None:
        return ""
    return f"{_number(value.mean)} [{_number(value.low)}, {_number(value.high)}]"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _wins(group: Group, rows: Sequence[str]) -> str:
    """A table of the cases that rows win against `AGAINST`, and of the mean differences."""
    pairs = [(row, other) for other in AGAINST for row in rows if row not in (other, UNEDITED)]
    compared = {
        (row, other): group.comparisons(row, other)
        for row, other in pairs
        if row in group.scores and other in group.scores and not (row in AGAINST and other == AGAINST[1])
    }
    shown = [metric for metric in COMPARED if any(metric in own for own in compared.values())]
    if not shown:
        return ""
    head = f"| cases won (difference) | {' | '.join(shown)} |\n|---|{'---|' * len(shown)}\n"
    return (
        head
        + "".join(
            f"| {row} against {other} | {' | '.join(_won(own.get(metric)) for metric in shown)} |\n"
            for (row, other), own in compared.items()
        )
        + "\n"
    )


def _won(value: Comparison | None) -> str:
    return "" if value is None else f"{100 * value.won:.0f} % ({_cell(value.difference)})"


def as_json(found: Sequence[Group], rows: Sequence[str]) -> dict[str, Any]:
    """The same as JSON: by group and row, estimates by metric and comparisons by other row and metric."""
    return {
        group.title: {
            row: {
                "estimates": {metric: vars(e) for metric, e in group.estimates(row).items()},
                "against": {
                    other: {
                        metric: {"won": c.won, "difference": vars(c.difference)}
                        for metric, c in group.comparisons(row, other).items()
                    }
                    for other in AGAINST
                    if other != row and other in group.scores
                },
            }
            for row in rows
            if row in group.scores
        }
        for group in found
    }
