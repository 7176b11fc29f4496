"""What is compared: the rows of a benchmark's table and the settings behind them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from ..settings import Geometry, Settings
from ..types import Window

Rows: TypeAlias = dict[str, Settings | None]
"""Settings by the name of the row; None leaves the picture alone."""

TERMS: dict[str, tuple[str, ...]] = {
    "move": ("edit", "content", "contrast", "inpaint"),
    "resize": ("edit", "content", "contrast", "inpaint"),
    "rotate": ("edit", "content", "contrast", "inpaint"),
    "paste": ("edit", "content"),
    "appearance": ("edit", "content"),
    "drag": ("edit", "content", "inpaint"),
    "landmarks": ("edit",),
    "remove": ("content", "contrast", "inpaint"),
}
"""The energy terms of a kind of edit, by the names of their weights. Source: docs/method.md, section 4."""


def rows(kind: str, changes: dict[str, Any] | None = None, terms: bool = False, turned: bool = False) -> Rows:
    """The rows of a kind of edit.

    Args:
        kind: A key of `tasks.TASKS`.
        changes: Settings that differ in every row, such as the number of steps.
        terms: Also the default with each energy term, and the memory bank, switched off.
        turned: Objects are turned. The authors' geometry knows no angle; preset `reference` is given ours, and the name
            of its row says so.
    """
    changes = changes or {}
    reference, default = (Settings.preset(name, **changes) for name in ("reference", "default"))
    name = "reference"
    if turned:
        reference, name = replace(reference, geometry=Geometry.AFFINE), "reference, our geometry"
    chosen: Rows = {
        "left alone": None,
        f"{name} without guidance": replace(reference, energy_scale=0.0),
        name: reference,
        "default": default,
        "default without guidance": replace(default, energy_scale=0.0),
    }
    if terms:
        chosen |= {f"default, no {term} term": replace(default, **{f"w_{term}": 0.0}) for term in TERMS[kind]}
        chosen["default, no memory bank"] = replace(default, recall=False)
    return chosen


def named(chosen: Rows, names: Sequence[str]) -> Rows:
    """Some of the rows; all if no names are given.

    Raises:
        ValueError: There is no such row.
    """
    unknown = [name for name in names if name not in chosen]
    if unknown:
        raise ValueError(f"row {unknown[0]!r} is unknown; use one of {', '.join(map(repr, chosen))}")
    return {name: chosen[name] for name in names} if names else chosen


def varied(text: str, changes: dict[str, Any] | None = None) -> Settings:
    """The default settings with changes written as `name=value name=value`; a window is `start:stop[:every]`.

    Raises:
        ValueError: A change cannot be read, or no setting is called so.
    """
    found: dict[str, Any] = dict(changes or {})
    for part in text.split():
        name, separator, value = part.partition("=")
        if not separator:
            raise ValueError(f"change {part!r} of {text!r} has no value; write name=value")
        found[name] = _value(name, value)
    return Settings.preset("default", **found)


def _value(name: str, text: str) -> Any:
    if ":" in text:
        start, stop, *every = text.split(":")
        window = Window(float(start), float(stop), *(int(n) for n in every))
        return (window,) if name == "guidance" else window
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{name}={text} is no value; use a number, True, False, None, or start:stop") from error
