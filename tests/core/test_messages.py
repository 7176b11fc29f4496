"""Messages cut what they quote, and names that no file can have are refused like other bad input."""

from pathlib import Path

import pytest

from dragondiffusion.cli import main as cli
from dragondiffusion.core.messages import LONGEST, cut, is_file, without_long_words
from dragondiffusion.recipes import Recipe


def test_long_texts_lose_their_middle():
    assert cut("short") == "short"
    assert len(cut("a" * 5000 + "z")) == LONGEST
    assert cut("a" * 500 + "z").startswith("aaa")
    assert cut("a" * 500 + "z").endswith("aaz")
    assert without_long_words("mask " + "x" * 9000 + " is bad") == f"mask {cut('x' * 9000)} is bad"


@pytest.mark.parametrize("name", ["x" * 9000 + ".png", "a/" * 4000])
def test_names_that_no_file_can_have(name):
    with pytest.raises(ValueError, match="it cannot be opened"):
        is_file(Path(name), "it")


@pytest.mark.parametrize("field", ["image", "mask"])
def test_recipes_with_such_names(field, tmp_path, editor):
    names = {"image": "photo.png", "mask": "mask.png", field: "x" * 9000 + ".png"}
    recipe = Recipe.from_json(
        {"recipe": 1, "image": names["image"], "edits": [{"edit": "remove", "mask": names["mask"]}]}, tmp_path
    )
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        recipe.run(editor)
    assert len(str(caught.value)) < 600


def test_the_command_line_with_such_names(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.json").write_text('{"recipe": 1, "image": "' + "x" * 9000 + '", "edits": []}')
    for arguments in (
        ["remove", "x" * 9000, "--mask", "m.png", "-o", "out.png"],
        ["remove", "photo.png", "--mask", "box:" + "1," * 5000, "-o", "out.png"],
        ["run", "x" * 9000, "-o", "out.png"],
        ["run", "r.json", "-o", "out.png"],
        ["remove", "photo.png", "--mask", "m.png", "-o", "x" * 9000 + ".png"],
    ):
        assert cli.main(arguments) == 2
        assert len(capsys.readouterr().err) < 1000
