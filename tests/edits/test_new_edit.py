"""A new edit is one class and one line of the registry: here `blend.Blend`, with the line `EDIT_LINE`.

It then works from Python, in the command line and in recipes; `tests/web/test_kinds.py` shows the same of the page. The
benchmark needs tasks whose true result is known: one file, here `blend_tasks`, and one line of its list, `KIND_LINE`.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import blend
import blend_tasks
import dragondiffusion
from blend import Blend
from dragondiffusion import Recipe, Settings, Window
from dragondiffusion.bench.kinds import KINDS, Kind
from dragondiffusion.bench.runs.results import Results
from dragondiffusion.bench.speed.cases import edits
from dragondiffusion.cli import main as cli
from dragondiffusion.edits.registry import EDITS
from dragondiffusion.imaging.shapes import BoxMask
from dragondiffusion.recipes import model, recipe, records

EDIT_LINE = '    "blend": ("blend", "Blend"),\n'
KIND_LINE = (
    '    "blend": Kind(tasks="blend_tasks.blends", edit="blend_tasks.blend", regions=IN_PLACE, '
    'terms=("edit", "content")),\n'
)
FORMS = (model.model_of, model._edits, recipe._form, records._adapter)
"""What recipes remember of the registry, which never changes while a program runs."""


@pytest.fixture
def registered(monkeypatch):
    """The two lines and the two files."""
    monkeypatch.setitem(EDITS, "blend", ("blend", "Blend"))
    monkeypatch.setitem(
        KINDS,
        "blend",
        Kind(
            tasks="blend_tasks.blends",
            edit="blend_tasks.blend",
            regions=("edited", "rest", "outside"),
            terms=("edit", "content"),
        ),
    )
    monkeypatch.setitem(sys.modules, "dragondiffusion.edits.blend", blend)
    monkeypatch.setitem(sys.modules, "dragondiffusion.bench.tasks.blend_tasks", blend_tasks)
    # The list of commands reads files of the package; `test_the_lists_of_commands_name_a_new_edit` gives it one.
    monkeypatch.setattr(cli, "listed_command", cli.edit_command)
    for form in FORMS:
        form.cache_clear()
    yield
    for form in FORMS:
        form.cache_clear()


def test_a_new_edit_runs_through_the_same_loop(editor, picture, mask):
    like = np.roll(mask, 40, axis=1)
    settings = Settings(steps=4, guidance=(Window(0, 1),))
    result = editor(picture, Blend(mask, like), settings=settings)
    without = editor(picture, Blend(mask, like), settings=replace(settings, energy_scale=0.0))
    assert set(result.energies[0][1]) == {"edit", "content"}
    assert not torch.equal(result.latents, without.latents)


def test_the_command_of_a_new_edit_makes_it_and_leaves_its_recipe(
    registered, picture, mask, data, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture).save("photo.png")
    Image.fromarray(mask).save("mask.png")
    options = ["--mask", "mask.png", "--like", "box:50,10,80,40", "--steps", "1", "--model", str(data / "tiny-sd")]
    assert cli.main(["blend", "photo.png", *options, "-o", "out.png"]) == 0, capsys.readouterr().err
    with Image.open("out.png") as written:
        edited = np.asarray(written)
    assert edited.shape == picture.shape and not np.array_equal(edited[mask], picture[mask])
    (made,) = Recipe.load("out.png", allow_outside=True).edits
    assert isinstance(made, Blend) and made.like == BoxMask(50, 10, 80, 40)


def test_the_options_of_a_new_edit_are_its_fields(registered, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["blend", "--help"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert stopped.value.code == 0 and "Gives a region the appearance of another one." in said
    assert re.search(r"--mask FILE.* the region that changes\..*--like FILE", said)


def test_the_lists_of_commands_name_a_new_edit(tmp_path):
    package = tmp_path / "dragondiffusion"
    weights_and_page = shutil.ignore_patterns("*.safetensors", "static", "__pycache__")
    shutil.copytree(Path(dragondiffusion.__file__).parent, package, ignore=weights_and_page)
    shutil.copy(blend.__file__, package / "edits" / "blend.py")
    for path, opening, line in (
        ("edits/registry.py", "EDITS: dict[str, tuple[str, str]] = {\n", EDIT_LINE),
        ("bench/kinds/__init__.py", "KINDS: Mapping[str, Kind] = {\n", KIND_LINE),
    ):
        text = (package / path).read_text()
        assert opening in text
        (package / path).write_text(text.replace(opening, opening + line))
    program = (
        f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom dragondiffusion.cli.main import main\n"
        "for words in (['--help'], ['bench', 'scenes', '--help']):\n"
        "    try:\n        main(words)\n    except SystemExit as stopped:\n        assert stopped.code == 0\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    commands, bench = ended.stdout.split("usage: dragondiffusion bench scenes")
    assert re.search(r"\bblend +Gives a region the appearance", commands)
    assert re.search(r"default: blend\b", " ".join(bench.replace("│", " ").split()))


def test_a_new_edit_has_rows_in_the_benchmark(registered, data, tmp_path, capsys):
    rows = ["unedited input", "copy-paste, inpainted", "default"]
    options = ["--limit", "1", "--steps", "1", "--size", "64", "64", "--model", str(data / "tiny-sd")]
    out = tmp_path / "out"
    assert cli.main(["bench", "scenes", "--kinds", "blend", "--rows", *rows, *options, "-o", str(out)]) == 0
    assert "blend, 1 scenes" in capsys.readouterr().out
    for row in rows:
        (entry,) = Results.load(out).entries("blend", row).values()
        assert {"whole", "edited", "rest", "exact outside"} <= set(entry.scores)


def test_the_cost_of_a_new_edit_is_that_of_its_tasks(registered):
    assert all(isinstance(edit, Blend) for edit in edits("blend", (64, 64)))
