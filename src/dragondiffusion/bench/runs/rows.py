"""The rows that a benchmark compares."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from ...core.types import Window
from ...edits.settings import PRESETS, Geometry, Settings
from ..kinds import KINDS
from .baselines import Baseline, copy_paste, unedited_input

Rows: TypeAlias = dict[str, Settings | Baseline]
"""Settings, or a baseline without a model, by the name of the row."""

BASELINES: Rows = {"unedited input": unedited_input, "copy-paste, inpainted": copy_paste}
"""Rows that need no model."""

USUAL = ("unedited input", "copy-paste, inpainted", "latent copy", "reference", "fast", "default")
"""The rows shown where none are named, as far as they exist."""


def rows(kind: str, changes: dict[str, Any] | None = None, terms: bool = False, turned: bool | None = None) -> Rows:
    """Every row that a kind of edit knows.

    Args:
        kind: A key of `kinds.KINDS`.
        changes: Settings that differ in every row, such as the number of steps.
        terms: Also the default with each energy term, and the memory bank, switched off.
        turned: Whether objects are turned; None asks the kind. The authors' geometry knows no angle, so that preset
            `reference` is given ours.
    """
    changes, turned = changes or {}, KINDS[kind].turns if turned is None else turned
    presets = {name: Settings.preset(name, **changes) for name in PRESETS}
    if turned:
        presets["reference"] = replace(presets["reference"], geometry=Geometry.AFFINE)
    reference, default = presets["reference"], presets["default"]
    chosen: Rows = {
        **BASELINES,
        "latent copy": latent_copy(default),
        "reference without guidance": replace(reference, energy_scale=0.0),
        **{name: settings for name, settings in presets.items() if name != "default"},
        "default": default,
        "default without guidance": replace(default, energy_scale=0.0),
    }
    if terms:
        chosen |= {f"default, no {term} term": replace(default, **{f"w_{term}": 0.0}) for term in KINDS[kind].terms}
        chosen["default, no memory bank"] = replace(default, recall=False)
    return chosen


def latent_copy(default: Settings) -> Settings:
    """Settings that copy the object's latents, noise and all, to their new place and then only sample.

    No energies, no memory bank, no proxy, nothing clamped during the run. Geometry, fresh noise in the source hole and
    the composite of the finished image stay those of the default.
    """
    return replace(
        default,
        energy_scale=0.0,
        recall=False,
        clamp_rest=0.0,
        clamp_destination=0.0,
        proxy=False,
        restore_detail=False,
    )


def named(chosen: Rows, names: Sequence[str], terms: bool = False) -> Rows:
    """Some of the rows; the usual ones if no names are given.

    Args:
        chosen: Every row.
        names: Those asked for.
        terms: Without names, also the rows that switch off a part of the default.

    Raises:
        ValueError: There is no such row.
    """
    unknown = [name for name in names if name not in chosen]
    if unknown:
        raise ValueError(f"row {unknown[0]!r} is unknown; use one of {', '.join(map(repr, chosen))}")
    usual = [name for name in chosen if name in USUAL or (terms and name.startswith("default, no "))]
    return {name: chosen[name] for name in (names or usual)}


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


def text_of(row: Settings | Baseline) -> str:
    """The settings of a row as text, or the name of its baseline."""
    return repr(row) if isinstance(row, Settings) else row.__name__
