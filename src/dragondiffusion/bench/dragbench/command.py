"""`dragondiffusion bench dragbench`: DragBench edited and scored, beside results of other software."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ...console.command import Command
from ...console.settings_options import chosen_settings

if TYPE_CHECKING:
    from ...edits.settings import Settings
    from ...pipeline.editor import Editor
    from .cases import Case
    from .features import FeatureSettings
    from .record import Record
    from .running import DragBenchRun, Editing


@dataclasses.dataclass(frozen=True, kw_only=True)
class DragBench(Command):
    """Edit the images of DragBench (arXiv 2306.14435) and score the results, and those of other software."""

    cases: tyro.conf.Positional[Path]
    """Folder of CASE or CATEGORY/CASE folders with original_image.png, mask.png and drag_instruction.json."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for results and scores; a run that was interrupted goes on there."""
    model: str | None = None
    """Checkpoint to edit with: a folder, a .safetensors file or a hub id; None is the demo model."""
    seed: int = 42
    """Seed of all noise."""
    steps: int | None = None
    """Steps of inversion and sampling; None is the preset's number."""
    preset: str = "default"
    """Settings: default, or reference for those of the authors' code."""
    changes: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="set", metavar="NAME=VALUE")] = ()
    """Any field of Settings; a window is START:STOP[:EVERY], several of them are separated by commas."""
    results: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="NAME=FOLDER")] = ()
    """Results of other software to score: CASE.png or CASE/dragged_image.png, categories as in the cases."""
    skip_edits: tyro.conf.FlagCreatePairsOff[bool] = False
    """Only the results of other software are scored."""
    limit: int | None = None
    """Only so many cases, the first by name; None is all."""
    sheet: Path | None = None
    """Where an image of all cases and results goes; the suffix says the format."""
    features_model: str | None = None
    """Checkpoint whose features find points; None is the one that edits. The papers use Stable Diffusion 2.1."""
    features_timestep: int = 261
    """Training timestep at which its features are taken."""
    features_block: int = 1
    """Decoder block whose output they are, 0 is the coarsest."""
    features_ensemble: int = 8
    """Draws of noise that are averaged."""
    features_prompt: str | None = None
    """Its prompt; None is the prompt of the case."""

    def run(self) -> None:
        from .bars import shown_progress
        from .cases import read_cases
        from .fidelity import load_lpips
        from .record import Record
        from .rivals import folders
        from .running import OURS, UNEDITED, DragBenchRun, run
        from .summary import as_json, summarise, tables

        settings, recipe = chosen_settings(self.preset, self.steps, self.changes), self._recipe()
        self._check()
        rivals = folders(self.results, (UNEDITED, OURS))
        cases, problems = read_cases(self.cases)
        if not cases:
            name, message = next(iter(problems.items()))
            raise ValueError(f"no case of {self.cases} can be read; the first, {name}: {message}")
        cases = cases[: self.limit]
        editor, finder = self._models(recipe)
        lpips, about_lpips = load_lpips()
        bench = DragBenchRun(self._editing(editor, settings), rivals, finder.backbone, recipe, lpips)
        about = self._about_edit(editor, settings), self._about_measure(finder, about_lpips if lpips else None)
        record = Record.open(self.out, *about)
        record.problems = {"": problems}
        with shown_progress() as progress:
            run(bench, cases, record, progress)
        names = [case.name for case in cases]
        summary = summarise(record, bench.rows, names)
        record.summary = as_json(summary)
        print(tables(summary))
        self._print_problems(record.problems, record.notes, "" if lpips else about_lpips)
        print(f"wrote {record.save()}", file=sys.stderr)
        if self.sheet is not None:
            self._write_sheet(bench, cases, record)

    def _check(self) -> None:
        """Checks what can be wrong before a model is loaded."""
        from PIL import Image

        if self.limit is not None and self.limit < 1:
            raise ValueError(f"--limit {self.limit} must be at least 1")
        if self.skip_edits and not self.results:
            raise ValueError("--skip-edits leaves nothing to score; give --results NAME=FOLDER")
        if self.out.exists() and not self.out.is_dir():
            raise ValueError(f"--out {self.out} is a file; give a folder")
        if self.sheet is None:
            return
        if self.sheet.is_dir() or self.sheet.suffix.lower() not in Image.registered_extensions():
            raise ValueError(f"--sheet {self.sheet} must be a file that ends in an image format such as .png")
        if not self.sheet.parent.is_dir():
            raise FileNotFoundError(
                f"--sheet {self.sheet}: the folder {self.sheet.parent} does not exist; make it first"
            )

    def _recipe(self) -> FeatureSettings:
        from .features import FeatureSettings

        return FeatureSettings(
            self.features_timestep, self.features_block, self.features_ensemble, self.features_prompt, self.seed
        )

    def _models(self, recipe: FeatureSettings) -> tuple[Editor | None, Editor]:
        """The editor, if there are edits to make, and the editor whose features find points."""
        from ...console.terminal import load_editor

        finder = load_editor(self.features_model or self.model)
        recipe.check(finder.backbone)
        if self.skip_edits:
            return None, finder
        return finder if self.features_model in (None, self.model) else load_editor(self.model), finder

    def _editing(self, editor: Editor | None, settings: Settings) -> Editing | None:
        import numpy as np

        if editor is None:
            return None

        def edit(case: Any, progress: Any) -> Any:
            made = editor(case.pixels, case.edit(), case.prompt, seed=self.seed, settings=settings, progress=progress)
            return np.asarray(made.image)

        return edit

    def _about_edit(self, editor: Editor | None, settings: Settings) -> dict[str, Any] | None:
        from ...edits.settings import Settings
        from ...recipes.records import FieldForms
        from ...recipes.store import Inline

        if editor is None:
            return None
        forms = FieldForms.of(Settings).forms
        values = {name: form.encode(getattr(settings, name), name, Inline()) for name, form in forms.items()}
        fingerprint = editor.backbone.fingerprint()
        return {"model": self.model or "demo", "fingerprint": fingerprint, "seed": self.seed, "settings": values}

    def _about_measure(self, finder: Editor, lpips: str | None) -> dict[str, Any]:
        from .summary import SCALES

        return {
            "model": self.features_model or self.model or "demo",
            "fingerprint": finder.backbone.fingerprint(),
            **dataclasses.asdict(self._recipe()),
            "prompt": "the case's" if self.features_prompt is None else self.features_prompt,
            "lpips": lpips,
            "distances": list(SCALES),
        }

    def _write_sheet(self, bench: DragBenchRun, cases: list[Case], record: Record) -> None:
        from ...imaging.writing import write_picture
        from .running import UNEDITED, known_results
        from .sheet import sheet

        names = [case.name for case in cases]
        shown = [(case, known_results(bench, case, names, record)) for case in cases]
        rows = [row for row in bench.rows if row != UNEDITED]
        assert self.sheet is not None
        print(f"wrote {write_picture(sheet(shown, rows), self.sheet)}", file=sys.stderr)

    def _print_problems(self, problems: dict[str, dict[str, str]], notes: dict[str, list[str]], lpips: str) -> None:
        """Prints notes on changed cases, and the results that have no score."""
        for case, texts in notes.items():
            for text in texts:
                print(f"note: {case}: {text}", file=sys.stderr)
        for row, messages in problems.items():
            for case, message in messages.items():
                print(f"not scored: {case}{row and f', {row}'}: {message}", file=sys.stderr)
        if lpips:
            print(lpips, file=sys.stderr)
