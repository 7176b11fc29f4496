"""`dragondiffusion bench photos`: edits of composites of photographs, of flat art, or of holes, with known truth."""

from __future__ import annotations

import dataclasses
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ...console.model_options import WithModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...pipeline.editor import Editor
    from .problem import Source
    from .record import Record
    from .rows import Row
    from .running import Bench

SIZES = {"photos": 192, "flat": 128, "holes": 128}
"""Side of the canvas of each set, pixels."""
PRINTED = (
    "psnr whole",
    "psnr hole",
    "right 5",
    "perceptual whole",
    "perceptual hole",
    "seam",
    "texture hole",
)
"""Metrics that are printed; the report has all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhotoBench(WithModel):
    """Edit composites of photographs, flat art or holes, whose true result is known, and measure the results."""

    folder: tyro.conf.Positional[Annotated[Path | None, tyro.conf.arg(metavar="DIR")]] = None
    """Folder of photographs, with subfolders; not needed for --set flat."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder where results are kept; the same command goes on where it stopped."""
    set: Literal["photos", "flat", "holes"] = "photos"
    """Composites of photographs, flat art, or plain discs that are drawn onto photographs and removed."""
    kinds: tuple[str, ...] = ()
    """Kinds of edit; all of the set by default."""
    grounds: tuple[str, ...] = ()
    """Kinds of ground: plain, medium, textured (photographs), drawn, or the name of a drawn one."""
    named: Annotated[tuple[str, ...], tyro.conf.arg(name="rows")] = ()
    """Rows to compare; by default all but fast and reference."""
    limit: int = 8
    """Cases of each kind."""
    tuning: tyro.conf.FlagCreatePairsOff[bool] = False
    """Use the seeds and photographs for choosing settings; figures are never reported on them."""
    masks: Literal["true", "user"] = "true"
    """The true alphas, or masks as a user gives them: hard and slightly larger."""
    size: int | None = None
    """Side of the images in pixels; by default 192 for photos, 128 for flat and holes."""
    photographs: int = 900
    """Photographs that are looked at for things and grounds."""
    steps: int | None = None
    """Steps of inversion and sampling in every row; None is each preset's own number."""
    jobs: int = 1
    """Processes; each gets its share of the threads."""
    sheets: tyro.conf.FlagCreatePairsOff[bool] = False
    """Also write contact sheets: before, copy-paste, proxy alone, default, truth."""

    def run(self) -> None:
        from ...console.terminal import counted_progress
        from .collection import HELD_OUT_FROM
        from .record import Record
        from .rows import chosen_rows
        from .running import Bench, run

        self._check()
        rows, record = chosen_rows(self.named, self.steps), Record(self.out)
        kinds = self._known_kinds()
        source = self._source()
        load, model = self._model(rows)
        first = 0 if self.tuning else HELD_OUT_FROM
        seeds = range(first, first + self.limit)
        bench = Bench(source, self.out, kinds, seeds, rows, self.masks == "user", model)
        with counted_progress("cases") as report:
            run(bench, load, self.jobs, report)
        self._tell(bench, record)

    def _check(self) -> None:
        """Checks what can be wrong before photographs are read.

        Raises:
            ValueError: an option is none.
        """
        from .extra import check_extra

        check_extra()
        for name in ("limit", "jobs", "photographs"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} {getattr(self, name)} must be at least 1")
        if self.size is not None and not 64 <= self.size <= 2048:
            raise ValueError(f"--size {self.size} must lie between 64 and 2048 pixels")
        if self.set == "flat" and self.folder is not None:
            raise ValueError(f"DIR {self.folder}: --set flat draws its own images; leave the folder out")
        if self.set != "flat" and self.folder is None:
            raise ValueError(f"DIR is missing; --set {self.set} needs a folder of photographs")

    def _loading(self) -> dict[str, Any]:
        return self.loading() | ({"loras": self.lora} if self.lora else {})

    def _known_kinds(self) -> tuple[str, ...]:
        """The kinds asked for; kinds and grounds are checked before photographs are read."""
        from .composites import Composites
        from .flat import FlatArt
        from .holes import Holes

        sources: dict[str, type[Source]] = {"photos": Composites, "flat": FlatArt, "holes": Holes}
        sources[self.set].check_grounds(self.grounds)
        return sources[self.set].check_kinds(self.kinds)

    def _model(self, rows: Mapping[str, Row]) -> tuple[Callable[[], Editor], str]:
        """What loads the model, and a name for its weights; empty where no row needs one."""
        from ...console.terminal import load_editor
        from ...edits.settings import Settings

        load = partial(load_editor, self.model, **self._loading())
        if not any(isinstance(row, Settings) for row in rows.values()):
            return load, ""
        editor = load()
        return (load if self.jobs > 1 else lambda: editor), editor.backbone.fingerprint()

    def _source(self) -> Source:
        """Where problems come from; says what was found."""
        from ...console.terminal import counted_progress
        from .catalog import build_catalog
        from .composites import Composites
        from .flat import FlatArt
        from .holes import Holes

        side = self.size or SIZES[self.set]
        chosen = {"grounds": self.grounds} if self.grounds else {}
        if self.set == "flat" or self.folder is None:
            return FlatArt(side, **chosen)
        kept = self.out / "cutouts"
        with counted_progress("photos") as report:
            catalog = build_catalog(self.folder, kept, not self.tuning, self.photographs, self.jobs, report)
        print(catalog.described(), file=sys.stderr)
        catalog.check(self.folder, self.set == "photos")
        return (Composites if self.set == "photos" else Holes)(catalog, side, **chosen)

    def _tell(self, bench: Bench, record: Record) -> None:
        """Writes the report and the sheets, and prints a part of the tables."""
        from .sheet import write_sheets
        from .tables import as_json, groups, markdown
        from .verdicts import verdicts_markdown

        rows = list(bench.rows)
        cases = {f"{kind}-{seed}" for kind in bench.kinds for seed in bench.seeds}
        lines = [line for (case, _), line in record.known(bench.digests()).items() if case in cases]
        found, about = groups(lines, self.set == "flat"), self._about(bench)
        errors = [f"{line['case']}, {line['row']}: {line['error']}" for line in lines if "error" in line]
        failed = "".join(f"- failed: {error}\n" for error in errors)
        told = verdicts_markdown(lines, rows)
        record.write("report.md", f"# bench photos, set {self.set}\n\n{failed}\n{markdown(found, rows)}\n{told}")
        record.write("report.json", {"about": about, "errors": errors, "groups": as_json(found, rows)})
        print(markdown(found, rows, PRINTED) + told)
        for error in errors:
            print(f"failed: {error}", file=sys.stderr)
        if self.sheets:
            problems = [bench.problem(kind, seed) for kind in bench.kinds for seed in bench.seeds]
            for name in write_sheets(record, problems, rows):
                print(f"wrote {self.out / name}", file=sys.stderr)
        print(f"wrote {self.out / 'report.md'} and report.json", file=sys.stderr)

    def _about(self, bench: Bench) -> dict[str, object]:
        """What the report is about."""
        from .rows import text_of

        rows = {name: text_of(row) for name, row in bench.rows.items()}
        model = {"model": self.model or "demo", "fingerprint": bench.model}
        split = {"tuning": self.tuning, "seeds": [bench.seeds.start, bench.seeds.stop], "masks": self.masks}
        return {"source": bench.source.about(), **split, **model, "rows": rows, "digests": bench.digests()}
