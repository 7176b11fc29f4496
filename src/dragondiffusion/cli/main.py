"""The command line: one command for every edit, and those that replay, describe and demonstrate.

Commands are dataclasses. Those of edits are made from the edit's own dataclass: its fields become options, its
docstring their help. They are read from its source text, so that `--help` need not wait for torch to be imported. Every
edit becomes a recipe, and the recipe is run.

Exit codes: 0 done, 2 bad input (one line on standard error), 3 some jobs of a batch failed, 130 interrupted.
"""

from __future__ import annotations

import ast
import dataclasses
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union, cast

import tyro

from .. import __version__
from ..batch.commands import Batch, BatchPlan
from ..bench.commands import Bench
from ..console.command import Command, Incomplete
from ..console.model_options import WithModel
from ..core.docstrings import arguments, opening
from ..edits.registry import EDITS
from ..web.command import Web
from .pointing import COMMANDS

if TYPE_CHECKING:
    from ..edits import Edit
    from ..pipeline.settings import Settings

Point = tuple[float, float]
OPTION_TYPES: dict[str, Any] = {
    "ImageLike": Path,
    "MaskLike": Annotated[str, tyro.conf.arg(metavar="FILE|box:X0,Y0,X1,Y1|polygon:X,Y,...")],
    "Number": float,
    "Point": Point,
    "Pairs": tuple[tuple[Point, Point], ...] | Path,
    "PointList": tuple[Point, ...] | Path,
}
"""What stands on the command line for the types of edits' fields; Python's own types stand for themselves.

A path in place of points is that of a JSON file with them.
"""

MAX_POINTS_BYTES = 2**20
"""Largest file of points that is read, bytes. Source: chosen, thousands of points."""

Out = Annotated[Path, tyro.conf.arg(aliases=["-o"])]


