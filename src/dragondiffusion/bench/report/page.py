"""The page of a report: one HTML file that needs nothing beside it, and the JSON that its numbers come from."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from ...imaging.writing import write_file
from ..kinds import OPTIONS
from ..runs.results import Results
from ..runs.running import Sets
from ..runs.scores import COLUMNS
from ..tasks import Task, pixels
from . import plots
from .figures import Figures

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 5rem; max-width: 68rem; background: #fff; color: #1c1e21;
  font: 16px/1.55 Charter, "Bitstream Charter", "Source Serif 4", Cambria, Georgia, serif; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .6rem; padding-top: .8rem; border-top: 1px solid #d9dde1; }
h3 { font-size: 1.02rem; margin: 1.8rem 0 .4rem; }
p, li, dd { max-width: 46rem; }
.date { color: #5b6168; margin: 0 0 1.5rem; }
nav a { color: #1f5a8a; text-decoration: none; margin-right: 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: 1rem 0; font-size: .92rem; }
dt { color: #5b6168; } dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: .84rem/1.5 "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre { background: #f6f7f8; padding: .7rem .9rem; overflow-x: auto; }
.scroll { overflow-x: auto; margin: .6rem 0 1.2rem; }
table { border-collapse: collapse; font: .82rem/1.35 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums; border-top: 1.5px solid #1c1e21; border-bottom: 1.5px solid #1c1e21; }
th, td { padding: .32rem .7rem; text-align: right; white-space: nowrap; vertical-align: top; }
thead th { border-bottom: 1px solid #9aa0a6; font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: #fff; font-weight: 400; }
tbody tr.base th, tbody tr.base td { background: #f0f5f9; }
tbody tr.part th { padding-top: .8rem; font-weight: 600; }
small { color: #6b7280; font-size: .74rem; display: block; }
b { font-weight: 700; } .unit { font-weight: 400; color: #6b7280; }
figure { margin: 1rem 0; } img.plot { width: 100%; }
table.sheet { border: 0; } table.sheet td, table.sheet th { padding: .15rem .3rem; text-align: center; border: 0; }
table.sheet th { font-weight: 400; vertical-align: bottom; white-space: normal; max-width: 8.2rem; color: #5b6168; }
table.sheet th:first-child { font-size: .78rem; text-align: left; padding-right: .8rem; vertical-align: middle; }
table.sheet img { width: 128px; display: block; }
details { font-size: .85rem; } summary { cursor: pointer; color: #1f5a8a; }
"""

LEGEND = """Means over scenes with 95 % bootstrap intervals; the best mean of each column is bold. Every row has edited
the same scenes. For rotations the preset reference is given our geometry, since the authors' knows no angle."""

SIGN = "\N{MINUS SIGN}"


def write_page(figures: Figures, folders: Sequence[Path], out: Path) -> tuple[Path, Path]:
    """Writes a report: the page, and its figures beside it.

    Args:
        figures: what `figures.gather` found.
        folders: where images are kept.
        out: name of the page; the figures get the suffix `.json`.

    Raises:
        OSError: It cannot be written.
    """
    text = page(figures, [Results(folder) for folder in folders])
    figures_out = out.with_suffix(".json")
    held = json.dumps(figures, indent=1, allow_nan=False).encode()
    return write_file(out, lambda file: file.write(text.encode())), write_file(figures_out, lambda f: f.write(held))


def page(figures: Figures, results: Sequence[Results]) -> str:
    """The page as HTML."""
    base, kinds = figures["base"], figures["kinds"]
    links = "".join(f'<a href="#{escape(kind)}">{escape(kind)}</a>' for kind in kinds)
    body = [
        f"<h1>{escape(figures['title'])}</h1>",
        f'<p class="date">{escape(figures["date"])}</p>',
        f"<nav>{links}</nav>",
        _conditions(figures),
        "<h2>Summary</h2>",
        f"<p>{LEGEND}</p>",
        _summary(figures, "PSNR of the whole image to the truth, dB", lambda _: "whole"),
        _summary(figures, "PSNR to the truth where the edit is hardest, dB", lambda kind: kinds[kind]["headline"]),
        *(_kind(name, kind, base, _sheet(figures, name, results)) for name, kind in kinds.items()),
        _definitions(figures),
    ]
    head = f'<meta charset="utf-8"><title>{escape(figures["title"])}</title><style>{STYLE}</style>'
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    text = "\n".join(body)
    return f'<!doctype html>\n<html lang="en"><head>{head}{view}</head>\n<body>\n{text}\n</body></html>\n'


