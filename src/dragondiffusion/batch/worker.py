"""What a worker of a batch does: it loads a model once, edits, and gives back the files of results."""

import io
import os
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from ..console.model_options import WithModel
from ..core.strict_json import parse_json
from ..imaging.files import ImageLike
from ..imaging.notes import gathered_notes
from ..imaging.png import to_png
from ..imaging.writing import carries_text, picture_writer
from ..recipes import Recipe
from ..recipes.store import Embedded, Folder, name_of, relative
from .folder import JOB_TEXT
from .jobs import Model


@dataclass(frozen=True)
class Orders:
    """What all jobs of a batch have in common.

    Args:
        folder: what paths in recipes are relative to.
        out: the output folder.
        allow_outside: recipes may name files outside of their folder.
        options: how the checkpoint is loaded.
        devices: of the workers by their place; None leaves the choice to the model's loader.
        threads: of each worker.
        without_recipe: PNGs carry no recipe.
        sharing: jobs on the same image share its inversion.
        references: where inverted images are kept between runs; None nowhere.
        references_bytes: what they take there at most.
    """

    folder: Path
    out: Path
    allow_outside: bool = False
    options: WithModel | None = None
    devices: tuple[str | None, ...] = (None,)
    threads: int = 1
    without_recipe: bool = False
    sharing: bool = True
    references: Path | None = None
    references_bytes: int = 0


@dataclass(frozen=True)
class JobRequest:
    """A job, as a worker is given it.

    Args:
        recipe: JSON text.
        seed: of all noise.
        target: where the result will be, relative to the output folder.
        id: of the job.
        model: checkpoint.
    """

    recipe: str
    seed: int
    target: str
    id: str
    model: Model


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Args:
        data: the file of the result; empty if it failed.
        beside: further files by name that it refers to.
        seconds: that it took the worker.
        edit_seconds: of these, those of the edit itself.
        report: of the result.
        notes: what a user should know of how the image was read.
        error: why it failed; empty if it did not.
        final: it would fail again.
        broken: the worker should not go on.
    """

    data: bytes = b""
    beside: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    seconds: float = 0.0
    edit_seconds: float = 0.0
    report: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    notes: tuple[str, ...] = ()
    error: str = ""
    final: bool = False
    broken: bool = False


class EditWorker:
    """Edits with one model at a time.

    Args:
        orders: what all jobs have in common.
        place: number of the worker among those that work at once.
    """

    def __init__(self, orders: Orders, place: int) -> None:
        import torch

        torch.set_num_threads(orders.threads)
        self._orders, self._device = orders, orders.devices[place % len(orders.devices)]
        self._model: Model | None = None
        self._editor: Any = None

    def prepare(self, model: Model, files: Mapping[str, bytes]) -> str:
        """Loads a model, in place of the one before; gives a name for its weights.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it cannot be loaded.
            OutOfMemory: if it does not fit into memory.
        """
        if self._model != model:
            self._editor = self._model = None
            self._editor = self._loaded(model)
            self._model = model
        return f"{self._editor.cache.model} on {self._editor.backbone.device.type}"

    def _loaded(self, model: Model) -> Any:
        from ..backbones.savings import forget_cached
        from ..console.terminal import load_editor
        from .references import ReferenceFiles, SharedReferences

        forget_cached()
        options = self._orders.options
        loading = {**({} if options is None else options.loading())}
        if model.loras:
            loading["loras"] = model.loras
        if model.prediction is not None:
            loading["prediction"] = model.prediction
        if self._device is not None:
            loading["device"] = self._device
        editor = load_editor(model.source, **loading)
        files = None
        if self._orders.references is not None:
            files = ReferenceFiles(self._orders.references, self._orders.references_bytes)
        editor.cache = SharedReferences(editor.backbone.fingerprint(), files, self._orders.sharing)
        return editor

    def do(self, task: JobRequest, files: Mapping[str, bytes]) -> Outcome:
        """Makes a result; what goes wrong is an outcome too."""
        from ..backbones.savings import forget_cached, is_out_of_memory

        begin = time.perf_counter()
        try:
            with self._pictures(files) as places:
                return self._made(task, places, begin)
        except ValueError as error:
            return Outcome(error=str(error), final=True)
        except Exception as error:  # noqa: BLE001  # of whatever kind, it is this job's
            forget_cached()
            told = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            broken = "CUDA error" in str(error) and not is_out_of_memory(error)
            return Outcome(error=told, broken=broken)

    def _made(self, task: JobRequest, places: Mapping[str, Path], begin: float) -> Outcome:
        from ..pipeline.request import Request

        data = {**parse_json(task.recipe, "recipe"), "seed": task.seed}
        recipe = Recipe.from_json(data, Given(self._orders.folder, self._orders.allow_outside, places=places))
        model = task.model
        recipe = replace(recipe, model=model.source, loras=model.loras, prediction=model.prediction)
        request = Request(
            recipe.image, recipe.edits, recipe.prompt, recipe.negative_prompt, recipe.seed, recipe.settings
        )
        edit = time.perf_counter()
        (result,) = self._editor.batch([request])
        edited = time.perf_counter() - edit
        store = Packed(
            (self._orders.out / task.target).parent, originals={p: self._orders.folder / t for t, p in places.items()}
        )
        with gathered_notes() as notes:
            data = self._encoded(recipe, result.image, result.provenance, task, store)
        return Outcome(
            data=data,
            beside=store.beside,
            seconds=time.perf_counter() - begin,
            edit_seconds=edited,
            report=result.report.figures(),
            notes=(*result.notes, *notes),
        )

    def _encoded(
        self, recipe: Recipe, picture: Image.Image, provenance: Mapping[str, str], task: JobRequest, store: "Packed"
    ) -> bytes:
        """The file of a result."""
        target, texts = self._orders.out / task.target, dict[str, str]()
        if carries_text(target):
            texts = {JOB_TEXT: task.id, **({} if self._orders.without_recipe else recipe.texts(store, provenance))}
        file = io.BytesIO()
        picture_writer(picture, target, texts)(file)
        return file.getvalue()

    @staticmethod
    @contextmanager
    def _pictures(files: Mapping[str, bytes]) -> Generator[dict[str, Path]]:
        """Context manager: files by name, where they are on this machine."""
        if not files:
            yield {}
            return
        with tempfile.TemporaryDirectory(prefix="dragondiffusion-") as folder:
            places: dict[str, Path] = {}
            for k, (name, data) in enumerate(files.items()):
                places[name] = Path(folder) / f"{k}{Path(name).suffix}"
                places[name].write_bytes(data)
            yield places


@dataclass(frozen=True)
class Given(Folder):
    """A folder some of whose files are elsewhere.

    Args:
        places: where, by name.
    """

    places: Mapping[str, Path] = field(default_factory=dict[str, Path])

    def picture(self, text: str, at: str) -> Path | Image.Image:
        place = self.places.get(str(Path(text)))
        return super().picture(text, at) if place is None else place


@dataclass(frozen=True)
class Packed(Embedded):
    """Images as data, as long as there is room; writes nothing.

    Args:
        originals: what the files of images stand for.
        beside: data of images in memory for which there was no room, by the name of the file they should go into.
    """

    originals: Mapping[Path, Path] = field(default_factory=dict[Path, Path])
    beside: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def elsewhere(self, source: ImageLike) -> str:
        if isinstance(source, (str, os.PathLike)):
            path = Path(source)
            return relative(self.originals.get(path, path), self.folder)
        data = to_png(source)
        self.beside[name_of(data)] = data
        return name_of(data)