@dataclasses.dataclass(frozen=True, kw_only=True)
class WithSettings(Command):
    """What the commands share that take settings."""

    seed: int = 42
    """Seed of all noise."""
    steps: int | None = None
    """Steps of inversion and sampling; None is the preset's number."""
    preset: str = "default"
    """Settings: default, fast, or reference for those of the authors' code."""
    changes: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="set", metavar="NAME=VALUE")] = ()
    """Any field of Settings; a window is START:STOP[:EVERY], several of them are separated by commas."""

    def settings(self) -> Settings:
        """Settings of the preset with the changes asked for."""
        return chosen_settings(self.preset, self.steps, self.changes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demo(WithSettings):
    """Draw a scene, edit it with the demo model, and write before, after and truth side by side."""

    edit: str = "move"
    """What to do: move, resize, rotate, paste, appearance, drag, landmarks or remove."""
    size: tuple[int, int] = (128, 128)
    """Height and width of the scene in pixels."""
    out: Out = Path("demo.png")
    """Where the sheet goes; the suffix says the format."""

    def run(self) -> None:
        from ..bench.demo import draw_case, sheet
        from ..console.terminal import check_output, run_shown
        from ..imaging.writing import write_picture
        from ..recipes import Recipe

        settings = self.settings()
        check_output(self.out)

        case = draw_case(self.seed, self.size, self.edit)
        recipe = Recipe(case.before, (case.edit,), prompt=case.caption, seed=self.seed, settings=settings)
        print(f"wrote {write_picture(sheet(case, run_shown(recipe).image), self.out)}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EditCommand(WithSettings, WithModel):
    """What the commands of edits share."""

    NAME: ClassVar[str]
    """The edit in the registry."""
    FIELDS: ClassVar[Mapping[str, str]]
    """Fields of the edit by option."""

    photo: tyro.conf.Positional[Path]
    """The picture to edit."""
    out: Out
    """Where the edited picture goes; the suffix says the format."""
    prompt: str = ""
    """What the picture shows; may stay empty."""
    negative_prompt: str = ""
    """What it should not show; counts at guidance scales other than 1."""
    recipe: Path | None = None
    """Where the recipe goes as JSON, for `dragondiffusion run`."""
    without_recipe: tyro.conf.FlagCreatePairsOff[bool] = False
    """A PNG does not carry its recipe and the pictures it was made from."""
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
        from ..core.strict_json import read_json
        from ..recipes.forms import Listing, MaskForm, alternatives
        from ..recipes.parts import edit_class
        from ..recipes.records import Record
        from ..recipes.store import Folder

        cls = edit_class(self.NAME)
        forms = Record.of(cls).forms
        values: dict[str, Any] = {}
        for option, field in self.FIELDS.items():
            values[field] = value = getattr(self, option)
            if isinstance(value, str) and any(isinstance(form, MaskForm) for form in alternatives(forms[field])):
                values[field] = mask_of_text(value, field)
            if isinstance(value, Path) and isinstance(forms[field], Listing):
                points = read_json(value, MAX_POINTS_BYTES, f"{field} {value}")
                values[field] = forms[field].decode(points, f"{field} {value}", Folder(Path()))
        return cls(**values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run(WithModel):
    """Run a recipe: a JSON file, or a PNG that this package wrote."""

    recipe: tyro.conf.Positional[Path]
    """The recipe."""
    out: Out
    """Where the edited picture goes; the suffix says the format."""
    model: str | None = None
    """Checkpoint in place of the recipe's."""
    allow_outside: tyro.conf.FlagCreatePairsOff[bool] = False
    """The recipe may name files outside of its folder."""
    without_recipe: tyro.conf.FlagCreatePairsOff[bool] = False
    """A PNG does not carry its recipe and the pictures it was made from."""

    def run(self) -> None:
        from ..console.terminal import edit_picture
        from ..recipes import Recipe, made_with, versions

        recipe = Recipe.load(self.recipe, self.allow_outside, self.model)
        here = versions()
        other = [
            f"{name} {v} (here {here.get(name)})" for name, v in made_with(self.recipe).items() if v != here.get(name)
        ]
        if other:
            print(f"note: made with {', '.join(other)}; the result may differ", file=sys.stderr)
        if self.lora:
            recipe = dataclasses.replace(recipe, loras=self.lora)
        edit_picture(recipe, self.out, self.without_recipe, loading=self.loading())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schema(Command):
    """Print the JSON schema of recipes."""

    batch: tyro.conf.FlagCreatePairsOff[bool] = False
    """That of the lines of `dragondiffusion batch` instead."""

    def run(self) -> None:
        from ..batch.schema import line_schema
        from ..core.strict_json import write_json
        from ..recipes import recipe_schema

        print(write_json(line_schema() if self.batch else recipe_schema()), end="")


def edit_command(name: str) -> type[EditCommand]:
    """The command of an edit, made from the source text of its dataclass.

    A field that is called as an option of all commands becomes an option with the edit's name before it.

    Raises:
        TypeError: if a field is of a type that `OPTION_TYPES` does not know.
    """
    module, edit = EDITS[name]
    source = (Path(__file__).parents[1] / "edits" / f"{module}.py").read_text(encoding="utf-8")
    body = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == edit)
    doc = ast.get_docstring(body)
    texts, taken = arguments(doc), {field.name for field in dataclasses.fields(EditCommand)}
    options: list[tuple[str, Any, Any]] = []
    fields: dict[str, str] = {}
    for node in (node for node in body.body if isinstance(node, ast.AnnAssign)):
        field = ast.unparse(node.target)
        option = f"{name}_{field}" if field in taken else field
        fields[option] = field
        options.append((option, *_type_and_default(node, texts.get(field, ""))))
    namespace = {"NAME": name, "FIELDS": fields}
    command = dataclasses.make_dataclass(
        edit, options, bases=(EditCommand,), frozen=True, kw_only=True, namespace=namespace
    )
    command.__doc__ = opening(doc)
    return cast("type[EditCommand]", command)


def mask_of_text(text: str, name: str) -> Any:
    """The mask that an option means: a box, a polygon, or a path.

    Raises:
        ValueError: if it is a box or polygon with wrong numbers.
    """
    from ..imaging.shapes import shape_of_text

    shape = shape_of_text(text, f"--{name.replace('_', '-')}")
    return Path(text) if shape is None else shape


def _type_and_default(node: ast.AnnAssign, text: str) -> tuple[Any, Any]:
    """Type, with its help, and default of a field."""
    annotation = ast.unparse(node.annotation)
    try:
        kind = eval(annotation, {}, OPTION_TYPES)  # noqa: S307  # the package's own source
    except NameError as error:
        raise TypeError(
            f"field {ast.unparse(node.target)}: {annotation} has no form on the command line; add it to OPTION_TYPES"
        ) from error
    default = dataclasses.field() if node.value is None else dataclasses.field(default=ast.literal_eval(node.value))
    return Annotated[kind, tyro.conf.arg(help=text)], default


def chosen_settings(preset: str, steps: int | None, texts: Sequence[str]) -> Settings:
    """Settings of a preset with changes.

    Args:
        preset: its name.
        steps: how many; None is the preset's number.
        texts: further changes, each NAME=VALUE.

    Raises:
        ValueError: if there is no such preset or setting, or one is given twice.
    """
    from ..pipeline.settings import Settings

    changes = {} if steps is None else {"steps": steps}
    for text in texts:
        name, value = setting(text)
        if name in changes:
            raise ValueError(f"--set {text}: {name} is given twice; give it once")
        changes[name] = value
    return Settings.preset(preset, **changes)


def setting(text: str) -> tuple[str, Any]:
    """Name and value of a setting.

    Args:
        text: NAME=VALUE.

    Raises:
        ValueError: if there is no such setting or it has no such value.
    """
    from ..pipeline.settings import Settings
    from ..recipes.records import Record, check_name
    from ..recipes.store import Folder

    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set {text} gives no value; write NAME=VALUE")
    forms = Record.of(Settings).forms
    check_name(name, tuple(forms), "--set")
    try:
        return name, forms[name].decode(forms[name].parse(value), name, Folder(Path()))
    except ValueError as error:
        raise ValueError(f"--set {text}: {error} (a window is START:STOP[:EVERY])") from error


def parse(arguments: Sequence[str]) -> Command:
    """The command that the arguments describe; ends the process where they are wrong or ask for help."""
    commands: list[Any] = [Annotated[edit_command(name), tyro.conf.subcommand(name)] for name in EDITS]
    commands += [
        Annotated[kind, tyro.conf.subcommand(kind.__name__.lower())] for kind in (Run, Schema, Demo, Web, Bench)
    ]
    commands += [Annotated[kind, tyro.conf.subcommand(name)] for name, kind in COMMANDS.items()]
    commands += [
        Annotated[Batch, tyro.conf.subcommand("batch")],
        Annotated[BatchPlan, tyro.conf.subcommand("batch-plan")],
    ]
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
        command = parse(arguments)
        for library in ("TRANSFORMERS", "DIFFUSERS"):  # read when they are imported, which parsing does not
            os.environ.setdefault(f"{library}_VERBOSITY", "error")
        command.run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except Incomplete as problem:
        print(f"incomplete: {problem}", file=sys.stderr)
        return 3
    except (ValueError, OSError, MemoryError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
