"""The images of `dragondiffusion demo`: a drawn scene, one edit, and a sheet of before, after and truth."""

import math
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
from torch import Tensor

from ..core.types import Number, Point, Size
from ..edits import Edit
from .kinds import KINDS
from .tasks import HELD_OUT, TASKS, Task

PANEL = 320
"""Shorter side of an image on the sheet, pixels, at least."""

PANEL_OF_PHOTOGRAPHS = 480
"""Longer side of a photograph on the sheet, pixels."""

GAP, LINE = 16, 40
INK, PAPER, MARK = (32, 33, 36), (255, 255, 255), (255, 0, 128)


Arrow: TypeAlias = tuple[Point, Point]
"""Tail and tip (x, y), pixels."""


@dataclass(frozen=True)
class DemoCase:
    """A scene and an edit of one of its objects.

    Args:
        before: the scene.
        truth: the scene drawn again as the edit should leave it; None where nobody knows, on photographs.
        edit: the edit.
        caption: what the scene shows.
        mask: what is outlined before: the object, or what may change; None for nothing.
        arrows: displacements, from tail to tip.
        second: the second image, where there is one, and the outline of what is taken from it.
    """

    before: Image.Image
    truth: Image.Image | None
    edit: Edit
    caption: str
    mask: Image.Image | None
    arrows: tuple[Arrow, ...]
    second: tuple[Image.Image, Image.Image] | None = None


def draw_case(seed: int, size: Size, kind: str = "move") -> DemoCase:
    """Draws a scene that the demo model was not trained on, and picks an edit of it.

    Args:
        seed: which.
        size: (height, width) in pixels.
        kind: of the edit, a key of `bench.kinds.KINDS`.

    Raises:
        ValueError: if the seed is negative, the size is not one for scenes, or the kind is unknown.
    """
    if not 0 <= seed < HELD_OUT // 2:
        raise ValueError(f"--seed {seed} must lie between 0 and {HELD_OUT // 2 - 1}")
    if not 64 <= min(size) <= max(size) <= 4096:
        raise ValueError(f"--size {size[0]} {size[1]}: both sides must lie between 64 and 4096 pixels")
    if kind not in KINDS:
        raise ValueError(f"--edit {kind} is unknown; use one of {', '.join(KINDS)}")
    task = next(TASKS[kind](1, HELD_OUT + seed, size))
    second = (_picture(task.second.picture), _mask(task.second.mask)) if task.second else None
    outline = task.editable if task.editable is not None else task.mask
    return DemoCase(
        before=_picture(task.before),
        truth=_picture(task.truth),
        edit=task.edit(),
        caption=task.caption,
        mask=_mask(outline) if KINDS[kind].outlined else None,
        arrows=_arrows(task),
        second=second,
    )


def _arrows(task: Task) -> tuple[Arrow, ...]:
    if task.points_from:
        return tuple((tail, tip) for tail, tip in zip(task.points_from, task.points_to, strict=True) if tail != tip)
    (x, y), (dx, dy) = task.centre, task.offset
    return (((x, y), (x + dx, y + dy)),) if (dx, dy) != (0, 0) else ()


def sheet(case: DemoCase, after: Image.Image) -> Image.Image:
    """Before (with outlines and arrows), the second image if there is one, after, and truth if known, side by side."""
    factor = max(1, math.ceil(PANEL / min(case.before.size)))
    if case.truth is None:
        factor = PANEL_OF_PHOTOGRAPHS / max(case.before.size)
    panels = {"before": marked(case, factor)}
    if case.second is not None:
        panels["second image"] = outlined(*case.second, factor)
    panels["after"] = _enlarged(after, factor)
    if case.truth is not None:
        panels["truth"] = _enlarged(case.truth, factor)
    width, height = (max(panel.size[axis] for panel in panels.values()) for axis in (0, 1))
    page = Image.new("RGB", (len(panels) * (width + GAP) + GAP, height + 2 * LINE), PAPER)
    draw, font, small = ImageDraw.Draw(page), ImageFont.load_default(size=20), ImageFont.load_default(size=16)
    for k, (name, panel) in enumerate(panels.items()):
        left = GAP + k * (width + GAP)
        page.paste(panel, (left + (width - panel.width) // 2, LINE))
        draw.text((left + width / 2, LINE / 2), name, fill=INK, font=font, anchor="mm")
    draw.text((page.width / 2, height + 1.5 * LINE), case.caption, fill=INK, font=small, anchor="mm")
    return page


def marked(case: DemoCase, factor: Number) -> Image.Image:
    """The scene with the outline of what is edited and arrows to where it goes."""
    picture = _enlarged(case.before, factor) if case.mask is None else outlined(case.before, case.mask, factor)
    thin = len(case.arrows) > 4
    for colour, width in ((PAPER, 3 if thin else 7), (MARK, 2 if thin else 3)):
        for (x, y), (u, v) in case.arrows:
            shift = ((u - x) * factor, (v - y) * factor)
            arrow(ImageDraw.Draw(picture), (x * factor, y * factor), shift, colour, width)
    return picture


def outlined(picture: Image.Image, mask: Image.Image, factor: Number) -> Image.Image:
    """An image, enlarged, with the outline of a mask."""
    picture = _enlarged(picture, factor)
    mask = _enlarged(mask, factor).point([0] * 128 + [255] * 128)
    picture.paste(MARK, mask=ImageChops.difference(mask.filter(ImageFilter.MaxFilter(5)), mask))
    return picture


def arrow(
    draw: ImageDraw.ImageDraw,
    tail: tuple[float, float],
    shift: tuple[float, float],
    colour: tuple[int, int, int],
    width: int,
) -> None:
    """Draws an arrow from its tail, so far along x and y."""
    tip, heading = (tail[0] + shift[0], tail[1] + shift[1]), math.atan2(shift[1], shift[0])
    draw.line((*tail, *tip), fill=colour, width=width)
    length = min(16.0, 0.6 * math.hypot(*shift))
    for turn in (2.6, -2.6):
        barb = (tip[0] + length * math.cos(heading + turn), tip[1] + length * math.sin(heading + turn))
        draw.line((*tip, *barb), fill=colour, width=width)


def _enlarged(picture: Image.Image, factor: Number) -> Image.Image:
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.BICUBIC)


def _picture(image: Tensor) -> Image.Image:
    return Image.fromarray((image.permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy())


def _mask(mask: Tensor) -> Image.Image:
    return _picture(mask.expand(3, -1, -1)).convert("L")
