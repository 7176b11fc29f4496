"""The measurements of `benchmarks/house.py`, and what the benchmark's own folder has to keep."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "house.py"


@pytest.fixture(scope="module")
def house():
    spec = importlib.util.spec_from_file_location("house", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_circles_are_modules_that_reach_themselves(house):
    arrows = {"a.x": {"b.y"}, "b.y": {"c.z"}, "c.z": {"b.y"}, "d.w": {"a.x"}}
    assert house.circles(arrows) == ["b.y", "c.z"]


def test_imports_go_up_where_the_folder_is_higher(house):
    arrows = {"core.types": {"bench.kinds"}, "bench.kinds": {"core.types", "bench.tasks"}}
    assert house.upward(arrows) == ["core.types -> bench.kinds"]


def test_imports_are_found_in_every_form(house, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(house, "PACKAGE", tmp_path)
    for name in ("core", "edits"):
        (tmp_path / name).mkdir()
    texts = {
        "__init__.py": "",
        "core/__init__.py": "",
        "core/types.py": "import math",
        "edits/__init__.py": "from .move import Move",
        "edits/move.py": "from .. import core\nfrom ..core import types\ndef f():\n    from . import base",
        "edits/base.py": "from ..core.types import Point",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert house.graph() == {
        "core": set(),
        "core.types": set(),
        "edits": {"edits.move"},
        "edits.base": {"core.types"},
        "edits.move": {"core", "core.types", "edits.base"},
    }


def test_functions_are_measured_with_their_signature(house, tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_text("def f():\n    return 1\n\nclass A:\n    async def g(self):\n        x = 1\n        return x\n")
    assert sorted(house.lengths(path)) == [2, 3] and house.lines(path) == 7


def test_the_benchmark_has_no_circles_and_no_long_files(house):
    assert [name for name in house.circles(house.graph()) if name.startswith("bench")] == []
    own = sorted((house.PACKAGE / "bench").rglob("*.py"))
    assert own and [path.name for path in own if house.lines(path) > house.LONGEST] == []


ORDER = (
    "extra", "kinds", "scenes", "metrics", "tasks", "runs", "demo", "photo_demo", "report", "dragbench", "photos",
    "speed", "commands",
)  # fmt: skip
"""Folders and modules of the benchmark, from the lowest to the highest."""


def test_folders_of_the_benchmark_import_lower_ones_only(house):
    arrows = {name.partition(".")[2]: others for name, others in house.graph().items() if name.startswith("bench.")}
    rank = {name: k for k, name in enumerate(ORDER)}
    assert {name.split(".")[0] for name in arrows} == set(ORDER)
    found = [
        f"{name} -> {other}"
        for name, others in arrows.items()
        for other in sorted(others)
        if other.startswith("bench.") and rank[other.split(".")[1]] > rank[name.split(".")[0]]
    ]
    assert found == []
