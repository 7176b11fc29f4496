"""Plots of a report, as PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

ACCENT, PLAIN, FAINT, INK = "#1f5a8a", "#6b7280", "#dbe6ef", "#1c1e21"
"""Colours: the row that others are compared with, other rows, its interval, text."""

STYLE: Any = {
    "font.family": "serif",
    "font.size": 9,
    "axes.edgecolor": "#9aa0a6",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "xtick.color": "#4b5563",
    "ytick.color": INK,
    "savefig.facecolor": "white",
}

LABELLED = 9
"""Rows that are named beside their points, at most; of more the base alone."""


def figure(kind: Mapping[str, Any], base: str) -> bytes:
    """Quality with intervals, and quality against operations and seconds, of one kind of edit."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows: Mapping[str, Any] = kind["rows"]
    with mpl.rc_context(STYLE):
        chart = Figure(figsize=(11, 1.3 + max(2.0, 0.24 * len(rows))), layout="constrained")
        FigureCanvasAgg(chart)
        axes = chart.subplots(1, 4, width_ratios=(1, 1, 0.95, 0.95))
        for k, (axis, column) in enumerate(zip(axes[:2], ("whole", kind["headline"]), strict=True)):
            _intervals(axis, rows, column, base)
            axis.set_yticks(range(len(rows)), list(rows) if k == 0 else [""] * len(rows))
        _against(axes[2], _points(rows, kind["headline"], _operations(kind)), "10⁹ operations of an edit", base)
        _against(axes[3], _points(rows, kind["headline"], _seconds(kind)), "seconds of an edit", base)
        axes[2].set_ylabel(f"PSNR {kind['headline']}, dB")
        file = io.BytesIO()
        chart.savefig(file, format="png", dpi=150, metadata={"Software": None})
    return file.getvalue()


def _intervals(axis: Any, rows: Mapping[str, Any], column: str, base: str) -> None:
    """A point and an interval for every row, from the top down; the base's interval as a band."""
    for k, (name, values) in enumerate(rows.items()):
        if column not in values:
            continue
        value, colour = values[column], ACCENT if name == base else PLAIN
        if name == base:
            axis.axvspan(value["low"], value["high"], color=FAINT, linewidth=0)
        axis.plot((value["low"], value["high"]), (k, k), color=colour, linewidth=1.6, solid_capstyle="butt")
        axis.plot(value["mean"], k, "o", color=colour, markersize=4.5)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color="#eceff1", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.set_title(f"PSNR {column}, dB")


def _operations(kind: Mapping[str, Any]) -> dict[str, float]:
    return {row: sum(phases.values()) / 1e9 for row, phases in kind["flops"].items()}


def _seconds(kind: Mapping[str, Any]) -> dict[str, float]:
    return {row: values["seconds"]["mean"] for row, values in kind["rows"].items() if "seconds" in values}


def _points(rows: Mapping[str, Any], column: str, costs: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    return {row: (cost, rows[row][column]["mean"]) for row, cost in costs.items() if column in rows.get(row, {})}


def _against(axis: Any, points: Mapping[str, tuple[float, float]], label: str, base: str) -> None:
    """Quality against a cost; rows without a model cost nothing and are left out."""
    middle = sum(x for x, _ in points.values()) / max(len(points), 1)
    for name, (x, y) in points.items():
        axis.plot(x, y, "o", color=ACCENT if name == base else PLAIN, markersize=4.5)
        if name == base or len(points) <= LABELLED:
            side, place = ("right", (-5, 4)) if x > middle else ("left", (5, 4))
            axis.annotate(name, (x, y), place, textcoords="offset points", ha=side, fontsize=7.5, color=INK)
    axis.margins(0.25, 0.25)
    axis.grid(color="#eceff1", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.set_title(label)
