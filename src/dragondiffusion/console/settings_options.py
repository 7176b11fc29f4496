"""Options of the command line that choose settings: a preset, its number of steps, and any field of `Settings`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from .command import Command

if TYPE_CHECKING:
    from ..edits.settings import Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class WithSettings(Command):
    """What the commands share that take settings."""

    seed: int = 42
    """Seed of all noise."""
    steps: int | None = None
    """Steps of inversion and sampling; None is the preset's number."""
    preset: str = "default"
    """Settings: default, fast, or reference for those of the authors' code."""
    changes: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="set", metavar="NAME=VALUE")] = ()
    """Any field of Settings; a window is START:STOP[:EVERY], several of them are separated by commas."""

    def settings(self) -> Settings:
        """Settings of the preset with the changes asked for."""
        return chosen_settings(self.preset, self.steps, self.changes)


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
    from ..recipes.cells import Cell
    from ..recipes.records import FieldForms, check_name
    from ..recipes.store import Folder

    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set {text} gives no value; write NAME=VALUE")
    forms = FieldForms.of(Settings).forms
    check_name(name, tuple(forms), "--set")
    try:
        return name, forms[name].decode(Cell(value), name, Folder(Path()))
    except ValueError as error:
        raise ValueError(f"--set {text}: {error} (a window is START:STOP[:EVERY])") from error
