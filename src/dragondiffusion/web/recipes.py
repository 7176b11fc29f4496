"""Recipes in and out of a session: they name images of the session, and no other file of the server."""

import errno
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, cast

from PIL import Image

from ..core.messages import without_long_words
from ..core.strict_json import Json, parse_json, shown
from ..edits.base import Edit
from ..edits.registry import EDITS
from ..imaging.mask_choice import split_choice
from ..imaging.png import SIGNATURE, read_texts, to_png
from ..imaging.shapes import MaskShape
from ..recipes import Recipe
from ..recipes.recipe import RECIPE_TEXT
from ..recipes.store import Beside
from .answers import RestoredFacts, of_text
from .bodies import check_values
from .kinds import edit_class, image_names, mask_images
from .limits import RefusedError
from .masks import full_mask, keep_mask, marked, mask_facts
from .painted_back import said_of
from .pictures import picture_facts, size_of
from .sessions import NAME, Session

FULL = "the server has no room on its disk for this; what is there stays, try again later or tell who runs the server"
"""Said where nothing can be written."""
OF_MODEL = ("model", "loras", "prediction")
"""Fields of a recipe that are about the model, which is the server's."""
IMAGE = "image"
"""The field of a recipe that names the image to edit."""


UNDOABLE = (ValueError, OSError, MemoryError, OverflowError)
"""Errors that the values of a request bring about."""


@contextmanager
def explained(session: Session) -> Generator[None]:
    """Context manager: errors that the values of a request bring about are told in a sentence.

    Raises:
        RefusedError: in their place (422).
        OSError: that the disk is full; the application answers it in one place, whatever the route.
    """
    try:
        yield
    except UNDOABLE as error:
        if is_full(error):
            raise
        raise RefusedError(422, words(error, session)) from error


def is_full(error: Exception) -> bool:
    """Whether an error says that a disk is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def in_session(data: Json, session: Session) -> Recipe:
    """The recipe of JSON whose images and masks are names of a session's.

    Raises:
        RefusedError: if it is no recipe, names anything else, or asks for another model (422, 404).
    """
    if isinstance(data, dict) and any(data.get(name) for name in OF_MODEL):
        raise RefusedError(422, f"a recipe cannot choose the model of this server; leave {', '.join(OF_MODEL)} out")
    with explained(session):
        recipe = Recipe.from_json(data, session.pictures)
    for path in (_file(path) for path in _paths(recipe)):
        if path.parent != session.pictures:
            raise RefusedError(
                422, f"{path.name[:80]!r} is not the name of an image of this session; send the image first"
            )
        session.path(path.name)
    return recipe


def without_data(data: dict[str, Json], recipe: Recipe, session: Session) -> dict[str, Json]:
    """The JSON of a recipe whose images are all files of a session: those that it holds as data become some.

    Args:
        data: its JSON.
        recipe: what it says.
        session: gets the images.

    Raises:
        RefusedError: if there is no room for them (413).
    """
    pictures = (recipe.image, *_values(recipe.edits, image_names), *_values(recipe.edits, mask_images))
    if not any(isinstance(picture, Image.Image) for picture in pictures):
        return data
    return _in_files(recipe, session).written(SessionNames())


def at_full_size(recipe: Recipe, session: Session) -> Recipe:
    """A recipe of a session with all its masks at the size of their images; those that are reduced are enlarged.

    Raises:
        RefusedError: if one cannot be (404, 413).
    """
    return replace(recipe, edits=tuple(_with_full_masks(edit, session) for edit in recipe.edits))


def _with_full_masks(edit: Edit, session: Session) -> Edit:
    masks = {name: getattr(edit, name) for name in mask_images(type(edit))}
    # A choice of what in a file is the mask (#...) is never one of a reduced mask.
    files = {name: mask for name, mask in masks.items() if isinstance(mask, Path) and _file(mask) == mask}
    return replace(cast(Any, edit), **{name: full_mask(session, mask.name) for name, mask in files.items()})


def words(error: Exception, session: Session) -> str:
    """The text of an error, without the server's paths."""
    text = " ".join(str(error).split())
    if is_full(error):
        return FULL
    if isinstance(error, (MemoryError, OverflowError)):
        text = f"these values lead to what is too large for memory ({text or type(error).__name__}); ask for less"
    for folder in (session.pictures, session.folder, session.pictures.resolve()):
        text = text.replace(f"{folder}/", "").replace(str(folder), "this session")
    return without_long_words(text)


def restored(data: bytes, session: Session, model: str) -> RestoredFacts:
    """Restores a recipe, or a result that contains one: its images and masks become the session's.

    Args:
        data: recipe's JSON, or resulting PNG.
        session: gets the images and masks.
        model: name of the server's model.

    Raises:
        RefusedError: if it is neither, or names images that the session does not have (422).
    """
    found, notes = _read_recipe(data, session)
    if not isinstance(found, dict):
        raise RefusedError(422, f"a recipe is an object, and this is {shown(found)}")
    if any(found.get(name) for name in OF_MODEL):
        other = found.get("model") or ("LoRA" if found.get("loras") else f"prediction {shown(found['prediction'])}")
        notes.append(f"the recipe was made with {other}; here {model} is used")
        found = {name: value for name, value in found.items() if name not in OF_MODEL}
    recipe = _in_files(in_session(_named(found, session), session), session)
    pictures = {path.name for path in (recipe.image, *_values(recipe.edits, image_names)) if isinstance(path, Path)}
    masks = {path.name for path in _values(recipe.edits, mask_images) if isinstance(path, Path)}
    return RestoredFacts(
        recipe=recipe.written(SessionNames()),
        pictures={name: picture_facts(session, name) for name in pictures},
        masks={name: mask_facts(session.path(name)) for name in masks},
        notes=notes,
    )


