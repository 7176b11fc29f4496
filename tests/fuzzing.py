"""Inputs drawn from the declared types and ranges of fields, and from what nobody should give; what comes of them.

Runs in a process of its own, where no hook checks types before the package does, and where memory is its own:
`python tests/fuzzing.py inputs|recipes|edits COUNT SEED` prints the figures as JSON; further triples may follow.
"""

import copy
import json
import resource
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path

import numpy as np
import torch
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from dragondiffusion import (
    Editor,
    Recipe,
    Request,
    Settings,
    Window,
)
from dragondiffusion.edits.settings import PRESETS
from dragondiffusion.pipeline.plan import plan
from dragondiffusion.recipes import edit_class
from fuzz_inputs import WRONG_JSON, jobs

SECONDS = 5.0
"""Processor time from which on an input counts as one that hangs."""


@dataclass
class Figures:
    """What came of inputs."""

    inputs: int = 0
    made: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    slow: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    megabytes: int = 0

    def take(self, what, run, allowed):
        """Runs one input."""
        self.inputs += 1
        begin, name = time.process_time(), "made"
        try:
            run()
            self.made += 1
        except allowed as error:
            name = type(error).__name__
            self.refused[name] = self.refused.get(name, 0) + 1
        except Exception as error:  # noqa: BLE001  # what must not happen
            frame = traceback.extract_tb(error.__traceback__)[-1]
            key = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {str(error)[:200]}"
            self.failures.setdefault(key, shortened(what))
        took = time.process_time() - begin
        self.slowest = max(self.slowest, took)
        if took > SECONDS:
            self.slow.append(f"{took:.1f} s, {name}: {shortened(what)}")


def shortened(what):
    """An input as it is reported."""
    return " ".join(repr(what).split())[:1500]


class UnnamedError(Exception):
    """A TypeError that does not name a field."""


def named(kind, given):
    """A dataclass of fields; a TypeError must name one of them."""
    try:
        return kind(**given)
    except TypeError as error:
        if not any(one.name in str(error) for one in fields(kind)):
            raise UnnamedError(str(error)) from error
        raise


def request_of(job):
    """A request of what was drawn."""
    picture, edits, (preset, changes), number = job
    how = named(Settings, {**vars(PRESETS[preset]), **changes})
    made = [named(edit_class(name), given) for name, given in edits]
    return named(Request, {"image": picture, "edit": made, "seed": number, "settings": how})


def plain(value):
    """A value of a setting as JSON."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Window):
        return vars(value)
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def recipe_data(folder):
    """A recipe with every edit and every setting, and the images that it names."""
    rng = np.random.default_rng(0)
    for name, size in (("photo.png", (61, 90)), ("other.png", (40, 56))):
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(folder / name)
    box, polygon = {"box": [10, 10, 30, 30]}, {"polygon": [[40, 40], [50, 40.5], [50, 50]]}
    runs = {"size": [61, 90], "counts": [2000, 40, 3450]}
    map_ = {"offset": [20, 3.5], "scale": [1.2, 0.8], "angle": 15, "flip": True, "anchor": [20, 20]}
    edits = [
        {"edit": "move", "mask": box, "hint": polygon, **map_},
        {"edit": "paste", "image": "other.png", "mask": box, **map_},
        {
            "edit": "appearance",
            "mask": box,
            "image": "other.png",
            "reference_mask": box,
            "prompt": "x",
            "pattern": False,
        },
        {"edit": "drag", "points": [[[60, 20], [70, 25]], [[50, 50], [50, 50]]], "mask": {"box": [45, 10, 80, 55]}},
        {"edit": "landmarks", "points_from": [[60, 20], [70, 25]], "points_to": [[62, 20], [70, 25]]},
        {"edit": "remove", "mask": runs},
    ]
    how = {one.name: plain(getattr(Settings(), one.name)) for one in fields(Settings)}
    return {"recipe": 1, "image": "photo.png", "edits": edits, "prompt": "a", "seed": 3, "settings": how, "loras": []}


def paths(data, at=()):
    """Places in JSON."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [at, *(place for key, value in inner for place in paths(value, (*at, key)))]


CHANGES = {
    "wrong": lambda value, rng: copy.deepcopy(rng.choice(WRONG_JSON)),
    "text": lambda value, rng: json.dumps(value),
    "wrapped": lambda value, rng: [value],
    "opened": lambda value, rng: [*value.values()] if isinstance(value, dict) else {"x": value},
    "again": lambda value, rng: (
        value * rng.choice([0, 2, 300]) if isinstance(value, list) and len(value) < 1000 else value
    ),
    "shorter": lambda value, rng: value[:-1] if isinstance(value, (list, str)) else value,
    "scaled": lambda value, rng: (
        value * rng.choice([-1, 0, 0.01, 100, 1e9, 1e300]) if type(value) in (int, float) else value
    ),
}


def mutated(data, rng):
    """A recipe of one of its edits, or of two, with one to three changes."""
    data = copy.deepcopy(data)
    data["edits"] = rng.sample(data["edits"], rng.choice([1, 1, 2]))
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        *way, last = rng.choice(paths(data)[1:])
        place = data
        for step in way:
            place = place[step]
        if rng.random() < 0.1:
            del place[last]
        else:
            place[last] = CHANGES[rng.choice([*CHANGES])](place[last], rng)
    return data


def fuzzed(what, count, number):
    """Figures of so many inputs.

    Args:
        what: "inputs" of Python, which are planned; "recipes", which are checked; or "edits", which are made.
        count: how many.
        number: seed of them.
    """
    editor = Editor.from_pretrained(device="cpu") if what != "recipes" else None
    figures = Figures()
    folder = Path(tempfile.mkdtemp())
    data = recipe_data(folder)
    Recipe.from_json(data | {"edits": data["edits"][:1]}, folder).check()
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def checked(changed):
        Recipe.from_json(changed, folder).check()

    def planned(job):
        plan(editor.backbone, request_of(job))

    def made(job):
        picture, edits, (preset, changes), seed_ = job
        few = {"steps": 2, "inversion_iterations": 1, "time_travel_passes": 2}
        request = request_of((picture, edits, (preset, {**changes, **few}), seed_))
        editor.batch([request])

    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=[*HealthCheck])
    @seed(number)
    @given(st.data())
    def trial(drawn):
        if what == "recipes":
            changed = mutated(data, drawn.draw(st.randoms(use_true_random=True)))
            figures.take(changed, lambda: checked(changed), (ValueError, FileNotFoundError))
        else:
            job = drawn.draw(jobs())
            run = planned if what == "inputs" else made
            figures.take(job, lambda: run(job), (ValueError, TypeError, FileNotFoundError))

    trial()
    figures.megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) // 1024
    return figures


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("error", RuntimeWarning)
    given_ = zip(sys.argv[1::3], map(int, sys.argv[2::3]), map(int, sys.argv[3::3]), strict=True)
    print(json.dumps([vars(fuzzed(*one)) for one in given_], indent=1))
