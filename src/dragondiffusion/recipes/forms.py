"""How values of Python's types stand in JSON: reading, writing and a schema."""

import numbers
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import numpy as np
from PIL import Image
from torch import Tensor

from ..core.strict_json import Json, parse_json, shown
from ..imaging.masks import loaded_shape
from ..imaging.shapes import MaskShape, shape_of, shape_of_text
from .store import Folder, Store


class Cell(str):
    """Text that stands in for JSON of any kind, as in the cells of a table; its field says what it means."""

    __slots__ = ()


class Form(ABC):
    """How values of one type stand in JSON."""

    @property
    @abstractmethod
    def expected(self) -> str:
        """The form in words."""

    @abstractmethod
    def takes(self, value: Json) -> bool:
        """Whether JSON is of this form, its parts aside."""

    def holds(self, value: Any) -> bool:
        """Whether a Python value is of this type, its parts aside."""
        return self.takes(value)

    @abstractmethod
    def read(self, value: Json, at: str, folder: Folder) -> Any:
        """The Python value of JSON that `takes`."""

    @abstractmethod
    def write(self, value: Any, at: str, store: Store) -> Json:
        """The JSON of a value that it `holds`."""

    @abstractmethod
    def schema(self) -> dict[str, Json]:
        """JSON schema of the form."""

    def parse(self, text: str) -> Json:
        """The JSON of what somebody typed; other JSON if it makes no sense."""
        words = {"true": True, "false": False, "none": None}
        if text.lower() in words:
            return words[text.lower()]
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
        return text

    def decode(self, value: Json, at: str, folder: Folder) -> Any:
        """The Python value of JSON.

        Args:
            value: JSON, or a cell.
            at: where it stands, for messages.
            folder: what paths are relative to.

        Raises:
            ValueError: if it is not of this form.
        """
        if isinstance(value, Cell):
            value = self.meant(str(value))
        if not self.takes(value):
            raise ValueError(f"{at} is {shown(value)}; expected {self.expected}")
        return self.read(value, at, folder)

    def meant(self, text: str) -> Json:
        """The JSON of a cell: JSON as it stands if this form takes it, otherwise as somebody would type the value."""
        if text[:1] in ("[", "{", '"'):
            try:
                value = parse_json(text, "cell")
            except ValueError:
                return self.parse(text)
            if self.takes(value):
                return value
        return self.parse(text)

    def encode(self, value: Any, at: str, store: Store) -> Json:
        """The JSON of a Python value.

        Raises:
            ValueError: if it is not of this type.
        """
        if not self.holds(value):
            raise ValueError(f"{at} is {shown(value)}; expected {self.expected}")
        return self.write(value, at, store)


@dataclass(frozen=True)
class Scalar(Form):
    """One value without parts.

    Args:
        words: what it is.
        kind: its type in JSON schema.
        test: whether a value is one.
        convert: to the type that JSON knows.
    """

    words: str
    kind: str
    test: Callable[[Any], bool]
    convert: Callable[[Any], Json]

    @property
    def expected(self) -> str:
        return self.words

    def takes(self, value: Json) -> bool:
        return self.test(value)

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        return self.convert(value)

    def write(self, value: Any, at: str, store: Store) -> Json:
        return self.convert(value)

    def schema(self) -> dict[str, Json]:
        return {"type": self.kind}

    def parse(self, text: str) -> Json:
        return text if self.kind == "string" else super().parse(text)


def _is_number(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return False
    return -sys.float_info.max <= cast(float, value) <= sys.float_info.max


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, numbers.Integral) or float(value).is_integer())


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


NOTHING = Scalar("null", "null", lambda value: value is None, lambda value: value)
TRUTH = Scalar("true or false", "boolean", lambda value: isinstance(value, (bool, np.bool_)), bool)
INTEGER = Scalar("a whole number", "integer", _is_integer, int)
REAL = Scalar("a number", "number", _is_number, lambda v: int(v) if isinstance(v, numbers.Integral) else float(v))
TEXT = Scalar("a text", "string", _is_text, str)


@dataclass(frozen=True)
class Picture(Form):
    """A picture or mask: a path or PNG data."""

    @property
    def expected(self) -> str:
        return "the path of a picture, or data:image/png;base64,..."

    def takes(self, value: Json) -> bool:
        return isinstance(value, str) and bool(value)

    def holds(self, value: Any) -> bool:
        return isinstance(value, (str, os.PathLike, Image.Image, np.ndarray, Tensor))

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        return folder.picture(value, at)

    def write(self, value: Any, at: str, store: Store) -> Json:
        try:
            return store.keep(value)
        except ValueError as error:
            raise ValueError(f"{at}: {error}") from error

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "minLength": 1}

    def parse(self, text: str) -> Json:
        return text


