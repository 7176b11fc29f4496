"""One visible loop: each case is edited, results of others are read, and all of them are scored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ...backbones import Backbone
from ...core.strict_json import Json
from ...core.types import Progress
from ...imaging.files import Pixels
from .cases import Case
from .distance import Match, matches
from .features import FeatureSettings, features
from .fidelity import Lpips, outside
from .record import Record
from .rivals import find_result, read_result

UNEDITED, OURS = "unedited input", "dragondiffusion"
"""Rows that are there without being asked for: the image as it is, and our edit of it."""

Editing: TypeAlias = Callable[[Case, Progress], Pixels]
"""Makes the result of a case."""


@dataclass(frozen=True, eq=False)
class DragBenchRun:
    """The rows that are compared, and the models that score them.

    Args:
        edit: makes our results; None leaves our row out.
        rivals: folders of results by what made them.
        backbone: the model whose features find points.
        recipe: how its features are taken.
        lpips: None leaves the column out.
    """

    edit: Editing | None
    rivals: Mapping[str, Path]
    backbone: Backbone
    recipe: FeatureSettings
    lpips: Lpips | None

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the rows, in the order of the table."""
        return (UNEDITED, *([] if self.edit is None else [OURS]), *self.rivals)


def run(bench: DragBenchRun, cases: Sequence[Case], record: Record, progress: Progress) -> None:
    """Edits and scores all cases; what was made and scored before is not made and scored again.

    Args:
        bench: what is compared.
        cases: the cases.
        record: earlier results, and where all are kept.
        progress: called with phase, finished steps and their total.
    """
    names = [case.name for case in cases]
    record.notes = {case.name: list(case.notes) for case in cases if case.notes}
    for k, case in enumerate(cases):
        progress("cases", k, len(cases))
        results = {UNEDITED: case.pixels, **_ours(bench, case, record, progress)}
        results |= _of_rivals(bench, case, names, record)
        if _score(bench, case, results, record, progress):
            record.save()
    progress("cases", len(cases), len(cases))
    record.save()


def _ours(bench: DragBenchRun, case: Case, record: Record, progress: Progress) -> dict[str, Pixels]:
    """Our result; none if there is to be none, or it fails, which stops nothing else."""
    if bench.edit is None:
        return {}
    pixels = record.made_before(case)
    if pixels is None:
        begin = time.perf_counter()
        try:
            pixels = bench.edit(case, progress)
        except (ValueError, RuntimeError) as error:
            record.problem(OURS, case.name, str(error))
            return {}
        record.keep(case, pixels, time.perf_counter() - begin)
    return {OURS: pixels}


def _of_rivals(bench: DragBenchRun, case: Case, names: Sequence[str], record: Record) -> dict[str, Pixels]:
    found: dict[str, Pixels] = {}
    for row, folder in bench.rivals.items():
        try:
            found[row] = read_result(find_result(folder, case.name, names), case)
        except (ValueError, OSError) as error:
            record.problem(row, case.name, str(error))
    return found


def _score(bench: DragBenchRun, case: Case, results: Mapping[str, Pixels], record: Record, progress: Progress) -> bool:
    """Scores what is not scored yet; whether there was something."""
    new = {row: pixels for row, pixels in results.items() if not record.scored(row, case, pixels)}
    if not new:
        return False
    before = features(bench.backbone, case.pixels, case.prompt, bench.recipe, draw=0)
    for k, (row, pixels) in enumerate(new.items()):
        progress("score", k, len(new))
        after = features(bench.backbone, pixels, case.prompt, bench.recipe, draw=1)
        found = matches(before, after, case)
        scores = {**case_means(found), **outside(pixels, case)}
        if bench.lpips is not None:
            scores["1-LPIPS"] = 1 - bench.lpips(case.pixels, pixels)
        record.add(row, case, pixels, scores, [_described(match) for match in found])
    progress("score", len(new), len(new))
    return True


def known_results(bench: DragBenchRun, case: Case, names: Sequence[str], record: Record) -> dict[str, Pixels]:
    """The results of a case that have scores, without making any."""
    made = None if bench.edit is None else record.made_before(case)
    results = {} if made is None else {OURS: made}
    for row, folder in bench.rivals.items():
        if case.name in record.rows.get(row, {}):
            results[row] = read_result(find_result(folder, case.name, names), case)
    return results


def case_means(found: Sequence[Match]) -> dict[str, float]:
    """Each distance, on average over the handles of a case."""
    distances = [match.distances() for match in found]
    return {name: sum(one[name] for one in distances) / len(distances) for name in distances[0]}


def _described(match: Match) -> Json:
    """A match as it is written down, points as indices of pixels as in the files of cases."""

    def index(point: tuple[float, float]) -> list[float]:
        return [point[0] - 0.5, point[1] - 0.5]

    return {
        "handle": index(match.handle),
        "target": index(match.target),
        "found": {search: index(point) for search, point in match.found.items()},
        "distances": match.distances(),
    }
