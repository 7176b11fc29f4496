"""Dataclasses in JSON, and the form of any type hint."""

import collections.abc
import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from ..core.docstrings import arguments, opening
from ..core.strict_json import Json, shown
from ..imaging.files import ImageLike
from ..imaging.masks import MaskLike
from .forms import INTEGER, NOTHING, REAL, TEXT, TRUTH, Choice, Either, Form, Listing, MaskForm, Picture, Row
from .store import Folder, Inline, Store


@dataclass(frozen=True)
class Record(Form):
    """A dataclass: an object with its fields, those with a default optional.

    Args:
        cls: the dataclass.
        forms: its fields.
    """

    cls: type
    forms: Mapping[str, Form]

    @staticmethod
    def of(kind: type, known: Mapping[Any, Form] | None = None) -> "Record":
        """The form of a dataclass, from its type hints; `known` are forms of types that have their own."""
        return _plain(kind) if known is None else _record(kind, known)

    @property
    def expected(self) -> str:
        return f"an object with the fields {', '.join(self.forms)}"

    def takes(self, value: Json) -> bool:
        return isinstance(value, dict)

    def holds(self, value: Any) -> bool:
        return isinstance(value, self.cls)

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        given = self.fields(value, at, folder)
        for field in dataclasses.fields(self.cls):
            if field.name not in given and not _has_default(field):
                raise ValueError(
                    f"{at} has no field {field.name}; add it" if at else f"{field.name} is missing; add it"
                )
        try:
            return self.cls(**given)
        except ValueError as error:
            raise ValueError(f"{at}: {error}" if at else str(error)) from error

    def fields(self, value: Mapping[str, Json], at: str, folder: Folder) -> dict[str, Any]:
        """The fields that JSON gives.

        Raises:
            ValueError: if one is unknown or not of its form.
        """
        for name in value:
            check_name(name, tuple(self.forms), f"{at}: field" if at else "field")
        return {name: self.forms[name].decode(v, _under(at, name), folder) for name, v in value.items()}

    def write(self, value: Any, at: str, store: Store) -> Json:
        changed = [f.name for f in dataclasses.fields(self.cls) if not _is_default(f, getattr(value, f.name))]
        return {name: self.forms[name].encode(getattr(value, name), _under(at, name), store) for name in changed}

    def schema(self) -> dict[str, Json]:
        texts = arguments(self.cls.__doc__)
        properties: dict[str, Json] = {}
        for field in dataclasses.fields(self.cls):
            form = self.forms[field.name]
            properties[field.name] = {"description": texts.get(field.name, ""), **form.schema()}
            if field.default is not dataclasses.MISSING:
                properties[field.name]["default"] = form.encode(field.default, field.name, Inline())
        return {
            "type": "object",
            "description": opening(self.cls.__doc__),
            "properties": properties,
            "required": [field.name for field in dataclasses.fields(self.cls) if not _has_default(field)],
            "additionalProperties": False,
        }

    def parse(self, text: str) -> Json:
        parts = text.split(":")
        if len(parts) > len(self.forms):
            return text
        return {name: form.parse(part) for (name, form), part in zip(self.forms.items(), parts, strict=False)}


def _record(kind: type, known: Mapping[Any, Form] | None) -> Record:
    hints = typing.get_type_hints(kind)
    return Record(kind, {field.name: form_of(hints[field.name], known) for field in dataclasses.fields(kind)})


@functools.cache
def _plain(kind: type) -> Record:
    """A dataclass without types that have forms of their own; hints are read once."""
    return _record(kind, None)


def form_of(hint: Any, known: Mapping[Any, Form] | None = None) -> Form:
    """The form of values of a type.

    Args:
        hint: the type.
        known: forms of types that have their own.

    Raises:
        TypeError: if there is none for it.
    """
    simple: dict[Any, Form] = {
        bool: TRUTH,
        int: INTEGER,
        float: REAL,
        str: TEXT,
        types.NoneType: NOTHING,
        **(known or {}),
    }
    if hint in simple:
        return simple[hint]
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _either(parts, known)
    if origin is tuple and parts[-1] is not ...:
        return Row(tuple(form_of(part, known) for part in parts))
    if origin in (tuple, list, collections.abc.Sequence):
        return Listing(form_of(parts[0], known))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Choice(hint)
    if dataclasses.is_dataclass(hint):
        return Record.of(cast(type, hint), known)
    raise TypeError(f"{hint} has no form in JSON; use the types of dragondiffusion.core.types, or add one to form_of")


def _either(parts: tuple[Any, ...], known: Mapping[Any, Form] | None) -> Form:
    """The form of a union, in which pictures and numbers are unions themselves."""
    forms: list[Form] = []
    known_unions = (
        (typing.get_args(MaskLike), MaskForm()),
        (typing.get_args(ImageLike), Picture()),
        ((float, int), REAL),
    )
    for whole, form in known_unions:
        if all(part in parts for part in whole):
            forms.append(form)
            parts = tuple(part for part in parts if part not in whole)
    forms += [form_of(part, known) for part in parts]
    return forms[0] if len(forms) == 1 else Either(tuple(forms))


def check_name(name: str, names: tuple[str, ...], what: str) -> None:
    """Checks that a name is among those known.

    Args:
        name: the name.
        names: those known.
        what: what it is the name of.

    Raises:
        ValueError: if it is not; the message names the nearest.
    """
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        raise ValueError(f"{what} {shown(name)} is unknown; known are {', '.join(near or names)}")


def _under(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _is_default(field: "dataclasses.Field[Any]", value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    same_kind = type(value) in (int, float, type(field.default))
    return value is field.default or (same_kind and bool(value == field.default))
