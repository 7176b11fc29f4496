"""Recipes as commands and programs: they mean what the recipe means."""

import json
import shlex

import pytest

from dragondiffusion import (
    Drag,
    Landmarks,
    Move,
    Paste,
    PolygonMask,
    Recipe,
    Remove,
    ReplaceAppearance,
    Settings,
    Window,
)
from dragondiffusion.cli.main import parse
from dragondiffusion.web.exports import Files, command_line, python_code, recipe_with_files

MASK, OTHER, PHOTO = (f"{digit * 32}.png" for digit in "abc")


@pytest.fixture
def files():
    return Files({MASK: "mask-1.png", OTHER: "other-mask.png", PHOTO: "my cup.png"})


EDITS = [
    lambda f: Move(f / MASK, (40, -2.5), (1.5, 1), -30.25, flip=True, anchor=(10.5, 3), hint=f / OTHER),
    lambda f: Move(f / MASK, (1e-3, 1 / 3), 1.1),
    lambda f: Remove(PolygonMask((((1, 2), (30, 2.5), (10, 40)), ((1, 2), (3, 2), (1, 4))))),
    lambda f: Paste(f / PHOTO, f / MASK, (3, 4), prompt="a cup, it's 'old'"),
    lambda f: ReplaceAppearance(f / MASK, f / PHOTO, f / OTHER, pattern=False),
    lambda f: Drag((((1.0, 2.0), (30.0, 40.5)), ((5.0, 6.0), (7.0, 8.0)))),
    lambda f: Landmarks(((1.0, 2.0), (3.0, 4.0)), ((1.0, 2.0), (3.5, 4.0))),
]


SETTINGS = [
    Settings(),
    Settings.preset("fast", guidance_strength=0.5, clamp_rest=0.7, noise=Window(0, 0.7, 2)),
    Settings(composite=False),
]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("settings", SETTINGS)
def test_commands_and_programs_mean_the_same(tmp_path, files, edit, settings):
    recipe = Recipe(tmp_path / PHOTO, (edit(tmp_path),), prompt="a cup; $HOME", seed=9, settings=settings)
    command = parse(shlex.split(command_line(recipe, files, "some/model"))[1:])
    assert command.model == "some/model"
    assert str(command.photo) == "my cup.png"
    assert (command.prompt, command.seed, command.settings()) == (recipe.prompt, 9, settings)
    named = Recipe.from_json(json.loads(recipe_with_files(recipe, files)))
    assert command.edit() == named.edits[0]
    called = {}
    program = python_code(recipe, files, None).replace("editor = Editor.from_pretrained()", "editor = called")
    program = program.split("print(result.report)")[0]
    exec(program, {"called": lambda image, edits, **more: called.update(image=image, edits=edits, **more)})
    assert called["image"] == "my cup.png"
    assert called.get("settings", Settings()) == settings
    (made,) = called["edits"]
    assert str(made) == str(named.edits[0]).replace("PosixPath(", "").replace("png')", "png'")


def test_several_edits_are_run_from_the_recipe(tmp_path, files):
    recipe = Recipe(tmp_path / PHOTO, (Remove(tmp_path / MASK), Remove(tmp_path / OTHER)))
    assert command_line(recipe, files, None) == "dragondiffusion run recipe.json --out edited.png"
