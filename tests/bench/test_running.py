"""Runs: what is kept, what is done again, what is refused."""

import json
import shlex
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from dragondiffusion import Editor
from dragondiffusion.bench.commands import spelled
from dragondiffusion.bench.kinds import KINDS, OPTIONS
from dragondiffusion.bench.runs.results import Entry, Results, slug
from dragondiffusion.bench.tasks import HELD_OUT, TASKS, TUNING, pixels
from dragondiffusion.bench.tasks.named import function
from dragondiffusion.cli import main as cli
from dragondiffusion.console import terminal

SMALL = (64, 64)


class StubEditor(Editor):
    """Gives every picture back as it is, and counts."""

    calls = 0
    weight = 1.0
    fails_after = 10**6

    def __init__(self) -> None:
        weights = SimpleNamespace(parameters=lambda: [torch.full((3,), StubEditor.weight)])
        parts = {"unet": weights, "vae": weights}
        self.backbone = SimpleNamespace(pipe=SimpleNamespace(**parts, components=parts))

    def batch(self, requests, progress=None, clock=None):
        StubEditor.calls += len(requests)
        if StubEditor.calls > StubEditor.fails_after:
            raise KeyboardInterrupt
        assert all("background" in request.prompt for request in requests)
        with clock.phase("sample"):
            return [SimpleNamespace(image=Image.fromarray(request.image)) for request in requests]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Runs `bench scenes` with a stub for the editor; gives exit code, edits asked for, and what was said."""
    monkeypatch.setattr(terminal, "load_editor", lambda model: StubEditor())
    monkeypatch.setattr(StubEditor, "weight", 1.0)
    monkeypatch.setattr(StubEditor, "fails_after", 10**6)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, command: str = "scenes") -> tuple[int, int, str]:
        StubEditor.calls = 0
        sized = ["bench", command, "--size", "64", "64", "-o", "out", *map(str, arguments)]
        code = cli.main(sized)
        said = capsys.readouterr()
        return code, StubEditor.calls, said.out + said.err

    return run


@pytest.mark.parametrize("kind", TASKS)
def test_runs_go_on_where_they_stopped(kind: str, bench, tmp_path: Path):
    arguments = ("--kinds", kind, "--rows", "unedited input", "default", "--batch", 2)
    assert bench(*arguments, "--limit", 1)[:2] == (0, 2), "one scene, and one edit whose operations are counted"
    code, calls, said = bench(*arguments, "--limit", 3)
    assert (code, calls) == (0, 2), "only the scenes that are new"
    assert f"{kind}, 3 scenes" in said and "| default |" in said
    assert bench(*arguments, "--limit", 3)[:2] == (0, 0)
    found = Results.load(tmp_path / "out").entries(kind, "default")
    assert len(found) == 3 and all(one.difficulty and one.scores["seconds"] >= 0 for one in found.values())


def test_interruptions_lose_the_batch_at_hand_alone(bench, monkeypatch, tmp_path: Path):
    arguments = ("--kinds", "move", "--rows", "default", "--batch", 2, "--limit", 6)
    monkeypatch.setattr(StubEditor, "fails_after", 3)
    assert bench(*arguments)[0] == 130
    assert not [p for p in (tmp_path / "out").rglob("*") if p.name.startswith(".")]
    monkeypatch.setattr(StubEditor, "fails_after", 10**6)
    assert bench(*arguments)[:2] == (0, 4)


def test_pictures_kept_are_those_given(bench, tmp_path: Path):
    bench("--kinds", "move", "--limit", 1, "--rows", "unedited input")
    task = next(TASKS["move"](1, HELD_OUT, SMALL))
    kept = Results.load(tmp_path / "out").picture("move", "unedited input", task.seed)
    assert np.array_equal(pixels(kept), pixels(task.before))


def test_scenes_for_tuning_are_others_and_changes_are_rows(bench, tmp_path: Path):
    assert (
        bench("--kinds", "move", "--limit", 2, "--tuning", "--rows", "unedited input", "--vary", "recall=False")[0] == 0
    )
    results = Results.load(tmp_path / "out")
    assert "recall=False" in results.read()["rows"]["move"]["recall=False"]
    assert all(seed >= TUNING for seed in results.entries("move", "recall=False"))


def test_filters_choose_scenes(bench, tmp_path: Path):
    arguments = ("--kinds", "move", "remove", "--limit", 2, "--rows", "unedited input")
    assert bench(*arguments, "--difficulty", "objects=3", "--difficulty", "texture=plain")[0] == 0
    for kind in ("move", "remove"):
        for entry in Results.load(tmp_path / "out").entries(kind, "unedited input").values():
            assert entry.difficulty["objects"] == 3 and entry.difficulty["texture"] == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("--tuning",), "holds results with tuning False, not True"),
        (("--steps", "7"), "row 'default' of move with other settings"),
        (("--displacement", "0.1", "0.2"), "holds results with displacement None"),
    ],
)
def test_results_of_something_else_are_refused(changed, message, bench):
    arguments = ("--kinds", "move", "--limit", 1, "--rows", "default")
    bench(*arguments)
    code, calls, said = bench(*arguments, *changed)
    assert (code, calls) == (2, 0) and message in said and "name another folder" in said


def test_results_of_another_model_are_refused(bench, monkeypatch):
    arguments = ("--kinds", "move", "--limit", 1, "--rows", "default")
    bench(*arguments)
    monkeypatch.setattr(StubEditor, "weight", 2.0)
    code, calls, said = bench(*arguments)
    assert (code, calls) == (2, 0) and "holds results with model" in said


def test_folders_of_something_else_are_left_alone(bench, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    code, _, said = bench("--kinds", "move", "--limit", 1, "--rows", "default")
    assert code == 2 and "holds no results of a benchmark" in said
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--kinds", "fly"), "--kinds fly: use one or more of move"),
        (("--limit", "0"), "--limit 0 must be at least 1"),
        (("--jobs", "0"), "--jobs 0 must be at least 1"),
        (("--batch", "-1"), "--batch -1 must be at least 1"),
        (("--size", "8", "64"), "--size 8 64: both sides"),
        (("--points", "17", "--kinds", "move"), "--points is nothing that the kinds move know"),
        (("--points", "5"), "--points 5 must be 17 or 68"),
        (("--rows", "best"), "row 'best' is unknown"),
        (("--vary", "recall"), "no value"),
        (("--difficulty", "size=huge"), "the levels of size are"),
        (("-o", "none/out"), "the folder none does not exist"),
    ],
)
def test_bad_options_are_refused_before_a_model_is_loaded(arguments, message, bench, monkeypatch):
    monkeypatch.setattr(terminal, "load_editor", lambda model: pytest.fail("a model was loaded"))
    code, _, said = bench(*arguments)
    assert code == 2 and message in said


def test_a_missing_extra_is_named(bench, monkeypatch):
    monkeypatch.setattr("dragondiffusion.bench.extra.find_spec", lambda name: None)
    code, _, said = bench("--kinds", "move", "--limit", 1)
    assert code == 2 and "pip install 'dragondiffusion[bench]'" in said


def test_ablations_run(bench, tmp_path: Path):
    code, calls, said = bench("--kinds", "remove", "--limit", 1, command="ablate")
    rows = Results.load(tmp_path / "out").read()["rows"]["remove"]
    assert code == 0 and calls == 2 * len(rows) and "default, no memory bank" in said


@pytest.fixture
def one_thread():
    """As many threads in one process as in each of two; sums in other orders would differ by rounding."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_processes_do_not_change_scores(data: Path, tmp_path: Path, one_thread: None):
    options = ["--kinds", "move", "--limit", "3", "--batch", "2", "--steps", "1", "--size", "64", "64"]
    rows = ["--rows", "copy-paste, inpainted", "default", "--model", str(data / "tiny-sd")]
    for jobs in ("1", "2"):
        assert cli.main(["bench", "scenes", *options, *rows, "--jobs", jobs, "-o", str(tmp_path / jobs)]) == 0
    one, two = (
        {
            (row, seed): {n: v for n, v in entry.scores.items() if n.split()[0] not in ("seconds", "memory")}
            for row in ("copy-paste, inpainted", "default")
            for seed, entry in Results.load(tmp_path / jobs).entries("move", row).items()
        }
        for jobs in ("1", "2")
    )
    assert len(one) == 6 and one.keys() == two.keys()
    assert one == two
    costs = [Results.load(tmp_path / jobs).cost("move", "default") for jobs in ("1", "2")]
    assert costs[0] == costs[1] and costs[0] and min(costs[0].values()) > 0


