"""The page holds every figure, and nothing that has to be fetched."""

import json
import re
from pathlib import Path

import pytest
import torch

from dragondiffusion.bench.report.figures import gather
from dragondiffusion.bench.report.page import operations, shown
from dragondiffusion.bench.runs.baselines import copy_paste, unedited_input
from dragondiffusion.bench.runs.results import Entry, Results
from dragondiffusion.bench.runs.scores import score
from dragondiffusion.bench.tasks import HELD_OUT, TASKS
from dragondiffusion.bench.tasks.difficulty import describe
from dragondiffusion.cli import main as cli

ABOUT = {
    "model": "abc", "version": "0", "size": (64, 64), "tuning": False, "after": False,
    "displacement": None, "scale": None, "angle": None, "points": None,
}  # fmt: skip
ROWS = {"unedited input": unedited_input, "<b>&\"quoted\"": copy_paste}  # fmt: skip
KINDS = ("move", "paste")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of two rows on a few scenes of two kinds; one kind's costs are known."""
    results = Results(tmp_path_factory.mktemp("bench") / "run")
    results.open(ABOUT, {kind: {row: row for row in ROWS} for kind in KINDS}, "dragondiffusion bench <script>")
    for kind in KINDS:
        for task in TASKS[kind](8, HELD_OUT, (64, 64)):
            for row, make in ROWS.items():
                image = make(task)
                seconds = {"seconds": 0.5, "seconds sample": 0.25, "memory sample": 100.0}
                entry = Entry(score(image, task) | (seconds if kind == "move" else {}), describe(task))
                results.add(kind, row, task.seed, entry, image)
    for k, row in enumerate(ROWS):
        results.add_cost("move", row, {"encode": 10**9 * (k + 1), "sample": 5 * 10**9})
    return results.folder


@pytest.fixture(scope="module")
def report(folder: Path) -> tuple[str, dict]:
    out = folder.parent / "report.html"
    assert cli.main(["bench", "report", str(folder), "-o", str(out), "--base", "unedited input"]) == 0
    return out.read_text(encoding="utf-8"), json.loads(out.with_suffix(".json").read_text())


def test_every_figure_of_the_json_is_on_the_page(report):
    page, figures = report
    for kind in figures["kinds"].values():
        assert f"<p>{kind['scenes']} scenes.</p>" in page
        for column, one in (item for values in kind["rows"].values() for item in values.items()):
            mean, low, high = (re.escape(shown(column, one[n])) for n in ("mean", "low", "high"))
            assert re.search(rf">{mean}(</b>)?<small>{low} to {high}<", page)
        for column, one in (item for values in kind["compared"].values() for item in values.items()):
            mean, low, high = (shown(column, one["difference"][n], True) for n in ("mean", "low", "high"))
            assert f">{mean}<small>{low} to {high}</small><small>won {one['won']:.0%}<" in page


def test_levels_operations_and_scenes_of_the_json_are_on_the_page(report):
    page, figures = report
    for kind in figures["kinds"].values():
        levels = [(axis, level, one) for axis, each in kind["levels"].items() for level, one in each.items()]
        for axis, level, one in levels:
            assert f"{axis}<small>{level}, {one['scenes']}</small>" in page
            for column, e in (item for values in one["rows"].values() for item in values.items()):
                assert f">{shown(column, e['mean'])}<small>{shown(column, e['low'])} to" in page
        for count in (n for phases in kind["flops"].values() for n in (*phases.values(), sum(phases.values()))):
            assert f"<td>{operations(count)}</td>" in page
        assert all(str(seed) in page for seeds in kind["shown"].values() for seed in seeds)


def test_the_page_needs_nothing_else(report):
    page, _ = report
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert re.findall(r"https?:|//[a-z]|<script|<link|@import|url\(", text) == []
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert len(sources) > 20 and all(source.startswith("data:image/png;base64,") for source in sources)


def test_names_are_escaped(report):
    page, _ = report
    assert "&lt;b&gt;&amp;&quot;quoted&quot;" in page and '<b>&"quoted"' not in page
    assert "dragondiffusion bench &lt;script&gt;" in page


def test_figures_are_those_of_the_scores(folder: Path):
    figures, results = gather([folder], "unedited input"), Results(folder)
    for kind in KINDS:
        for row in ROWS:
            entries = results.entries(kind, row)
            mean = sum(e.scores["whole"] for e in entries.values()) / len(entries)
            assert figures["kinds"][kind]["rows"][row]["whole"]["mean"] == pytest.approx(mean)
    levels = figures["kinds"]["move"]["levels"]
    assert all(sum(one["scenes"] for one in axis.values()) == 8 for axis in levels.values()) and len(levels) > 2
    shown_seeds = figures["kinds"]["move"]["shown"]
    assert not set(shown_seeds["best"]) & set(shown_seeds["worst"])


def test_copy_paste_wins_against_the_picture_left_alone(report):
    _, figures = report
    won = figures["kinds"]["move"]["compared"]['<b>&"quoted"']
    assert won["whole"]["won"] == 1 and won["whole"]["difference"]["low"] > 0
    assert won["ghost"]["won"] == 1 and won["ghost"]["difference"]["high"] < 0


def test_rows_are_compared_on_the_scenes_they_share(folder: Path, tmp_path: Path):
    results = Results(tmp_path / "run")
    results.open(ABOUT, {"move": {"unedited input": "unedited input", "other": "other"}}, "c")
    for seed, rows in ((1, ("unedited input", "other")), (2, ("unedited input",))):
        for row in rows:
            results.add("move", row, seed, Entry({"whole": 10.0 * seed}, {"light": 0.6}), torch.zeros(3, 64, 64))
    figures = gather([tmp_path / "run"], "other")
    assert figures["kinds"]["move"]["scenes"] == 1
    assert figures["kinds"]["move"]["rows"]["unedited input"]["whole"]["mean"] == 10


def test_reports_of_what_does_not_belong_together(folder: Path, tmp_path: Path, capsys):
    Results(tmp_path / "other").open(ABOUT | {"model": "def"}, {}, "c")
    out = str(tmp_path / "r.html")
    for arguments, message in (
        ([str(folder), str(tmp_path / "other")], "report them apart"),
        ([str(tmp_path)], "holds no results of a benchmark"),
        ([str(folder), "--base", "best"], "--base 'best' is no row of move"),
        ([str(folder), "-o", "page.txt"], r"must end in .html"),
        ([], "needs a folder of results"),
    ):
        assert cli.main(["bench", "report", "-o", out, *arguments]) == 2
        assert message in capsys.readouterr().err
    assert not Path(out).exists()
