"""Nothing but a sentence comes of wrong inputs: no other exception, no hang, no memory without end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEGABYTES = 1000
"""Memory that inputs may take at most, over what the program has before them."""


def figures(*arguments):
    """What `fuzzing.py` reports, from a process whose calls are not checked by the tests' hook."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), os.environ.get("PYTHONPATH", "")))}
    command = [sys.executable, str(ROOT / "tests" / "fuzzing.py"), *map(str, arguments)]
    return json.loads(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)


def check(found, count):
    """That nothing else than refusals came of so many inputs."""
    assert found["failures"] == {}
    assert found["slow"] == []
    assert found["megabytes"] <= MEGABYTES
    assert found["inputs"] >= count
    # Most of what is drawn gets far, and all kinds of refusals are met.
    assert found["made"] > 0.15 * found["inputs"]
    assert found["refused"]["ValueError"] > 0


def test_a_few_inputs():
    for found in figures("recipes", 60, 0, "inputs", 60, 0):
        check(found, 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_thousands_of_inputs_are_planned(seed):
    check(*figures("inputs", 1000, seed), 1000)


@pytest.mark.slow
def test_a_thousand_changed_recipes_are_checked():
    check(*figures("recipes", 1500, 1), 1500)


@pytest.mark.slow
def test_hundreds_of_edits_are_made():
    check(*figures("edits", 300, 1), 300)
