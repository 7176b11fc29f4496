"""JSON as the standard has it: no NaN, no field twice, no more of it than announced."""

import json
import math
import re
from pathlib import Path
from typing import Any, TypeAlias

from .messages import is_file

Json: TypeAlias = Any
"""What JSON can hold: None, bool, int, float, str, lists of such, dicts of such by text."""

HALF = re.compile("[\ud800-\udfff]")
LINE = 100
"""Characters of a line up to which a list or an object is written on it."""


def parse_json(text: str, name: str) -> Json:
    """The value of a JSON text.

    Args:
        text: what to parse.
        name: what it is called in messages.

    Raises:
        ValueError: if it is not JSON; Python's `NaN` and `Infinity` are not.
    """
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_no_number, object_pairs_hook=_fields)
    except RecursionError as error:
        raise ValueError(f"{name} is nested too deeply; correct it") from error
    except ValueError as error:
        raise ValueError(f"{name} is not valid JSON ({error}); correct it") from error


def read_json(path: Path, max_bytes: int, name: str) -> Json:
    """The value of a JSON file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is too large, or not JSON.
    """
    if not is_file(path, name):
        raise FileNotFoundError(f"{name} does not exist; check the path")
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"{name} has more than {max_bytes} bytes; keep images in files of their own")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not a text in UTF-8; give a JSON file") from error
    return parse_json(text, name)


def write_json(value: Json) -> str:
    """The JSON text of a value, for people to read: what fits stands on one line.

    Raises:
        ValueError: if it holds NaN or infinity.
    """
    return _laid_out(value, 0, broken=True) + "\n"


def json_line(value: Json, sort_keys: bool = False) -> str:
    """The JSON text of a value on one line.

    Names of files may hold bytes that are no UTF-8, which Python has as halves of surrogate pairs; they are escaped, so
    that the text can be written and reads as it was.

    Raises:
        ValueError: if it holds NaN or infinity.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys)
    return HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def shown(value: Json, length: int = 60) -> str:
    """A value as it is shown in a message, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=lambda other: type(other).__name__)
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _laid_out(value: Json, indent: int, broken: bool = False) -> str:
    line = json_line(value)
    if not value or not isinstance(value, (dict, list)) or (not broken and indent + len(line) <= LINE):
        return line
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _laid_out(v, indent + 2) for v in value) + f"\n{outer}]"
    fields = (f"{inner}{json_line(k)}: {_laid_out(v, indent + 2)}" for k, v in value.items())
    return "{\n" + ",\n".join(fields) + f"\n{outer}}}"


def _finite(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise ValueError(f"the number {literal} is too large")
    return value


def _no_number(literal: str) -> float:
    raise ValueError(f"{literal} is not a number of JSON")


def _fields(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"field {next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return fields
