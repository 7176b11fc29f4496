"""Rows, scores, tables and results that survive an interruption."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from dragondiffusion import Geometry, Settings, Window
from dragondiffusion.bench.results import Results
from dragondiffusion.bench.rows import TERMS, named, rows, varied
from dragondiffusion.bench.scores import COLUMNS, means, score, table
from dragondiffusion.bench.tasks import HELD_OUT, TASKS, TUNING, pixels

SMALL = (64, 64)
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "edits.py"


@pytest.mark.parametrize("kind", TASKS)
def test_the_truth_has_the_best_scores_and_the_picture_left_alone_the_worst(kind: str):
    task = next(TASKS[kind](1, HELD_OUT, (128, 128)))
    best, worst = score(task.truth, task), score(task.before, task)
    assert best.keys() == worst.keys() and set(best) <= set(COLUMNS)
    for name in best:
        if name in ("whole", "destination", "edited", "vacated", "rest"):
            assert best[name] == 100 and worst[name] < 100
    for name, good, bad in (("ghost", 0, 1), ("gone", 1, 0), ("handle", 0, 1), ("landmarks", 0, 1)):
        if name in best:
            assert best[name] == pytest.approx(good, abs=0.2) and worst[name] == pytest.approx(bad, abs=0.2)
    assert worst["changed outside"] == 0
    assert ("handle" in best) == (kind == "drag") and ("landmarks" in best) == (kind == "landmarks")
    assert ("ghost" in best) == ("vacated" in best) == (kind in ("move", "resize", "rotate", "remove"))


@pytest.mark.parametrize("kind", TASKS)
def test_rows_switch_off_one_thing_each(kind: str):
    chosen = rows(kind, {"steps": 7}, terms=True)
    default = chosen.pop("default")
    assert chosen.pop("left alone") is None and default == Settings.preset("default", steps=7)
    assert all(settings is not None and settings.steps == 7 for settings in chosen.values())
    off = {name: settings for name, settings in chosen.items() if name.startswith("default")}
    for settings in off.values():
        changed = [field for field, value in vars(settings).items() if value != getattr(default, field)]
        assert len(changed) == 1 and getattr(settings, changed[0]) in (0, False)
    assert len(off) == 2 + len(TERMS[kind])


@pytest.mark.parametrize("kind", TASKS)
def test_every_term_is_one_of_the_edit(kind: str):
    from dragondiffusion.types import Canvas

    canvas = Canvas(picture=(128, 128), multiple=16, factor=4, grid=2)
    task = next(task for task in TASKS[kind](9, HELD_OUT, (128, 128)) if task.scale <= 1)
    objective = task.edit().objective(canvas, Settings())
    names = {term.name for term in (*objective.edit_terms, *objective.content_terms)}
    assert names == set(TERMS[kind])


def test_turns_give_the_authors_setting_our_geometry():
    assert "reference" in rows("move") and "reference" not in rows("rotate", turned=True)
    turned = rows("rotate", turned=True)["reference, our geometry"]
    assert turned == Settings.preset("reference", geometry=Geometry.AFFINE)


def test_rows_are_chosen_by_name():
    assert list(named(rows("move"), ["default", "left alone"])) == ["default", "left alone"]
    assert named(rows("move"), []) == rows("move")
    with pytest.raises(ValueError, match="row 'best' is unknown; use one of 'left alone'"):
        named(rows("move"), ["best"])


def test_changes_of_the_default_are_read():
    settings = varied("recall=False energy_scale=None noise=0.1:0.5 guidance=0:0.4:2", {"steps": 9})
    assert settings == Settings(
        steps=9, recall=False, energy_scale=None, noise=Window(0.1, 0.5), guidance=(Window(0, 0.4, every=2),)
    )
    for text, message in (("recall", "no value"), ("recall=maybe", "is no value"), ("recal=True", "unknown")):
        with pytest.raises(ValueError, match=message):
            varied(text)


def test_tables_show_means_of_what_there_is():
    results = {"a": [{"whole": 20.0, "handle": 0.5}, {"whole": 30.0, "handle": 0.25}], "b": [{"whole": 10.0}]}
    assert means(results["a"]) == {"whole": 25, "handle": 0.375}
    assert table(results).splitlines() == [
        "| setting | whole | handle |",
        "|---|---|---|",
        "| a | 25.0 | 37.5 % |",
        "| b | 10.0 | - |",
    ]


def test_results_are_read_back(tmp_path):
    path, image = tmp_path / "run.json", torch.rand(3, 5, 4)
    first = Results(path, {"kind": "move", "size": (5, 4)}, {"default": "as it is"})
    assert first.known("default", 3) is None
    first.add("default", 3, {"whole": 1.5}, image)
    again = Results(path, {"kind": "move", "size": (5, 4)}, {"default": "as it is", "other": "new"})
    known = again.known("default", 3)
    assert known is not None and known[0] == {"whole": 1.5}
    torch.testing.assert_close(known[1], image, atol=0.5 / 255 + 1e-6, rtol=0)
    assert again.known("other", 3) is None and again.known("default", 4) is None
    again.add("other", 3, {"whole": 2.5}, image)
    assert Results(path, {"kind": "move", "size": (5, 4)}, {"other": "new"}).scores["default"] == {3: {"whole": 1.5}}
    assert not list(tmp_path.rglob("*.part"))


def test_results_of_something_else_are_refused(tmp_path):
    path = tmp_path / "run.json"
    Results(path, {"kind": "move"}, {"default": "a"}).add("default", 3, {"whole": 1.5}, torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match="holds results of"):
        Results(path, {"kind": "drag"}, {"default": "a"})
    with pytest.raises(ValueError, match="row 'default' with other settings"):
        Results(path, {"kind": "move"}, {"default": "b"})
    path.write_text('{"cut')
    with pytest.raises(ValueError, match="holds no results"):
        Results(path, {"kind": "move"}, {"default": "a"})
    with pytest.raises(ValueError, match=r"must end in \.json"):
        Results(tmp_path / "run", {}, {})


class StubEditor:
    """Gives every picture back as it is, and counts."""

    calls = 0

    def __init__(self) -> None:
        weights = SimpleNamespace(parameters=lambda: [torch.ones(3)])
        self.backbone = SimpleNamespace(pipe=SimpleNamespace(unet=weights))

    @classmethod
    def from_pretrained(cls, source):
        return cls()

    def batch(self, requests):
        StubEditor.calls += len(requests)
        assert all("background" in request.prompt for request in requests)
        return [SimpleNamespace(image=Image.fromarray(request.image)) for request in requests]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch):
    """Runs the script with a stub for the editor; gives the number of edits it asked for."""
    spec = importlib.util.spec_from_file_location("edits_script", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "Editor", StubEditor)

    def run(*arguments: object) -> int:
        StubEditor.calls = 0
        monkeypatch.setattr(sys, "argv", ["edits.py", "--size", "64", "64", *map(str, arguments)])
        module.main()
        return StubEditor.calls

    return run


@pytest.mark.parametrize("kind", TASKS)
def test_the_script_goes_on_where_it_stopped(kind: str, script, tmp_path, capsys):
    path, sheet = tmp_path / "run.json", tmp_path / "sheet.png"
    arguments = ("--kind", kind, "--rows", "left alone", "default", "--json", path, "--sheet", sheet)
    assert script(*arguments, "--scenes", 1) == 1
    assert script(*arguments, "--scenes", 2, "--batch", 2) == 1, "only the scene that is new"
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("| default |") and f"{kind}, 2 scenes" in lines[-6]
    held = json.loads(path.read_text())
    assert held["about"]["kind"] == kind and set(held["scores"]) == {"left alone", "default"}
    second = kind in ("paste", "appearance")
    with Image.open(sheet) as image:
        assert image.size == (2 * 64, (3 + second) * 64)


def test_the_script_takes_rows_scenes_and_ranges(script, tmp_path, capsys):
    path = tmp_path / "run.json"
    count = script(
        "--scenes", 1, "--tuning", "--angle", 15, 60, "--rows", "left alone", "--vary", "recall=False", "--json", path
    )  # fmt: skip
    held = json.loads(path.read_text())
    assert count == 1 and held["about"]["angle"] == [15, 60]
    assert all(int(seed) >= TUNING for seed in held["scores"]["recall=False"])
    assert "recall=False" in held["rows"]["recall=False"]
    with pytest.raises(ValueError, match="--points is nothing that tasks of kind 'move' know"):
        script("--points", 17)
    assert script("--kind", "landmarks", "--points", 17, "--scenes", 1, "--rows", "default") == 1
    assert "landmarks" in capsys.readouterr().out


def test_pictures_of_results_are_those_given(script, tmp_path):
    path = tmp_path / "run.json"
    script("--scenes", 1, "--rows", "left alone", "--json", path)
    (kept,) = (tmp_path / "run").rglob("*.png")
    task = next(TASKS["move"](1, HELD_OUT, SMALL))
    with Image.open(kept) as image:
        assert np.array_equal(np.asarray(image), pixels(task.before))
