"""A whole job as JSON: image, edits, prompts, seed, settings, model.

What runs a recipe is imported when one is run or checked: reading them does not wait for the libraries of models.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from PIL import Image

from .. import __version__
from ..core.bounds import Bounded, Length
from ..core.messages import is_file
from ..core.prediction import PredictionType
from ..core.strict_json import Json, parse_json, read_json, shown, write_json
from ..core.types import Seed, Text
from ..edits.base import Edit
from ..edits.settings import Settings
from ..imaging.files import ImageLike
from ..imaging.photos import Photo, read_photo
from ..imaging.png import is_png, read_texts
from ..imaging.writing import carries_text, write_file, write_picture
from .records import Form
from .store import Beside, Embedded, Folder, Inline, Store

if TYPE_CHECKING:
    from ..core.types import Progress
    from ..pipeline.editor import Editor, EditResult

VERSION = 1
"""Version of the format; recipes of a later one are refused."""

MAX_RECIPE_BYTES = 32 * 2**20
"""Largest recipe that is read, bytes. Source: chosen, a dozen images as data."""

RECIPE_TEXT, VERSIONS_TEXT = "dragondiffusion-recipe", "dragondiffusion-versions"
"""Keywords of the texts that a resulting PNG carries."""


@dataclass(frozen=True)
class Recipe(Bounded):
    """One job, from image to edited image.

    Args:
        image: the image to edit.
        edits: what to do, at least one; several are made together.
        prompt: what the image shows.
        negative_prompt: what it should not show; counts at guidance scales other than 1.
        seed: of all noise.
        settings: how.
        model: checkpoint (a folder, a `.safetensors` file or a hub id); None is the demo model.
        loras: LoRA files that are merged into it, each PATH or PATH:WEIGHT.
        prediction: what its UNet predicts, where that was said by hand; None is what the checkpoint says.

    Raises:
        TypeError: if a field has a value of another type.
        ValueError: if there is no edit or the seed is out of range.

    Examples:
        >>> recipe = Recipe("cup.png", (Move("mask.png", offset=(40, 0)),), prompt="a cup")
        >>> recipe.save("move-cup.json")
        >>> result = Recipe.load("move-cup.json").run()
    """

    image: ImageLike
    edits: Annotated[tuple[Edit, ...], Length(1, 100, "edits")]
    prompt: Text = ""
    negative_prompt: Text = ""
    seed: Seed = 42
    settings: Settings = field(default_factory=Settings)
    model: str | None = None
    loras: Annotated[tuple[str, ...], Length(0, 100, "files")] = ()
    prediction: PredictionType | None = None

    @staticmethod
    def load(path: str | PathLike[str], allow_outside: bool = False, model: str | None = None) -> "Recipe":
        """Reads a recipe from its JSON file, or from a resulting PNG that carries it.

        Args:
            path: the file; paths in the recipe are relative to its folder.
            allow_outside: the recipe may name files outside of that folder.
            model: checkpoint in place of the recipe's.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is no recipe, one of a newer version, or names files it must not.
        """
        source = Path(path)
        name = f"recipe {source}"
        if is_file(source, name) and is_png(source):
            text = read_texts(source).get(RECIPE_TEXT)
            if text is None:
                raise ValueError(f"image {source} carries no recipe; give a PNG this package wrote, or a recipe's JSON")
            data = parse_json(text, name)
        else:
            data = read_json(source, MAX_RECIPE_BYTES, name)
        if model is not None and isinstance(data, dict):
            data["model"] = None
        try:
            recipe = Recipe.from_json(data, source.parent, allow_outside)
            return recipe if model is None else replace(recipe, model=model)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error

    @staticmethod
    def from_json(data: Json, folder: str | PathLike[str] | Folder = ".", allow_outside: bool = False) -> "Recipe":
        """The recipe of JSON.

        Args:
            data: what `json.load` returns.
            folder: what paths are relative to.
            allow_outside: paths may lead out of the folder; a `Folder` knows itself.

        Raises:
            ValueError: if it is no recipe, one of a newer version, or names files it must not.
        """
        place = folder if isinstance(folder, Folder) else Folder(Path(folder), allow_outside)
        if not isinstance(data, dict):
            raise ValueError(f"a recipe is an object, and this is {shown(data)}")
        _check_version(data.get("recipe"))
        recipe = _form().decode({name: value for name, value in data.items() if name != "recipe"}, "", place)
        loras = tuple(moved(lora, place.model) for lora in recipe.loras)
        model = None if recipe.model is None else place.model(recipe.model)
        return replace(recipe, model=model, loras=loras)

    def to_json(self) -> Json:
        """The recipe as JSON: paths as they are, images in memory as data."""
        return self.written(Inline())

    def save(self, path: str | PathLike[str]) -> Path:
        """Writes the recipe, its paths relative to its folder; images in memory are written beside it.

        Raises:
            OSError: if the folder does not exist or cannot be written.
            ValueError: if an image in memory is none.
        """
        target = Path(path)
        if not target.parent.is_dir():
            raise FileNotFoundError(f"recipe folder {target.parent} does not exist; make it first")
        text = write_json(self.written(Beside(target.parent)))
        return write_file(target, lambda file: file.write(text.encode("utf-8")))

    def photo(self) -> Photo:
        """The photo, read, on which each edit was found to have a place.

        Raises:
            FileNotFoundError: if an image's path does not exist.
            ValueError: if an image is unreadable, or an edit lies outside of the photo.
        """
        from ..pipeline.plan import extent

        photo = read_photo(self.image)
        extent(self.edits, photo, self.settings)
        return photo

    def check(self) -> Photo:
        """The photo, read. Images and edits are checked without a model, on the grids that its configuration tells.

        Where it tells none (a single file, a hub id that is not here), each edit alone is checked, and what they do
        to each other is found when the model is loaded.

        Raises:
            FileNotFoundError: if an image's path does not exist.
            ValueError: if an image is unreadable or the edits do not fit it.
        """
        from ..backbones.checkpoint import grids_of
        from ..pipeline.plan import check_edits

        photo, grids = self.photo(), grids_of(self.model)
        if grids is not None:
            check_edits(self.edits, photo, self.settings, grids)
        return photo

    def run(
        self,
        editor: Editor | None = None,
        progress: Progress | None = None,
        tries: int = 1,
        photo: Photo | None = None,
    ) -> EditResult:
        """Does it. On the same machine the result is the same, bit for bit.

        Args:
            editor: what to do it with; None loads the recipe's model.
            progress: called with phase, finished steps and their total.
            tries: how many seeds are tried, see `Editor.__call__`; the result's seed makes it again alone.
            photo: what `photo` gave, if it was asked already.

        Raises:
            FileNotFoundError: if an image or the model does not exist.
            ValueError: if an image is unreadable or the edits do not fit it; before any model work.
        """
        from ..pipeline.editor import Editor

        photo = photo or self.photo()
        if editor is None:
            editor = Editor.from_pretrained(self.model, loras=self.loras, prediction=self.prediction)
        job = (photo, self.edits, self.prompt, self.negative_prompt, self.seed, self.settings)
        return editor(*job, progress=progress, tries=tries)

    def write_picture(
        self, picture: Image.Image, path: str | PathLike[str], provenance: Mapping[str, str] | None = None
    ) -> list[str]:
        """Writes the result, as PNG together with the recipe, its images and the versions of what made it.

        Other formats carry nothing. Images for which there is no room (`MAX_EMBEDDED_BYTES`) are referred to by their
        path; those in memory are then written beside the result.

        Args:
            picture: the result.
            path: where; the suffix says the format.
            provenance: what else made it, beside versions: `EditResult.provenance`.

        Returns:
            Paths of the images for which there was no room.

        Raises:
            OSError: if the folder does not exist or cannot be written.
            ValueError: if the suffix names no image format.
        """
        if not carries_text(path):
            write_picture(picture, path)
            return []
        store = Embedded(Path(path).parent)
        write_picture(picture, path, self.texts(store, provenance))
        return store.left

    def texts(self, store: Store, provenance: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a resulting PNG carries, by keyword: the recipe, its images where a store puts them, and provenance."""
        made = {**(provenance or {}), **versions()}
        return {RECIPE_TEXT: write_json(self.written(store)), VERSIONS_TEXT: write_json(made)}

    def written(self, store: Store) -> Json:
        """The recipe as JSON, its images where a store keeps them."""
        written = {"recipe": VERSION, **_form().encode(self, "", store)}
        if self.loras:
            written["loras"] = [moved(lora, store.model) for lora in self.loras]
        return written if self.model is None else {**written, "model": store.model(self.model)}


