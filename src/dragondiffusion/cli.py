"""The command line: `dragondiffusion demo`, and one command for every edit.

Commands are dataclasses. Those of edits are made from the edit's own dataclass: its fields become options, its
docstring their help. They are read from its source text, so that `--help` need not wait for torch to be imported.

Exit codes: 0 done, 2 bad input (one line on standard error), 130 interrupted.
"""

from __future__ import annotations

import ast
import dataclasses
import io
import math
import signal
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union, cast

import tyro

from . import __version__

if TYPE_CHECKING:
    from PIL.Image import Image

    from .editor import Editor, EditResult
    from .edits import Edit
    from .settings import Settings
    from .types import Size

EDITS: dict[str, tuple[str, str]] = {"move": ("move", "Move")}
"""Commands of edits: name, then module in `edits` and class. A new edit is one more entry."""

OPTION_TYPES: dict[str, Any] = {"ImageLike": Path, "Number": float, "Point": tuple[float, float]}
"""What stands on the command line for the types of edits' fields; Python's own types stand for themselves."""

PHASES = {"encode": "load", "invert": "invert", "sample": "edit", "decode": "decode"}
"""What the phases of `EditResult.seconds` are called here."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command(ABC):
    """What all commands share."""

    seed: int = 42
    """Seed of all noise."""
    steps: int | None = None
    """Steps of inversion and sampling; None is the preset's number."""
    preset: str = "default"
    """Settings: default, or reference for those of the authors' code."""

    @abstractmethod
    def run(self) -> None:
        """Does it.

        Raises:
            ValueError: bad input.
            OSError: a file that cannot be read or written.
        """

    def settings(self) -> Settings:
        """Settings of the preset with the changes asked for."""
        from .settings import Settings

        changes = {} if self.steps is None else {"steps": self.steps}
        return Settings.preset(self.preset, **changes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demo(Command):
    """Draw a scene, move an object in it with the demo model, and write before, after and truth side by side."""

    size: tuple[int, int] = (128, 128)
    """Height and width of the scene in pixels."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("demo.png")
    """Where the sheet goes; the suffix says the format."""

    def run(self) -> None:
        settings = self.settings()
        check_seed(self.seed)
        check_output(self.out)
        from .bench.demo import draw_case, sheet

        case = draw_case(self.seed, self.size)
        edited = edit_picture(case.before, case.edit, None, case.caption, self.seed, settings)
        save(sheet(case, edited.image), self.out)


@dataclasses.dataclass(frozen=True, kw_only=True)
class EditCommand(Command):
    """What the commands of edits share."""

    EDIT: ClassVar[tuple[str, str]]

    photo: tyro.conf.Positional[Path]
    """The picture to edit."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Where the edited picture goes; the suffix says the format."""
    prompt: str = ""
    """What the picture shows; may stay empty."""
    model: str | None = None
    """Checkpoint: a folder, a .safetensors file or a hub id; None is the demo model."""

    def run(self) -> None:
        from .images import read_picture

        settings = self.settings()
        check_seed(self.seed)
        check_output(self.out)
        pixels = read_picture(self.photo)
        edit = self.edit()
        check_edit(edit, (pixels.shape[0], pixels.shape[1]), settings)
        save(edit_picture(pixels, edit, self.model, self.prompt, self.seed, settings).image, self.out)

    def edit(self) -> Edit:
        """The edit that the options describe."""
        module, name = self.EDIT
        shared = {field.name for field in dataclasses.fields(EditCommand)}
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in shared}
        return getattr(import_module(f".edits.{module}", __package__), name)(**values)


def edit_command(name: str) -> type[EditCommand]:
    """The command of an edit, made from the source text of its dataclass.

    Raises:
        TypeError: if a field is of a type that `OPTION_TYPES` does not know.
    """
    module, edit = EDITS[name]
    source = (Path(__file__).parent / "edits" / f"{module}.py").read_text(encoding="utf-8")
    body = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == edit)
    options = [_option(node) for node in body.body if isinstance(node, ast.AnnAssign)]
    command = dataclasses.make_dataclass(
        edit, options, bases=(EditCommand,), frozen=True, kw_only=True, namespace={"EDIT": (module, edit)}
    )
    command.__doc__ = ast.get_docstring(body)
    return cast("type[EditCommand]", command)


def _option(node: ast.AnnAssign) -> tuple[str, Any, Any]:
    """Name, type and default of a field."""
    name, annotation = ast.unparse(node.target), ast.unparse(node.annotation)
    try:
        kind = eval(annotation, {}, OPTION_TYPES)  # noqa: S307  # the package's own source
    except NameError as error:
        raise TypeError(
            f"field {name}: {annotation} has no form on the command line; add it to OPTION_TYPES"
        ) from error
    default = dataclasses.field() if node.value is None else dataclasses.field(default=ast.literal_eval(node.value))
    return name, kind, default


