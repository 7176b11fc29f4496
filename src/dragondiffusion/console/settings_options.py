"""Options of the command line that say which settings an edit is made with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..edits.settings import Settings


def chosen_settings(preset: str, steps: int | None, texts: Sequence[str]) -> Settings:
    """Settings of a preset with changes.

    Args:
        preset: its name.
        steps: how many; None is the preset's number.
        texts: further changes, each NAME=VALUE.

    Raises:
        ValueError: if there is no such preset or setting, or one is given twice.
    """
    from ..edits.settings import Settings

    changes = {} if steps is None else {"steps": steps}
    for text in texts:
        name, value = setting(text)
        if name in changes:
            raise ValueError(f"--set {text}: {name} is given twice; give it once")
        changes[name] = value
    return Settings.preset(preset, **changes)


def setting(text: str) -> tuple[str, Any]:
    """Name and value of a setting.

    Args:
        text: NAME=VALUE.

    Raises:
        ValueError: if there is no such setting or it has no such value.
    """
    from ..edits.settings import Settings
    from ..recipes.pictures import Folder
    from ..recipes.records import Record, check_name

    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set {text} gives no value; write NAME=VALUE")
    forms = Record.of(Settings).forms
    check_name(name, tuple(forms), "--set")
    try:
        return name, forms[name].decode(forms[name].parse(value), name, Folder(Path()))
    except ValueError as error:
        raise ValueError(f"--set {text}: {error} (a window is START:STOP[:EVERY])") from error
