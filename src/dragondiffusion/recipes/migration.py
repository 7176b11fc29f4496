"""Recipes of earlier releases: names and values that have changed, as they are called now."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from ..core.strict_json import Json, shown
from ..core.types import Window

RENAMED = {
    "hold_rest": "clamp_rest",
    "hold_destination": "clamp_destination",
    "hold_vacated": "clamp_hole",
    "hold_margin": "clamp_margin",
    "carried_start": "transported_start",
    "draft": "proxy",
}
"""Settings by their earlier names."""

SHARES = ("clamp_rest", "clamp_destination")
"""Settings that were windows and are shares of the steps."""

ALIASES = {"centred": "reference", "reference": "centred"}
"""Values of choices by the name that they have in other releases."""


def current_settings(data: Mapping[str, Json], hints: Mapping[str, Any]) -> dict[str, Json]:
    """JSON of settings with the names and values of this release.

    Args:
        data: as it was written.
        hints: types of the settings by name.

    Raises:
        ValueError: if a setting is given under two names, or a window is no share of the steps.
    """
    found: dict[str, Json] = {}
    for name, value in data.items():
        new = RENAMED.get(name, name) if name not in hints else name
        if new != name and new in data:
            raise ValueError(f"{name} is the earlier name of {new}, and both are given; leave out {name}")
        found[new] = _share(name, value) if new in SHARES and _wants_share(hints.get(new)) else value
    return found


def current_choice(value: Json, names: Sequence[str]) -> Json:
    """The value of a choice by the name that this release has for it."""
    other = ALIASES.get(value) if isinstance(value, str) else None
    return other if value not in names and other in names else value


def _wants_share(hint: Any) -> bool:
    return hint is not None and hint is not Window and Window not in get_args(hint)


def _share(name: str, value: Json) -> Json:
    """The share of the steps up to which a window reaches; other JSON as it is."""
    if not isinstance(value, dict) or not value.keys() >= {"start", "stop"}:
        return value
    if value["start"] != 0 or value.get("every", 1) != 1:
        raise ValueError(
            f"{name} is {shown(value)}, and only windows from 0 on with every=1 can be kept; "
            "give the share of the steps up to which it is clamped, a number from 0 to 1"
        )
    return value["stop"]
