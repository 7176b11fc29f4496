"""Print the sizes and the order of the code: `python benchmarks/house.py`.

Circles of imports between modules, imports from a lower folder to a higher one, files over `LONGEST` lines, lengths of
functions, lines of the package, and the time until `import dragondiffusion` and `dragondiffusion --help` are done.
"""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "dragondiffusion"
CODE = ("src", "tests", "benchmarks", "training")
"""Folders whose files are measured."""

RANKS = (
    "core", "imaging", "method", "backbones", "proxy", "edits", "selection",
    "pipeline", "recipes", "console", "batch", "bench", "web", "cli",
)  # fmt: skip
"""Folders of the package from the lowest to the highest; a folder imports lower ones only."""

APART = ("bench", "web")
"""Folders that are left out of the lines of the package."""

LONGEST = 350
"""Lines that a file has at most."""

RUNS = 3
"""How often an import is timed; the fastest counts."""


def module_of(path: Path) -> str:
    """Dotted name within the package; that of a package's `__init__` is the package's."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, modules: Mapping[str, Path]) -> set[str]:
    """The modules of the package that a file imports anywhere, inside of functions too.

    Imports for type checking alone count as well. `from package import name` is an import of the module `name` where
    there is one, and of the package elsewhere.
    """
    base = path.relative_to(PACKAGE).parts[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = (*base[: len(base) - node.level + 1], *(node.module or "").split("."))
            origin = ".".join(part for part in parts if part)
            names = [f"{origin}.{alias.name}".lstrip(".") for alias in node.names]
            found |= {name if name in modules else origin for name in names}
    return (found & modules.keys()) - {module_of(path), ""}


def graph() -> dict[str, set[str]]:
    """The imports of every module of the package that lies in a folder."""
    modules = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {name: imports(path, modules) for name, path in modules.items() if len(path.relative_to(PACKAGE).parts) > 1}


def circles(arrows: Mapping[str, set[str]]) -> list[str]:
    """Modules that reach themselves along imports."""

    def reaches(start: str) -> bool:
        seen: set[str] = set()
        todo = list(arrows[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += arrows.get(name, ())
        return start in seen

    return [name for name in arrows if reaches(name)]


def upward(arrows: Mapping[str, set[str]]) -> list[str]:
    """Imports from a lower folder to a higher one."""
    rank = {name: k for k, name in enumerate(RANKS)}
    pairs = [(own, other) for own, others in arrows.items() for other in sorted(others)]
    folders = [(own, other, own.split(".")[0], other.split(".")[0]) for own, other in pairs]
    return [f"{own} -> {other}" for own, other, low, high in folders if rank.get(high, -1) > rank.get(low, -1)]


def files(*suffixes: str) -> Iterator[Path]:
    """The files of code with some suffixes."""
    for folder in CODE:
        yield from sorted(p for s in suffixes for p in (ROOT / folder).rglob(f"*{s}") if "node_modules" not in p.parts)


def lines(path: Path) -> int:
    """Lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def lengths(path: Path) -> list[int]:
    """Lines of every function of a Python file: its signature, its docstring and its body."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(node.end_lineno or node.lineno) - node.lineno + 1 for node in ast.walk(tree) if isinstance(node, kinds)]


def seconds(*arguments: str) -> float:
    """Seconds of a Python process, the fastest of some."""
    spent: list[float] = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - begin)
    return min(spent)


def length_lines() -> Iterator[str]:
    """A line on the lengths of functions for every folder of the package, and for all."""
    own = {name: [n for path in sorted((PACKAGE / name).rglob("*.py")) for n in lengths(path)] for name in RANKS}
    own["all of src"] = [n for path in sorted(PACKAGE.rglob("*.py")) for n in lengths(path)]
    for name, found in own.items():
        ordered = sorted(found)
        if ordered:
            ninth = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
            yield f"{name}: {len(ordered)} functions, median {statistics.median(ordered):g} lines, 90 % up to {ninth}"


def listed(title: str, entries: list[str]) -> str:
    """A title with the number of its entries, and the entries."""
    return "\n  ".join([f"{title}: {len(entries)}", *entries])


def main() -> None:
    """Measure and print."""
    arrows = graph()
    long = [f"{path.relative_to(ROOT)} {lines(path)}" for path in files(".py", ".js") if lines(path) > LONGEST]
    package = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in APART]
    print(listed("modules in circles", circles(arrows)))
    print(listed("upward imports", upward(arrows)))
    print(listed(f"files over {LONGEST} lines", long))
    print(listed("lengths of functions", list(length_lines())))
    print(f"lines of src without {' and '.join(APART)}: {sum(map(lines, package))}")
    print(f"import dragondiffusion: {seconds('-c', 'import dragondiffusion'):.2f} s")
    print(f"dragondiffusion --help: {seconds('-m', 'dragondiffusion', '--help'):.2f} s")


if __name__ == "__main__":
    main()
