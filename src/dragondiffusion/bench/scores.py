"""Every metric of one result, and tables of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from . import metrics
from .metrics import Picture
from .tasks import Task

Scores: TypeAlias = dict[str, float]
"""Values by the name of their column."""

GONE = 0.25
"""Under this much of a ghost the old object counts as gone."""

COLUMNS = (
    "whole",
    "destination",
    "edited",
    "vacated",
    "rest",
    "ghost",
    "gone",
    "handle",
    "landmarks",
    "changed outside",
    "seconds",
)
"""PSNR to the truth in dB, whole and by region (`Task.regions`); how much of a ghost stays, and in how many scenes the
old object is gone; the share of its way that a handle, or landmarks on average, still have to go; the share of the
pixels off the edit that visibly changed; seconds per edit."""

PERCENT = ("gone", "handle", "landmarks", "changed outside")


def score(image: Picture, task: Task, margin: int = 6) -> Scores:
    """Every metric that a task has.

    Args:
        image: The result.
        task: What was to be done.
        margin: Pixels around the edit that may change, see `Task.regions`.
    """
    regions = task.regions(margin)
    scores = {"whole": metrics.psnr(image, task.truth)}
    for name in ("destination", "edited", "vacated", "rest"):
        if name in regions:
            scores[name] = metrics.psnr(image, task.truth, regions[name])
    if "vacated" in regions:
        scores["ghost"] = metrics.ghost(image, task.before, task.truth, regions["vacated"])
        scores["gone"] = float(scores["ghost"] < GONE)
    if task.kind == "drag" and task.editable is not None:
        scores["handle"] = metrics.handle_distance(image, task.scenes, task.after, task.index, task.editable)
    if task.kind == "landmarks":
        scores["landmarks"] = metrics.landmark_distance(
            image, task.scenes, task.index, task.points_from, task.points_to
        )
    if "outside" in regions:
        scores["changed outside"] = metrics.changed(image, task.before, regions["outside"])
    return scores


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
    if column not in row:
        return "-"
    value = row[column]
    return f"{100 * value:.1f} %" if column in PERCENT else f"{value:.2f}" if column == "ghost" else f"{value:.1f}"
