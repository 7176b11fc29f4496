"""Runs of DragBench score what is known, go on where they stopped, and take results of others."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dragbench_cases import ONCE, SIZE, Places, map_of_places, shifted, write_case
from dragondiffusion.bench.dragbench import cases as C
from dragondiffusion.bench.dragbench import distance, fidelity, rivals, summary
from dragondiffusion.bench.dragbench.command import DragBench
from dragondiffusion.bench.dragbench.record import Record
from dragondiffusion.bench.dragbench.running import OURS, UNEDITED, DragBenchRun, run


class Editing:
    """Moves everything by (10, 2), and counts."""

    def __init__(self):
        self.made = []

    def __call__(self, case, progress):
        if case.name == "refused":
            raise ValueError("it cannot be dragged")
        self.made.append(case.name)
        return shifted(case.pixels, (10, 2))


def go(folder, out, edit=None, others=None, about="a", measure=1):
    backbone = Places()
    cases, _ = C.read_cases(folder)
    bench = DragBenchRun(edit or Editing(), others or {}, backbone, ONCE, None)
    record = Record.open(out, {"about": about}, {"how": measure})
    run(bench, cases, record, lambda phase, done, total: None)
    return record, bench, backbone.calls


def test_a_true_translation_arrives_and_left_alone_has_the_whole_way_to_go(tmp_path):
    for name in ("a", "b/c", "b/d", "refused"):
        write_case(tmp_path / "cases" / name)
    record, bench, _ = go(tmp_path / "cases", tmp_path / "out")
    assert record.problems == {OURS: {"refused": "it cannot be dragged"}}
    for row, share in ((UNEDITED, 1), (OURS, 0)):
        for search in distance.SEARCHES:
            mean = summary.summarise(record, bench.rows, ["a", "b/c", "b/d"])[row]
            assert mean[f"{search} of displacement"].value == pytest.approx(share)
            assert mean[f"{search} px"].value == pytest.approx(share * np.hypot(10, 2))
        assert mean["exact"].value == pytest.approx(1 if row == UNEDITED else 0, abs=0.01)
    with Image.open(tmp_path / "out" / "results" / "b" / "c.png") as image:
        assert image.size == SIZE[::-1]
    held = json.loads((tmp_path / "out" / "dragbench.json").read_text())
    assert held["rows"][OURS]["a"]["matches"][0]["found"]["whole"] == [30, 22]


def test_what_is_known_is_not_computed_again(tmp_path):
    for name in ("a", "b"):
        write_case(tmp_path / "cases" / name)
    cases, out = tmp_path / "cases", tmp_path / "out"
    first, again = Editing(), Editing()
    record, _, calls = go(cases, out, first)
    assert first.made == ["a", "b"] and calls == 6
    repeated, _, calls = go(cases, out, again)
    assert again.made == [] and calls == 0 and repeated.rows == record.rows
    _, _, calls = go(cases, out, again, measure=2)
    assert again.made == [] and calls == 6
    write_case(cases / "b", points=((20, 20), (25, 20)))
    _, _, calls = go(cases, out, again, measure=2)
    assert again.made == ["b"] and calls == 3
    (out / "results" / "a.png").unlink()
    go(cases, out, again, measure=2)
    assert again.made == ["b", "a"]
    with pytest.raises(ValueError, match="another about"):
        go(cases, out, about="other")
    (out / "dragbench.json").write_text("{}")
    with pytest.raises(ValueError, match="no record"):
        go(cases, out)


def test_results_of_others_are_scored_and_those_that_do_not_fit_are_named(tmp_path):
    for name in ("a", "b/c", "b/d", "b/e", "f", "b/f"):
        write_case(tmp_path / "cases" / name)
    moved = Image.fromarray(shifted(map_of_places(), (10, 2)))
    folder = tmp_path / "theirs"
    for name in ("c/dragged_image", "b/d", "b/f/dragged_image"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        moved.save(folder / f"{name}.png")
    moved.resize((64, 40)).save(folder / "a.png")
    moved.resize((61, 61)).save(folder / "b" / "e.png")
    record, _, _ = go(tmp_path / "cases", tmp_path / "out", others={"theirs": folder})
    assert record.rows["theirs"].keys() == {"a", "b/c", "b/d", "b/f"}
    assert record.rows["theirs"]["b/c"]["scores"]["whole px"] == 0
    assert record.rows["theirs"]["a"]["scores"]["whole px"] < 4
    assert "61x61 but the image is 45x61" in record.problems["theirs"]["b/e"]
    assert "holds no f.png" in record.problems["theirs"]["f"]
    moved.save(folder / "b" / "e.png")
    Image.fromarray(map_of_places()).save(folder / "b" / "d.png")
    record, _, calls = go(tmp_path / "cases", tmp_path / "out", others={"theirs": folder})
    assert calls == 4 and record.rows["theirs"]["b/d"]["scores"]["whole of displacement"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("size", "fits"), [((45, 61), 1), ((40, 64), 1), ((48, 56), 1), ((45, 64), 1), ((44, 61), 0), ((56, 64), 0)]
)
def test_sizes_may_be_rounded_to_eights(size, fits):
    assert rivals.rounded(size, SIZE) == bool(fits)


@pytest.mark.parametrize("text", ["theirs", "=x", f"{OURS}=.", "a=nowhere-at-all"])
def test_folders_of_results_are_checked(text):
    with pytest.raises((ValueError, FileNotFoundError), match=re.escape(text)):
        rivals.folders([text], (OURS, UNEDITED))


def test_intervals_hold_the_mean_and_weights_count():
    mean = summary.bootstrap([(1.0, 1), (2.0, 1), (6.0, 2)])
    assert mean.value == pytest.approx(3.75) and 1 <= mean.low < mean.value < mean.high <= 6 and mean.cases == 3
    one = summary.bootstrap([(2.0, 3)])
    assert (one.value, one.low, one.high) == (2, 2, 2)
    draws = np.random.default_rng(1).normal(5, 1, (200, 50))
    inside = [m.low <= 5 <= m.high for m in (summary.bootstrap([(v, 1) for v in d]) for d in draws)]
    assert 0.88 <= np.mean(inside) <= 0.99


def test_lpips_is_used_where_it_is_and_missed_by_name(monkeypatch):
    class Net:
        def eval(self):
            return self

        def __call__(self, a, b):
            assert a.shape == b.shape == (1, 3, 224, 224) and float(a.min()) >= -1
            return (a - b).abs().mean()

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=lambda net, verbose: Net()))
    lpips, about = fidelity.load_lpips()
    assert lpips(map_of_places(), map_of_places()) == 0 and "alex" in about
    assert lpips(map_of_places(), shifted(map_of_places(), (5, 5))) > 0

    def offline(net, verbose):
        raise OSError("no route")

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=offline))
    assert fidelity.load_lpips()[0] is None and "no route" in fidelity.load_lpips()[1]
    monkeypatch.setitem(sys.modules, "lpips", None)
    assert fidelity.load_lpips()[0] is None and "install the packages lpips" in fidelity.load_lpips()[1]


def test_the_command_runs_to_the_end_and_again(tmp_path, data, picture, capsys):
    for name, size in (("a", (61, 90)), ("b/c", (70, 33))):
        inside = np.zeros(size, np.uint8)
        inside[8:50, 5:30] = 255
        pixels = np.resize(picture, (*size, 3))
        write_case(tmp_path / "cases" / name, ((10, 20), (20, 30)), pixels, Image.fromarray(inside))
    write_case(tmp_path / "cases" / "odd", points=((1, 1),))
    (tmp_path / "theirs").mkdir()
    Image.fromarray(np.resize(picture, (61, 90, 3))).save(tmp_path / "theirs" / "a.png")
    out = tmp_path / "runs" / "out"
    command = DragBench(
        cases=tmp_path / "cases",
        out=out,
        model=str(data / "tiny-sd"),
        steps=2,
        results=(f"theirs={tmp_path / 'theirs'}",),
        features_ensemble=1,
        sheet=tmp_path / "sheet.png",
    )
    command.run()
    told = capsys.readouterr()
    assert "| theirs | px |" in told.out and "| unedited input | 2 |" in told.out
    assert "not scored: odd:" in told.err and "not scored: b/c, theirs:" in told.err
    with Image.open(out / "results" / "b" / "c.png") as image:
        assert image.size == (33, 70)
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.width > 3 * 256
    held = json.loads((out / "dragbench.json").read_text())
    assert held["measure"]["timestep"] == 261 and held["edit"]["settings"]["steps"] == 2
    assert len(held["edit"]["fingerprint"]) == 16 and held["summary"]["theirs"]["whole px"]["cases"] == 1
    stamps = {path: path.stat().st_mtime_ns for path in out.glob("results/**/*.png")}
    command.run()
    again = json.loads((out / "dragbench.json").read_text())
    assert (again["rows"], again["made"], again["summary"]) == (held["rows"], held["made"], held["summary"])
    assert stamps == {path: path.stat().st_mtime_ns for path in out.glob("results/**/*.png")}
    assert capsys.readouterr().out == told.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "--limit 0"),
        ({"skip_edits": True}, "--skip-edits"),
        ({"out": Path(__file__)}, "is a file"),
        ({"sheet": Path("sheet.txt")}, "--sheet"),
        ({"sheet": Path("nowhere/sheet.png")}, "nowhere"),
        ({"changes": ("steps",)}, "--set steps"),
    ],
)
def test_bad_options_are_refused_before_a_model_is_loaded(options, message, tmp_path, monkeypatch):
    monkeypatch.setattr("dragondiffusion.console.terminal.load_editor", lambda model: pytest.fail("loaded"))
    write_case(tmp_path / "cases" / "a")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        DragBench(**{"cases": tmp_path / "cases", "out": tmp_path / "out", **options}).run()


def test_the_command_imports_no_torch():
    code = "import sys; import dragondiffusion.bench.dragbench.command; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
