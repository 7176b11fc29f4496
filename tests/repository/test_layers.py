"""Every folder has a rank of its own; imports go down only, so there are no circles between folders."""

import ast
from pathlib import Path

import pytest

import dragondiffusion

ROOT = Path(dragondiffusion.__file__).parent
RANKS = (
    "core",
    "imaging",
    "method",
    "backbones",
    "proxy",
    "edits",
    "selection",
    "pipeline",
    "recipes",
    "console",
    "batch",
    "bench",
    "web",
    "cli",
)
RANK = {name: rank for rank, name in enumerate(RANKS)}
NO_MODELS = ("core", "imaging", "method", "proxy", "edits")
"""Folders that know no library of models."""
APART = ({"proxy", "backbones"}, {"edits", "backbones"})
"""Pairs of folders that do not import each other in either direction."""


def files():
    """The files that live in a folder; those beside the folders (the public names, the entry point) see all of them."""
    return [path for path in ROOT.rglob("*.py") if len(path.relative_to(ROOT).parts) > 1]


def imported(path, nodes=None):
    """(dotted path of a module, whether it is the package's own) of everything a file imports."""
    base = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = base[: len(base) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((".".join((*parts, *name.split("."))), True) for name in names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, False
        elif isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)


def folder(path):
    return path.relative_to(ROOT).parts[0]


def arrows():
    """(file, folder it lies in, folder it imports from)."""
    for path in files():
        for name, own in imported(path):
            other = name.split(".")[0]
            if own and other in RANK and other != folder(path):
                yield path.relative_to(ROOT), folder(path), other


def test_every_folder_has_a_rank():
    assert {folder(path) for path in files()} == set(RANKS)


def test_imports_go_down_only():
    assert [f"{path} -> {other}" for path, own, other in arrows() if RANK[other] > RANK[own]] == []


@pytest.mark.parametrize("pair", APART, ids=lambda pair: " and ".join(sorted(pair)))
def test_neighbours_do_not_know_each_other(pair):
    assert [f"{path} -> {other}" for path, own, other in arrows() if {own, other} == pair] == []


def test_the_mathematics_knows_no_library_of_models():
    for path in files():
        if folder(path) in NO_MODELS:
            libraries = {name.split(".")[0] for name, own in imported(path) if not own}
            assert not libraries & {"diffusers", "transformers", "peft", "accelerate"}, path


def test_modules_do_not_import_each_other_in_circles():
    graph = {}
    for path in files():
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found = set()
        for other, own in imported(path):
            if own:
                found.add(other)
        graph[name] = found & {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in files()} - {name}
    assert circles(graph) == []


def circles(graph):
    """Modules that reach themselves along imports."""

    def reaches(start):
        seen, todo = set(), list(graph[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += graph.get(name, ())
        return start in seen

    return sorted(name for name in graph if reaches(name))
