"""Commands that replay and describe recipes, and one that shows an edit on a drawn scene."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ..console.command import Command
from ..console.model_options import WithModel
from ..console.settings_options import WithSettings

if TYPE_CHECKING:
    from ..bench.demo import DemoCase

Out = Annotated[Path, tyro.conf.arg(aliases=["-o"])]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demo(WithSettings):
    """Edit a drawn scene with the demo model, or a photograph, and write before, after and truth side by side."""

    edit: str = "move"
    """What to do: move, resize, rotate, paste, appearance, drag, landmarks or remove."""
    size: tuple[int, int] = (128, 128)
    """Height and width of the scene in pixels."""
    photo: tuple[Path, ...] | None = None
    """Edit a photograph instead: yours, or without a file one of scikit-image's."""
    point: tuple[float, float] | None = None
    """A place (x, y) on the thing in your photograph, pixels; by default its centre."""
    out: Out = Path("demo.png")
    """Where the sheet goes; the suffix says the format."""

    def run(self) -> None:
        from ..bench.demo import sheet
        from ..console.terminal import check_output, run_shown, show_notes
        from ..imaging.notes import gathered_notes
        from ..imaging.writing import write_picture
        from ..recipes import Recipe

        settings = self.settings()
        check_output(self.out)
        with gathered_notes() as notes:
            case = self._case()
        recipe = Recipe(case.before, (case.edit,), prompt=case.caption, seed=self.seed, settings=settings)
        result = run_shown(recipe)
        show_notes(*notes, *result.notes)
        print(f"wrote {write_picture(sheet(case, result.image), self.out)}")

    def _case(self) -> DemoCase:
        from ..bench.demo import draw_case
        from ..bench.photo_demo import photo_case

        if self.photo is None:
            if self.point is not None:
                raise ValueError("--point names a place of a photograph; name the photograph too: --photo FILE")
            return draw_case(self.seed, self.size, self.edit)
        if len(self.photo) > 1:
            raise ValueError(f"--photo has {len(self.photo)} files; name one")
        return photo_case(self.edit, *self.photo, point=self.point)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run(WithModel):
    """Run a recipe: a JSON file, or a PNG that this package wrote."""

    recipe: tyro.conf.Positional[Path]
    """The recipe."""
    out: Out
    """Where the edited image goes; the suffix says the format."""
    model: str | None = None
    """Checkpoint in place of the recipe's."""
    allow_outside: tyro.conf.FlagCreatePairsOff[bool] = False
    """The recipe may name files outside of its folder."""
    without_recipe: tyro.conf.FlagCreatePairsOff[bool] = False
    """A PNG does not carry its recipe and the images it was made from."""

    def run(self) -> None:
        from ..console.terminal import edit_picture, show_notes
        from ..recipes import Recipe, made_with, versions

        recipe = Recipe.load(self.recipe, self.allow_outside, self.model)
        here, made = versions(), made_with(self.recipe)
        other = [f"{name} {v} (here {here[name]})" for name, v in made.items() if name in here and v != here[name]]
        if other:
            show_notes(f"made with {', '.join(other)}; the result may differ")
        if self.lora:
            recipe = dataclasses.replace(recipe, loras=self.lora)
        if self.prediction is not None:
            recipe = dataclasses.replace(recipe, prediction=self.predicts())
        provenance = {name: value for name, value in made.items() if name not in here}
        edit_picture(recipe, self.out, self.without_recipe, loading=self.loading(), provenance=provenance)


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
