"""The project's files agree with each other, and the wheel holds what it should."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import dragondiffusion

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = {
    line.split("==")[0].lower().replace("_", "-"): line.split("==")[1]
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if "==" in line
}


def name_of(requirement):
    return re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower().replace("_", "-")


def release(version):
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def every_requirement():
    extras = PROJECT["project"]["optional-dependencies"].values()
    return [*PROJECT["project"]["dependencies"], *(r for extra in extras for r in extra)]


@pytest.mark.parametrize("requirement", every_requirement())
def test_requirements_are_pinned_within_their_bounds(requirement):
    bound = requirement.split(">=")[1]
    assert release(PINS[name_of(requirement)]) >= release(bound)


def test_pins_hold_no_gpu_libraries():
    assert [name for name in PINS if re.match("nvidia|triton|cuda", name)] == []


def test_pins_name_no_place():
    assert re.search(r"://|file:|/", (ROOT / "constraints.txt").read_text().split("#")[-1].partition("\n")[2]) is None


def test_citation_names_software_and_papers():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == dragondiffusion.__version__
    assert citation["license"] == PROJECT["project"]["license"] == "Apache-2.0"
    assert {i["value"] for r in citation["references"] for i in r["identifiers"]} == {
        "arXiv:2307.02421",
        "arXiv:2402.02583",
    }


def test_licence_is_apache():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_bill_of_materials_is_that_of_the_pins():
    path = ROOT / ".ci" / "sbom.py"
    if not path.exists():
        pytest.skip("a source distribution has no .ci")
    spec = importlib.util.spec_from_file_location("sbom", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    held = json.loads((ROOT / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert held == made.bill(), "run python .ci/sbom.py"
    own = {name_of(requirement) for requirement in PROJECT["project"]["dependencies"]}
    assert own == {one["name"] for one in held["components"] if one["type"] == "library" and one["scope"] == "required"}


def test_readme_and_ci_use_the_same_commands():
    readme = (ROOT / "README.md").read_text()
    ci = (ROOT / ".ci" / "run").read_text()
    install = "pip install -c constraints.txt"
    assert f"{install} . && .venv/bin/dragondiffusion demo" in readme
    assert f"{install} -e '.[dev]' && .venv/bin/pytest" in readme
    assert "-c constraints.txt -e '.[dev]'" in ci
    assert ".venv-ci/bin/pytest" in ci


def test_every_page_of_the_docs_is_in_the_menu():
    menu = re.findall(r"[\w-]+\.md", (ROOT / "mkdocs.yml").read_text())
    assert sorted(menu) == sorted(p.name for p in (ROOT / "docs").glob("*.md"))


OF_EXTRAS = ("bench", "web", "selection")
"""Folders that need an extra as soon as they are imported."""
NAMES = {"opencv-python-headless": "cv2", "pillow": "PIL", "pillow-heif": "pillow_heif"}
"""Modules of distributions, where they are called otherwise."""


THEIRS = {"huggingface_hub", "pydantic_core"}
"""Modules that dependencies bring and promise: of diffusers, and of pydantic."""


def needed_at_once(path):
    """Top-level modules of others that a file needs when it is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.split(".")[0]


def test_what_is_imported_at_once_is_installed_without_extras():
    core = {name_of(requirement) for requirement in PROJECT["project"]["dependencies"]}
    known = {NAMES.get(name, name.replace("-", "_")) for name in core} | sys.stdlib_module_names | THEIRS
    package = ROOT / "src" / "dragondiffusion"
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] not in OF_EXTRAS and path.name != "on_ray.py":
            assert set(needed_at_once(path)) <= known, path.relative_to(package)


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="building needs hatchling")
def test_wheel_holds_the_package_and_nothing_else(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(n for n in names if n.endswith("METADATA"))).decode()
        scripts = archive.read(next(n for n in names if n.endswith("entry_points.txt"))).decode()
    assert {n.split("/")[0] for n in names} == {
        "dragondiffusion",
        f"dragondiffusion-{dragondiffusion.__version__}.dist-info",
    }
    package = ROOT / "src" / "dragondiffusion"
    shipped = {
        f"dragondiffusion/{p.relative_to(package).as_posix()}"
        for p in package.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert shipped <= set(names)
    assert "dragondiffusion/py.typed" in names
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert any(n.endswith("dist-info/sboms/sbom.cdx.json") for n in names)
    assert f"Version: {dragondiffusion.__version__}" in metadata
    assert "Requires-Python: >=3.11" in metadata
    assert "License-Expression: Apache-2.0" in metadata
    assert "dragondiffusion = dragondiffusion.cli.main:main" in scripts
