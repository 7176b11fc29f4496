"""Every metric of one result, what it means, and tables of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from . import metrics
from .cost import PHASES
from .metrics import Picture
from .statistics import Direction
from .tasks import Task

Scores: TypeAlias = dict[str, float]
"""Values by the name of their column."""

GONE = 0.25
"""Under this much of a ghost the old object counts as gone."""

WARPED = 0.98
"""How much of a pixel an object covers at least where its warp error is measured, so that its soft edge is left out."""

PARTS = ("destination", "edited", "hole", "rest")
"""Regions of `Task.regions` in which pictures are compared to the truth."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        text: what it says.
        better: 1 if larger values are better, -1 if smaller ones, 0 if neither.
        unit: behind its numbers; shares are shown in per cent.
        digits: after the point.
    """

    text: str
    better: Direction
    unit: str = ""
    digits: int = 1

    def shown(self, value: float) -> str:
        """A value as tables show it, without its unit but for per cent."""
        scaled = round(100 * value if self.unit == "%" else value, self.digits) + 0.0  # without a negative zero
        return f"{scaled:.{self.digits}f}" + (" %" if self.unit == "%" else "")


_WHERE = {
    "destination": "where the object is afterwards",
    "edited": "where the object is before or afterwards",
    "hole": "where the object was and no longer is",
    "rest": "where the object is neither before nor afterwards",
}

COLUMNS: dict[str, Column] = {
    "whole": Column("PSNR of the whole picture to the truth", 1, "dB"),
    **{name: Column(f"PSNR to the truth {_WHERE[name]}", 1, "dB") for name in PARTS},
    "surroundings": Column("PSNR to the truth in the ring around the object, where its shadow falls", 1, "dB"),
    "ssim": Column("SSIM of the whole picture to the truth", 1, "", 3),
    **{f"ssim {name}": Column(f"SSIM to the truth {_WHERE[name]}", 1, "", 3) for name in PARTS},
    "warp error": Column("mean difference to the object as it was, carried along the edit's map", -1, "/255"),
    "ghost": Column("how much of the object is still where it was", -1, "", 2),
    "gone": Column(f"scenes in which less than {GONE:.0%} of the object is still where it was", 1, "%"),
    "handle": Column("share of its way that the handle still has to go", -1, "%"),
    "landmarks": Column("share of their way that the landmarks still have to go", -1, "%"),
    "changed outside": Column("pixels off the edit that visibly changed", -1, "%"),
    "difference outside": Column("mean difference to the picture before, off the edit", -1, "/255", 2),
    "exact outside": Column("pixels off the edit that are the same bit for bit", 1, "%"),
    "seconds": Column("time of one edit in a batch", -1, "s", 2),
    **{f"seconds {phase}": Column(f"time of the phase {phase}", -1, "s", 2) for phase in PHASES},
    **{f"memory {phase}": Column(f"peak memory of the phase {phase}, whole batch", -1, "MB") for phase in PHASES},
}
"""What is measured, by the name of the column, in the order of tables. Formulas and sources: `metrics`, `cost`."""


def score(image: Picture, task: Task, margin: int = 6) -> Scores:
    """Every metric of a result that its task has.

    Args:
        image: The result.
        task: What was to be done.
        margin: Pixels around the edit that may change, see `Task.regions`.
    """
    regions = task.regions(margin)
    similarity = metrics.ssim_map(image, task.truth)
    scores = {
        "whole": metrics.psnr(image, task.truth),
        "ssim": metrics.mean_over(similarity, metrics.inner(similarity)),
    }
    for name in (name for name in PARTS if name in regions):
        scores[name] = metrics.psnr(image, task.truth, regions[name])
        scores[f"ssim {name}"] = metrics.mean_over(similarity, regions[name])
    ring = task.surroundings()
    if ring is not None:
        scores["surroundings"] = metrics.psnr(image, task.truth, ring)
    if "hole" in regions:
        scores["ghost"] = metrics.ghost(image, task.before, task.truth, regions["hole"])
        scores["gone"] = float(scores["ghost"] < GONE)
    return scores | _distances(image, task) | _preserved(image, task, regions.get("outside"))


def _distances(image: Picture, task: Task) -> Scores:
    """How far what was moved is from where it should be, and from what it was."""
    scores: Scores = {}
    carried = task.carried()
    if carried is not None:
        inner = ((carried[1] > WARPED) & (task.placed > WARPED)).float()
        if bool(inner.any()):
            scores["warp error"] = metrics.warp_error(image, carried[0], inner)
    if task.kind == "drag" and task.editable is not None:
        scores["handle"] = metrics.handle_distance(image, task.scenes, task.after, task.index, task.editable)
    if task.kind == "landmarks":
        scores["landmarks"] = metrics.landmark_distance(
            image, task.scenes, task.index, task.points_from, task.points_to
        )
    return scores


def _preserved(image: Picture, task: Task, outside: metrics.Region | None) -> Scores:
    """What happened to the picture off the edit."""
    if outside is None:
        return {}
    return {
        "changed outside": metrics.changed(image, task.before, outside),
        "difference outside": metrics.difference(image, task.before, outside),
        "exact outside": metrics.exact(image, task.before, outside),
    }


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