def _conditions(figures: Figures) -> str:
    about = figures["about"]
    kinds = ", ".join(f"{name} {kind['scenes']}" for name, kind in figures["kinds"].items())
    asked = _options(about)
    entries = {
        "Model": f"fingerprint {about['model']}",
        "Versions": ", ".join(f"{name} {version}" for name, version in figures["versions"].items()),
        "Scenes": kinds + (", set apart for choosing settings" if about["tuning"] else ", held out"),
        "Pictures": f"{about['size'][0]}x{about['size'][1]} pixels",
        "Prompt": "what the image shows " + ("after the edit" if about["after"] else "before the edit"),
        **({"Options of scenes": ", ".join(f"{name} {value}" for name, value in asked.items())} if asked else {}),
        "Compared with": figures["base"],
    }
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(text))}</dd>" for name, text in entries.items())
    commands = "\n".join(escape(command) for command in figures["commands"])
    return f"<dl>{terms}</dl><pre>{commands}</pre>"


def _options(about: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the scenes were generated with."""
    return {name: about[name] for name in OPTIONS if about[name] is not None}


def _summary(figures: Figures, title: str, column: Callable[[str], str]) -> str:
    """Rows by kinds."""
    kinds = figures["kinds"]
    rows = list(dict.fromkeys(row for kind in kinds.values() for row in kind["rows"]))
    heads = [f"{escape(kind)}<small>{escape(column(kind))}</small>" for kind in kinds]
    best = {kind: _best(one["rows"], column(kind)) for kind, one in kinds.items()}
    lines = [
        (row, [_estimate(one["rows"].get(row, {}), column(kind), row in best[kind]) for kind, one in kinds.items()])
        for row in rows
    ]
    return f"<h3>{escape(title)}</h3>" + _table("", heads, lines, figures["base"])


def _kind(name: str, kind: Figures, base: str, sheet: str) -> str:
    rows = kind["rows"]
    columns = [c for c in COLUMNS if any(c in values for values in rows.values())]
    best = {column: _best(rows, column) for column in columns}
    lines = [(row, [_estimate(values, c, row in best[c]) for c in columns]) for row, values in rows.items()]
    plot = base64.b64encode(plots.figure(kind, base)).decode()
    compared = {row: values for row, values in kind["compared"].items() if values}
    shared = [c for c in columns if any(c in values for values in compared.values())]
    wins = [(row, [_difference(values, c) for c in shared]) for row, values in compared.items()]
    parts = [
        f'<h2 id="{escape(name)}">{escape(name)}</h2><p>{kind["scenes"]} scenes.</p>',
        f'<figure><img class="plot" alt="Quality and cost" src="data:image/png;base64,{plot}"></figure>',
        "<h3>All metrics</h3>" + _table("", [_head(c) for c in columns], lines, base),
    ]
    if wins:
        parts.append(f"<h3>Difference to {escape(base)} on the same scenes, and share of scenes won against it</h3>")
        parts.append(_table("", [_head(c) for c in shared], wins, base))
    if kind["levels"]:
        parts.append("<h3>By difficulty</h3>" + _levels(kind, base))
    if kind["flops"]:
        parts.append("<h3>Operations of one edit, 10<sup>9</sup></h3>" + _operations(kind["flops"], base))
    return "\n".join([*parts, "<h3>Pictures</h3>", sheet])


def _best(rows: Mapping[str, Figures], column: str) -> set[str]:
    """The rows whose mean of a column is best, as it is shown; none where all are equal."""
    values = {row: one[column]["mean"] * COLUMNS[column].better for row, one in rows.items() if column in one}
    shown = {row: COLUMNS[column].shown(value) for row, value in values.items()}
    top = shown[max(values, key=lambda row: values[row])] if values else ""
    return {row for row, text in shown.items() if text == top} if len(set(shown.values())) > 1 else set()


def _head(column: str) -> str:
    unit = COLUMNS[column].unit
    return escape(column) + (f' <span class="unit">{escape(unit)}</span>' if unit not in ("", "%") else "")


def shown(column: str, value: float, signed: bool = False) -> str:
    """A number of a column as pages show it."""
    text = COLUMNS[column].shown(abs(value))
    zero = not any(digit in text for digit in "123456789")
    sign = "" if zero else SIGN if value < 0 else "+" if signed else ""
    return sign + text


def _estimate(values: Figures, column: str, best: bool = False) -> str:
    if column not in values:
        return "&ndash;"
    one = values[column]
    mean = shown(column, one["mean"])
    mean = f"<b>{mean}</b>" if best else mean
    return f"{mean}<small>{shown(column, one['low'])} to {shown(column, one['high'])}</small>"


def _difference(values: Figures, column: str) -> str:
    if column not in values:
        return "&ndash;"
    one = values[column]["difference"]
    mean, low, high = (shown(column, one[name], signed=True) for name in ("mean", "low", "high"))
    return f"{mean}<small>{low} to {high}</small><small>won {values[column]['won']:.0%}</small>"


def _levels(kind: Figures, base: str) -> str:
    """Rows by levels, one part for each column."""
    levels = [(axis, level, one) for axis, each in kind["levels"].items() for level, one in each.items()]
    heads = [f"{escape(axis)}<small>{escape(level)}, {one['scenes']}</small>" for axis, level, one in levels]
    parts: list[str] = []
    for column in dict.fromkeys(("whole", kind["headline"])):
        lines = [(row, [_estimate(one["rows"].get(row, {}), column) for *_, one in levels]) for row in kind["rows"]]
        parts.append(_table(f"PSNR {column}, dB", heads, lines, base))
    return "".join(parts)


def _operations(flops: Mapping[str, Mapping[str, int]], base: str) -> str:
    phases = list(dict.fromkeys(phase for one in flops.values() for phase in one))
    lines = [
        (row, [*(operations(one.get(phase, 0)) for phase in phases), operations(sum(one.values()))])
        for row, one in flops.items()
    ]
    return _table("", [*phases, "all"], lines, base)


def operations(count: int) -> str:
    """A number of operations as pages show it, in thousands of millions."""
    return f"{count / 1e9:.2f}"


def _table(title: str, heads: Sequence[str], lines: Iterable[tuple[str, Sequence[str]]], base: str) -> str:
    """A table; heads and cells are HTML, the names of rows are text."""
    head = f"<th>{escape(title)}</th>" + "".join(f"<th>{one}</th>" for one in heads)
    body = "".join(
        f'<tr class="{"base" if name == base else "row"}"><th>{escape(name)}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for name, cells in lines
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _sheet(figures: Figures, name: str, results: Sequence[Results]) -> str:
    """Scenes before, after by every row, and as they should be."""
    about, kind = figures["about"], figures["kinds"][name]
    own = {n: tuple(v) if isinstance(v, list) else v for n, v in _options(about).items() if name in OPTIONS[n]}
    sets = Sets((name,), 1, (about["size"][0], about["size"][1]), asked={name: own})
    rows = list(kind["rows"])
    lines = "".join(
        _scene(sets.task(name, seed), word, rows, results) for word, seeds in kind["shown"].items() for seed in seeds
    )
    second = "<th>second image</th>" if name in ("paste", "appearance") else ""
    heads = "".join(f"<th>{escape(row)}</th>" for row in rows)
    text = f"Scenes on which {figures['base']} has the highest and the lowest PSNR {kind['headline']}."
    table = f'<table class="sheet"><tr><th></th><th>before</th>{second}{heads}<th>truth</th></tr>{lines}</table>'
    return f'<p>{escape(text)}</p><div class="scroll">{table}</div>'


def _scene(task: Task, word: str, rows: Sequence[str], results: Sequence[Results]) -> str:
    pictures: list[Any] = [task.before, *([] if task.second is None else [task.second.picture])]
    kept = [next(one for one in results if one.known(task.kind, row, task.seed)) for row in rows]
    pictures += [one.picture(task.kind, row, task.seed) for row, one in zip(rows, kept, strict=True)]
    cells = "".join(f'<td><img alt="" src="{_inline(pixels(one))}"></td>' for one in [*pictures, task.truth])
    return f"<tr><th>{escape(word)}<small>{task.seed}</small></th>{cells}</tr>"


def _inline(array: Any) -> str:
    file = io.BytesIO()
    Image.fromarray(array).save(file, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _definitions(figures: Figures) -> str:
    there = {c for kind in figures["kinds"].values() for values in kind["rows"].values() for c in values}
    words = {1: "higher is better", -1: "lower is better", 0: ""}
    metrics = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(', '.join(filter(None, (c['text'], c['unit'], words[c['better']]))))}</dd>"
        for name, c in figures["columns"].items()
        if name in there
    )
    axes = "".join(f"<dt>{escape(name)}</dt><dd>{escape(_axis(axis))}</dd>" for name, axis in figures["axes"].items())
    rows = "".join(
        f"<dt>{escape(kind)}: {escape(row)}</dt><dd><code>{escape(text)}</code></dd>"
        for kind, named in figures["settings"].items()
        for row, text in named.items()
    )
    return (
        f"<h2>What the columns mean</h2><dl>{metrics}</dl><h3>Levels of difficulty</h3><dl>{axes}</dl>"
        f"<details><summary>Settings of every row</summary><dl>{rows}</dl></details>"
    )


def _axis(axis: Mapping[str, Any]) -> str:
    limits = [f"{level} up to {limit}" for level, limit in zip(axis["levels"], axis["limits"], strict=False)]
    return f"{axis['text']}: {', '.join(limits)}, {axis['levels'][-1]} above"
