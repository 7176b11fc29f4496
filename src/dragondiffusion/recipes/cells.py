"""Text that stands in for JSON, as in the cells of a table or behind --set; the field's type says what it means."""

import dataclasses
import types
import typing
from enum import Enum
from typing import Any, cast

from ..core.strict_json import Json, parse_json
from ..imaging.files import ImageLike
from ..imaging.masks import MaskLike
from ..imaging.shapes import shape_of_text


class Cell(str):
    """Text that stands in for JSON of any kind."""

    __slots__ = ()


def typed(cell: Cell, hint: Any) -> Json:
    """The JSON that a cell means as a value of a type, not a union; the text itself if it makes no sense.

    Lists are separated by commas, the fields of a dataclass by colons; both may also be written as JSON.
    """
    text = str(cell)
    if text[:1] in ("[", "{", '"'):
        try:
            return parse_json(text, "cell")
        except ValueError:
            pass
    if hint is MaskLike:
        shape = shape_of_text(text)
        return text if shape is None else shape.to_json()
    if hint in (str, ImageLike) or (isinstance(hint, type) and issubclass(hint, Enum)):
        return text
    if typing.get_origin(hint) is not None:
        parts = text.split(",") if text or _is_fixed(hint) else []
        return (
            [Cell(part) for part in parts] if not _is_fixed(hint) or len(parts) == len(typing.get_args(hint)) else text
        )
    if dataclasses.is_dataclass(hint):
        names, parts = [field.name for field in dataclasses.fields(hint)], text.split(":")
        return (
            {name: Cell(part) for name, part in zip(names, parts, strict=False)} if len(parts) <= len(names) else text
        )
    return _word(text, cast(type, hint))


def _is_fixed(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple and typing.get_args(hint)[-1] is not ...


def _word(text: str, kind: type) -> Json:
    """A number, true, false or none."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for number in (int, float) if kind is not types.NoneType else ():
        try:
            return number(text)
        except ValueError:
            continue
    return text
