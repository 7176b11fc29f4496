"""Inputs drawn from the declared types and ranges of fields, and from what nobody should give; what comes of them.

Runs in a process of its own, where no hook checks types before the package does, and where memory is its own:
`python tests/fuzzing.py inputs|recipes|edits COUNT SEED` prints the figures as JSON; further triples may follow.
"""

import copy
import functools
import json
import math
import resource
import sys
import tempfile
import time
import traceback
import typing
import warnings
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from dragondiffusion import (
    BoxMask,
    Editor,
    PolygonMask,
    Recipe,
    Request,
    RunLengthMask,
    Settings,
    Window,
)
from dragondiffusion.core.bounds import Length, Range, arms, declared, unwrapped
from dragondiffusion.edits.registry import EDITS
from dragondiffusion.edits.settings import PRESETS
from dragondiffusion.imaging.files import ImageLike
from dragondiffusion.imaging.masks import MaskLike
from dragondiffusion.imaging.rle import encode_runs
from dragondiffusion.pipeline.plan import plan
from dragondiffusion.recipes import edit_class

SECONDS = 5.0
"""Processor time from which on an input counts as one that hangs."""

SIZES = [(64, 64), (61, 90), (100, 72), (1, 1), (1, 130), (300, 7), (520, 400), (800, 1200)]
"""Sizes of images, the smaller ones more often; the last is edited in a frame."""

WRONG = [
    *(
        None,
        True,
        "",
        "3",
        "nan",
        "ä" * 300,
        b"3",
        {},
        {"x": 1},
        [],
        [[]],
        (),
        ((),),
        [None],
        1j,
        Fraction(1, 3),
        object(),
    ),
    *(math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, -0.0, 10**400, -1, 0, 0.5, 1.5, 2, 1e12, np.float32("nan")),
    *(np.int64(3), np.zeros(0), np.zeros((2, 2)), np.zeros((3, 2, 2)), np.array(["1", "2"]), np.full((4, 2), np.nan)),
    *([1, "2"], [math.nan, 0], [[1, 2, 3]], [[1, 2], [3]], [[[1, 2], [3, 4]]], [[[[1, 2], [3, 4]]]], [1e300, -1e300]),
    *(Window(0, 1), Path("none.png"), torch.zeros(2), torch.tensor(2.0), [0] * 5000, [[1.5, 2.5]] * 5000, range(3)),
]
SEEDS = st.integers(0, 2**63 - 1)
WRONG_JSON = [value for value in WRONG if value is None or type(value) in (bool, int, float, str, list, dict)]


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


ANY_WRONG = st.sampled_from(WRONG)


def mostly(good, wrong=ANY_WRONG):
    """Good values, and now and then a wrong one."""
    return st.sampled_from(range(60)).flatmap(lambda k: wrong if k == 31 else good)


def numbers(hint, stated, size):
    """Numbers in a range, its ends often; where it is one of pixels, mostly those of an image."""
    bounds = next((one for one in stated if isinstance(one, Range)), Range(-1e9, 1e9))
    if hint is int:
        whole = st.integers(int(bounds.least), int(bounds.most))
        return (
            whole
            | st.sampled_from([int(bounds.least), int(bounds.most)])
            | st.integers(int(bounds.least), int(min(bounds.most, bounds.least + 30)))
        )
    ends = st.sampled_from([bounds.least, bounds.most, 0.0 if bounds.least <= 0 else 1.0])
    near = st.floats(max(bounds.least, -1.0), min(bounds.most, float(max(size)) if bounds.unit == "pixels" else 2.0))
    return near | near | st.floats(bounds.least, bounds.most) | ends


@functools.cache
def values(hint, size):
    """Values of a type hint."""
    return st.one_of([_arm(arm, size) for arm in arms(hint)])


def _arm(arm, size):
    hint, stated = unwrapped(arm)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint in (int, float):
        return mostly(numbers(hint, stated, size))
    if origin is tuple and parts[-1] is not ...:
        return mostly(st.tuples(*(values(part, size) for part in parts)))
    if origin is not None and parts:
        few = next((one.least for one in stated if isinstance(one, Length)), 0)
        return mostly(st.lists(values(parts[0], size), min_size=few, max_size=few + 4))
    if hint is Settings:
        return settings_of(size)
    if hint is Window:
        return mostly(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(1, 5)).map(_window))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return mostly(st.sampled_from([*hint]))
    plain = {bool: st.booleans(), str: st.text(max_size=6), type(None): st.none()}
    return mostly(plain[hint])


