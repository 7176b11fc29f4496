"""How edits and settings stand in recipes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

from ..core.strict_json import Json
from ..edits.base import Edit
from ..edits.registry import EDITS
from ..pipeline.settings import PRESETS, Settings
from .forms import TEXT, Form
from .records import Record, check_name
from .store import Folder, Store


class EditForm(Form):
    """An edit: an object with its name under "edit", and its fields."""

    @property
    def expected(self) -> str:
        return f'an object with the name of an edit under "edit" ({", ".join(EDITS)}) and its fields'

    def takes(self, value: Json) -> bool:
        return isinstance(value, dict) and isinstance(value.get("edit"), str)

    def holds(self, value: Any) -> bool:
        return isinstance(value, Edit)

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        check_name(value["edit"], tuple(EDITS), f"{at}.edit")
        given = {name: v for name, v in value.items() if name != "edit"}
        return Record.of(edit_class(value["edit"])).read(given, at, folder)

    def write(self, value: Any, at: str, store: Store) -> Json:
        names = [name for name in EDITS if edit_class(name) is type(value)]
        if not names:
            raise ValueError(f"{at} is a {type(value).__name__}, which has no name; add it to EDITS in registry.py")
        return {"edit": names[0], **Record.of(type(value)).write(value, at, store)}

    def schema(self) -> dict[str, Json]:
        return {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in EDITS]}

    @staticmethod
    def definitions() -> dict[str, Json]:
        """JSON schemas of all edits by name."""
        found: dict[str, Json] = {}
        for name in EDITS:
            schema = Record.of(edit_class(name)).schema()
            schema["properties"] = {"edit": {"const": name}, **schema["properties"]}
            found[name] = {**schema, "required": ["edit", *schema["required"]]}
        return found


@dataclass(frozen=True)
class SettingsForm(Form):
    """Settings: the name of a preset, and what differs from it."""

    record: Record

    @property
    def expected(self) -> str:
        return "an object with a preset and the settings that differ from it"

    def takes(self, value: Json) -> bool:
        return isinstance(value, dict)

    def holds(self, value: Any) -> bool:
        return isinstance(value, Settings)

    def read(self, value: Json, at: str, folder: Folder) -> Any:
        preset = TEXT.decode(value.get("preset", "default"), f"{at}.preset", folder)
        changes = self.record.fields({name: v for name, v in value.items() if name != "preset"}, at, folder)
        try:
            return Settings.preset(preset, **changes)
        except ValueError as error:
            raise ValueError(f"{at}: {error}") from error

    def write(self, value: Any, at: str, store: Store) -> Json:
        nearest, changes = nearest_preset(value)
        forms = self.record.forms
        written = {name: forms[name].encode(getattr(value, name), f"{at}.{name}", store) for name in changes}
        return {"preset": nearest, **written}

    def schema(self) -> dict[str, Json]:
        schema = self.record.schema()
        preset = {
            "description": "settings that fields left out are taken from",
            "enum": [*PRESETS],
            "default": "default",
        }
        properties = {name: _without_default(field) for name, field in schema["properties"].items()}
        return {**schema, "properties": {"preset": preset, **properties}}


def edit_class(name: str) -> type[Edit]:
    """The class of an edit in the registry."""
    module, cls = EDITS[name]
    return getattr(import_module(f"..edits.{module}", __package__), cls)


def nearest_preset(settings: Settings) -> tuple[str, list[str]]:
    """The preset that settings differ least from, and the fields in which they do."""
    nearest = min(PRESETS, key=lambda name: len(_differences(settings, PRESETS[name])))
    return nearest, _differences(settings, PRESETS[nearest])


def _differences(one: Settings, other: Settings) -> list[str]:
    return [f.name for f in fields(Settings) if getattr(one, f.name) != getattr(other, f.name)]


def _without_default(field: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in field.items() if name != "default"}
