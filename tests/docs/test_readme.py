"""The README's Python runs as it stands."""

import re
from pathlib import Path

from PIL import Image

README = Path(__file__).parents[2] / "README.md"


def test_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    with Image.open("moved.png") as picture:
        assert picture.size == (128, 128)


def test_the_two_commands_are_those_of_ci():
    text = README.read_text(encoding="utf-8")
    assert "-c constraints.txt . && .venv/bin/dragondiffusion demo" in text
    assert "-c constraints.txt -e '.[dev]' && .venv/bin/pytest" in text
    assert "-c constraints.txt -e '.[dev]'" in (README.parent / ".ci" / "run").read_text(encoding="utf-8")
