"""Contact sheets: each case before the edit, what rows made of it, and the truth, to be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from .arrays import Bytes, Mask, dilated
from .problem import Problem
from .record import Record

PANEL, GAP, LINE = 256, 6, 22
"""Side of a panel, distance between panels, height of a line of text, pixels."""
ROWS = ("copy-paste", "proxy alone", "default")
"""Rows that a sheet shows, where they are there."""
INK, PAPER, MARK = (30, 30, 30), (255, 255, 255), (255, 0, 160)
MOST = 12
"""Cases of one sheet."""


def write_sheets(record: Record, problems: Iterable[Problem], rows: Sequence[str]) -> list[str]:
    """Writes sheets of all cases by kind into `sheets/`; gives their names.

    Args:
        record: results.
        problems: the cases.
        rows: those of the run; of the usual ones only these are shown.
    """
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.kind, []).append(problem)
    (record.folder / "sheets").mkdir(exist_ok=True)
    shown, names = [row for row in ROWS if row in rows] or list(rows), list[str]()
    for kind, own in kinds.items():
        for k in range(0, len(own), MOST):
            names.append(f"sheets/{kind}-{k // MOST}.png")
            sheet(record, own[k : k + MOST], shown).save(record.folder / names[-1])
    return names


def sheet(record: Record, problems: Sequence[Problem], rows: Sequence[str]) -> Pictures.Image:
    """One line of panels for each case: before, with the border of its mask and its drags; rows; truth."""
    columns = ("before", *rows, "truth")
    second = any(problem.second is not None for problem in problems)
    columns = (*columns, "reference image") if second else columns
    page = Pictures.new("RGB", (len(columns) * (PANEL + GAP) + GAP, LINE + len(problems) * (PANEL + LINE)), PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=14)
    for k, name in enumerate(columns):
        draw.text((GAP + k * (PANEL + GAP) + PANEL / 2, LINE / 2), name, fill=INK, font=font, anchor="mm")
    for j, problem in enumerate(problems):
        top = LINE + j * (PANEL + LINE)
        results = [record.picture(row, problem.name) for row in rows]
        other = None if problem.second is None else problem.second.image
        for k, image in enumerate([marked(problem), *results, problem.truth, other][: len(columns)]):
            if image is not None:
                page.paste(_panel(image), (GAP + k * (PANEL + GAP), top))
        notes = ", ".join(problem.notes.values())
        text = f"{problem.name}, ground {problem.ground}{', ' if notes else ''}{notes}"
        draw.text((GAP, top + PANEL + LINE / 2), text, fill=INK, font=font, anchor="lm")
    return page


def marked(problem: Problem) -> Bytes:
    """The image before with the border of its mask, and arrows along a drag or to a thing's new place."""
    image = Pictures.fromarray(_outlined(problem.before, problem.mask) if problem.action != "paste" else problem.before)
    draw = ImageDraw.Draw(image)
    for start, end in problem.pairs:
        draw.line([*start, *end], fill=MARK, width=max(1, min(problem.size) // 128))
        x, y = end
        r = max(1.5, min(problem.size) / 96)
        draw.ellipse([x - r, y - r, x + r, y + r], fill=MARK)
    return np.asarray(image).copy()


def _outlined(image: Bytes, mask: Mask) -> Bytes:
    solid = mask > 0.5
    result = image.copy()
    result[dilated(solid, 1) & ~solid] = MARK
    return result


def _panel(image: Bytes) -> Pictures.Image:
    how = Pictures.Resampling.BOX if image.shape[0] > PANEL else Pictures.Resampling.BICUBIC
    return Pictures.fromarray(image).resize((PANEL, PANEL), how)
