"""Every metric of one result, what it means, and tables of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from .. import metrics
from ..metrics import Picture
from ..scenes.faces import LANDMARKS_17
from ..tasks import Task
from .cost import PHASES
from .statistics import Direction

Scores: TypeAlias = dict[str, float]
"""Values by the name of their column."""

GONE = 0.25
"""Under this much of a ghost the old object counts as gone."""

WARPED = 0.98
"""How much of a pixel an object covers at least where its warp error is measured, so that its soft edge is left out."""

PARTS = ("destination", "edited", "hole", "rest")
"""Regions of `Task.regions` in which images are compared to the truth."""


@dataclass(frozen=True, eq=False)
class Result:
    """An image that was made for a task, and what its metrics share.

    Args:
        image: the result.
        task: what was to be done.
        margin: pixels around the edit that may change, see `Task.regions`.
    """

    image: Picture
    task: Task
    margin: int = 6

    @cached_property
    def regions(self) -> dict[str, metrics.Region]:
        """The regions that the task has."""
        return self.task.regions(self.margin)

    @cached_property
    def similarity(self) -> metrics.Region:
        """SSIM to the truth at every pixel."""
        return metrics.ssim_map(self.image, self.task.truth)

    def psnr(self, region: metrics.Region | None = None) -> float:
        """PSNR to the truth, of the whole image or of a region."""
        return metrics.psnr(self.image, self.task.truth, region)


Measure: TypeAlias = Callable[[Result], float | None]
"""The value of a result; None where its task has none."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        text: what it says.
        better: 1 if larger values are better, -1 if smaller ones, 0 if neither.
        unit: behind its numbers; shares are shown in per cent.
        digits: after the point.
        measure: how it is measured in an image; None for costs.
    """

    text: str
    better: Direction
    unit: str = ""
    digits: int = 1
    measure: Measure | None = None

    def shown(self, value: float) -> str:
        """A value as tables show it, without its unit but for per cent."""
        scaled = round(100 * value if self.unit == "%" else value, self.digits) + 0.0  # without a negative zero
        return f"{scaled:.{self.digits}f}" + (" %" if self.unit == "%" else "")


def _psnr_in(region: str) -> Measure:
    return lambda result: result.psnr(result.regions[region]) if region in result.regions else None


def _ssim_in(region: str) -> Measure:
    def measure(result: Result) -> float | None:
        return metrics.mean_over(result.similarity, result.regions[region]) if region in result.regions else None

    return measure


def _surroundings(result: Result) -> float | None:
    ring = result.task.surroundings()
    return None if ring is None else result.psnr(ring)


def _warp_error(result: Result) -> float | None:
    transported = result.task.transported()
    if transported is None:
        return None
    inner = ((transported[1] > WARPED) & (result.task.placed > WARPED)).float()
    return metrics.warp_error(result.image, transported[0], inner) if bool(inner.any()) else None


def _ghost(result: Result) -> float | None:
    hole = result.regions.get("hole")
    return None if hole is None else metrics.ghost(result.image, result.task.before, result.task.truth, hole)


def _gone(result: Result) -> float | None:
    ghost = _ghost(result)
    return None if ghost is None else float(ghost < GONE)


def _handle(result: Result) -> float | None:
    task = result.task
    if len(task.points_from) != 1 or task.editable is None:
        return None
    return metrics.handle_distance(result.image, task.scenes, task.after, task.index, task.editable)


def _landmarks(result: Result) -> float | None:
    task = result.task
    if len(task.points_from) < len(LANDMARKS_17):
        return None
    return metrics.landmark_distance(result.image, task.scenes, task.index, task.points_from, task.points_to)


def _outside(metric: Callable[[Picture, Picture, metrics.Region], float]) -> Measure:
    """A metric of the result and the image before, outside of the edit."""

    def measure(result: Result) -> float | None:
        region = result.regions.get("outside")
        return None if region is None else metric(result.image, result.task.before, region)

    return measure


_WHERE = {
    "destination": "where the object is afterwards",
    "edited": "where the object is before or afterwards",
    "hole": "where the object was and no longer is",
    "rest": "where the object is neither before nor afterwards",
}

COLUMNS: dict[str, Column] = {
    "whole": Column("PSNR of the whole image to the truth", 1, "dB", measure=lambda result: result.psnr()),
    **{name: Column(f"PSNR to the truth {_WHERE[name]}", 1, "dB", measure=_psnr_in(name)) for name in PARTS},
    "surroundings": Column(
        "PSNR to the truth in the ring around the object, where its shadow falls", 1, "dB", measure=_surroundings
    ),
    "ssim": Column(
        "SSIM of the whole image to the truth",
        1,
        digits=3,
        measure=lambda result: metrics.mean_over(result.similarity, metrics.inner(result.similarity)),
    ),
    **{
        f"ssim {name}": Column(f"SSIM to the truth {_WHERE[name]}", 1, digits=3, measure=_ssim_in(name))
        for name in PARTS
    },
    "warp error": Column(
        "mean difference to the object before, transported by the edit's map", -1, "/255", measure=_warp_error
    ),
    "ghost": Column("how much of the object is still where it was", -1, digits=2, measure=_ghost),
    "gone": Column(f"scenes in which less than {GONE:.0%} of the object is still where it was", 1, "%", measure=_gone),
    "handle": Column("remaining distance of the handle, as a share of its displacement", -1, "%", measure=_handle),
    "landmarks": Column(
        "remaining distance of the landmarks, as a share of their displacement", -1, "%", measure=_landmarks
    ),
    "changed outside": Column(
        "pixels outside of the edit that visibly changed", -1, "%", measure=_outside(metrics.changed)
    ),
    "difference outside": Column(
        "mean difference to the image before, outside of the edit", -1, "/255", 2, _outside(metrics.difference)
    ),
    "exact outside": Column(
        "pixels outside of the edit that are the same bit for bit", 1, "%", measure=_outside(metrics.exact)
    ),
    "seconds": Column("time of one edit in a batch", -1, "s", 2),
    **{f"seconds {phase}": Column(f"time of the phase {phase}", -1, "s", 2) for phase in PHASES},
    **{f"memory {phase}": Column(f"peak memory of the phase {phase}, whole batch", -1, "MB") for phase in PHASES},
}
"""The columns by name, in the order of tables: a new metric is an entry here. Formulas: `metrics`, `runs.cost`."""


def score(image: Picture, task: Task, margin: int = 6) -> Scores:
    """Every metric of a result that its task has.

    Args:
        image: The result.
        task: What was to be done.
        margin: Pixels around the edit that may change, see `Task.regions`.
    """
    result = Result(image, task, margin)
    values = {name: column.measure(result) for name, column in COLUMNS.items() if column.measure is not None}
    return {name: value for name, value in values.items() if value is not None}


def means(scores: Iterable[Scores]) -> Scores:
    """The mean of each column over the scenes that have it."""
    columns: dict[str, list[float]] = {}
    for one in scores:
        for name, value in one.items():
            columns.setdefault(name, []).append(value)
    return {name: math.fsum(values) / len(values) for name, values in columns.items()}


def table(results: Mapping[str, Iterable[Scores]]) -> str:
    """A Markdown table of the means over scenes, with the columns that some row has."""
    rows = {name: means(scores) for name, scores in results.items()}
    columns = [column for column in COLUMNS if any(column in row for row in rows.values())]
    lines = ["| setting | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    lines += [f"| {name} | " + " | ".join(_cell(row, c) for c in columns) + " |" for name, row in rows.items()]
    return "\n".join(lines)


def _cell(row: Scores, column: str) -> str:
    return COLUMNS[column].shown(row[column]) if column in row else "-"
