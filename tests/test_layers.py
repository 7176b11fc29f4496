"""Imports inside the package go down only."""

import ast
from pathlib import Path

import dragondiffusion

ROOT = Path(dragondiffusion.__file__).parent
LAYERS = [
    {
        "types",
        "geometry",
        "images",
        "photos",
        "metadata",
        "frames",
        "png",
        "registry",
        "docstrings",
        "strict_json",
        "deformation",
        "clock",
        "shapes",
        "runs",
        "libraries",
    },
    {"schedule", "ddim", "similarity", "energies", "memory", "settings", "shadows", "masks"},
    {"edits", "backbones", "selection", "faces"},
    {"inversion", "guidance", "sampling"},
    {"editor", "finishing", "fullsize", "planning", "previews", "recipes", "report"},
    {"cli", "command", "model_options", "terminal", "pointing", "web", "batch", "bench", "__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def imported(path):
    """Top-level modules of the package that a file imports."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = parts[: len(parts) - node.level]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((*base, *name.split("."))[0] for name in names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dragondiffusion."):
            yield node.module.split(".")[1]


def files():
    return [p for p in ROOT.rglob("*.py") if p.relative_to(ROOT).parts != ("__init__.py",)]


def test_every_module_has_a_layer():
    assert {p.relative_to(ROOT).with_suffix("").parts[0] for p in files()} - RANK.keys() == set()


def test_no_import_goes_up():
    upward = []
    for path in files():
        own = path.relative_to(ROOT).with_suffix("").parts[0]
        for other in imported(path):
            sideways = {own, other} == {"edits", "backbones"}
            if other in RANK and (RANK[other] > RANK[own] or sideways):
                upward.append(f"{path.relative_to(ROOT)} -> {other}")
    assert upward == []


def test_the_mathematics_knows_no_model():
    low = {name for names in LAYERS[:2] for name in names}
    for path in files():
        if path.relative_to(ROOT).with_suffix("").parts[0] in low:
            assert "diffusers" not in {
                name.split(".")[0]
                for node in ast.walk(ast.parse(path.read_text()))
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom) and not node.level
                    else []
                )
            }, path
