"""The command line: what it takes, what it refuses, what it leaves behind."""

import dataclasses
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import dragondiffusion
from dragondiffusion import cli
from dragondiffusion.bench.demo import draw_case, sheet


@pytest.fixture
def folder(tmp_path, monkeypatch, picture, mask):
    """A folder with a photo and masks, as the working directory."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture).save("photo.png")
    Image.fromarray(mask).save("mask.png")
    Image.fromarray(np.zeros_like(mask)).save("empty.png")
    Image.fromarray(mask[:-1]).save("short.png")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes((tmp_path / "photo.png").read_bytes()[:200])
    return tmp_path


def move(*options, photo="photo.png", mask="mask.png", out="out.png"):
    return cli.main(["move", photo, "--mask", mask, "-o", out, *options])


@pytest.mark.parametrize(
    ("options", "files", "message"),
    [
        ([], {"photo": "none.png"}, r"none\.png does not exist; check"),
        ([], {"photo": "text.png"}, r"text\.png is not in a format that can be read; convert"),
        ([], {"photo": "cut.png"}, r"cut\.png .* save it again"),
        ([], {"mask": "none.png"}, r"none\.png does not exist; check"),
        ([], {"mask": "empty.png"}, r"mask.* is empty; mark the object"),
        ([], {"mask": "short.png"}, r"mask.* but the picture is 61x90"),
        (["--offset", "400", "0"], {}, r"offset \(400\.0, 0\.0\) moves the object out .* choose a smaller"),
        (["--offset", "-400", "0"], {}, r"offset \(-400\.0, 0\.0\) moves the object out"),
        (["--offset", "nan", "0"], {}, r"offset \(nan, 0\.0\) must be two finite numbers"),
        (["--scale", "0"], {}, r"scale 0\.0 must be positive"),
        (["--scale", "-1"], {}, r"scale -1\.0 must be positive"),
        (["--angle", "inf"], {}, r"angle inf must be a finite number"),
        (["--steps", "0"], {}, r"steps=0 must be at least 1"),
        (["--seed", "-1"], {}, r"--seed -1 must lie between"),
        (["--preset", "fast-ish"], {}, r"preset 'fast-ish' is unknown; use one of"),
        (["--preset", "reference", "--angle", "10"], {}, r"knows only offset and one scale; use"),
        (["--model", "none"], {}, r"checkpoint none does not exist; give"),
        ([], {"out": "none/out.png"}, r"--out none/out\.png: the folder none does not exist; make it"),
        ([], {"out": "out.xyz"}, r"--out out\.xyz must end in a picture format"),
        ([], {"out": "out.xbm"}, r"--out out\.xbm must end in a picture format that holds colour"),
        ([], {"out": "."}, r"--out \. is a folder; give the name of a file"),
        ([], {"out": "/proc/out.png"}, r"--out /proc/out\.png: cannot write in /proc .* choose another"),
    ],
)
def test_bad_input_is_one_line_and_code_2(folder, capsys, options, files, message):
    before = sorted(os.listdir(folder))
    assert move(*options, **files) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert re.match(f"error: .*{message}", streams.err)
    assert sorted(os.listdir(folder)) == before


def test_bad_input_is_found_before_a_model_is_loaded(folder, monkeypatch):
    monkeypatch.setattr(cli, "load_editor", lambda model: pytest.fail("a model was loaded"))
    assert move("--offset", "400", "0") == 2
    assert move(out="none/out.png") == 2
    assert move(mask="empty.png") == 2


@pytest.mark.parametrize(
    "arguments",
    [[], ["no-such-command"], ["move"], ["move", "photo.png", "--offset", "1"], ["demo", "--size", "x", "y"]],
)
def test_usage_errors_end_with_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("size", [("8", "128"), ("128", "100000")])
def test_demo_refuses_sizes_that_are_none(size, tmp_path, capsys):
    assert cli.main(["demo", "--size", *size, "-o", str(tmp_path / "demo.png")]) == 2
    assert f"--size {size[0]} {size[1]}" in capsys.readouterr().err


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"dragondiffusion {dragondiffusion.__version__}\n"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("demo", *cli.EDITS))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in cli.EDITS)])
def test_help_does_not_wait_for_torch(arguments):
    program = (
        "import sys\nfrom dragondiffusion.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "sys.exit(bool({'torch', 'diffusers', 'transformers'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, check=False)
    assert run.returncode == 0


@pytest.mark.parametrize("name", cli.EDITS)
def test_commands_have_the_fields_of_their_edits(name):
    command = cli.edit_command(name)
    edit = getattr(dragondiffusion, command.EDIT[1])
    options = {f.name: f.default for f in dataclasses.fields(command)}
    for field in dataclasses.fields(edit):
        assert options[field.name] == field.default


def test_move_says_what_its_edit_says():
    command = cli.parse(
        [
            "move",
            "p.png",
            "--mask",
            "m.png",
            "--offset",
            "-40",
            "3.5",
            "--scale",
            "1.2",
            "--angle",
            "-15",
            "-o",
            "o.png",
        ]
    )
    edit = command.edit()
    assert (edit.offset, edit.scale, edit.angle, edit.flip) == ((-40.0, 3.5), 1.2, -15.0, False)
    uneven = cli.parse(["move", "p.png", "--mask", "m.png", "--scale", "1.2", "0.8", "--flip", "-o", "o.png"]).edit()
    assert (uneven.scale, uneven.flip) == ((1.2, 0.8), True)


@pytest.mark.parametrize("preset", ["default", "reference"])
def test_move_writes_a_picture_of_the_same_size(folder, data, capsys, preset):
    out = "out.jpg" if preset == "reference" else "out.png"
    options = ["--offset", "20", "0", "--steps", "2", "--preset", preset, "--model", str(data / "tiny-sd")]
    before = set(os.listdir(folder))
    assert move(*options, out=out) == 0
    with Image.open(out) as written:
        assert written.size == (90, 61)
    assert set(os.listdir(folder)) - before == {out}
    assert re.fullmatch(
        rf"load \d+\.\d s, invert \d+\.\d s, edit \d+\.\d s, decode \d+\.\d s\nwrote {out}\n", capsys.readouterr().out
    )


def test_move_is_the_same_for_the_same_seed(folder, data):
    options = ["--offset", "20", "0", "--steps", "2", "--model", str(data / "tiny-sd")]
    for out, seed in (("a.png", "1"), ("b.png", "1"), ("c.png", "2")):
        assert move(*options, "--seed", seed, out=out) == 0
    a, b, c = ((folder / name).read_bytes() for name in ("a.png", "b.png", "c.png"))
    assert a == b
    assert a != c


def test_ctrl_c_ends_with_130_and_leaves_nothing(folder):
    program = (
        "import signal, sys, time\nfrom dragondiffusion import cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # background jobs inherit that it is ignored
        "def load(model):\n    print('ready', flush=True)\n    time.sleep(100)\n"
        "cli.load_editor = load\nsys.exit(cli.main(sys.argv[1:]))"
    )
    before = set(os.listdir(folder))
    arguments = ["move", "photo.png", "--mask", "mask.png", "-o", "out.png"]
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

    monkeypatch.setattr(cli, "check_output", lambda out: None)
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
    assert a.offset == b.offset
    assert a.before.tobytes() != c.before.tobytes()


def test_demo_writes_a_sheet(folder, capsys):
    assert cli.main(["demo", "--steps", "2", "--size", "64", "96", "-o", "sheet.png"]) == 0
    with Image.open("sheet.png") as written:
        assert written.width > 3 * 320
    assert capsys.readouterr().out.endswith("wrote sheet.png\n")