class SessionNames(Beside):
    """Images of a session by their names."""

    def __init__(self) -> None:
        super().__init__(Path())

    def keep(self, source: Any) -> str:
        return Path(source).name


def _read_recipe(data: bytes, session: Session) -> tuple[Json, list[str]]:
    """The JSON of a recipe that a file is or contains, and notes on it."""
    try:
        if data.startswith(SIGNATURE):
            path = session.path(session.add(data, ""))
            texts = read_texts(path)
            text = texts.get(RECIPE_TEXT)
            if text is None:
                raise RefusedError(422, "this image contains no recipe; give a result of this package, or JSON")
            return _parsed(text.encode(), session), said_of(texts)
        return _parsed(data, session), []
    except UnicodeDecodeError as error:
        raise RefusedError(422, "this is neither a recipe's JSON nor a PNG; give one of them") from error
    except ValueError as error:
        raise RefusedError(422, words(error, session)) from error


def _parsed(data: bytes, session: Session) -> Json:
    check_values(data, session.limits)
    return of_text(parse_json(data.decode("utf-8-sig"), "the recipe"))


def _named(data: Mapping[str, Json], session: Session) -> dict[str, Json]:
    """A recipe whose paths are replaced by the names of images that the visitor calls like that."""
    changed = {name: _name_of(value, session) if name == IMAGE else value for name, value in data.items()}
    edits = changed.get("edits")
    if isinstance(edits, list):
        changed["edits"] = [_named_edit(edit, session) if isinstance(edit, dict) else edit for edit in edits]
    return changed


def _named_edit(edit: Mapping[str, Json], session: Session) -> dict[str, Json]:
    """An edit whose paths are replaced likewise; one of an unknown kind stays, and is refused with the recipe."""
    kind = edit.get("edit")
    if not isinstance(kind, str) or kind not in EDITS:
        return dict(edit)
    cls = edit_class(kind)
    files = {*image_names(cls), *mask_images(cls)}
    return {k: _name_of(v, session) if k in files else v for k, v in edit.items()}


def _name_of(value: Json, session: Session) -> Json:
    if not isinstance(value, str) or value.startswith("data:") or NAME.fullmatch(value):
        return value
    title = re.split(r"[\\/]", value)[-1]
    name = session.titled(title)
    if name is None and "#" in title:
        name, choice = session.titled(title.rpartition("#")[0]), title.rpartition("#")[2]
        name = name and f"{name}#{choice}"
    if name is None:
        raise RefusedError(
            422,
            f"the recipe names the image {title[:80]!r}, which is not in this session; open it first, or give a "
            "recipe with its images in it",
        )
    return name


def _in_files(recipe: Recipe, session: Session) -> Recipe:
    """A recipe with its images and masks as files of the session."""
    image = _picture_file(recipe.image, session, "picture.png")
    return replace(recipe, image=image, edits=tuple(_edit_in_files(edit, image, session) for edit in recipe.edits))


def _edit_in_files(edit: Edit, image: Path, session: Session) -> Edit:
    changed: dict[str, Any] = {}
    for name in image_names(type(edit)):
        if getattr(edit, name) is not None:
            changed[name] = _picture_file(getattr(edit, name), session, "second image.png")
    for name, of in mask_images(type(edit)).items():
        if getattr(edit, name) is not None:
            changed[name] = _mask_file(getattr(edit, name), changed.get(of, image) if of else image, session)
    return replace(cast(Any, edit), **changed)


def _picture_file(source: Any, session: Session, title: str) -> Path:
    if isinstance(source, Path):
        return source
    return session.path(session.add_once(to_png(source), title))


def _mask_file(source: Any, picture: Path, session: Session) -> Path:
    if isinstance(source, Path) and _file(source) == source:
        return source
    if isinstance(source, (MaskShape, Path)):
        return session.path(keep_mask(session, marked(source, size_of(picture)), picture.name).name)
    return session.path(session.add(to_png(source), ""))


def _file(path: Path) -> Path:
    """The file of a path, without what is chosen of it as a mask."""
    try:
        return split_choice(path)[0]
    except ValueError as error:
        raise RefusedError(422, str(error)) from error


def _values(edits: tuple[Edit, ...], names: Callable[[type[Edit]], Iterable[str]]) -> Iterator[Any]:
    """The values of some fields of each edit."""
    for edit in edits:
        yield from (getattr(edit, name) for name in names(type(edit)))


def _paths(value: Any) -> Iterator[Path]:
    """All paths in a recipe."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _paths(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _paths(getattr(value, field.name))
