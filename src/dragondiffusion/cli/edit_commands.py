"""The command of an edit, made from its dataclass: its fields become options, its docstring their help.

The list of all commands reads one docstring of each edit without importing it, so that it need not wait for torch; the
command of an edit imports that edit.
"""

from __future__ import annotations

import ast
import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union, cast, get_type_hints

import tyro

from ..console.model_options import WithModel
from ..console.settings_options import WithSettings
from ..core.docstrings import class_arguments, opening
from ..edits.registry import EDITS
from .recipe_commands import Out

if TYPE_CHECKING:
    from ..edits import Edit

MASK_OPTION = Annotated[str, tyro.conf.arg(metavar="FILE|box:X0,Y0,X1,Y1|polygon:X,Y,...")]

MAX_POINTS_BYTES = 2**20
"""Largest file of points that is read, bytes. Source: chosen, thousands of points."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EditCommand(WithSettings, WithModel):
    """What the commands of edits share."""

    NAME: ClassVar[str]
    """The edit in the registry."""
    FIELDS: ClassVar[Mapping[str, str]]
    """Fields of the edit by option."""

    photo: tyro.conf.Positional[Path]
    """The image to edit."""
    out: Out
    """Where the edited image goes; the suffix says the format."""
    prompt: str = ""
    """What the image shows; may stay empty."""
    negative_prompt: str = ""
    """What it should not show; counts at guidance scales other than 1."""
    recipe: Path | None = None
    """Where the recipe goes as JSON, for `dragondiffusion run`."""
    without_recipe: tyro.conf.FlagCreatePairsOff[bool] = False
    """A PNG does not carry its recipe and the images it was made from."""
    tries: int = 1
    """How many seeds are tried; the result that judges itself best is kept."""

    def run(self) -> None:
        from ..console.terminal import check_recipe, edit_picture
        from ..recipes import Recipe

        if self.tries < 1:
            raise ValueError(f"--tries {self.tries} must be at least 1")
        recipe = Recipe(
            image=self.photo,
            edits=(self.edit(),),
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            seed=self.seed,
            settings=self.settings(),
            model=self.model,
            loras=self.lora,
            prediction=self.predicts(),
        )
        if self.recipe is not None:
            check_recipe(self.recipe)
        recipe = edit_picture(recipe, self.out, self.without_recipe, self.tries, self.loading())
        if self.recipe is not None:
            print(f"wrote {recipe.save(self.recipe)}")

    def edit(self) -> Edit:
        """The edit that the options describe.

        Raises:
            ValueError: if the edit refuses them, or a file of points holds something else.
        """
        from ..recipes import edit_class
        from ..recipes.hints import takes_images, takes_masks

        cls = edit_class(self.NAME)
        hints = get_type_hints(cls)
        values: dict[str, Any] = {}
        for option, field in self.FIELDS.items():
            value = getattr(self, option)
            if isinstance(value, str) and takes_masks(hints[field]):
                value = mask_of_text(value, field)
            elif isinstance(value, Path) and not takes_images(hints[field]):
                value = points_of_file(value, field, hints[field])
            values[field] = value
        return cls(**values)


def edit_command(name: str) -> type[EditCommand]:
    """The command of an edit, made from its dataclass.

    A field that is called as an option of all commands becomes an option with the edit's name before it.

    Raises:
        TypeError: if a field is of a type that has no form on the command line.
    """
    from ..recipes import edit_class

    edit = edit_class(name)
    hints, texts, taken = get_type_hints(edit), class_arguments(edit), _fields_of(EditCommand)
    options: list[tuple[str, Any, Any]] = []
    fields: dict[str, str] = {}
    for field in dataclasses.fields(cast(Any, edit)):
        option = f"{name}_{field.name}" if field.name in taken else field.name
        fields[option] = field.name
        try:
            kind = option_type(hints[field.name])
        except TypeError as error:
            raise TypeError(f"field {field.name}: {error}") from error
        default = (
            dataclasses.field() if field.default is dataclasses.MISSING else dataclasses.field(default=field.default)
        )
        options.append((option, Annotated[kind, tyro.conf.arg(help=texts.get(field.name, ""))], default))
    return _command(edit.__name__, opening(edit.__doc__), options, {"NAME": name, "FIELDS": fields})


def listed_command(name: str) -> type[EditCommand]:
    """The command of an edit as the list of commands shows it; its docstring is read without importing the edit."""
    module, edit = EDITS[name]
    source = (Path(__file__).parents[1] / "edits" / f"{module}.py").read_text(encoding="utf-8")
    body = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == edit)
    return _command(edit, opening(ast.get_docstring(body)), [], {"NAME": name, "FIELDS": {}})


def _fields_of(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def _command(name: str, doc: str, options: Sequence[Any], namespace: dict[str, Any]) -> type[EditCommand]:
    command = dataclasses.make_dataclass(
        name, options, bases=(EditCommand,), frozen=True, kw_only=True, namespace=namespace
    )
    command.__doc__ = doc
    return cast("type[EditCommand]", command)


def option_type(hint: Any) -> Any:
    """The type on the command line of an edit's field; a path in place of points is that of a JSON file with them.

    Raises:
        TypeError: if there is none.
    """
    from ..imaging.files import ImageLike
    from ..imaging.masks import MaskLike
    from ..recipes.hints import alternatives

    parts = alternatives(hint)
    if len(parts) > 1:
        return Union[tuple(option_type(part) for part in parts)]  # noqa: UP007  # made at run time
    hint = next(iter(parts))
    if hint in (MaskLike, ImageLike):
        return MASK_OPTION if hint is MaskLike else Path
    if hint in (str, bool, int, float, types.NoneType) or (isinstance(hint, type) and issubclass(hint, Enum)):
        return hint
    origin, items = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and items[-1] is not ...:
        return tuple[tuple(option_type(item) for item in items)]
    if origin in (tuple, list, Sequence):
        return tuple[option_type(items[0]), ...] | Path
    raise TypeError(f"{hint} has no form on the command line; use the types of dragondiffusion.core.types")


def mask_of_text(text: str, name: str) -> Any:
    """The mask that an option means: a box, a polygon, or a path.

    Raises:
        ValueError: if it is a box or polygon with wrong numbers.
    """
    from ..imaging.shapes import shape_of_text

    shape = shape_of_text(text, f"--{name.replace('_', '-')}")
    return Path(text) if shape is None else shape


def points_of_file(path: Path, name: str, hint: Any) -> Any:
    """The points of a JSON file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds something else.
    """
    from ..core.strict_json import read_json
    from ..recipes.records import Form
    from ..recipes.store import Folder

    points = read_json(path, MAX_POINTS_BYTES, f"{name} {path}")
    return Form(hint).decode(points, f"{name} {path}", Folder(Path()))
