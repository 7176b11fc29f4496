"""Values in JSON by their type: read, written, and refused in one sentence."""

import dataclasses
import difflib
import functools
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from ..core.strict_json import Json, shown
from ..edits.registry import EDITS
from .model import adapted, built
from .store import Folder, Store
from .writing import written

EDIT_WORDS = f'an object with the name of an edit under "edit" ({", ".join(EDITS)}) and its fields'


@dataclass(frozen=True)
class Form:
    """How values of one type stand in JSON.

    Args:
        hint: the type.
    """

    hint: Any

    def decode(self, value: Json, at: str, folder: Folder) -> Any:
        """The value of JSON.

        Args:
            value: JSON, or a cell.
            at: where it stands, for messages.
            folder: what paths are relative to.

        Raises:
            ValueError: if it is not of this type.
        """
        return built(self._checked(value, at), at, folder)

    def encode(self, value: Any, at: str, store: Store) -> Json:
        """The JSON of a value.

        Raises:
            ValueError: if it is not of this type.
        """
        found = written(value, self.hint, at, store)
        self._checked(found, at)
        return found

    def _checked(self, value: Json, at: str) -> Any:
        try:
            return _adapter(self.hint).validate_python(value)
        except ValidationError as error:
            raise ValueError(sentence(error, value, at)) from error


@dataclass(frozen=True)
class FieldForms:
    """The fields of a dataclass in JSON.

    Args:
        forms: each field's.
    """

    forms: Mapping[str, Form]

    @staticmethod
    def of(kind: type) -> "FieldForms":
        """Those of a dataclass, from its type hints."""
        hints = typing.get_type_hints(kind)
        return FieldForms({field.name: Form(hints[field.name]) for field in dataclasses.fields(kind)})


@functools.cache
def _adapter(hint: Any) -> Any:
    return TypeAdapter(adapted(hint))


def sentence(error: ValidationError, data: Json, at: str) -> str:
    """What is wrong with JSON: where, which value, and what to do; of several errors the one deepest inside.

    Args:
        error: pydantic's.
        data: the JSON.
        at: where it stands.
    """
    found = [(_path(one["loc"], data), one) for one in error.errors(include_url=False)]
    deepest = max(len(path) for path, _ in found)
    place, first = next((path, one) for path, one in found if len(path) == deepest)
    same = [one for path, one in found if path == place]
    first = next((one for one in same if one["type"] != "form"), first)
    return _said(first, same, "".join((at, *place)) if at else "".join(place).removeprefix("."))


def _said(one: Any, same: list[Any], at: str) -> str:
    """The sentence about one place, from all errors there."""
    context = one.get("ctx", {})
    if one["type"] == "name":
        what = f"{at}: field" if at else "field"
        return unknown(context["name"], context["known"], what)
    if one["type"] == "missing":
        name = one["loc"][-1]
        return f"{at} has no field {name}; add it" if at else f"{name} is missing; add it"
    if one["type"] == "length":
        return f"{at} {context['text']}"
    if one["type"] == "meaning":
        return f"{at}: {context['text']}"
    if one["type"] == "union_tag_invalid" and isinstance(one["input"]["edit"], str):
        return unknown(one["input"]["edit"], [*EDITS], f"{at}.edit")
    words = [one["ctx"]["words"] if one["type"] == "form" else EDIT_WORDS for one in same]
    words = sorted(dict.fromkeys(words), key=lambda word: word == "null")
    return f"{at} is {shown(one['input'])}; expected {' or '.join(words)}"


def _path(location: tuple[int | str, ...], data: Json) -> tuple[str, ...]:
    """Steps of pydantic's location that lead into JSON; the others are names of a union's types."""
    steps: list[str] = []
    for step in location:
        if isinstance(step, int):
            steps.append(f"[{step}]")
            data = data[step] if isinstance(data, list) and step < len(cast("list[Any]", data)) else None
        elif isinstance(data, dict) and step in data:
            steps.append(f".{step}")
            data = data[step]
    return tuple(steps)


def check_name(name: str, names: Sequence[str], what: str) -> None:
    """Checks that a name is among those known.

    Args:
        name: the name.
        names: those known.
        what: what it is the name of.

    Raises:
        ValueError: if it is not; the message names the nearest.
    """
    if name not in names:
        raise ValueError(unknown(name, names, what))


def unknown(name: str, names: Sequence[str], what: str) -> str:
    """What is said of a name that is not known, with the nearest."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"{what} {shown(name)} is unknown; known are {', '.join(near or names)}"
