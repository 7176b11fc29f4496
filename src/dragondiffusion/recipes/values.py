"""Values without parts in JSON: numbers, texts, and what names an image or a mask."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

from ..core.strict_json import Json


@dataclass(frozen=True)
class Named:
    """An image or a mask as JSON names it: a path, PNG data, or the object of a mask's shape."""

    source: Json
    is_mask: bool


@dataclass(frozen=True)
class Leaf:
    """One kind of value.

    Args:
        words: the form in words.
        test: whether JSON is of it.
        convert: JSON to the value.
        schema: its JSON schema.
    """

    words: str
    test: Callable[[Json], bool]
    convert: Callable[[Json], Any]
    schema: dict[str, Json]

    def read(self, value: Json) -> Any:
        """The value of JSON, as pydantic calls it."""
        if not self.test(value):
            raise PydanticCustomError("form", "{words}", {"words": self.words})
        return self.convert(value)


def _is_number(value: Json) -> bool:
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def _is_whole(value: Json) -> bool:
    return _is_number(value) and float(value).is_integer()


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _object(fields: dict[str, Json]) -> dict[str, Json]:
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}


_COUNT: dict[str, Json] = {"type": "integer", "minimum": 0}
_PATH: dict[str, Json] = {"type": "string", "minLength": 1}
_SHAPES = (
    _object({"box": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}}),
    _object({"polygon": {"type": "array", "minItems": 1}}),
    _object(
        {
            "size": {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2},
            "counts": {"anyOf": [{"type": "string"}, {"type": "array", "items": _COUNT}]},
        }
    ),
)
_PATH_WORDS = "the path of an image, or data:image/png;base64,..."

NULL = Leaf("null", lambda value: value is None, lambda value: value, {"type": "null"})
TRUTH = Leaf("true or false", lambda value: isinstance(value, bool), bool, {"type": "boolean"})
WHOLE = Leaf("a whole number", _is_whole, int, {"type": "integer"})
NUMBER = Leaf("a number", _is_number, lambda value: value, {"type": "number"})
TEXT = Leaf("a text", _is_text, str, {"type": "string"})
IMAGE = Leaf(
    _PATH_WORDS, lambda value: isinstance(value, str) and bool(value), lambda value: Named(value, False), _PATH
)
MASK = Leaf(
    f'{_PATH_WORDS}, or an object with "box", "polygon", or "size" and "counts"',
    lambda value: isinstance(value, dict) or (isinstance(value, str) and bool(value)),
    lambda value: Named(value, True),
    {"anyOf": [_PATH, *_SHAPES]},
)
