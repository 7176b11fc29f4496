"""Runs that go on where they stopped, and the command."""

import json
from pathlib import Path

import numpy as np
import pytest

from dragondiffusion.bench.photos import running
from dragondiffusion.bench.photos.collection import HELD_OUT_FROM
from dragondiffusion.bench.photos.command import PhotoBench
from dragondiffusion.bench.photos.flat import FlatArt
from dragondiffusion.bench.photos.record import Record
from dragondiffusion.bench.photos.rows import chosen_rows, fitting, known_rows, proxy_alone
from dragondiffusion.edits.settings import Geometry

CHEAP = ("unedited input", "copy-paste")


def bench(folder, rows=CHEAP, limit=2):
    return running.Bench(FlatArt(64), folder, ("translate", "remove"), range(limit), chosen_rows(rows), False, "")


def no_model():
    raise AssertionError("no row needs a model")


def silent(done, total):
    return None


def test_a_run_goes_on_where_it_stopped(tmp_path):
    assert running.run(bench(tmp_path, limit=1), no_model, 1, silent) == 2
    lines = Record(tmp_path).lines()
    assert len(lines) == 4
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"case": "translate-1", "half')  # a run that was killed while writing
    assert running.run(bench(tmp_path), no_model, 1, silent) == 2
    assert len(Record(tmp_path).lines()) == 8
    assert Record(tmp_path).lines()[:4] == lines
    assert running.run(bench(tmp_path), no_model, 1, silent) == 0


def test_only_missing_rows_are_done(tmp_path):
    running.run(bench(tmp_path, ("copy-paste",)), no_model, 1, silent)
    left = bench(tmp_path).left()
    assert {case.rows for case in left} == {("unedited input",)}


def test_results_of_other_settings_do_not_count(tmp_path):
    running.run(bench(tmp_path), no_model, 1, silent)
    other = running.Bench(FlatArt(96), tmp_path, ("remove",), range(1), chosen_rows(CHEAP), False, "")
    assert len(other.left()) == 1


def test_results_do_not_depend_on_the_number_of_processes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, jobs in ((one, 1), (two, 2)):
        Record(folder)
        running.run(bench(folder), no_model, jobs, silent)
    scores = [
        {(c, r): line["scores"] for (c, r), line in Record(f).known(bench(f).digests()).items()} for f in (one, two)
    ]
    assert scores[0].keys() == scores[1].keys()
    for key, own in scores[0].items():
        assert own == pytest.approx(scores[1][key], rel=1e-3, abs=1e-4)


def test_rows_with_a_model_depend_on_its_weights(tmp_path):
    digests = [
        running.Bench(FlatArt(64), tmp_path, ("remove",), range(1), chosen_rows(()), False, m).digests() for m in "ab"
    ]
    same = [row for row in digests[0] if digests[0][row] == digests[1][row]]
    assert same == ["unedited input", "copy-paste", "proxy alone"]


def test_a_row_that_fails_says_why(tmp_path):
    def refused(problem):
        raise ValueError("mask is empty; draw one")

    made = running.Bench(FlatArt(64), tmp_path, ("remove",), range(1), {"bad": refused}, False, "")
    running.run(made, no_model, 1, silent)
    (line,) = Record(tmp_path).lines()
    assert line["error"] == "mask is empty; draw one"
    assert "scores" not in line


def test_proxy_alone_moves_the_thing_and_leaves_the_rest():
    problem = FlatArt(128, ("plain colour",)).problem("translate", 0)
    result = proxy_alone(problem)
    solid = problem.placed == 1
    assert np.abs(result[solid].astype(int) - problem.truth[solid]).mean() < 3
    assert (result == problem.before).all(axis=2).mean() > 0.5


def test_the_authors_geometry_is_replaced_where_it_knows_no_such_map():
    reference = known_rows()["reference"]
    assert fitting(reference, FlatArt(64).problem("rotate", 0)).geometry is Geometry.AFFINE
    assert fitting(reference, FlatArt(64).problem("translate", 0)) == reference


def test_unknown_rows_are_refused():
    with pytest.raises(ValueError, match="--rows 'best' is unknown; use one or more of 'unedited input'"):
        chosen_rows(("best",))


def test_the_command_prints_tables_and_writes_reports_and_sheets(tmp_path, capsys):
    out = tmp_path / "out"
    command = PhotoBench(set="flat", out=out, kinds=("remove",), named=CHEAP, limit=1, size=64, sheets=True)
    command.run()
    assert "kind: remove" in capsys.readouterr().out
    report = json.loads((out / "report.json").read_text())
    assert report["about"]["seeds"] == [HELD_OUT_FROM, HELD_OUT_FROM + 1]
    assert report["groups"]["all"]["copy-paste"]["estimates"]["right 5"]["count"] == 1
    assert (out / "sheets" / "remove-0.png").is_file()
    assert "copy-paste" in (out / "report.md").read_text()


def test_the_command_makes_composites_of_a_folder(photographs, tmp_path, capsys):
    command = PhotoBench(
        folder=photographs, out=tmp_path / "out", kinds=("move",), named=CHEAP, limit=1, size=64, tuning=True
    )
    command.run()
    heard = capsys.readouterr()
    assert "1 unreadable" in heard.err
    assert "kind: move" in heard.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"set": "photos"}, "DIR is missing"),
        ({"set": "flat", "folder": Path()}, "leave the folder out"),
        ({"set": "flat", "limit": 0}, "--limit 0 must be at least 1"),
        ({"set": "flat", "size": 8}, "--size 8 must lie between"),
        ({"set": "flat", "kinds": ("melt",)}, "--kinds melt"),
        ({"set": "flat", "grounds": ("sand",)}, "--grounds sand"),
    ],
)
def test_bad_options_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        PhotoBench(out=tmp_path / "out", **options).run()