def test_names_of_rows_become_names_of_folders():
    names = ["default", "a/b", "a_b", "noise=0.1:0.5", "x" * 300, "x" * 301, ".."]
    folders = [slug(name) for name in names]
    assert len(set(folders)) == len(names) and all("/" not in f and len(f) < 300 for f in folders)
    assert slug("default") == "default"


def test_entries_are_read_back(tmp_path: Path):
    results = Results(tmp_path / "run")
    results.open({"size": (5, 4)}, {"move": {"default": "as it is"}}, "a command")
    image = torch.rand(3, 5, 4)
    results.add("move", "default", 3, Entry({"whole": 1.5}, {"light": 0.6}), image)
    again = Results.load(tmp_path / "run")
    assert again.entries("move", "default") == {3: Entry({"whole": 1.5}, {"light": 0.6})}
    torch.testing.assert_close(again.picture("move", "default", 3), image, atol=0.5 / 255 + 1e-6, rtol=0)
    assert again.known("move", "default", 3) and not again.known("move", "default", 4)
    again.open({"size": (5, 4)}, {"move": {"other": "new"}}, "a command")
    held = json.loads((tmp_path / "run" / "run.json").read_text())
    assert held["rows"] == {"move": {"default": "as it is", "other": "new"}} and held["commands"] == ["a command"]


def test_commands_are_spelled_so_that_they_can_be_called_again(bench, tmp_path: Path):
    varied = ("--vary", "noise=0.1:0.5 recall=False", "--vary", "steps=3", "--difficulty", "light=weak")
    bench("--kinds", "move", "--limit", 1, "--tuning", "--rows", "unedited input", *varied)
    (command,) = Results.load(tmp_path / "out").read()["commands"]
    words = shlex.split(command)
    assert words[:3] == ["dragondiffusion", "bench", "scenes"]
    again = cli.parse(words[1:])
    assert spelled(again.command) == command
    assert again.command.vary == (varied[1], varied[3]) and again.command.named == ("unedited input",)


def test_every_kind_of_task_is_known_to_the_commands():
    assert list(KINDS) == list(TASKS)
    assert all(callable(function(kind.edit)) for kind in KINDS.values())
    values = {"displacement": (0.1, 0.4), "scale": (0.6, 1.6), "angle": (20.0, 60.0), "points": 17}
    for name, kinds in OPTIONS.items():
        for kind in kinds:
            assert next(TASKS[kind](1, HELD_OUT, SMALL, **{name: values[name]})).kind == kind
