"""The examples of docs/web.md against a server."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
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


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_client_in_curl(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:200, :240].astype(np.uint8)
    Image.fromarray(np.dstack((x, y, x // 2 + y // 2))).save("edited.png")
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (script,) = [block for block in blocks if "curl" in block]
    script = f"set -euo pipefail\n{script.replace('http://localhost:7860/', demo.url)}"
    subprocess.run(["bash", "-c", script], check=True, timeout=120)
    with Image.open("moved.png") as picture:
        assert picture.size == (240, 200)
    assert "done" in Path("events.txt").read_text()


def test_every_option_is_an_option():
    from dataclasses import fields

    from dragondiffusion.web.command import Web

    names = {field.name.replace("_", "-") for field in fields(Web)}
    rows = re.findall(r"^\| `(--.*?)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {name for row in rows for name in re.findall(r"--([a-z-]+)", row)}
    assert found <= names
