"""The command line: what it takes, what it refuses."""

import dataclasses
import io
import json
import os
import re
import subprocess
import sys

import pytest

import dragondiffusion
from cli.calls import move
from dragondiffusion.cli import main as cli
from dragondiffusion.console import terminal
from dragondiffusion.edits.registry import EDITS


@pytest.mark.parametrize(
    ("options", "files", "message"),
    [
        ([], {"photo": "none.png"}, r"none\.png does not exist; check"),
        ([], {"photo": "text.png"}, r"text\.png is not in a format that can be read; convert"),
        ([], {"photo": "cut.png"}, r"cut\.png .* save it again"),
        ([], {"mask": "none.png"}, r"none\.png does not exist; check"),
        ([], {"mask": "empty.png"}, r"mask.* is empty; mark the object"),
        ([], {"mask": "short.png"}, r"mask.* but the image is 61x90"),
        (["--offset", "400", "0"], {}, r"offset \(400\.0, 0\.0\) moves the object out .* choose a smaller"),
        (["--offset", "-400", "0"], {}, r"offset \(-400\.0, 0\.0\) moves the object out"),
        (["--offset", "nan", "0"], {}, r"offset\[0\]=nan must be a number from -1000000 to 1000000 pixels"),
        (["--scale", "0"], {}, r"scale=0\.0 must be a number from 0\.01 to 100"),
        (["--scale", "-1"], {}, r"scale=-1\.0 must be a number from 0\.01 to 100"),
        (["--angle", "inf"], {}, r"angle=inf must be a number from -3600 to 3600 degrees"),
        (["--steps", "0"], {}, r"steps=0 must be a whole number from 1 to 1000"),
        (["--seed", "-1"], {}, r"seed=-1 must be a whole number from 0"),
        (["--preset", "fast-ish"], {}, r"preset 'fast-ish' is unknown; use one of"),
        (["--preset", "reference", "--angle", "10"], {}, r"knows only offset and one scale; use"),
        (["--model", "none"], {}, r"checkpoint none does not exist; give"),
        ([], {"out": "none/out.png"}, r"--out none/out\.png: the folder none does not exist; make it"),
        ([], {"out": "out.xyz"}, r"--out out\.xyz must end in an image format"),
        ([], {"out": "out.xbm"}, r"--out out\.xbm must end in an image format that holds colour"),
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
        (["--set", "clamp_margin=-1"], {}, r"clamp_margin=-1 must be a whole number from 0 to 64"),
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
    for second in ("empty.png", "short.png", "text.png", "none.png"):
        options = ["--mask", "mask.png", "--image", "other.png", "--reference-mask", second, "-o", "out.png"]
        assert cli.main(["appearance", "photo.png", *options]) == 2


def test_names_that_no_file_can_have_are_refused_at_once(folder, monkeypatch, capsys):
    monkeypatch.setattr(terminal, "load_editor", lambda model: pytest.fail("a model was loaded"))
    assert move(out="a" * 252 + ".png") == 2
    assert move("--recipe", "a" * 252 + ".json") == 2
    assert capsys.readouterr().err.count("no file can be called so (File name too long); choose another name") == 2


@pytest.mark.parametrize("stream", [None, io.TextIOWrapper(io.BytesIO(), encoding="ascii")])
def test_output_that_is_closed_or_knows_few_characters_is_no_error(stream, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr("dragondiffusion.cli.main.__version__", "ä")
    assert cli.main(["--version"]) == 0
    assert stream is None or not stream.flush()
    assert stream is None or stream.buffer.getvalue() == b"dragondiffusion \\xe4\n"


def test_docstrings_that_were_removed_are_missed():
    code = "import sys; from dragondiffusion.cli import main as cli; sys.exit(cli.main(['--version']))"
    done = subprocess.run([sys.executable, "-OO", "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 2 and "python -OO removes docstrings" in done.stderr


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
    assert edit("move", "--mask", "m.png", "--flip", "--hint", "box:1,2,30,40").hint == box
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


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m dragondiffusion schema | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["141"]
    assert "pipe" not in done.stderr