@dataclass(frozen=True)
class MaskForm(Picture):
    """A mask: a picture, or an object with a box, a polygon or run lengths."""

    @property
    def expected(self) -> str:
        return f'{super().expected}, or an object with "box", "polygon", or "size" and "counts"'

    def takes(self, value: Json) -> bool:
        return isinstance(value, dict) or super().takes(value)

    def holds(self, value: Any) -> bool:
        return isinstance(value, MaskShape) or super().holds(value)

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        return shape_of(value, at) if isinstance(value, dict) else loaded_shape(super().read(value, at, folder), at)

    def write(self, value: Any, at: str, store: Store) -> Json:
        value = loaded_shape(value, at)
        return value.to_json() if isinstance(value, MaskShape) else super().write(value, at, store)

    def schema(self) -> dict[str, Json]:
        numbers, whole = {"type": "array", "items": {"type": "number"}}, {"type": "integer", "minimum": 0}
        rings = {"type": "array", "minItems": 1}
        runs = {"anyOf": [{"type": "string"}, {"type": "array", "items": whole}]}
        sides = {"type": "array", "items": whole, "minItems": 2, "maxItems": 2}
        shapes = (
            {"box": {**numbers, "minItems": 4, "maxItems": 4}},
            {"polygon": rings},
            {"size": sides, "counts": runs},
        )
        return {"anyOf": [super().schema(), *(_object(fields) for fields in shapes)]}

    def parse(self, text: str) -> Json:
        shape = shape_of_text(text)
        return text if shape is None else shape.to_json()


def _object(fields: dict[str, Json]) -> dict[str, Json]:
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}


@dataclass(frozen=True)
class Choice(Form):
    """A member of an enumeration, by its value."""

    cls: type[Enum]

    @property
    def expected(self) -> str:
        return f"one of {', '.join(member.value for member in self.cls)}"

    def takes(self, value: Json) -> bool:
        return value in [member.value for member in self.cls]

    def holds(self, value: Any) -> bool:
        return isinstance(value, self.cls)

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        return self.cls(value)

    def write(self, value: Any, at: str, store: Store) -> Json:
        return value.value

    def schema(self) -> dict[str, Json]:
        return {"enum": [member.value for member in self.cls]}

    def parse(self, text: str) -> Json:
        return text


@dataclass(frozen=True)
class Listing(Form):
    """Any number of values of one form; a tuple in Python."""

    item: Form

    @property
    def expected(self) -> str:
        return f"a list, each of it {self.item.expected}"

    def takes(self, value: Json) -> bool:
        return isinstance(value, (list, tuple))

    def holds(self, value: Any) -> bool:
        return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        return tuple(self.item.decode(v, f"{at}[{k}]", folder) for k, v in enumerate(value))

    def write(self, value: Any, at: str, store: Store) -> Json:
        return [self.item.encode(v, f"{at}[{k}]", store) for k, v in enumerate(value)]

    def schema(self) -> dict[str, Json]:
        return {"type": "array", "items": self.item.schema()}

    def parse(self, text: str) -> Json:
        return [self.item.parse(part) for part in text.split(",")] if text else []


@dataclass(frozen=True)
class Row(Form):
    """A fixed number of values, each of its form; a tuple in Python."""

    items: tuple[Form, ...]

    @property
    def expected(self) -> str:
        return f"[{', '.join(item.expected for item in self.items)}]"

    def takes(self, value: Json) -> bool:
        return isinstance(value, (list, tuple, np.ndarray)) and len(value) == len(self.items)

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        return tuple(
            item.decode(v, f"{at}[{k}]", folder) for k, (item, v) in enumerate(zip(self.items, value, strict=True))
        )

    def write(self, value: Any, at: str, store: Store) -> Json:
        return [item.encode(v, f"{at}[{k}]", store) for k, (item, v) in enumerate(zip(self.items, value, strict=True))]

    def schema(self) -> dict[str, Json]:
        length = len(self.items)
        rows = [item.schema() for item in self.items]
        return {"type": "array", "prefixItems": rows, "minItems": length, "maxItems": length}

    def parse(self, text: str) -> Json:
        parts = text.split(",")
        return [i.parse(part) for i, part in zip(self.items, parts, strict=True)] if self.takes(parts) else text


def alternatives(form: Form) -> tuple[Form, ...]:
    """The forms that a form allows: those of a union, or itself."""
    return form.forms if isinstance(form, Either) else (form,)


@dataclass(frozen=True)
class Either(Form):
    """The first of several forms that fits."""

    forms: tuple[Form, ...]

    @property
    def expected(self) -> str:
        return " or ".join(form.expected for form in self.forms)

    def takes(self, value: Json) -> bool:
        return any(form.takes(value) for form in self.forms)

    def holds(self, value: Any) -> bool:
        return any(form.holds(value) for form in self.forms)

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        return next(form for form in self.forms if form.takes(value)).read(value, at, folder)

    def write(self, value: Any, at: str, store: Store) -> Json:
        return next(form for form in self.forms if form.holds(value)).write(value, at, store)

    def schema(self) -> dict[str, Json]:
        return {"anyOf": [form.schema() for form in self.forms]}

    def parse(self, text: str) -> Json:
        parsed = [(form, form.parse(text)) for form in sorted(self.forms, key=lambda form: form is not NOTHING)]
        return next((value for form, value in parsed if form.takes(value)), text)
