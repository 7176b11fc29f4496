"""Means over cases with their intervals, and tables of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...core.strict_json import Json
from .distance import SEARCHES, SIDE
from .record import Record
from .running import OURS

RESAMPLES, COVERAGE, SEED = 2000, 0.95, 0
"""Of the bootstrap over cases: how many samples, how much an interval covers, and the seed. Source: chosen."""

SCALES = ("px", f"at {SIDE}", "of displacement", "of sides")
"""Of distances, see `Match.distances`."""

KEPT = ("1-LPIPS", "outside", "exact", "seconds")


@dataclass(frozen=True)
class Mean:
    """A mean over cases.

    Args:
        value: the mean.
        low: lower end of its interval.
        high: upper end.
        cases: how many cases it is of.
    """

    value: float
    low: float
    high: float
    cases: int


Summary: TypeAlias = dict[str, dict[str, Mean]]
"""Means by row and column."""


def summarise(record: Record, rows: Sequence[str], cases: Sequence[str]) -> Summary:
    """Means over cases of every column that a row has.

    Distances in pixels are means over all pairs of points, as DragDiffusion's evaluation prints them; all others are
    means over cases of the means over their pairs.
    """
    found: Summary = {}
    for row in rows:
        entries = {name: record.rows[row][name] for name in cases if name in record.rows.get(row, {})}
        columns: dict[str, list[tuple[float, int]]] = {}
        for name, entry in entries.items():
            for column, value in entry["scores"].items():
                weight = len(entry["matches"]) if column.endswith(" px") else 1
                columns.setdefault(column, []).append((value, weight))
            if row == OURS and name in record.made:
                columns.setdefault("seconds", []).append((record.made[name]["seconds"], 1))
        found[row] = {column: bootstrap(values) for column, values in columns.items()}
    return found


def bootstrap(values: Sequence[tuple[float, int]]) -> Mean:
    r"""The mean $\sum_i w_i v_i / \sum_i w_i$ of cases and its percentile interval.

    Source: B. Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979; cases are what is drawn, because the
    points of one image are not independent.

    Args:
        values: value and weight of each case.
    """
    v, w = (np.array(column, dtype=np.float64) for column in zip(*values, strict=True))
    drawn = np.random.default_rng(SEED).integers(0, len(v), (RESAMPLES, len(v)))
    means: npt.NDArray[np.float64] = (v * w)[drawn].sum(axis=1) / w[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Mean(float((v * w).sum() / w.sum()), float(low), float(high), len(v))


def as_json(summary: Summary) -> Json:
    """The summary as it is written down."""
    return {row: {column: vars(mean) for column, mean in columns.items()} for row, columns in summary.items()}


def tables(summary: Summary) -> str:
    """Markdown: distances by row and scale, then what is left as it was."""
    return f"{_distances(summary)}\n\n{_kept(summary)}"


def _distances(summary: Summary) -> str:
    lines = ["| result | distance | " + " | ".join(SEARCHES) + " |", "|---|---|" + "---:|" * len(SEARCHES)]
    for row, columns in summary.items():
        for scale in SCALES:
            cells = [_cell(columns, f"{search} {scale}") for search in SEARCHES]
            lines.append(f"| {row} | {scale} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _kept(summary: Summary) -> str:
    names = [name for name in KEPT if any(name in columns for columns in summary.values())]
    lines = ["| result | cases | " + " | ".join(names) + " |", "|---|" + "---:|" * (len(names) + 1)]
    for row, columns in summary.items():
        cases = max((mean.cases for mean in columns.values()), default=0)
        lines.append(f"| {row} | {cases} | " + " | ".join(_cell(columns, name) for name in names) + " |")
    return "\n".join(lines)


def _cell(columns: Mapping[str, Mean], name: str) -> str:
    if name not in columns:
        return "-"
    mean = columns[name]
    percent = name == "exact" or name.endswith((" of displacement", " of sides"))
    factor, digits, unit = (100, 1, " %") if percent else (1, 3 if name == "1-LPIPS" else 1, "")
    value, low, high = (f"{factor * v:.{digits}f}" for v in (mean.value, mean.low, mean.high))
    return f"{value}{unit}" if mean.cases == 1 else f"{value}{unit} [{low}, {high}]"
