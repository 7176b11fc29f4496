"""Whether the method's verdicts tell: how its own estimate of error goes with the true one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from .record import Line
from .tables import RESAMPLES, interval, resampled

FEWEST = 5
"""Cases from which on a correlation is told."""
WORST = 0.1
"""Share of the cases, the worst by PSNR, over which hardly any verdict should be good."""


@dataclass(frozen=True)
class Verdicts:
    """Verdicts of a row over some cases.

    Args:
        count: cases.
        error: rank correlation (Spearman) of the estimated with the true mean squared error, and its percentile
            bootstrap interval of 95 %.
        perceptual: rank correlation of the estimated error with the perceptual distance of the whole image.
        good: share of the cases that are called good.
        good_worst: share of the worst tenth by PSNR that is called good.
        psnr: mean PSNR of the whole of those called good, and of the others, dB; NaN where there are none.
    """

    count: int
    error: tuple[float, float, float]
    perceptual: float
    good: float
    good_worst: float
    psnr: tuple[float, float]


def judged(lines: Sequence[Line]) -> Verdicts | None:
    """How verdicts go with the truth; None for fewer than `FEWEST` cases.

    Args:
        lines: results of one row; those without a verdict do not count.
    """
    kept = [line for line in lines if "verdict" in line and "scores" in line]
    if len(kept) < FEWEST:
        return None
    estimated = np.array([line["verdict"]["error"] for line in kept])
    good = np.array([line["verdict"]["good"] for line in kept], bool)
    psnr = np.array([line["scores"]["psnr whole"] for line in kept])
    distance = np.array([line["scores"]["perceptual whole"] for line in kept])
    worst = np.argsort(psnr, kind="stable")[: max(1, round(WORST * len(kept)))]
    drawn = resampled(len(kept), RESAMPLES // 4)
    low, high = interval(np.array([_correlation(estimated[k], -psnr[k]) for k in drawn]))
    return Verdicts(
        count=len(kept),
        error=(_correlation(estimated, -psnr), low, high),
        perceptual=_correlation(estimated, distance),
        good=float(good.mean()),
        good_worst=float(good[worst].mean()),
        psnr=(_mean(psnr[good]), _mean(psnr[~good])),
    )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's; 0 where one of them is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    found: Any = spearmanr(one, other)
    return float(found.statistic)


def verdicts_markdown(lines: Iterable[Line], rows: Sequence[str]) -> str:
    """A table of the verdicts of rows, over all cases and by kind; empty where there are none."""
    held = [line for line in lines if "verdict" in line]
    table = ""
    for row in rows:
        mine = [line for line in held if line["row"] == row]
        for kind in ("all", *dict.fromkeys(line["kind"] for line in mine)):
            found = judged([line for line in mine if kind in ("all", line["kind"])])
            table += "" if found is None else _line(row, kind, found)
    if not table:
        return ""
    columns = ("verdicts", "cases", "rank correlation with MSE", "with perceptual", "good", "good in worst tenth")
    return f"| {' | '.join((*columns, 'dB of good', 'of others'))} |\n|---|{'---|' * 7}\n{table}\n"


def _line(row: str, kind: str, found: Verdicts) -> str:
    rho, low, high = found.error
    shares = f"{100 * found.good:.0f} % | {100 * found.good_worst:.0f} %"
    levels = " | ".join("" if np.isnan(value) else f"{value:.1f}" for value in found.psnr)
    error = f"{rho:.2f} [{low:.2f}, {high:.2f}]"
    return f"| {row}, {kind} | {found.count} | {error} | {found.perceptual:.2f} | {shares} | {levels} |\n"
