"""Messages cut what they quote, and names that no file can have are refused like other bad input."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest

from dragondiffusion import Editor, Paste, Remove
from dragondiffusion.batch.jobs import Source
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


def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        for path, word in ((tmp_path / "pipe.png", "pipe"), (tmp_path / "s", "socket"), (tmp_path, "folder")):
            with pytest.raises(ValueError, match=f"it is a {word}; give a file"):
                is_file(path, "it")
    with pytest.raises(ValueError, match="it is a device; give a file"):
        is_file(Path("/dev/zero"), "it")
    assert is_file(Path(__file__), "it") and not is_file(tmp_path / "nothing", "it")


def test_pipes_are_refused_everywhere_and_nobody_waits(tmp_path, editor, data):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    picture, mask = np.zeros((64, 64, 3), np.uint8), np.eye(64)
    openers = {
        "image": lambda: editor(pipe, Remove(mask)),
        "mask": lambda: editor(picture, Remove(pipe)),
        "second image": lambda: editor(picture, Paste(pipe, mask)),
        "recipe": lambda: Recipe.load(pipe),
        "jobs": lambda: Source(pipe).jobs(),
        "checkpoint": lambda: Editor.from_pretrained(pipe),
        "lora": lambda: Editor.from_pretrained(data / "tiny-sd", loras=[str(pipe)]),
    }
    for opener in openers.values():
        with pytest.raises(ValueError, match="is a pipe; give a file"):
            opener()


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
