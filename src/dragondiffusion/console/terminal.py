"""Running a recipe in front of somebody: what can be written is checked, bars while it runs, times when it is done."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ..imaging.notes import gathered_notes
from ..imaging.writing import carries_text, holds_colour, write_picture
from ..recipes import Recipe

if TYPE_CHECKING:
    from ..pipeline.editor import Editor
from ..pipeline.result import EditResult

PHASES = {"encode": "load", "invert": "invert", "sample": "edit", "decode": "decode"}
"""What the phases of `EditResult.seconds` are called here."""


def edit_picture(
    recipe: Recipe,
    out: Path,
    without_recipe: bool,
    tries: int = 1,
    loading: Mapping[str, Any] | None = None,
    provenance: Mapping[str, str] | None = None,
) -> Recipe:
    """Runs a recipe and writes its result, whole or not at all.

    Args:
        recipe: the job.
        out: where the result goes.
        without_recipe: a PNG does not carry the recipe.
        tries: how many seeds are tried.
        loading: see `load_editor`.
        provenance: of an earlier result of the recipe; it is said where this one differs.

    Returns:
        The recipe with the seed that was kept.

    Raises:
        OSError: if a file cannot be read or written.
        ValueError: if the recipe is not in order; before the model is loaded.
    """
    check_output(out)
    result = run_shown(recipe, tries, loading)
    recipe, picture = replace(recipe, seed=result.seed), result.image
    plain = without_recipe or not carries_text(out)
    with gathered_notes() as notes:
        left = [] if plain else recipe.write_picture(picture, out, result.provenance)
        written = write_picture(picture, out) if plain else out
    show_notes(*result.notes, *notes)
    for name, value in (provenance or {}).items():
        here = result.provenance.get(name, "nothing")
        if here != value:
            show_notes(f"made with {name}: {value} (here {here}); the result differs")
    if plain:
        print(f"wrote {written}")
        return recipe
    print(f"wrote {out} with its recipe and the images it was made from")
    for path in left:
        print(f"{path} is too large to be carried along; {out} refers to it by its path")
    return recipe


def show_notes(*notes: str) -> None:
    """Prints notes on standard error, each once."""
    for note in dict.fromkeys(notes):
        print(f"note: {note}", file=sys.stderr)


def run_shown(recipe: Recipe, tries: int = 1, loading: Mapping[str, Any] | None = None) -> EditResult:
    """Runs a recipe, showing phases with the time left; prints how it went and the time of each phase.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if the recipe is not in order; before the model is loaded.
    """
    photo = recipe.check()
    begin = time.perf_counter()
    with shown_progress() as progress:
        progress("load", 0, 1)
        own = {"loras": recipe.loras, "prediction": recipe.prediction}
        chosen = {**(loading or {}), **{name: value for name, value in own.items() if value}}
        editor = load_editor(recipe.model, **chosen)
        loaded = time.perf_counter() - begin
        progress("load", 1, 1)

        def report(phase: str, done: int, total: int) -> None:
            progress(PHASES.get(phase, phase), done, total)
            if phase == "sample" and done == total:
                progress("decode", 0, 1)

        result = recipe.run(editor, report, tries, photo)
        progress("decode", 1, 1)
    seconds = {"load": loaded}
    for phase, spent in result.seconds.items():
        name = PHASES.get(phase, phase)
        seconds[name] = seconds.get(name, 0.0) + spent
    print(f"{result.report}" + (f" (best of {tries} tries: seed {result.seed})" if tries > 1 else ""))
    print(", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items()))
    return result


def load_editor(model: str | None, **loading: Any) -> Editor:
    """The editor of a checkpoint, without the chatter of the libraries that load it.

    Args:
        model: the checkpoint.
        loading: further arguments of `Editor.from_pretrained`.
    """
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    from ..pipeline.editor import Editor

    for logging in (diffusers_logging, transformers_logging):
        cast(Any, logging).disable_progress_bar()
        cast(Any, logging).set_verbosity_error()

    return Editor.from_pretrained(model, **loading)


@contextmanager
def shown_bars(*further: ProgressColumn) -> Generator[Progress]:
    """Context manager: bars with time spent and left, and further columns, on standard error, if it is a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<7}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        *further,
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield bars


@contextmanager
def shown_progress() -> Generator[Any]:
    """Context manager: a function of phase, finished steps and total that moves bars on a terminal."""
    with shown_bars() as bars:
        tasks = {
            name: bars.add_task(name, total=None, start=False, visible=False)
            for name in ("load", "invert", "edit", "decode")
        }

        def progress(phase: str, done: int, total: int) -> None:
            bars.start_task(tasks[phase])
            bars.update(tasks[phase], completed=done, total=total, visible=True)

        yield progress


@contextmanager
def counted_progress(what: str) -> Generator[Callable[[int, int], None]]:
    """Context manager: a function of finished and total that moves a bar on standard error, if it is a terminal."""
    with shown_bars() as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def check_output(out: Path) -> None:
    """Checks that an image can be written, without touching what may be there.

    Raises:
        ValueError: if the suffix names no image format that can be written, or the path is a folder.
        OSError: if the folder is missing or nothing can be written there.
    """
    _check_name(out, "--out")
    if out.is_dir():
        raise ValueError(f"--out {out} is a folder; give the name of a file in it")
    if not holds_colour(out.suffix):
        raise ValueError(f"--out {out} must end in an image format that holds colour, such as .png or .jpg")
    _check_folder(out, "--out")


def check_recipe(path: Path) -> None:
    """Checks that a recipe can be written.

    Raises:
        ValueError: if it is not called one.
        OSError: if the folder is missing or nothing can be written there.
    """
    _check_name(path, "--recipe")
    if path.suffix.lower() != ".json" or path.is_dir():
        raise ValueError(f"--recipe {path} must be the name of a file that ends in .json")
    _check_folder(path, "--recipe")


def _check_name(path: Path, option: str) -> None:
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ValueError(
            f"{option} {str(path)[:80]}: no file can be called so ({error.strerror}); choose another name"
        ) from error


def _check_folder(path: Path, option: str) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{option} {path}: the folder {path.parent} does not exist; make it first")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise PermissionError(
            f"{option} {path}: cannot write in {path.parent} ({error.strerror}); choose another"
        ) from error
