"""Commands that ran: what they write and say, what they replay, what they leave behind."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import dragondiffusion
from cli.calls import move
from dragondiffusion.bench.demo import draw_case, sheet
from dragondiffusion.cli import main as cli
from dragondiffusion.console import terminal
from dragondiffusion.edits.registry import EDITS

WAYS = {
    "move": ["--mask", "mask.png", "--offset", "20", "0"],
    "paste": ["--image", "other.png", "--mask", "other-mask.png", "--offset", "5", "-3"],
    "appearance": ["--mask", "mask.png", "--image", "other.png", "--reference-mask", "other-mask.png"],
    "drag": ["--points", "28", "32", "34", "30", "--mask", "mask.png"],
    "landmarks": ["--points-from", "20", "30", "40", "30", "--points-to", "20", "34", "40", "30"],
    "remove": ["--mask", "mask.png"],
}


@pytest.mark.parametrize("name", EDITS)
def test_edits_write_a_picture_of_the_same_size(folder, data, capsys, name):
    before = set(os.listdir(folder))
    assert (
        cli.main([name, "photo.png", *WAYS[name], "--steps", "2", "--model", str(data / "tiny-sd"), "-o", "o.png"]) == 0
    )
    with Image.open("o.png") as written:
        assert written.size == (90, 61)
    assert set(os.listdir(folder)) - before == {"o.png"}
    assert re.fullmatch(
        r"[^\n]*background untouched[^\n]*\n"
        r"load \d+\.\d s, invert \d+\.\d s, edit \d+\.\d s, decode \d+\.\d s\n"
        r"wrote o\.png with its recipe and the images it was made from\n",
        capsys.readouterr().out,
    )


def test_the_best_of_several_tries_is_replayed_alone(folder, data, capsys):
    options = ["--offset", "20", "0", "--steps", "2", "--model", str(data / "tiny-sd")]
    assert move(*options, "--tries", "2", "--seed", "5", out="best.png") == 0
    said = re.search(r"best of 2 tries: seed (\d)", capsys.readouterr().out)
    assert said is not None and said[1] in "56"
    assert cli.main(["run", "best.png", "-o", "again.png", "--allow-outside"]) == 0
    with Image.open("best.png") as best, Image.open("again.png") as again:
        assert best.tobytes() == again.tobytes()
    assert move(*options, "--tries", "0", out="none.png") == 2
    assert "--tries 0 must be at least 1" in capsys.readouterr().err


def test_formats_without_texts_and_the_reference_preset(folder, data, capsys):
    options = ["--offset", "20", "0", "--steps", "2", "--preset", "reference", "--model", str(data / "tiny-sd")]
    assert move(*options, out="out.jpg") == 0
    with Image.open("out.jpg") as written:
        assert written.size == (90, 61)
    assert capsys.readouterr().out.endswith("wrote out.jpg\n")


def test_recipes_replay_byte_for_byte(folder, data, capsys, monkeypatch):
    model = str(data / "tiny-sd")
    options = ["--offset", "20", "0", "--steps", "2", "--negative-prompt", "rain", "--set", "guidance_scale=3"]
    assert move(*options, "--seed", "7", "--model", model, "--recipe", "job.json", out="a.png") == 0
    assert json.loads((folder / "job.json").read_text())["edits"][0] == {
        "edit": "move",
        "mask": "mask.png",
        "offset": [20.0, 0.0],
    }
    assert cli.main(["run", "job.json", "-o", "b.png"]) == 2  # the checkpoint lies outside
    assert "--allow-outside" in capsys.readouterr().err
    assert cli.main(["run", "job.json", "--allow-outside", "-o", "b.png"]) == 0
    (folder / "elsewhere").mkdir()
    (folder / "a.png").rename(folder / "elsewhere" / "a.png")
    monkeypatch.chdir(folder / "elsewhere")
    assert cli.main(["run", "a.png", "--model", model, "-o", "../c.png"]) == 0
    assert move(*options, "--seed", "8", "--model", model, photo="../photo.png", mask="../mask.png", out="d.png") == 0
    a, b, c = ((folder / name).read_bytes() for name in ("elsewhere/a.png", "b.png", "c.png"))
    assert a == b
    with Image.open("a.png") as one, Image.open("../c.png") as other, Image.open("d.png") as seeded:
        assert one.tobytes() == other.tobytes() != seeded.tobytes()
    assert len(c) > 0


def test_results_without_their_recipe(folder, data, capsys):
    options = ["--offset", "20", "0", "--steps", "1", "--model", str(data / "tiny-sd")]
    assert move(*options, "--without-recipe") == 0
    assert capsys.readouterr().out.endswith("wrote out.png\n")
    assert cli.main(["run", "out.png", "-o", "again.png"]) == 2
    assert "image out.png carries no recipe" in capsys.readouterr().err


def test_what_a_model_predicts_is_replayed(folder, data, capsys):
    options = ["--offset", "20", "0", "--steps", "2", "--model", str(data / "tiny-sd")]
    assert move(*options, out="plain.png") == move(*options, "--prediction", "v", out="v.png") == 0
    assert cli.main(["run", "v.png", "-o", "again.png", "--allow-outside"]) == 0
    assert "note: made with" not in capsys.readouterr().err
    with Image.open("plain.png") as plain, Image.open("v.png") as first, Image.open("again.png") as again:
        assert first.tobytes() == again.tobytes() != plain.tobytes()


def test_files_whose_names_are_no_text_are_edited_and_replayed(folder, data):
    name, options = os.fsdecode(b"c\xffp.png"), ["--offset", "20", "0", "--steps", "2"]
    Path("photo.png").rename(name)
    model = ["--model", str(data / "tiny-sd")]
    assert move(*options, *model, "--recipe", "own.json", photo=name) == 0
    assert cli.main(["run", "own.json", "-o", "again.png", "--allow-outside"]) == 0
    with Image.open("out.png") as first, Image.open("again.png") as again:
        assert first.tobytes() == again.tobytes()


def test_run_says_what_has_changed_since(folder, data, capsys, monkeypatch):
    options = ["--offset", "20", "0", "--steps", "1", "--model", str(data / "tiny-sd")]
    monkeypatch.setattr("dragondiffusion.recipes.recipe.versions", lambda: {"torch": "0.1", "python": "2.7"})
    assert move(*options) == 0
    capsys.readouterr()
    assert cli.main(["run", "out.png", "--model", options[-1], "-o", "again.png"]) == 0
    assert re.match(r"note: made with torch 0\.1 \(here .*\), python 2\.7 \(here", capsys.readouterr().err)


def test_schema_is_printed(capsys):
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == dragondiffusion.recipe_schema()


def test_ctrl_c_ends_with_130_and_leaves_nothing(folder):
    program = (
        "import signal, sys, time\nfrom dragondiffusion.cli import main as cli\n"
        "from dragondiffusion.console import terminal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # background jobs inherit that it is ignored
        "def load(model):\n    print('ready', flush=True)\n    time.sleep(100)\n"
        "terminal.load_editor = load\nsys.exit(cli.main(sys.argv[1:]))"
    )
    before = set(os.listdir(folder))
    arguments = ["move", "photo.png", "--mask", "mask.png", "--offset", "12", "0", "-o", "out.png"]
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", program, *arguments], **piped) as run:
        assert run.stdout.readline() == "ready\n"
        run.send_signal(signal.SIGINT)
        _, err = run.communicate()
    assert (run.returncode, err) == (130, "interrupted\n")
    assert set(os.listdir(folder)) == before


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (OSError(28, "No space left on device"), 2)])
def test_a_write_that_fails_leaves_what_was_there(folder, data, monkeypatch, error, code):
    (folder / "out.png").write_bytes(b"earlier")
    before = set(os.listdir(folder))

    def begin(self, file, **options):
        file.write(b"half")
        raise error

    monkeypatch.setattr(terminal, "check_output", lambda out: None)
    monkeypatch.setattr(Image.Image, "save", begin)
    assert move("--offset", "20", "0", "--steps", "1", "--model", str(data / "tiny-sd")) == code
    assert set(os.listdir(folder)) == before
    assert (folder / "out.png").read_bytes() == b"earlier"


@pytest.mark.parametrize("size", [(128, 128), (96, 160)])
def test_sheet_shows_three_pictures(size):
    case = draw_case(seed=3, size=size)
    page = sheet(case, case.truth)
    assert page.width > 3 * page.height * size[1] / size[0] * 0.8
    assert page.getextrema() != ((255, 255),) * 3


def test_demo_cases_depend_on_the_seed_alone():
    a, b, c = (draw_case(seed, (64, 64)) for seed in (1, 1, 5))
    assert a.before.tobytes() == b.before.tobytes()
    assert a.edit.offset == b.edit.offset
    assert a.before.tobytes() != c.before.tobytes()


def test_demo_writes_a_sheet(folder, capsys):
    assert cli.main(["demo", "--steps", "2", "--size", "64", "96", "-o", "sheet.png"]) == 0
    with Image.open("sheet.png") as written:
        assert written.width > 3 * 320
    assert capsys.readouterr().out.endswith("wrote sheet.png\n")


def test_demo_of_a_photograph_says_what_it_guessed(folder, picture, capsys):
    pytest.importorskip("cv2")
    Image.fromarray(picture).save("photo.png")
    assert cli.main(["demo", "--photo", "photo.png", "--edit", "remove", "--steps", "2"]) == 0
    said = capsys.readouterr()
    assert "note: no point is given: the thing at the centre" in said.err
    assert said.out.endswith("wrote demo.png\n")
