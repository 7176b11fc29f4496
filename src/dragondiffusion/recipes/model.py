"""Pydantic models of dataclasses, made from their type hints and docstrings: which JSON they take, and its schema.

A model checks JSON and touches no file; `built` then makes the dataclass, opening the images that JSON names.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, create_model
from pydantic import model_validator as validator_of_models
from pydantic_core import PydanticCustomError

from ..core.bounds import Length, Range, declared, unwrapped
from ..core.docstrings import class_arguments, opening
from ..core.strict_json import Json
from ..edits.base import Edit
from ..edits.registry import EDITS
from ..edits.settings import PRESETS, Settings
from ..imaging.files import ImageLike
from ..imaging.masks import MaskLike, loaded_shape
from ..imaging.shapes import shape_of
from .cells import Cell, typed
from .hints import alternatives, edit_class
from .migration import current_choice, current_settings
from .store import Folder
from .values import IMAGE, MASK, NULL, NUMBER, TEXT, TRUTH, WHOLE, Leaf, Named
from .writing import written


class Checked(BaseModel):
    """JSON of a dataclass: an object with its fields, those with a default optional."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), arbitrary_types_allowed=True)

    make: ClassVar[Callable[..., Any]]
    """What the fields given are passed to."""
    expected: ClassVar[str]
    """The form in words."""
    current: ClassVar[Callable[[dict[str, Json]], dict[str, Json]] | None] = None
    """JSON of earlier releases as this one writes it."""

    @validator_of_models(mode="before")
    @classmethod
    def _known(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise PydanticCustomError("form", "{words}", {"words": cls.expected})
        try:
            data = cls.current(data) if cls.current is not None else data
        except ValueError as error:
            raise PydanticCustomError("meaning", "{text}", {"text": str(error)}) from error
        for name in data:
            if name not in cls.model_fields:
                known = [field for field in cls.model_fields if field != "edit"]
                raise PydanticCustomError("name", "unknown", {"name": name, "known": known})
        return data

    def build(self, at: str, folder: Folder) -> Any:
        """The dataclass.

        Raises:
            ValueError: if it refuses its fields, or an image cannot be opened.
        """
        given = {
            name: built(getattr(self, name), f"{at}.{name}" if at else name, folder)
            for name in type(self).model_fields
            if name in self.model_fields_set and name != "edit"
        }
        try:
            return type(self).make(**given)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{at}: {error}" if at else str(error)) from error


def built(value: Any, at: str, folder: Folder) -> Any:
    """A value that a model has checked, its dataclasses made and its images opened.

    Args:
        value: what the model holds.
        at: where it stands, for messages.
        folder: what paths are relative to.
    """
    if isinstance(value, Checked):
        return value.build(at, folder)
    if isinstance(value, tuple):
        return tuple(built(one, f"{at}[{k}]", folder) for k, one in enumerate(cast("tuple[Any, ...]", value)))
    if not isinstance(value, Named):
        return value
    if isinstance(value.source, dict):
        return shape_of(value.source, at)
    found = folder.picture(value.source, at)
    return loaded_shape(found, at) if value.is_mask else found


def adapted(hint: Any) -> Any:
    """The pydantic type of a type hint.

    Raises:
        TypeError: if there is none.
    """
    parts = alternatives(hint)
    if len(parts) > 1:
        return Annotated[typing.Union[tuple(map(_single, parts))], Field(union_mode="left_to_right")]  # noqa: UP007
    return _single(next(iter(parts)))


def words_of(hint: Any) -> str:
    """The form of a type hint in words."""
    parts = alternatives(hint)
    return " or ".join(map(_words, sorted(parts, key=lambda part: part is types.NoneType)))


LEAVES: dict[Any, Leaf] = {
    types.NoneType: NULL,
    bool: TRUTH,
    int: WHOLE,
    float: NUMBER,
    str: TEXT,
    ImageLike: IMAGE,
    MaskLike: MASK,
}


@dataclasses.dataclass(frozen=True, eq=False)
class _Stated:
    """Adds to a JSON schema what is stated of a field's values; the dataclass itself checks them.

    Args:
        more: keywords of JSON schema.
    """

    more: dict[str, Json]

    def __get_pydantic_json_schema__(self, schema: Any, handler: Callable[[Any], dict[str, Json]]) -> dict[str, Json]:
        return {**handler(schema), **self.more}


def _keywords(stated: Any, hint: Any) -> dict[str, Json]:
    """What is stated of a field's values, as keywords of JSON schema."""
    if isinstance(stated, Range):
        ends = (stated.least, stated.most)
        return dict(zip(("minimum", "maximum"), map(int, ends) if hint is int else ends, strict=True))
    if isinstance(stated, Length):
        kind = "Length" if hint is str else "Items"
        return {f"min{kind}": stated.least, f"max{kind}": stated.most}
    return {}


def _single(hint: Any) -> Any:
    """The pydantic type of a hint that is no union."""
    hint, stated = unwrapped(hint)
    kind = _bare(hint)
    more = {name: value for one in stated for name, value in _keywords(one, hint).items()}
    if not more:
        return kind
    return Annotated[kind, _Stated(more), BeforeValidator(functools.partial(_short_enough, stated=stated))]


def _short_enough(value: Any, stated: tuple[Any, ...]) -> Any:
    """Refuses a list that is too long before each of its items is looked at."""
    for one in stated:
        problem = one.problem(value) if isinstance(one, Length) and isinstance(value, (list, str)) else ""
        if problem:
            raise PydanticCustomError("length", "{text}", {"text": problem})
    return cast(Any, value)


def _bare(hint: Any) -> Any:
    """The pydantic type of a hint of which nothing more is stated."""
    if hint in LEAVES or _is_enum(hint):
        leaf = LEAVES[hint] if hint in LEAVES else _choice(hint)
        kind: Any = Annotated[Any, PlainValidator(leaf.read), WithJsonSchema(leaf.schema)]
    elif hint is Edit:
        kind = _edits()
    elif typing.get_origin(hint) is not None:
        item, length = _items(hint)
        items: Any = tuple[item, ...] if length is None else tuple[tuple(map(adapted, typing.get_args(hint)))]
        kind = Annotated[items, BeforeValidator(functools.partial(_listed, words=_words(hint), length=length))]
    elif dataclasses.is_dataclass(hint):
        kind = model_of(cast(type, hint))
    else:
        raise TypeError(f"{hint} has no form in JSON; use the types of dragondiffusion.core.types, or add it to LEAVES")
    return Annotated[kind, BeforeValidator(lambda value: typed(value, hint) if isinstance(value, Cell) else value)]


def _words(hint: Any) -> str:
    hint, _ = unwrapped(hint)
    if hint in LEAVES:
        return LEAVES[hint].words
    if _is_enum(hint):
        return _choice(hint).words
    if typing.get_origin(hint) is None:
        return "an object"
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is tuple and parts[-1] is not ...:
        return f"[{', '.join(map(words_of, parts))}]"
    return f"a list, each of it {words_of(parts[0])}"


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _items(hint: Any) -> tuple[Any, int | None]:
    """The pydantic type of a list's items, and its length if that is fixed."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and parts[-1] is not ...:
        return None, len(parts)
    if origin not in (tuple, list, Sequence):
        raise TypeError(f"{hint} has no form in JSON; use the types of dragondiffusion.core.types, or add it to LEAVES")
    return adapted(parts[0]), None


def _listed(value: Any, words: str, length: int | None) -> Any:
    if not isinstance(value, (list, tuple)) or length not in (None, len(cast("list[Any]", value))):
        raise PydanticCustomError("form", "{words}", {"words": words})
    return value


def _choice(kind: type[Enum]) -> Leaf:
    names = [member.value for member in kind]
    words = f"one of {', '.join(names)}"
    return Leaf(
        words, lambda v: current_choice(v, names) in names, lambda v: kind(current_choice(v, names)), {"enum": names}
    )


@functools.cache
def model_of(kind: type, edit: str | None = None) -> type[Checked]:
    """The model of a dataclass.

    Args:
        kind: the dataclass.
        edit: for an edit, its name, which its JSON holds under "edit".
    """
    hints, texts = declared(kind), class_arguments(kind)
    fields: dict[str, Any] = {} if edit is None else {"edit": (Literal[edit], Field())}
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        about: dict[str, Any] = {"description": texts.get(field.name, "")}
        if field.default is not dataclasses.MISSING and kind is not Settings:  # whose presets differ
            about["json_schema_extra"] = {"default": written(field.default, hint)}
        if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING:
            about["default_factory"] = lambda: None
        fields[field.name] = (adapted(hint), Field(**about))
    words = f"an object with the fields {', '.join(name for name in fields if name != 'edit')}"
    make: Callable[..., Any] = kind
    if kind is Settings:
        leaf = WithJsonSchema({"type": "string", "enum": [*PRESETS], "default": "default"})
        preset = Field(default_factory=lambda: "default", description="settings that fields left out are taken from")
        fields = {"preset": (Annotated[Any, PlainValidator(TEXT.read), leaf], preset), **fields}
        words, make = "an object with a preset and the settings that differ from it", _settings
    model = create_model(edit or kind.__name__, __base__=Checked, __doc__=opening(kind.__doc__), **fields)
    model.make, model.expected = staticmethod(make), words
    model.current = staticmethod(functools.partial(current_settings, hints=hints)) if kind is Settings else None
    return model


def _settings(preset: str = "default", **changes: Any) -> Settings:
    return Settings.preset(preset, **changes)


@functools.cache
def _edits() -> Any:
    """Any edit, told by its name."""
    models = tuple(model_of(edit_class(name), name) for name in EDITS)
    return Annotated[typing.Union[models], Field(discriminator="edit")]  # noqa: UP007  # made at run time