def edit_picture(image: Any, edit: Edit, model: str | None, prompt: str, seed: int, settings: Settings) -> EditResult:
    """Loads a model and edits a picture, showing phases with the time left; prints the time of each phase."""
    begin = time.perf_counter()
    with shown_progress() as progress:
        progress("load", 0, 1)
        editor = load_editor(model)
        loaded = time.perf_counter() - begin
        progress("load", 1, 1)

        def report(phase: str, done: int, total: int) -> None:
            progress(PHASES.get(phase, phase), done, total)
            if phase == "sample" and done == total:
                progress("decode", 0, 1)

        result = editor(image, edit, prompt=prompt, seed=seed, settings=settings, progress=report)
        progress("decode", 1, 1)
    seconds = {"load": loaded}
    for phase, spent in result.seconds.items():
        name = PHASES.get(phase, phase)
        seconds[name] = seconds.get(name, 0.0) + spent
    print(", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items()))
    return result


def load_editor(model: str | None) -> Editor:
    """The editor of a checkpoint, without the chatter of the libraries that load it."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for logging in (diffusers_logging, transformers_logging):
        cast(Any, logging).disable_progress_bar()
        cast(Any, logging).set_verbosity_error()
    from .editor import Editor

    return Editor.from_pretrained(model)


@contextmanager
def shown_progress() -> Generator[Any]:
    """Within: a function of phase, finished steps and total that moves bars on standard error, if it is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<7}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {
            name: bars.add_task(name, total=None, start=False, visible=False)
            for name in ("load", "invert", "edit", "decode")
        }

        def progress(phase: str, done: int, total: int) -> None:
            bars.start_task(tasks[phase])
            bars.update(tasks[phase], completed=done, total=total, visible=True)

        yield progress


def check_output(out: Path) -> None:
    """Checks that a picture can be written, without touching what may be there.

    Raises:
        ValueError: if the suffix names no picture format that can be written, or the path is a folder.
        OSError: if the folder is missing or nothing can be written there.
    """
    from PIL import Image

    if out.is_dir():
        raise ValueError(f"--out {out} is a folder; give the name of a file in it")
    kind = Image.registered_extensions().get(out.suffix.lower(), "")
    try:
        Image.new("RGB", (1, 1)).save(io.BytesIO(), format=kind)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"--out {out} must end in a picture format that holds colour, such as .png or .jpg") from error
    if not out.parent.is_dir():
        raise FileNotFoundError(f"--out {out}: the folder {out.parent} does not exist; make it first")
    try:
        tempfile.TemporaryFile(dir=out.parent).close()
    except OSError as error:
        raise PermissionError(
            f"--out {out}: cannot write in {out.parent} ({error.strerror}); choose another"
        ) from error


def check_seed(seed: int) -> None:
    """Checks that a seed is one.

    Raises:
        ValueError: if it is not.
    """
    if not 0 <= seed < 2**63:
        raise ValueError(f"--seed {seed} must lie between 0 and {2**63 - 1}")


def check_edit(edit: Edit, picture: Size, settings: Settings) -> None:
    """Checks an edit on a picture before any model is loaded, on the grids of Stable Diffusion.

    Raises:
        ValueError: if it does not fit.
    """
    from .types import Canvas

    rows, columns = (math.ceil(side / 8) for side in picture)
    energy = (rows * settings.energy_grid, columns * settings.energy_grid)
    edit.objective(Canvas(picture, (rows * 8, columns * 8), (rows, columns), energy), settings)


def save(picture: Image, out: Path) -> None:
    """Writes a picture, whole or not at all, and says where."""
    from .images import write_picture

    print(f"wrote {write_picture(picture, out)}")


def parse(arguments: Sequence[str]) -> Command:
    """The command that the arguments describe; ends the process where they are wrong or ask for help."""
    commands: list[Any] = [Annotated[Demo, tyro.conf.subcommand("demo")]]
    commands += [Annotated[edit_command(name), tyro.conf.subcommand(name)] for name in EDITS]
    return tyro.cli(
        cast(Any, Union[tuple(commands)]),  # noqa: UP007  # made at run time
        prog="dragondiffusion",
        description="Drag-style image editing on pre-trained diffusion models (DragonDiffusion, arXiv 2307.02421).",
        args=arguments,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if list(arguments) == ["--version"]:
            print(f"dragondiffusion {__version__}")
            return 0
        parse(arguments).run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
