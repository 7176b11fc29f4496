"""The figures of a report as JSON: everything that its page shows comes from here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ...recipes import versions
from ..kinds import KINDS
from ..runs.results import Entry, Results
from ..runs.scores import COLUMNS
from ..runs.statistics import compare, estimate
from ..tasks.difficulty import AXES, levels

Figures: TypeAlias = dict[str, Any]

SHOWN = 3
"""Best and worst scenes that a page shows of each kind."""


@dataclass(frozen=True)
class KindResults:
    """Results of one kind of edit: entries by row and seed, and operations by row and phase."""

    entries: dict[str, dict[int, Entry]]
    flops: dict[str, dict[str, int]]

    @property
    def seeds(self) -> list[int]:
        """The scenes that every row has edited."""
        return sorted(set[int].intersection(*(set(one) for one in self.entries.values())))

    def values(self, row: str, column: str, seeds: Sequence[int]) -> list[float]:
        """A row's values of a column on the scenes that have it."""
        own = self.entries[row]
        return [own[seed].scores[column] for seed in seeds if column in own[seed].scores]

    def columns(self, row: str) -> list[str]:
        """The columns that a row has, in the order of tables."""
        there = {name for seed in self.seeds for name in self.entries[row][seed].scores}
        return [name for name in COLUMNS if name in there]


def gather(folders: Sequence[Path], base: str) -> Figures:
    """The figures of some folders of results, which have to be of one model and one set of scenes.

    Args:
        folders: what `bench scenes` and `bench ablate` wrote.
        base: the row that the others are compared with.

    Raises:
        ValueError: A folder holds no results, they do not belong together, or there is no such row.
    """
    held = [Results.load(folder).read() for folder in folders]
    for folder, one in zip(folders, held, strict=True):
        if one["about"] != held[0]["about"]:
            raise ValueError(
                f"{folder} holds results of {one['about']} and {folders[0]} of {held[0]['about']}; report them apart"
            )
    settings = _joined(folders, held)
    kept = {kind: _found(folders, kind, list(settings[kind])) for kind in KINDS if kind in settings}
    kept = {kind: one for kind, one in kept.items() if one.entries and one.seeds}
    if not kept:
        raise ValueError(f"{folders[0]} holds no scene that every row has edited; let the benchmark finish first")
    for kind, one in kept.items():
        if base not in one.entries:
            raise ValueError(f"--base {base!r} is no row of {kind}; use one of {', '.join(map(repr, one.entries))}")
    return {
        "title": "Edits of scenes with known truth",
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "versions": versions(),
        "about": held[0]["about"],
        "commands": [command for one in held for command in one["commands"]],
        "base": base,
        "columns": {name: {"text": c.text, "better": c.better, "unit": c.unit} for name, c in COLUMNS.items()},
        "axes": {name: asdict(axis) for name, axis in AXES.items()},
        "settings": settings,
        "kinds": {kind: _figures(kind, one, base) for kind, one in kept.items()},
    }


def _joined(folders: Sequence[Path], held: Sequence[Figures]) -> dict[str, dict[str, str]]:
    """The rows of all folders by kind."""
    found: dict[str, dict[str, str]] = {}
    for folder, one in zip(folders, held, strict=True):
        for kind, rows in one["rows"].items():
            for name, text in rows.items():
                if found.setdefault(kind, {}).setdefault(name, text) != text:
                    raise ValueError(f"{folder} holds row {name!r} of {kind} with other settings; report it apart")
    return found


def _found(folders: Sequence[Path], kind: str, rows: Sequence[str]) -> KindResults:
    entries: dict[str, dict[int, Entry]] = {}
    flops: dict[str, dict[str, int]] = {}
    for results in (Results(folder) for folder in folders):
        for row in rows:
            found = results.entries(kind, row)
            if found:
                entries[row] = found | entries.get(row, {})
            counted = results.cost(kind, row)
            if counted is not None:
                flops[row] = counted
    return KindResults(entries, flops)


def _figures(kind: str, kept: KindResults, base: str) -> Figures:
    seeds = kept.seeds
    headline = KINDS[kind].headline
    ranked = sorted(seeds, key=lambda seed: kept.entries[base][seed].scores.get(headline, 0.0), reverse=True)
    return {
        "headline": headline,
        "scenes": len(seeds),
        "rows": {
            row: {name: asdict(estimate(kept.values(row, name, seeds))) for name in kept.columns(row)}
            for row in kept.entries
        },
        "compared": {row: _compared(kept, row, base) for row in kept.entries if row != base},
        "levels": _by_level(kept, ("whole", headline)),
        "flops": kept.flops,
        "shown": {"best": ranked[:SHOWN], "worst": ranked[SHOWN:][-SHOWN:]},
    }


def _compared(kept: KindResults, row: str, base: str) -> Figures:
    """A row against the base, in every column that both have and that has a direction."""
    found: Figures = {}
    shared = [name for name in kept.columns(row) if name in kept.columns(base) and COLUMNS[name].better]
    for name in shared:
        pair = [kept.entries[one] for one in (row, base)]
        both = [seed for seed in kept.seeds if all(name in own[seed].scores for own in pair)]
        if both:
            found[name] = asdict(
                compare(kept.values(row, name, both), kept.values(base, name, both), COLUMNS[name].better)
            )
    return found


def _by_level(kept: KindResults, columns: Sequence[str]) -> Figures:
    """Figures by axis and level of difficulty, where an axis has more than one level among the scenes."""
    first = next(iter(kept.entries.values()))
    at = {seed: levels(first[seed].difficulty) for seed in kept.seeds}
    found: Figures = {}
    for axis, known in AXES.items():
        by_level = {level: [s for s in kept.seeds if at[s].get(axis) == level] for level in known.levels}
        there = {level: seeds for level, seeds in by_level.items() if seeds}
        if len(there) > 1:
            found[axis] = {level: _level(kept, columns, seeds) for level, seeds in there.items()}
    return found


def _level(kept: KindResults, columns: Sequence[str], seeds: Sequence[int]) -> Figures:
    rows: Figures = {}
    for row in kept.entries:
        values = {name: kept.values(row, name, seeds) for name in columns}
        rows[row] = {name: asdict(estimate(some)) for name, some in values.items() if some}
    return {"scenes": len(seeds), "rows": rows}
