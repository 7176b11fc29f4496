"""What values the fields of a dataclass take, declared once in their type hints, and checked when one is made.

`steps: Annotated[int, Range(1, 1000)]` is all that is written. Python checks it in `Bounded.__post_init__`; recipes,
the command line and the HTTP API make the same dataclasses, and the JSON schema and docs/limits.md state it.
"""

import functools
import math
import os
import reprlib
import sys
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Annotated, Any, cast

import numpy as np

_ALIAS: tuple[type, ...] = (typing.TypeAliasType,) if sys.version_info >= (3, 12) else ()
_NUMBERS = frozenset((int, float))
_MANY = 100
_WRITTEN = 12_000
"""Bits of the longest integers that messages write. Source: Python writes 4,300 digits."""
_QUOTES = reprlib.Repr()
_QUOTES.maxstring = _QUOTES.maxother = _QUOTES.maxlong = 60
_WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    os.PathLike: "a path",
    types.NoneType: "None",
}


@dataclass(frozen=True)
class Range:
    """The numbers that a field takes, both ends included; no field takes NaN or infinity.

    Args:
        least: the smallest.
        most: the largest.
        unit: what they count.
        remedy: what to do instead of using a number outside.
    """

    least: float | int
    most: float | int
    unit: str = ""
    remedy: str = ""

    @property
    def words(self) -> str:
        """The range in words."""
        return f"from {_plain(self.least)} to {_plain(self.most)}{self.unit and ' '}{self.unit}"


@dataclass(frozen=True)
class Length:
    """How many items a field takes.

    Args:
        least: the fewest.
        most: the most.
        unit: what they are.
    """

    least: int
    most: int
    unit: str = "items"

    @property
    def words(self) -> str:
        """The number in words."""
        return f"{self.least:,} to {self.most:,} {self.unit}"

    def problem(self, value: Any) -> str:
        """What is wrong with the length of a value, to stand behind its name; empty if it is right."""
        if self.least <= len(value) <= self.most:
            return ""
        return f"{f'has {len(value):,} {self.unit}' if len(value) else 'is empty'}; give {self.words}"


class Bounded:
    """A frozen dataclass whose fields have the values that their type hints state."""

    def __post_init__(self) -> None:
        check_fields(self)


def check_fields(thing: Any) -> None:
    """Checks every field of a frozen dataclass, and brings what NumPy and others call numbers and lists into our form.

    Numbers of NumPy and tensors of one value become Python's, lists and arrays become tuples, and a float that is whole
    becomes an integer where one is asked for.

    Raises:
        TypeError: if a field has a value of another type.
        ValueError: if a number or a length lies outside of what is stated.
    """
    hints = declared(type(thing))
    for field in fields(thing):
        value = getattr(thing, field.name)
        found = fitted(value, hints[field.name], field.name)
        if found is not value:
            object.__setattr__(thing, field.name, found)


@functools.cache
def declared(kind: type) -> dict[str, Any]:
    """The type hints of a dataclass by field, with what is stated of their values."""
    return typing.get_type_hints(kind, include_extras=True)


def unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type hint without what is stated of its values, and that; of an alias, `type X = ...`, what it stands for."""
    hint = _stood_for(hint)
    if typing.get_origin(hint) is Annotated:
        bare, *stated = typing.get_args(hint)
        return bare, tuple(stated)
    return hint, ()


def _stood_for(hint: Any) -> Any:
    """A type hint in place of its alias: of Python 3.12's `type` statement, or NumPy's `NDArray`, one since 2.5."""
    alias, parts = typing.get_origin(hint) or hint, typing.get_args(hint)
    if not isinstance(alias, _ALIAS):
        return hint
    value = alias.__value__
    return _stood_for(value[parts] if parts else value)


@functools.cache
def arms(hint: Any) -> tuple[Any, ...]:
    """The types that a hint allows, each with what is stated of it; `float | int` is one."""
    bare, stated = unwrapped(hint)
    if typing.get_origin(bare) not in (typing.Union, types.UnionType):
        return (hint,)
    parts = [arm for part in typing.get_args(bare) for arm in arms(part)]
    if float in parts and int in parts:
        parts.remove(int)
    return tuple(Annotated[part, *stated] if stated else part for part in parts)


def fitted(value: Any, hint: Any, name: str) -> Any:
    """A value as a type hint has it.

    Args:
        value: what is given.
        hint: what is asked for.
        name: where the value stands, for messages.

    Raises:
        TypeError: if it is of another type.
        ValueError: if a number or a length lies outside of what is stated.
    """
    value = _ours(value)
    kinds = arms(hint)
    for kind in kinds:
        bare, stated = unwrapped(kind)
        if _is_of(value, bare):
            return _within(value, bare, stated, name)
    raise TypeError(
        f"{name}={quoted(value)} must be {words_of(hint, ranges=len(kinds) == 1 and not _is_list(kinds[0]))}"
    )


def multiplied(value: Any, hint: Any, unit: str, by: float) -> Any:
    """A value as it is when everything that a unit counts is so many times as large.

    Args:
        value: of a field.
        hint: of the field; numbers are multiplied where it states the unit.
        unit: of a `Range`.
        by: the factor.
    """
    for kind in arms(hint):
        bare, stated = unwrapped(kind)
        if not _is_of(value, bare):
            continue
        if bare in _NUMBERS:
            return value * by if any(isinstance(one, Range) and one.unit == unit for one in stated) else value
        if _is_list(bare):
            parts = typing.get_args(bare)
            is_long = typing.get_origin(bare) is not tuple or parts[-1] is ...
            hints = (parts[0],) * len(value) if is_long else parts
            return tuple(multiplied(one, part, unit, by) for one, part in zip(value, hints, strict=True))
    return value


def words_of(hint: Any, ranges: bool = True) -> str:
    """What a type hint asks for, in words.

    Args:
        hint: of a field.
        ranges: say between which ends numbers lie.
    """
    return " or ".join(dict.fromkeys(_words(arm, ranges) for arm in arms(hint)))


def quoted(value: Any) -> str:
    """A value as messages show it, cut where it is long."""
    if isinstance(value, int) and value.bit_length() > _WRITTEN:
        return f"a {type(value).__name__} of thousands of digits"
    return _QUOTES.repr(value)


def _ours(value: Any) -> Any:
    """Numbers of NumPy and tensors of one value as Python's; anything else as it is."""
    if not isinstance(value, Enum) and getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    return value


