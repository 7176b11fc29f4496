"""The command line: what it takes, what it refuses, what it leaves behind."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import dragondiffusion
from dragondiffusion.bench.demo import draw_case, sheet
from dragondiffusion.cli import main as cli
from dragondiffusion.console import terminal
from dragondiffusion.edits.registry import EDITS


@pytest.fixture
def folder(tmp_path, monkeypatch, picture, mask):
    """A folder with a photo and masks, as the working directory."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture).save("photo.png")
    Image.fromarray(mask).save("mask.png")
    Image.fromarray(picture[::-1, :70]).save("other.png")
    Image.fromarray(mask[::-1, :70]).save("other-mask.png")
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
        (["--seed", "-1"], {}, r"seed -1 must lie between"),
        (["--preset", "fast-ish"], {}, r"preset 'fast-ish' is unknown; use one of"),
        (["--preset", "reference", "--angle", "10"], {}, r"knows only offset and one scale; use"),
        (["--model", "none"], {}, r"checkpoint none does not exist; give"),
        ([], {"out": "none/out.png"}, r"--out none/out\.png: the folder none does not exist; make it"),
        ([], {"out": "out.xyz"}, r"--out out\.xyz must end in a picture format"),
        ([], {"out": "out.xbm"}, r"--out out\.xbm must end in a picture format that holds colour"),
        ([], {"out": "."}, r"--out \. is a folder; give the name of a file"),
        (["--set", "steps"], {}, r"--set steps gives no value; write NAME=VALUE"),
        (["--set", "stepz=3"], {}, r'--set "stepz" is unknown; known are steps'),
        (["--set", "steps=2.5"], {}, r"--set steps=2\.5: steps is 2\.5; expected a whole number"),
        (["--set", "steps=2", "--steps", "3"], {}, r"--set steps=2: steps is given twice"),
        (["--set", "noise=0.4"], {}, r"--set noise=0\.4: noise has no field stop; add it \(a window is START:STOP"),
        (["--set", "noise=0.4:0.2"], {}, r"--set noise=0\.4:0\.2: noise: window \(0\.4, 0\.2\) must satisfy"),
        (["--set", "noise=0:1:2:3"], {}, r'--set noise=0:1:2:3: noise is "0:1:2:3"; expected an object'),
        (["--set", "w_edit=nan"], {}, r'--set w_edit=nan: w_edit is "nan"; expected a number or null'),
        (["--set", "geometry=round"], {}, r'--set geometry=round: geometry is "round"; expected one of affine'),
        (["--set", "proxy=1"], {}, r"--set proxy=1: proxy is 1; expected true or false"),
        (["--set", "clamp_margin=-1"], {}, r"clamp_margin=-1 must not be negative"),
        (["--recipe", "none/job.json"], {}, r"--recipe none/job\.json: the folder none does not exist"),
        (["--recipe", "job.txt"], {}, r"--recipe job\.txt must be the name of a file that ends in \.json"),
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
    monkeypatch.setattr(terminal, "load_editor", lambda model: pytest.fail("a model was loaded"))
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
    assert all(name in out for name in ("bench", "demo", "run", "schema", *EDITS))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["mask", "--help"], ["run", "--help"], ["bench", "scenes", "--help"]]
)
def test_help_does_not_wait_for_torch(arguments):
    program = (
        "import sys\nfrom dragondiffusion.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "sys.exit(bool({'torch', 'diffusers', 'transformers'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, check=False)
    assert run.returncode == 0


@pytest.mark.parametrize("name", EDITS)
def test_commands_have_the_fields_of_their_edits(name):
    command = cli.edit_command(name)
    edit = getattr(dragondiffusion, EDITS[name][1])
    options = {f.name: f.default for f in dataclasses.fields(command)}
    assert [*command.FIELDS.values()] == [f.name for f in dataclasses.fields(edit)]
    for option, field in command.FIELDS.items():
        assert options[option] == edit.__dataclass_fields__[field].default


def test_a_field_called_as_a_shared_option_gets_the_name_of_its_edit():
    shared = ["paste", "p.png", "--image", "i.png", "--mask", "m.png", "-o", "o.png"]
    command = cli.parse([*shared, "--prompt", "a table", "--paste-prompt", "a cup"])
    assert (command.prompt, command.edit().prompt) == ("a table", "a cup")


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


def edit(name, *options):
    return cli.parse([name, "p.png", "-o", "o.png", *options]).edit()


def test_masks_that_may_be_left_out_are_shapes_too():
    box = dragondiffusion.BoxMask(1.0, 2.0, 30.0, 40.0)
    assert edit("move", "--mask", "m.png", "--hint", "box:1,2,30,40").hint == box
    assert edit("drag", "--points", "1", "2", "3", "4", "--mask", "box:1,2,30,40").mask == box


def test_points_are_numbers_or_files(tmp_path):
    pairs = ((1.0, 2.0), (3.0, -4.0)), ((5.0, 6.0), (7.5, 8.0))
    assert edit("drag", "--points", "1", "2", "3", "-4", "5", "6", "7.5", "8").points == pairs
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    assert edit("drag", "--points", str(tmp_path / "pairs.json")).points == pairs
    (tmp_path / "from.json").write_text("[[1, 2], [3, 4.5]]")
    landmarks = edit("landmarks", "--points-from", str(tmp_path / "from.json"), "--points-to", "1", "2", "5", "6")
    assert landmarks.points_from == ((1, 2), (3, 4.5))
    assert landmarks.points_to == ((1.0, 2.0), (5.0, 6.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"points .*none\.json does not exist; check the path"),
        ("[[[1, 2], [3]]]", r"points .*\[0\]\[1\] is \[3\]; expected \[a number, a number\]"),
        ("[[[1, 2], [3, NaN]]]", r"points .* is not valid JSON \(NaN is not a number of JSON\)"),
        ("[[[1, 2], [3, 1e999]]]", r"points .* is not valid JSON \(the number 1e999 is too large\)"),
        ('{"a": 1}', r'points .* is {"a": 1}; expected a list, each of it \[\[a number, a number\], \[a'),
        ("[[[1, 2], [1, 2]]]", r"points\[0\] \(1, 2\) has no displacement"),
    ],
)
def test_files_of_points_that_hold_none(folder, capsys, text, message):
    if text is not None:
        (folder / "some.json").write_text(text)
    name = "none.json" if text is None else "some.json"
    assert cli.main(["drag", "photo.png", "--points", name, "-o", "out.png"]) == 2
    assert re.match(f"error: {message}", capsys.readouterr().err)


def test_settings_by_name():
    options = [
        "steps=7",
        "noise=0.2:0.4",
        "guidance=0:0.5,0.5:1:3",
        "recall_window=none",
        "time_travel=0.1:0.2:2",
        "clamp_destination=0.5",
        "geometry=centred",
        "w_edit=none",
        "proxy=false",
        "energy_scale=3e2",
    ]
    command = cli.parse(
        ["move", "p.png", "--mask", "m.png", "-o", "o.png", *(a for o in options for a in ("--set", o))]
    )
    assert command.settings() == dragondiffusion.Settings(
        steps=7,
        noise=dragondiffusion.Window(0.2, 0.4),
        guidance=(dragondiffusion.Window(0, 0.5), dragondiffusion.Window(0.5, 1, 3)),
        recall_window=None,
        time_travel=dragondiffusion.Window(0.1, 0.2, 2),
        clamp_destination=0.5,
        geometry=dragondiffusion.Geometry.REFERENCE,
        w_edit=None,
        proxy=False,
        energy_scale=300.0,
    )


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
        r"[^\n]*background untouched\n"
        r"load \d+\.\d s, invert \d+\.\d s, edit \d+\.\d s, decode \d+\.\d s\n"
        r"wrote o\.png with its recipe and the pictures it was made from\n",
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
    assert "picture out.png carries no recipe" in capsys.readouterr().err


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
