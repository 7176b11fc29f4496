"""A recipe for use elsewhere: as JSON with its images in it, as Python, as a command, as a folder of files."""

import io
import re
import shlex
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, cast

from ..core.strict_json import write_json
from ..core.types import Window
from ..edits.base import Edit
from ..edits.settings import Settings
from ..imaging.shapes import BoxMask, MaskShape, PolygonMask
from ..recipes import Recipe, nearest_preset
from ..recipes.store import Beside, Embedded
from .kinds import mask_images, name_of
from .sessions import Session

ROOM = 64 * 2**20
"""Bytes of images that a recipe's JSON carries."""
RECIPE = "recipe.json"
RESULT = "edited.png"


@dataclass(frozen=True)
class Files:
    """The names that files of a session have elsewhere.

    Args:
        names: by the files' names in the session.
    """

    names: Mapping[str, str]

    @staticmethod
    def of(recipe: Recipe, session: Session) -> "Files":
        """Titles where they are plain file names, masks numbered."""
        names: dict[str, str] = {}
        for path, is_mask in _named_files(recipe):
            if path.name in names:
                continue
            if is_mask:
                title = f"mask-{1 + sum(name.startswith('mask-') for name in names.values())}{path.suffix}"
            else:
                stem = re.sub(r"[^\w.-]+", "-", Path(session.title(path.name)).stem).strip("-.")[:100] or "picture"
                title = f"{stem}{path.suffix}"
            taken = sum(name == title for name in names.values())
            names[path.name] = f"{Path(title).stem}-{len(names)}{path.suffix}" if taken else title
        return Files(names)

    def call(self, path: Path) -> str:
        """The name of a file elsewhere."""
        return self.names[path.name]


class _Called(Beside):
    """A store of images under the names that they have elsewhere."""

    def __init__(self, files: Files) -> None:
        super().__init__(Path())
        self._files = files

    def keep(self, source: Any) -> str:
        return self._files.call(Path(source))

    __hash__ = object.__hash__


def recipe_json(recipe: Recipe, session: Session) -> str:
    """The recipe with its images in it, as far as there is room."""
    return write_json(recipe.written(Embedded(session.pictures, ROOM)))


def recipe_with_files(recipe: Recipe, files: Files) -> str:
    """The recipe that names its files."""
    return write_json(recipe.written(_Called(files)))


def python_code(recipe: Recipe, files: Files, model: str | None) -> str:
    """A Python program that makes the same edit.

    Args:
        recipe: the edit.
        files: the names of its images.
        model: the checkpoint; None is the demo model.
    """
    edits = [_expression(edit, files) for edit in recipe.edits]
    used = {name for text in edits for name in re.findall(r"\b[A-Z]\w+(?=\()", text)}
    settings = _settings_expression(recipe.settings, files)
    used |= {"Editor"} | ({"Settings"} if settings else set())
    used |= {name for name in ("Window", "Geometry") if name in settings}
    arguments = [repr(files.call(cast(Path, recipe.image))), f"[{', '.join(edits)}]"]
    texts = {"prompt": recipe.prompt, "negative_prompt": recipe.negative_prompt}
    arguments += [f"{name}={text!r}" for name, text in texts.items() if text]
    arguments.append(f"seed={recipe.seed}")
    if settings:
        arguments.append(f"settings={settings}")
    body = "".join(f"    {argument},\n" for argument in arguments)
    return (
        f"from dragondiffusion import {', '.join(sorted(used))}\n\n"
        f"editor = Editor.from_pretrained({'' if model is None else repr(model)})\n"
        f"result = editor(\n{body})\n"
        f"print(result.report)\nresult.save({RESULT!r})\n"
    )


def command_line(recipe: Recipe, files: Files, model: str | None) -> str:
    """A command that makes the same edit: the one of that edit, or one that runs the file of the recipe."""
    words = _edit_words(recipe, files)
    if words is None:
        words = ["run", RECIPE]
    tail = ([] if model is None else ["--model", model]) + ["--out", RESULT]
    return shlex.join(["dragondiffusion", *words, *tail])