def _is_of(value: Any, kind: Any) -> bool:
    """Whether a value has a type, its items aside."""
    if kind in _NUMBERS:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if _is_list(kind):
        is_list = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
        return is_list or getattr(value, "ndim", 0) > 0
    return kind is Any or isinstance(value, cast(type, typing.get_origin(kind) or kind))


def _is_list(kind: Any) -> bool:
    return typing.get_origin(kind) in (tuple, list, Sequence)


def _within(value: Any, kind: Any, stated: tuple[Any, ...], name: str) -> Any:
    """A value of a type, its numbers and lengths checked."""
    if kind is str and isinstance(value, str):
        _check_length(value, stated, name)
    if kind in _NUMBERS:
        return _number(value, kind, stated, name)
    return _items(value, kind, stated, name) if _is_list(kind) else value


def _number(value: Any, kind: Any, stated: tuple[Any, ...], name: str) -> int | float:
    bounds = next((one for one in stated if isinstance(one, Range)), None)
    inside = -math.inf < value < math.inf if bounds is None else bounds.least <= value <= bounds.most
    if not inside or (kind is int and value % 1 != 0):
        remedy = f"; {bounds.remedy}" if bounds is not None and bounds.remedy else ""
        raise ValueError(f"{name}={quoted(value)} must be {_WORDS[kind]}{_stated(stated)}{remedy}")
    return int(value) if kind is int else value


def _items(value: Any, kind: Any, stated: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    parts = typing.get_args(kind)
    if typing.get_origin(kind) is tuple and parts[-1] is not ...:
        if len(value) != len(parts):
            raise ValueError(f"{name}={quoted(value)} must be {_words(kind, False)}")
        hints: Sequence[Any] = parts
    else:
        _check_length(value, stated, name)
        hints = (parts[0],) * len(value)
    given: Sequence[Any] = value if isinstance(value, Sequence) else value.tolist()
    many = _many(given, parts[0]) if len(given) > _MANY and hints is not parts else None
    if many is not None:
        return many
    found = tuple(fitted(one, hint, f"{name}[{k}]") for k, (one, hint) in enumerate(zip(given, hints, strict=True)))
    same = isinstance(value, tuple) and all(a is b for a, b in zip(found, cast("tuple[Any, ...]", value), strict=True))
    return cast("tuple[Any, ...]", value) if same else found


def _many(given: Sequence[Any], hint: Any) -> tuple[Any, ...] | None:
    """Many numbers or points that are all in order, checked together; None where each must be looked at."""
    bare, stated = unwrapped(hint)
    parts = typing.get_args(bare)
    is_point = _is_list(bare) and parts == (parts[0],) * len(parts)
    (number, *_), shape = (arms(parts[0]), (len(given), len(parts))) if is_point else (arms(hint), (len(given),))
    kind, stated = unwrapped(number)
    bounds = next((one for one in stated if isinstance(one, Range)), Range(-math.inf, math.inf))
    try:
        values = np.asarray(given)
    except ValueError:  # points of different lengths
        return None
    if kind not in _NUMBERS or values.shape != shape or values.dtype.kind not in ("iu" if kind is int else "iuf"):
        return None
    if not bool(((values >= bounds.least) & (values <= bounds.most) & np.isfinite(values)).all()):
        return None
    return tuple(map(tuple, values.tolist())) if is_point else tuple(values.tolist())


def _check_length(value: Any, stated: tuple[Any, ...], name: str) -> None:
    for one in stated:
        problem = one.problem(value) if isinstance(one, Length) else ""
        if problem:
            raise ValueError(f"{name} {problem}")


def _words(kind: Any, ranges: bool) -> str:
    bare, stated = unwrapped(kind)
    if _is_list(bare):
        parts = typing.get_args(bare)
        if typing.get_origin(bare) is tuple and parts[-1] is not ...:
            return f"({', '.join(words_of(part, ranges) for part in parts)})"
        return f"a list, each of it {words_of(parts[0], ranges)}"
    if isinstance(bare, type) and issubclass(bare, Enum):
        return f"one of {', '.join(str(member) for member in bare)}"
    origin = typing.get_origin(bare) or bare
    name = getattr(origin, "IN_WORDS", getattr(origin, "__name__", str(origin)))
    return _WORDS.get(origin, name) + (_stated(stated) if ranges else "")


def _stated(stated: tuple[Any, ...]) -> str:
    return "".join(f" {one.words}" for one in stated if isinstance(one, Range))


def _plain(number: float | int) -> str:
    """A number without an exponent, whole ones without a point."""
    return f"{int(number)}" if number == int(number) else f"{number}"