def versions() -> dict[str, str]:
    """What makes results: this package, what it stands on, and Python."""
    return {
        "dragondiffusion": __version__,
        "torch": version("torch"),
        "diffusers": version("diffusers"),
        "python": platform.python_version(),
    }


def made_with(path: str | PathLike[str]) -> dict[str, str]:
    """Versions and other provenance that a resulting PNG says it was made with; none if it says nothing.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the image is unreadable.
    """
    found = (
        parse_json(read_texts(Path(path)).get(VERSIONS_TEXT, "{}"), f"versions in {path}") if is_png(Path(path)) else {}
    )
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def moved(lora: str, move: Callable[[str], str]) -> str:
    """A LoRA with its path as seen from elsewhere."""
    from ..backbones.lora import parse_lora

    source, weight = parse_lora(lora)
    return move(source) if weight == 1 else f"{move(source)}:{weight}"


@functools.cache
def _form() -> Form:
    return Form(Recipe)


def _check_version(found: Json) -> None:
    if found is None:
        raise ValueError('"recipe" is missing; a recipe says the version of its format, as in {"recipe": 1, ...}')
    if type(found) is not int or found < 1:
        raise ValueError(f"recipe is {shown(found)}; expected the version of the format, {VERSION}")
    if found > VERSION:
        raise ValueError(
            f"recipe is of version {found}, and dragondiffusion {__version__} reads version {VERSION}; "
            "update the package"
        )
