"""The commands of docs/coming-from.md and the Python of docs/diffusers.md run; files that the pages name are there."""

import re
import shlex
import shutil
import sys
from dataclasses import fields
from functools import partialmethod
from pathlib import Path

import numpy as np
import pytest
from diffusers.utils import dynamic_modules_utils
from PIL import Image

from dragondiffusion import Settings
from dragondiffusion.cli import main as cli
from dragondiffusion.web.command import Web

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("coming-from", "comfyui", "diffusers", "krita")}
COMMANDS = re.findall(r"^(dragondiffusion .*)$", PAGES["coming-from"], re.MULTILINE)


@pytest.fixture
def place(data, tmp_path, monkeypatch, picture, mask):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture).save("photo.png")
    Image.fromarray(mask.astype(np.uint8) * 255).save("cup.png")
    Image.fromarray(mask.astype(np.uint8) * 255).save("may-change.png")
    shutil.copytree(data / "tiny-sd", tmp_path / "models" / "sd15")
    shutil.copytree(ROOT / "integrations" / "diffusers", tmp_path / "integrations" / "diffusers")
    monkeypatch.setattr(dynamic_modules_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command, place, capsys):
    arguments = [*shlex.split(command)[1:], "--model", "models/sd15", "--steps", "2"]
    assert cli.main(arguments) == 0, capsys.readouterr().err
    assert Path(arguments[arguments.index("-o") + 1]).is_file()


def test_python_runs(place, monkeypatch):
    monkeypatch.setattr(Settings, "__init__", partialmethod(Settings.__init__, steps=2))
    blocks = re.findall(r"```python\n(.*?)```", PAGES["diffusers"], re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, "diffusers.md", "exec"), {})
    assert Path("moved.png").is_file() and Path("removed.png").is_file()


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_are_there(page):
    for path in re.findall(r"integrations/[\w/.-]*\w", PAGES[page]):
        assert (ROOT / path).exists(), path


def test_options_that_are_named_exist(capsys):
    settings = {field.name for field in fields(Settings)}
    for row in re.findall(r"^\|.*\|$", PAGES["coming-from"], re.MULTILINE):
        here = row.rsplit("|", 2)[1]
        assert set(re.findall(r"`([a-z]+_[a-z_]+)`", here)) <= settings, row
    web = {field.name for field in fields(Web)}
    assert {"port", "host", "device"} <= web
