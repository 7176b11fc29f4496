"""Images of a run side by side: each case with its mask and drags, then every result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from ...imaging.files import Pixels
from ..demo import GAP, INK, LINE, MARK, PAPER, arrow, outlined
from .cases import Case

PANEL = 256
"""Longer side of an image on the sheet, pixels."""


def sheet(cases: Sequence[tuple[Case, Mapping[str, Pixels]]], rows: Sequence[str]) -> Image.Image:
    """One line of images for each case.

    Args:
        cases: cases with their results by row.
        rows: the rows, in the order of the columns.
    """
    columns = ("before", *rows)
    heights = [_reduced(case.size)[0] for case, _ in cases]
    page = Image.new("RGB", (len(columns) * (PANEL + GAP) + GAP, LINE + sum(h + LINE for h in heights)), PAPER)
    draw, font, small = ImageDraw.Draw(page), ImageFont.load_default(size=20), ImageFont.load_default(size=14)
    for k, name in enumerate(columns):
        draw.text((GAP + k * (PANEL + GAP) + PANEL / 2, LINE / 2), name, fill=INK, font=font, anchor="mm")
    top = LINE
    for (case, results), height in zip(cases, heights, strict=True):
        panels = [drawn(case), *(_panel(results.get(row), case) for row in rows)]
        for k, panel in enumerate(panels):
            page.paste(panel, (GAP + k * (PANEL + GAP) + (PANEL - panel.width) // 2, top))
        text = f"{case.name}: {case.prompt}"
        draw.text((GAP, top + height + LINE / 2), text, fill=INK, font=small, anchor="lm")
        top += height + LINE
    return page


def drawn(case: Case) -> Image.Image:
    """The image, reduced, with the outline of its mask and its drags."""
    height, width = _reduced(case.size)
    mask = Image.fromarray(case.mask).convert("L").resize((width, height))
    picture = outlined(_panel(case.pixels, case), mask, 1)
    sx, sy = width / case.size[1], height / case.size[0]
    for colour, thickness in ((PAPER, 5), (MARK, 2)):
        for (x, y), (u, v) in case.pairs:
            arrow(ImageDraw.Draw(picture), (x * sx, y * sy), ((u - x) * sx, (v - y) * sy), colour, thickness)
    return picture


def _panel(pixels: Pixels | None, case: Case) -> Image.Image:
    height, width = _reduced(case.size)
    if pixels is None:
        return Image.new("RGB", (width, height), PAPER)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)


def _reduced(size: tuple[int, int]) -> tuple[int, int]:
    factor = PANEL / max(size)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
