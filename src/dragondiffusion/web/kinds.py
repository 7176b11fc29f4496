"""The kinds of edits as clients see them, made from the registry and the dataclasses of the edits.

A mask belongs to the image field before it in its dataclass; before any image field, to the edited image.
"""

import types
import typing
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from enum import Enum
from importlib import import_module
from typing import Any, cast

from PIL import Image

from ..core.docstrings import arguments, opening
from ..edits.base import Edit
from ..edits.registry import EDITS
from ..imaging.shapes import MaskShape
from .answers import Control, EditKind, FieldFacts

PLAIN: dict[frozenset[Any], Control] = {
    frozenset({bool}): "switch",
    frozenset({int}): "integer",
    frozenset({float}): "number",
    frozenset({int, float}): "number",
    frozenset({str}): "text",
}
"""Controls of fields without parts, by the types that they take."""


def edit_class(name: str) -> type[Edit]:
    """The class of an edit in the registry."""
    module, cls = EDITS[name]
    return getattr(import_module(f"..edits.{module}", __package__), cls)


def name_of(edit: Edit) -> str:
    """The name of an edit in the registry."""
    return next(name for name, (_, cls) in EDITS.items() if cls == type(edit).__name__)


def edit_kinds() -> list[EditKind]:
    """All kinds of edits in the order of the registry."""
    return [edit_kind(name) for name in EDITS]


def edit_kind(name: str) -> EditKind:
    """One kind of edit: its title, its help, its fields."""
    cls = edit_class(name)
    text = " ".join(opening(cls.__doc__).split("\n\n")[0].split())
    return EditKind(name=name, title=_title(name), help=text, fields=list(field_facts(cls)))


def field_facts(cls: type[Edit]) -> Iterator[FieldFacts]:
    """The fields of an edit, each with the control that sets it."""
    hints, texts = typing.get_type_hints(cls), arguments(cls.__doc__)
    image = None
    for field in fields(cast(Any, cls)):
        accepted = _accepted(hints[field.name])
        control = _control(accepted)
        if control == "image":
            image = field.name
        default = _default(field)
        yield FieldFacts(
            name=field.name,
            title=_title(field.name),
            help=texts.get(field.name, ""),
            control=control,
            required=default is MISSING,
            default=None if default is MISSING else _json(default),
            options=[str(member.value) for kind in accepted if _is_enum(kind) for member in kind],
            of=image if control == "mask" else None,
        )


def image_names(cls: type[Edit]) -> list[str]:
    """The fields of an edit that are images."""
    return [field.name for field in field_facts(cls) if field.control == "image"]


def mask_images(cls: type[Edit]) -> dict[str, str | None]:
    """The fields of an edit that are masks, and the image field that each belongs to; None is the edited image."""
    return {field.name: field.of for field in field_facts(cls) if field.control == "mask"}


def _accepted(hint: Any) -> frozenset[Any]:
    """The types that a field takes, None aside."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return frozenset(typing.get_args(hint) if is_union else (hint,)) - {types.NoneType}


def _control(accepted: frozenset[Any]) -> Control:
    if MaskShape in accepted:
        return "mask"
    if Image.Image in accepted:
        return "image"
    if len(accepted) == 1 and all(map(_is_enum, accepted)):
        return "choice"
    return PLAIN.get(accepted, "json")


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _default(field: "Field[Any]") -> Any:
    """The default of a field; MISSING if it has none."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def _json(value: Any) -> Any:
    """A default as JSON; None for values that JSON does not know."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [_json(part) for part in cast("tuple[Any, ...]", value)]
    return value if isinstance(value, (bool, int, float, str)) else None


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
