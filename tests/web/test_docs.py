"""The examples of docs/web.md against a server."""

import re
from pathlib import Path

from PIL import Image

PAGE = Path(__file__).parents[2] / "docs" / "web.md"


def test_examples(demo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block.replace("http://localhost:7860/", demo.url), "web.md", "exec"), {})
    assert re.match(r"done (good|fair|poor): arrived \(", capsys.readouterr().out)
    with Image.open("edited.png") as picture:
        assert picture.size == (256, 256)


def test_every_option_is_an_option():
    from dataclasses import fields

    from dragondiffusion.web.command import Web

    names = {field.name.replace("_", "-") for field in fields(Web)}
    rows = re.findall(r"^\| `(--.*?)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {name for row in rows for name in re.findall(r"--([a-z-]+)", row)}
    assert found <= names
