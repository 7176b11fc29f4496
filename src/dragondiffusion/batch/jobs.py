"""The lines of a file of jobs: read, repeated over tables and seeds, checked, before any model is loaded."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from ..core.bounds import fitted
from ..core.messages import is_file
from ..core.prediction import PredictionType
from ..core.strict_json import Json, json_line, parse_json, shown
from ..core.types import Seed
from ..imaging.mask_choice import split_choice
from ..imaging.writing import holds_colour
from ..recipes import Recipe
from ..recipes.recipe import moved
from ..recipes.records import Form
from ..recipes.store import Folder
from .tables import Row, filled, in_text, read_rows

MAX_LINE_BYTES = 32 * 2**20
"""Longest line that is read, bytes. Source: as `recipes.recipe.MAX_RECIPE_BYTES`."""

OWN = ("name", "seeds", "for_each")
"""Fields of a line that a recipe does not have."""

OF_MODEL = ("seed", "model", "loras", "prediction")
"""Fields of a recipe that a job holds by themselves."""

SEEDS = Form(tuple[int, ...])


@dataclass(frozen=True, slots=True)
class Model:
    """A checkpoint, as `Editor.from_pretrained` takes it."""

    source: str | None = None
    loras: tuple[str, ...] = ()
    prediction: PredictionType | None = None

    def __str__(self) -> str:
        text = " with ".join((self.source or "demo model", *self.loras))
        return text if self.prediction is None else f"{text} predicting {self.prediction.value}"


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One image to be made.

    Args:
        name: of the result, relative to the output folder, with its suffix.
        place: where it was asked for, for messages.
        recipe: JSON text of its recipe, seed aside.
        seed: of all noise.
        model: checkpoint.
        pictures: paths of its images and masks, as the recipe names them.
        image: equal for jobs on the same image.
        shared: equal for jobs that can share an inversion.
        id: digest of all that makes the result, the model's weights and the pictures' files aside.
    """

    name: str
    place: str
    recipe: str
    seed: int
    model: Model
    pictures: tuple[str, ...]
    image: str
    shared: str
    id: str


@dataclass(frozen=True)
class Listed(Folder):
    """A folder that notes which files a recipe names, and leaves their names as they are.

    Args:
        named: the names found.
    """

    named: list[str] = field(default_factory=list[str])

    def picture(self, text: str, at: str) -> Path | Image.Image:
        found = super().picture(text, at)
        if isinstance(found, Image.Image):
            return found
        chosen = split_choice(found)[0] != found
        self.named.append(str(Path(text.rpartition("#")[0] if chosen else text)))
        if found.suffix.lower() == ".json" and not is_file(found, f"{at} {text}"):
            raise FileNotFoundError(f"{at} {text} does not exist; check the path")
        # Shapes of masks are read while the recipe is.
        return found if found.suffix.lower() == ".json" else Path(text)

    def model(self, text: str) -> str:
        super().model(text)
        return text


