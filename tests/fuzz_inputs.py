"""What `fuzzing` draws: inputs within the declared types and ranges of fields, and what nobody should give."""

import functools
import math
import typing
from dataclasses import MISSING, fields
from enum import Enum
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image

from dragondiffusion import (
    BoxMask,
    PolygonMask,
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
from dragondiffusion.recipes import edit_class

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
