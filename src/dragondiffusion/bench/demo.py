"""What `dragondiffusion demo` shows: a drawn scene, one object moved, and a sheet of before, after and truth."""

import math
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
from torch import Tensor

from ..edits import Move
from ..types import Size
from .tasks import HELD_OUT, moves

PANEL = 320
"""Shorter side of a picture on the sheet, pixels, at least."""

GAP, LINE = 16, 40
INK, PAPER, MARK = (32, 33, 36), (255, 255, 255), (255, 0, 128)


@dataclass(frozen=True)
class Case:
    """A scene and a move of one of its objects.

    Args:
        before: the scene.
        truth: the scene drawn again with the object at its new place.
        mask: the object.
        edit: the move.
        centre: middle of the object, (x, y) in pixels.
        offset: where it goes from there, pixels.
        caption: what the scene shows.
    """

    before: Image.Image
    truth: Image.Image
    mask: Image.Image
    edit: Move
    centre: tuple[float, float]
    offset: tuple[float, float]
    caption: str


def draw_case(seed: int, size: Size) -> Case:
    """Draws a scene that the demo model was not trained on, and picks an object and where it goes.

    Raises:
        ValueError: if the seed is negative or the size is not one for scenes.
    """
    if not 0 <= seed < HELD_OUT // 2:
        raise ValueError(f"--seed {seed} must lie between 0 and {HELD_OUT // 2 - 1}")
    if not 64 <= min(size) <= max(size) <= 4096:
        raise ValueError(f"--size {size[0]} {size[1]}: both sides must lie between 64 and 4096 pixels")
    task = next(moves(1, HELD_OUT + seed, size))
    return Case(
        before=_picture(task.before),
        truth=_picture(task.truth),
        mask=_picture(task.mask.expand(3, -1, -1)).convert("L"),
        edit=Move(task.mask.numpy(), offset=task.offset),
        centre=task.centre,
        offset=task.offset,
        caption=task.caption,
    )


def sheet(case: Case, after: Image.Image) -> Image.Image:
    """Before (with the object's outline and the way it goes), after, and truth, side by side with captions."""
    factor = max(1, math.ceil(PANEL / min(case.before.size)))
    panels = {
        "before": outlined(case, factor),
        "after": _enlarged(after, factor),
        "truth": _enlarged(case.truth, factor),
    }
    width, height = panels["before"].size
    page = Image.new("RGB", (3 * width + 4 * GAP, height + 2 * LINE), PAPER)
    draw, font, small = ImageDraw.Draw(page), ImageFont.load_default(size=20), ImageFont.load_default(size=16)
    for k, (name, panel) in enumerate(panels.items()):
        left = GAP + k * (width + GAP)
        page.paste(panel, (left, LINE))
        draw.text((left + width / 2, LINE / 2), name, fill=INK, font=font, anchor="mm")
    draw.text((page.width / 2, height + 1.5 * LINE), case.caption, fill=INK, font=small, anchor="mm")
    return page


def outlined(case: Case, factor: int) -> Image.Image:
    """The scene with the outline of the object to move and an arrow to where it goes."""
    picture = _enlarged(case.before, factor)
    mask = _enlarged(case.mask, factor).point([0] * 128 + [255] * 128)
    picture.paste(MARK, mask=ImageChops.difference(mask.filter(ImageFilter.MaxFilter(5)), mask))
    (x, y), (dx, dy) = case.centre, case.offset
    for colour, width in ((PAPER, 7), (MARK, 3)):
        arrow(ImageDraw.Draw(picture), (x * factor, y * factor), (dx * factor, dy * factor), colour, width)
    return picture


def arrow(
    draw: ImageDraw.ImageDraw,
    tail: tuple[float, float],
    way: tuple[float, float],
    colour: tuple[int, int, int],
    width: int,
) -> None:
    """Draws an arrow from its tail, so far along x and y."""
    tip, heading = (tail[0] + way[0], tail[1] + way[1]), math.atan2(way[1], way[0])
    draw.line((*tail, *tip), fill=colour, width=width)
    for turn in (2.6, -2.6):
        barb = (tip[0] + 16 * math.cos(heading + turn), tip[1] + 16 * math.sin(heading + turn))
        draw.line((*tip, *barb), fill=colour, width=width)


def _enlarged(picture: Image.Image, factor: int) -> Image.Image:
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.BICUBIC)


def _picture(image: Tensor) -> Image.Image:
    return Image.fromarray((image.permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy())