@dataclass(frozen=True)
class Source:
    """A file of jobs and how it is read.

    Args:
        path: the file, one JSON object a line.
        suffix: of results whose name has none, such as ".png".
        model: checkpoint of lines that name none.
        loras: LoRA files of lines that name none.
        allow_outside: lines may name files outside of the file's folder.
        prediction: what the models of lines predict that say nothing; None is what the checkpoint says.
    """

    path: Path
    suffix: str = ".png"
    model: str | None = None
    loras: tuple[str, ...] = ()
    allow_outside: bool = False
    prediction: PredictionType | None = None

    def jobs(self) -> list[BatchJob]:
        """All jobs, in order.

        Raises:
            FileNotFoundError: if the file, a table or an image does not exist.
            ValueError: if a line is not in order; the message says which, and how many others are not.
        """
        if not is_file(self.path, f"jobs {self.path}"):
            raise FileNotFoundError(f"jobs {self.path} does not exist; check the path")
        jobs, problems = list[BatchJob](), list[Exception]()
        for number, line in self._lines():
            try:
                jobs += self._of_line(line, f"line {number}", number)
            except (ValueError, FileNotFoundError) as error:
                problems.append(error)
        try:
            check_names(jobs)
            if not problems:
                self._check_files(jobs)
        except (ValueError, FileNotFoundError) as error:
            problems.append(error)
        if problems:
            more = f" (and {len(problems) - 1} more lines are not in order)" if len(problems) > 1 else ""
            raise type(problems[0])(f"jobs {self.path}, {problems[0]}{more}")
        if not jobs:
            raise ValueError(f"jobs {self.path} holds no jobs; write one recipe on each line")
        return jobs

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as file:
            for number in range(1, 2**63):
                line = file.readline(MAX_LINE_BYTES + 1)
                if not line:
                    return
                if len(line) > MAX_LINE_BYTES:
                    raise ValueError(
                        f"jobs {self.path}, line {number} has more than {MAX_LINE_BYTES} bytes; keep images in files"
                    )
                if line.strip():
                    yield number, line

    def _of_line(self, line: bytes, place: str, number: int) -> Iterator[BatchJob]:
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{place} is not a text in UTF-8; save the file as one") from error
        given = parse_json(text, place)
        if not isinstance(given, dict):
            raise ValueError(f"{place} is {shown(given)}; expected an object, a recipe")
        table = given.pop("for_each", None)
        if table is None:
            yield from self._of_row(given, None, f"{number:06d}", place)
            return
        if not isinstance(table, str):
            raise ValueError(f"{place}: for_each is {shown(table)}; expected the path of a table, .csv or .jsonl")
        folder = Folder(self.path.parent, self.allow_outside)
        path = _said(place, lambda: folder.inside(table, "for_each"))
        rows = read_rows(path, f"for_each {table}")
        for row_number, row in enumerate(_told(place, rows), start=1):
            yield from self._of_row(given, row, f"{number:06d}-{row_number:06d}", f"{place}, row {row_number}")

    def _of_row(self, given: Json, row: Row | None, number: str, place: str) -> list[BatchJob]:
        try:
            return self._checked(given, row, number, place)
        except (ValueError, FileNotFoundError) as error:
            raise type(error)(f"{place}: {error}") from error

    def _checked(self, given: Json, row: Row | None, number: str, place: str) -> list[BatchJob]:
        data: Json = {"recipe": 1, **(given if row is None else filled({**given, "name": None}, row))}
        seeds = _seeds(data)
        name = _name(given.get("name"), number, row, seeds)
        recipe_data = {key: value for key, value in data.items() if key not in OWN}
        folder = Listed(self.path.parent, self.allow_outside)
        recipe = Recipe.from_json(recipe_data, folder)
        if row is not None:
            recipe_data = recipe.to_json()
        model = self._model(recipe)
        recipe_data = {key: value for key, value in recipe_data.items() if key not in OF_MODEL}
        text = json_line(recipe_data, sort_keys=True)
        key = (data["image"], recipe.prompt, recipe.settings.steps, recipe.settings.inversion_iterations)
        image, shared = digest(key[:1]), digest([*key, str(model)])
        pictures = tuple(dict.fromkeys(folder.named))
        made: list[BatchJob] = []
        for seed in seeds or [recipe.seed]:
            fitted(seed, Seed, "seed")
            target = _target(name.replace("{seed}", str(seed)), self.suffix)
            said = [] if model.prediction is None else [model.prediction.value]
            identity = digest([target, text, seed, recipe.model or self.model, *(recipe.loras or self.loras), *said])
            made.append(BatchJob(target, place, text, seed, model, pictures, image, shared, identity))
        return made

    def _model(self, recipe: Recipe) -> Model:
        """The checkpoint of a recipe, or that of all.

        Raises:
            ValueError: if it names another than all are to have.
        """
        folder = Folder(self.path.parent, self.allow_outside)
        source = self.model if recipe.model is None else folder.model(recipe.model)
        loras = tuple(moved(lora, folder.model) for lora in recipe.loras) or self.loras
        if self.model is not None and recipe.model is not None and not _same_place(source, self.model):
            raise ValueError(f"model {recipe.model} is not --model {self.model}; leave one of them out")
        loras = tuple(moved(lora, _absolute) for lora in loras)
        return Model(None if source is None else _absolute(source), loras, recipe.prediction or self.prediction)

    def _check_files(self, jobs: Iterable[BatchJob]) -> None:
        """Checks that images are there; what is in them is found out when they are edited."""
        known: set[str] = set()
        for job in jobs:
            for text in job.pictures:
                if text in known:
                    continue
                known.add(text)
                if not os.path.isfile(os.path.join(self.path.parent, text)):  # noqa: PTH113, PTH118  # many, so quickly
                    raise FileNotFoundError(f"{job.place}: image {text} does not exist; check the path")