def zipped(recipe: Recipe, session: Session, files: Files) -> bytes:
    """The recipe and its files in an archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(RECIPE, recipe_with_files(recipe, files), zipfile.ZIP_DEFLATED)
        for name, called in files.names.items():
            archive.write(session.path(name), called)  # images are compressed already
    return data.getvalue()


def _named_files(recipe: Recipe) -> Iterator[tuple[Path, bool]]:
    """The files of a recipe, and whether each is a mask."""
    yield cast(Path, recipe.image), False
    for edit in recipe.edits:
        masks = mask_images(type(edit))
        for field in fields(cast(Any, edit)):
            value = getattr(edit, field.name)
            if isinstance(value, Path):
                yield value, field.name in masks


def _expression(value: Any, files: Files) -> str:
    """Python's expression for a value of a recipe."""
    if isinstance(value, Path):
        return repr(files.call(value))
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, (tuple, list)):
        parts = [_expression(part, files) for part in cast("tuple[Any, ...]", value)]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({', '.join(_arguments(value, files))})"
    return repr(value)


def _arguments(value: Any, files: Files) -> Iterator[str]:
    """Arguments of a dataclass that differ from their defaults; those without one go by their place."""
    named = False
    for field in fields(value):
        own = getattr(value, field.name)
        if field.default is MISSING and not named:
            yield _expression(own, files)
        elif own != field.default:
            named = True
            yield f"{field.name}={_expression(own, files)}"
        else:
            named = True


def _settings_expression(settings: Settings, files: Files) -> str:
    """Python's expression for settings; nothing for the default ones."""
    preset, changed = _changes(settings)
    if preset == "default" and not changed:
        return ""
    parts = [repr(preset), *(f"{name}={_expression(value, files)}" for name, value in changed.items())]
    return f"Settings.preset({', '.join(parts)})"


def _changes(settings: Settings) -> tuple[str, dict[str, Any]]:
    """The nearest preset, and what differs from it."""
    preset, names = nearest_preset(settings)
    return preset, {name: getattr(settings, name) for name in names}


def _edit_words(recipe: Recipe, files: Files) -> list[str] | None:
    """Words of the command of a single edit; None for several edits, and for an edit that has no short form."""
    edit, *others = recipe.edits
    if others:
        return None
    name = name_of(edit)
    preset, changed = _changes(recipe.settings)
    words = [name, files.call(cast(Path, recipe.image)), *_options(edit, name, files)]
    for option in ("prompt", "negative_prompt"):
        if getattr(recipe, option):
            words += [f"--{option.replace('_', '-')}", getattr(recipe, option)]
    words += ["--seed", str(recipe.seed), *([] if preset == "default" else ["--preset", preset])]
    for setting, value in changed.items():
        text = _setting_text(value)
        if text is None:
            return None
        words += ["--set", f"{setting}={text}"]
    return None if any(word == "" for word in words) else words


def _options(edit: Edit, name: str, files: Files) -> Iterator[str]:
    for field in fields(cast(Any, edit)):
        value = getattr(edit, field.name)
        if field.default is not MISSING and value == field.default:
            continue
        option = f"{name}-{field.name}" if field.name == "prompt" else field.name.replace("_", "-")
        if isinstance(value, bool):
            yield f"--{option}" if value else f"--no-{option}"
            continue
        yield f"--{option}"
        if isinstance(value, MaskShape):
            yield _shape_text(value)
        else:
            yield from (files.call(value),) if isinstance(value, Path) else map(_number_text, _flat(value))


def _shape_text(shape: MaskShape) -> str:
    """A mask as the value of an option; empty where it cannot be written so."""
    if isinstance(shape, BoxMask):
        return "box:" + ",".join(map(_number_text, (shape.x0, shape.y0, shape.x1, shape.y1)))
    if isinstance(shape, PolygonMask):
        return "polygon:" + ";".join(",".join(map(_number_text, _flat(ring))) for ring in shape.rings)
    return ""


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for part in cast("tuple[Any, ...]", value):
            yield from _flat(part)
    else:
        yield value


def _number_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _setting_text(value: Any) -> str | None:
    """A value as it is written after NAME=; None where it cannot be written so."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Window):
        return f"{value.start}:{value.stop}:{value.every}"
    if isinstance(value, tuple):
        parts = [_setting_text(part) for part in cast("tuple[Any, ...]", value)]
        return None if not parts or None in parts else ",".join(cast("list[str]", parts))
    return str(value)
