"""The commands `dragondiffusion bench ...`. Nothing here waits for torch before a command runs."""

from __future__ import annotations

import dataclasses
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union

import tyro

from ..console.command import Command
from .dragbench.command import DragBench
from .kinds import KINDS, OPTIONS
from .photos.command import PhotoBench
from .speed.command import Speed

if TYPE_CHECKING:
    from .runs.rows import Rows
    from .runs.running import Benchmark, Sets


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured(Command):
    """Options of the commands that edit scenes and measure the results."""

    NAME: ClassVar[str]

    kinds: tuple[str, ...] = tuple(KINDS)
    """Kinds of edit; all of them by default."""
    limit: int = 100
    """Scenes of each kind."""
    model: str | None = None
    """Checkpoint: a folder, a .safetensors file or a hub id; None is the demo model."""
    steps: int | None = None
    """Steps of inversion and sampling in every row; None is each row's own number."""
    batch: int = 8
    """Edits made together."""
    jobs: int = 1
    """Processes; each gets its share of the threads."""
    tuning: tyro.conf.FlagCreatePairsOff[bool] = False
    """Use the scenes set apart for choosing settings; figures are never reported on them."""
    difficulty: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="AXIS=LEVEL")] = ()
    """Only scenes of a level, such as size=small; may be repeated for other axes."""
    size: tuple[int, int] = (128, 128)
    """Height and width of the scenes in pixels."""
    after: tyro.conf.FlagCreatePairsOff[bool] = False
    """The prompt says what the image shows after the edit, not before."""
    displacement: tuple[float, float] | None = None
    """Range of the displacement of objects or handles, as fractions; moves and drags."""
    scale: tuple[float, float] | None = None
    """Range of the factor of moves, resizes and pastes."""
    angle: tuple[float, float] | None = None
    """Range of the angle of moves, rotations and pastes, degrees."""
    points: int | None = None
    """Landmarks of a face: 17 or 68 (the default)."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder where results are kept; the same command goes on where it stopped."""

    def rows(self, kind: str) -> Rows:
        """The rows of a kind.

        Raises:
            ValueError: a row is unknown or a change cannot be read.
        """
        raise NotImplementedError

    def run(self) -> None:
        from ..console.terminal import counted_progress, load_editor
        from .runs.running import fingerprint, run
        from .runs.scores import table

        bench = self.prepared()
        editor = load_editor(self.model)
        bench.results.open(self.about(fingerprint(editor)), self.texts(bench), spelled(self))
        load = partial(load_editor, self.model) if self.jobs > 1 else lambda: editor
        with counted_progress(self.NAME) as report:
            run(bench, load, self.jobs, report)
        for kind, rows in bench.rows.items():
            entries = {row: bench.results.entries(kind, row) for row in rows}
            scores = {row: [own[seed].scores for seed in bench.seeds[kind]] for row, own in entries.items()}
            print(f"{kind}, {len(bench.seeds[kind])} scenes\n\n{table(scores)}\n")
        print(f"wrote {self.out}; dragondiffusion bench report {self.out} -o report.html makes a page of it")

    def prepared(self) -> Benchmark:
        """The run, checked before a model is loaded.

        Raises:
            ValueError: an option is none, or the extra `bench` is not installed.
            OSError: results cannot be kept.
        """
        from .extra import check_extra
        from .runs.results import Results
        from .runs.running import Benchmark, check_folder

        check_extra()
        check_folder(self.out)
        sets = self.sets()
        rows = {kind: self.rows(kind) for kind in sets.kinds}
        seeds = {kind: sets.seeds(kind) for kind in sets.kinds}
        return Benchmark(Results(self.out), sets, seeds, rows, self.batch, self.after)

    def sets(self) -> Sets:
        """The tasks asked for.

        Raises:
            ValueError: an option is none.
        """
        from .runs.running import Sets
        from .tasks.difficulty import wanted

        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown or not self.kinds:
            raise ValueError(f"--kinds {' '.join(unknown)}: use one or more of {', '.join(KINDS)}")
        for name in ("limit", "batch", "jobs"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} {getattr(self, name)} must be at least 1")
        if not 64 <= min(self.size) <= max(self.size) <= 4096:
            raise ValueError(f"--size {self.size[0]} {self.size[1]}: both sides must lie between 64 and 4096 pixels")
        if self.points not in (None, 17, 68):
            raise ValueError(f"--points {self.points} must be 17 or 68")
        given = {name: getattr(self, name) for name in OPTIONS if getattr(self, name) is not None}
        for name in given:
            if not set(OPTIONS[name]) & set(self.kinds):
                raise ValueError(f"--{name} is nothing that the kinds {', '.join(self.kinds)} know; leave it out")
        asked = {kind: {name: value for name, value in given.items() if kind in OPTIONS[name]} for kind in self.kinds}
        return Sets(self.kinds, self.limit, self.size, self.tuning, wanted(self.difficulty), asked)

    def about(self, model: str) -> dict[str, Any]:
        """The conditions that all results of a folder share: everything that changes an image and is in no row."""
        from .. import __version__

        names = ("size", "tuning", "after", *OPTIONS)
        return {"model": model, "version": __version__} | {name: getattr(self, name) for name in names}

    def changes(self) -> dict[str, Any]:
        """Settings that differ in every row."""
        return {} if self.steps is None else {"steps": self.steps}

    @staticmethod
    def texts(bench: Benchmark) -> dict[str, dict[str, str]]:
        """The settings of each row as text, by kind."""
        from .runs.rows import text_of

        return {kind: {name: text_of(row) for name, row in rows.items()} for kind, rows in bench.rows.items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SceneBench(Measured):
    """Edit held-out scenes whose true result is known, and measure how far off the results are."""

    NAME: ClassVar[str] = "scenes"

    named: Annotated[tuple[str, ...], tyro.conf.arg(name="rows")] = ()
    """Rows to compare; by default unedited input, copy-paste inpainted, latent copy, and the presets."""
    vary: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="NAME=VALUE...")] = ()
    """A further row: the default with changes, such as "guidance_strength=2 recall=False"; may be repeated."""
    terms: tyro.conf.FlagCreatePairsOff[bool] = False
    """Also rows with each energy term, and the memory bank, switched off."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("bench-scenes")
    """Folder where results are kept; the same command goes on where it stopped."""

    def rows(self, kind: str) -> Rows:
        from .runs.rows import named, rows, varied

        turned = KINDS[kind].turns or (self.angle is not None and kind in OPTIONS["angle"])
        every = rows(kind, self.changes(), self.terms, turned)
        return named(every, self.named, self.terms) | {text: varied(text, self.changes()) for text in self.vary}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ablate(Measured):
    """Switch off each ingredient of the method in turn, and measure what it was worth."""

    NAME: ClassVar[str] = "ablate"

    preset: str = "default"
    """The base: default or reference."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("bench-ablation")
    """Folder where results are kept; the same command goes on where it stopped."""

    def rows(self, kind: str) -> Rows:
        from .runs.ablation import ablation

        return ablation(kind, self.preset, self.changes())


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchReport(Command):
    """Make one page of what benchmarks found, with the figures behind it as JSON beside it."""

    folders: tyro.conf.Positional[tuple[Path, ...]]
    """Folders that the other commands wrote."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("report.html")
    """Where the page goes; the JSON gets the suffix .json."""
    base: str = "default"
    """The row that the others are compared with."""

    def run(self) -> None:
        from .extra import check_extra
        from .report.figures import gather
        from .report.page import write_page

        check_extra()
        if not self.folders:
            raise ValueError("bench report needs a folder of results; make one with dragondiffusion bench scenes")
        if self.out.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"--out {self.out} must end in .html")
        if not self.out.parent.is_dir():
            raise FileNotFoundError(f"--out {self.out}: the folder {self.out.parent} does not exist; make it first")
        for path in write_page(gather(self.folders, self.base), self.folders, self.out):
            print(f"wrote {path}")


COMMANDS: dict[str, type[Command]] = {
    "scenes": SceneBench,
    "ablate": Ablate,
    "dragbench": DragBench,
    "photos": PhotoBench,
    "speed": Speed,
    "report": BenchReport,
}
"""The commands of `bench` by name; a further one is a line here."""


if TYPE_CHECKING:
    AnyCommand = Command
else:
    AnyCommand = Annotated[
        Union[tuple(Annotated[kind, tyro.conf.subcommand(name)] for name, kind in COMMANDS.items())],  # noqa: UP007
        tyro.conf.arg(name=""),
    ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bench(Command):
    """Benchmarks: edits of scenes with known truth, ablations, and the page that shows them."""

    command: AnyCommand

    def run(self) -> None:
        self.command.run()


def spelled(command: Measured) -> str:
    """The command line that gives a command; options at their default are left out."""
    words = ["dragondiffusion", "bench", command.NAME]
    for field in dataclasses.fields(command):
        value, option = getattr(command, field.name), "--rows" if field.name == "named" else f"--{field.name}"
        if value == field.default and field.name != "out":
            continue
        if isinstance(value, bool):
            words.append(option)
        elif field.name in ("vary", "difficulty"):
            words += [word for text in value for word in (option, text)]
        else:
            words += [option, *(map(str, value) if isinstance(value, tuple) else [str(value)])]
    return shlex.join(words)