def check_names(jobs: Iterable[BatchJob]) -> None:
    """Checks that no two results have the same name, also where upper and lower case are not told apart.

    Raises:
        ValueError: if two have; says which.
    """
    places: dict[str, BatchJob] = {}
    for job in jobs:
        other = places.setdefault(job.name.casefold(), job)
        if other is not job:
            raise ValueError(
                f"{job.place}: the result {job.name} is that of {other.place} too; give each a name of its own, with "
                "{seed} or columns in it where a line makes several"
            )


def digest(parts: Iterable[Any]) -> str:
    """A name for some JSON."""
    return hashlib.sha256(json_line(list(parts)).encode()).hexdigest()[:20]


def _seeds(data: dict[str, Json]) -> list[int]:
    """The seeds of a line; none if it has but its own."""
    seeds = data.pop("seeds", None)
    if seeds is None:
        return []
    if "seed" in data:
        raise ValueError("seed and seeds are both given; give one of them")
    found = list(SEEDS.decode(seeds, "seeds", Folder(Path())))
    if not found or len(set(found)) < len(found):
        raise ValueError(f"seeds is {shown(seeds)}; give at least one, each once")
    return found


def _name(given: Json, number: str, row: Row | None, seeds: list[int]) -> str:
    """Name of a line's result, `{seed}` left in it where there are several."""
    if given is None:
        return f"{number}-seed{{seed}}" if len(seeds) > 1 else number
    if not isinstance(given, str) or not given:
        raise ValueError(f"name is {shown(given)}; expected a text, the name of the result")
    kept = {"seed": "{seed}"} if row is None or "seed" not in row else dict[str, Json]()
    name = str(in_text(given, {**(row or {}), **kept, "line": number[:6], "row": number[7:]}, "name"))
    if len(seeds) > 1 and "{seed}" not in name:
        stem, dot, suffix = name.rpartition(".")
        known = dot and f".{suffix.lower()}" in Image.registered_extensions()
        return f"{stem}-seed{{seed}}.{suffix}" if known else f"{name}-seed{{seed}}"
    return name


def _target(name: str, suffix: str) -> str:
    """Path of a result in the output folder.

    Raises:
        ValueError: if it leads out of it, or could not be a file there.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    bad = [part for part in path.parts if part.startswith(".") or part.endswith((" ", "."))]
    if path.is_absolute() or bad or not path.name or any(ord(letter) < 32 or letter in ':*?"<>|' for letter in name):
        raise ValueError(f"name {shown(name)} must be a path inside the output folder, without hidden parts")
    if path.suffix.lower() not in Image.registered_extensions():
        path = path.with_name(path.name + suffix)
    if not holds_colour(path.suffix):
        raise ValueError(f"name {shown(name)}: {path.suffix} is no format that holds colour; use .png or .jpg")
    if len(path.name.encode()) > 200:
        raise ValueError(f"name {shown(name)} is too long for a file; choose a shorter one")
    return path.as_posix()


def _absolute(source: str) -> str:
    """A checkpoint as every process finds it; hub ids stay as they are."""
    path = Path(source).expanduser()
    return str(path.absolute()) if path.exists() else source


def _same_place(one: str | None, other: str) -> bool:
    return one == other or (one is not None and Path(one).exists() and Path(one).resolve() == Path(other).resolve())


def _said(place: str, work: Any) -> Any:
    try:
        return work()
    except (ValueError, FileNotFoundError) as error:
        raise type(error)(f"{place}: {error}") from error


def _told(place: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, errors with the place that asks for them."""
    first = _said(place, lambda: next(rows, None))
    if first is None:
        raise ValueError(f"{place}: for_each names a table without rows; leave the line out or fill the table")
    yield first
    while (row := _said(place, lambda: next(rows, None))) is not None:
        yield row
