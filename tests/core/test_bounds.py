"""What is stated of fields, and what is done with values."""

import math
import sys
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest
import torch

from dragondiffusion.core.bounds import Length, Range, fitted, multiplied, words_of
from dragondiffusion.core.types import Number, Pairs, Point

Few = Annotated[int, Range(0, 9, "cells", "use less")]


@dataclass
class Thing:
    """Something that is no number."""


@pytest.mark.parametrize(
    ("value", "hint", "found"),
    [
        (3, Few, 3),
        (3.0, Few, 3),
        (np.int64(3), Few, 3),
        (torch.tensor(3), Few, 3),
        (np.float32(0.5), Number, 0.5),
        (None, Few | None, None),
        ([1, 2.5], Point, (1, 2.5)),
        (np.array([1.0, 2.0]), Point, (1.0, 2.0)),
        (torch.tensor([[[1, 2], [3, 4]]]), Pairs, (((1, 2), (3, 4)),)),
        ([[[1, 2.5], [3, 4]]] * 300, Pairs, (((1, 2.5), (3, 4)),) * 300),
        ("x", Annotated[str, Length(0, 1)], "x"),
    ],
)
def test_what_is_taken(value, hint, found):
    taken = fitted(value, hint, "x")
    assert taken == found
    assert type(taken) in (type(found), type(value))
    assert not isinstance(taken, (np.generic, np.ndarray, torch.Tensor))


@pytest.mark.parametrize(
    ("value", "hint", "error", "message"),
    [
        (10, Few, ValueError, "x=10 must be a whole number from 0 to 9 cells; use less"),
        (1.5, Few, ValueError, "x=1.5 must be a whole number from 0 to 9 cells"),
        (math.nan, Few, ValueError, "x=nan must be"),
        (math.inf, Number, ValueError, "x=inf must be a number"),
        pytest.param(10**5000, Few, ValueError, "of thousands of digits must be a whole number", id="many digits"),
        ("3", Few, TypeError, "x='3' must be a whole number from 0 to 9 cells"),
        (True, Few, TypeError, "x=True must be"),
        (None, Few, TypeError, "x=None must be"),
        (Thing(), Few | None, TypeError, r"x=.*Thing.* must be a whole number or None"),
        ((1,), Point, ValueError, r"x=\(1,\) must be \(a number, a number\)"),
        ((1, "2"), Point, TypeError, r"x\[1\]='2' must be a number from -1000000 to 1000000 pixels"),
        ("12", Point, TypeError, r"x='12' must be \(a number"),
        ([((1, 2), (3, 4e9))], Pairs, ValueError, r"x\[0\]\[1\]\[1\]=4000000000\.0 must be"),
        ([((1, 2), (3, 4))] * 200 + [((1, 2), (3, math.nan))], Pairs, ValueError, r"x\[200\]\[1\]\[1\]=nan must be"),
        ([], Annotated[Pairs, Length(1, 2, "pairs")], ValueError, "x is empty; give 1 to 2 pairs"),
        ("xyz", Annotated[str, Length(0, 2, "letters")], ValueError, "x has 3 letters; give 0 to 2 letters"),
    ],
)
def test_what_is_refused(value, hint, error, message):
    with pytest.raises(error, match=message):
        fitted(value, hint, "x")


def test_long_values_are_cut():
    with pytest.raises(TypeError) as caught:
        fitted("x" * 10**6, Few, "x")
    assert len(str(caught.value)) < 200


def test_words():
    assert words_of(Number | Point | None, ranges=False) == "a number or (a number, a number) or None"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is Python 3.12's")
def test_aliases_of_types_are_what_they_stand_for():
    named: dict = {"Annotated": Annotated, "Range": Range}
    exec("type Share = Annotated[float, Range(0, 1)]\ntype Pair[T] = tuple[T, T]\ntype Either = Share | None", named)
    assert fitted(1, named["Share"], "x") == 1
    assert fitted([1, 2], named["Pair"][int], "x") == (1, 2)
    assert fitted(None, named["Either"], "x") is None
    with pytest.raises(ValueError, match="from 0 to 1"):
        fitted(2, named["Either"], "x")


@pytest.mark.parametrize(
    ("value", "hint", "found"),
    [
        ((10, 20), Point, (5, 10)),
        (((1, 2), (3, 4)), tuple[Point, ...], ((0.5, 1), (1.5, 2))),
        ((((1, 2), (3, 4)),), Annotated[Pairs, Length(1, 9)], (((0.5, 1), (1.5, 2)),)),
        (None, Point | None, None),
        (4, Few, 4),
        (2.0, Number, 2.0),
        ("x", str, "x"),
        (True, bool, True),
    ],
)
def test_only_what_is_in_the_unit_is_multiplied(value, hint, found):
    assert multiplied(value, hint, "pixels", 0.5) == found