def _window(drawn):
    return Window(min(drawn[:2]), max(drawn[:2]), drawn[2])


@functools.cache
def pictures(size):
    """Images of a size, and what is none."""
    rgb = np.random.default_rng(size[1]).integers(0, 256, (*size, 3), dtype=np.uint8)
    good = [rgb, rgb / 255.0, rgb[..., 0], Image.fromarray(rgb), Image.fromarray(rgb).convert("RGBA")]
    wrong = [np.zeros((0, 5, 3), np.uint8), np.full((4, 4, 3), np.nan), np.zeros((3, 4, 5)), rgb.astype(np.int64)]
    return mostly(st.sampled_from(good), st.sampled_from([*wrong, *WRONG]))


@functools.cache
def masks(size):
    """Masks of an image, and what is none."""
    height, width = size
    boxes = st.tuples(*(st.floats(0, 1) for _ in range(4))).map(lambda ends: _box(ends, size))
    corners = st.lists(st.tuples(st.floats(0, width), st.floats(0, height)), min_size=3, max_size=8)
    many = st.integers(0, 9).map(
        lambda k: tuple(map(tuple, np.random.default_rng(k).random((900, 2)) * (width, height)))
    )
    polygons = (corners | corners | many).map(lambda ring: PolygonMask((ring,)))
    drawn = boxes.map(lambda box: box.drawn(size))
    runs = drawn.map(lambda mask: RunLengthMask(size, encode_runs(mask > 0.5)))
    wrong = [np.zeros(size), np.ones(size), np.full(size, np.nan), np.zeros((3, 3)), np.full(size, 7, np.int64)]
    good = boxes | boxes | drawn | drawn.map(lambda mask: mask > 0.5) | polygons | runs
    return mostly(good, st.sampled_from([*wrong, *WRONG]))


def _box(ends, size):
    """A box inside of an image, of four numbers from 0 to 1."""
    (left, width), (top, height) = (
        (0.9 * at * side, (0.2 + 0.8 * share) * (1 - 0.9 * at) * side)
        for at, share, side in zip(ends[:2], ends[2:], (size[1], size[0]), strict=True)
    )
    return BoxMask(left, top, min(left + width, size[1]), min(top + height, size[0]))


@functools.cache
def arguments(kind, size, other=(40, 56)):
    """Fields of a dataclass: those it needs, and some of the others."""
    hints, needed, further, inner = declared(kind), {}, {}, size
    for one in fields(kind):
        hint = hints[one.name]
        if set(typing.get_args(MaskLike)) <= set(typing.get_args(hint)):
            drawn = masks(inner) if hint == MaskLike else masks(inner) | st.none()
        elif hint == ImageLike:
            drawn, inner = pictures(other), other
        else:
            drawn = values(hint, size)
        (needed if one.default is MISSING and one.default_factory is MISSING else further)[one.name] = drawn
    if kind is edit_class("appearance"):  # whose first mask is the edited image's
        needed["mask"] = masks(size)
    drawn = st.fixed_dictionaries(needed, optional=further)
    if not needed.keys() & {"points", "points_from"}:
        return drawn
    # Points of an image, and lists of one length, are rare among all that the types allow.
    point = st.tuples(*(st.floats(0, side, exclude_max=True) for side in (size[1], size[0])))
    pairs = st.lists(st.tuples(point, point), min_size=1, max_size=6)
    return st.one_of(drawn, *[st.tuples(drawn, pairs).map(lambda both: both[0] | _listed(both[0], both[1]))] * 3)


def _listed(given, pairs):
    """Pairs of points as a drag or landmarks take them."""
    if "points" in given:
        return {"points": pairs}
    return {"points_from": [start for start, _ in pairs], "points_to": [end for _, end in pairs]}


@functools.cache
def settings_of(size):
    """A preset with a few changes."""
    changes = arguments(Settings, size).map(lambda given: dict([*given.items()][:3]))
    return st.tuples(st.sampled_from([*PRESETS]), changes | st.just({}))


def jobs():
    """Images with edits and settings, not made yet."""
    sizes = st.sampled_from([size for k, size in enumerate(SIZES) for _ in range(len(SIZES) - k)])
    return sizes.flatmap(jobs_of)


@functools.cache
def jobs_of(size):
    """The same for an image of a size."""
    edits = [st.tuples(st.just(name), arguments(edit_class(name), size)) for name in EDITS]
    return st.tuples(
        pictures(size), st.lists(st.one_of(edits), min_size=1, max_size=2), settings_of(size), mostly(SEEDS)
    )


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
