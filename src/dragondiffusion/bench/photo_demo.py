"""Photographs for `dragondiffusion demo --photo`: scikit-image's, with an edit of each kind, or one of the user's."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw

from ..core.types import Point, Size
from ..edits import Drag, Edit, Landmarks, Move, Paste, Remove, ReplaceAppearance
from ..imaging.files import read_picture
from ..imaging.frames import Box, box_of_mask
from ..imaging.notes import note
from ..selection import Clicks, select
from .demo import Arrow, DemoCase

Outline = tuple[tuple[int, int], ...]

ROCKET: Outline = (
    (308, 408), (308, 180), (309, 150), (312, 135), (321, 127), (330, 135), (333, 150), (334, 180), (334, 408),
)  # fmt: skip
"""The launcher in scikit-image's `rocket`, pixels."""
COIN = (155.5, 51.5, 23.5, 22.5)
"""A coin of `coins`: centre and half axes of an ellipse, as all below."""
PATCH = (169.0, 385.0, 38.0, 38.0)
"""The mission's patch on the suit of `astronaut`."""
COFFEE = (287.0, 155.0, 74.0, 52.0)
"""What is in the cup of `coffee`."""
EYE = (171.0, 117.0, 34.0, 30.0)
"""The left eye of `chelsea`."""
MUZZLE = (250.0, 240.0, 95.0, 58.0)
"""What may change when the nose of `chelsea` is dragged."""
NOSE = ((262.0, 245.0), (232.0, 250.0))
"""Where it is, and where it is dragged to."""
FACE: tuple[Point, ...] = (
    (208, 143),
    (246, 146),
    (227, 151),
    (226, 140),
    (190, 110),
    (265, 115),
    (228, 125),
    (226, 165),
)
"""Corners and middles of the mouth of `astronaut`, then temples, nose and chin."""
SMILE: tuple[Point, ...] = (
    (202, 138),
    (253, 141),
    (227, 154),
    (226, 139),
    (190, 110),
    (265, 115),
    (228, 125),
    (226, 167),
)
"""Where they go."""

ROOM = 1.4
"""How far a thing of a user's photograph is moved, in its own widths or heights. Source: chosen, clear of itself."""


def photo_case(kind: str, photo: Path | None = None, point: Point | None = None) -> DemoCase:
    """An edit of a photograph; notes say what was guessed of the user's, and reasons to doubt it.

    Args:
        kind: of the edit.
        photo: the user's; None takes one of scikit-image's, with a thing that suits the kind.
        point: on the thing, pixels of the user's photograph; None is its centre.

    Raises:
        ValueError: the kind is unknown or needs more than a thing, a library is missing, or nothing is found at the
            point.
        FileNotFoundError: there is no such photograph.
    """
    if photo is not None:
        return _of_user(kind, photo, point)
    if point is not None:
        raise ValueError("--point names a place of a photograph of yours; name the photograph too: --photo FILE")
    if kind not in CASES:
        raise ValueError(f"--edit {kind} is unknown; use one of {', '.join(CASES)}")
    if find_spec("skimage") is None:
        raise ValueError(
            "--photo without a file shows scikit-image's photographs: pip install 'dragondiffusion[bench]', or name one"
        )
    return CASES[kind]()


def _move() -> DemoCase:
    photo, offset = _photograph("rocket"), (-70.0, 0.0)
    mask = _drawn(photo, lambda draw: draw.polygon(ROCKET, fill=255))
    return _case(photo, Move(mask, offset), mask, (((321.0, 250.0), (251.0, 250.0)),))


def _resize() -> DemoCase:
    photo = _photograph("astronaut")
    mask = _ellipse(photo, PATCH)
    return _case(photo, Move(mask, scale=1.4), mask)


def _rotate() -> DemoCase:
    photo = _photograph("coins")
    mask = _ellipse(photo, COIN)
    return _case(photo, Move(mask, angle=50.0), mask)


def _remove() -> DemoCase:
    photo = _photograph("coins")
    mask = _ellipse(photo, COIN)
    return _case(photo, Remove(mask), mask)


def _paste() -> DemoCase:
    photo, other = _photograph("coffee"), _photograph("coins")
    mask = _ellipse(other, COIN)
    return _case(photo, Paste(other, mask, (370.0, 230.0), scale=1.6), None, second=(other, mask))


def _appearance() -> DemoCase:
    photo, other = _photograph("coffee"), _photograph("chelsea")
    mask, like = _ellipse(photo, COFFEE), _ellipse(other, EYE)
    return _case(photo, ReplaceAppearance(mask, other, like), mask, second=(other, like))


def _drag() -> DemoCase:
    photo = _photograph("chelsea")
    mask = _ellipse(photo, MUZZLE)
    return _case(photo, Drag([NOSE], mask), mask, (NOSE,))


def _landmarks() -> DemoCase:
    photo = _photograph("astronaut")
    ways = tuple((a, b) for a, b in zip(FACE, SMILE, strict=True) if a != b)
    return _case(photo, Landmarks(FACE, SMILE), None, ways)


CASES: dict[str, Callable[[], DemoCase]] = {
    "move": _move,
    "resize": _resize,
    "rotate": _rotate,
    "paste": _paste,
    "appearance": _appearance,
    "drag": _drag,
    "landmarks": _landmarks,
    "remove": _remove,
}
"""An edit of one of scikit-image's photographs for every kind."""


def _of_user(kind: str, path: Path, point: Point | None) -> DemoCase:
    """The thing at a point of a photograph, moved to where there is room, or turned, resized, removed in its place."""
    if kind not in ("move", "resize", "rotate", "remove"):
        raise ValueError(
            f"--edit {kind} needs more than a thing of --photo {path}; use move, resize, rotate or remove, or the "
            f"command dragondiffusion {kind if kind != 'resize' else 'move'}"
        )
    photo = Image.fromarray(read_picture(path))
    at = point or (photo.width / 2, photo.height / 2)
    if point is None:
        note(f"no point is given: the thing at the centre ({at[0]:g}, {at[1]:g}) is taken; --point X Y names another")
    found = select(photo, Clicks(points=(at,)))
    for text in found.notes:
        note(text)
    if found.notes:
        note("dragondiffusion mask takes further points and boxes, and offers smaller and larger candidates")
    mask = Image.fromarray((255 * found.mask).round().byte().numpy())
    box = box_of_mask(found.mask)
    way = _room(box, (photo.height, photo.width))
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    edit: Edit = {
        "move": Move(mask, way),
        "resize": Move(mask, scale=0.7),
        "rotate": Move(mask, angle=30.0),
        "remove": Remove(mask),
    }[kind]
    arrows = ((centre, (centre[0] + way[0], centre[1] + way[1])),) if kind == "move" else ()
    return _case(photo, edit, mask, arrows)


def _room(box: Box, size: Size) -> Point:
    """A displacement along an axis, to the side where most room is, at most so far that the thing stays inside."""
    left, top, right, bottom = box
    free = {(-1, 0): left, (1, 0): size[1] - right, (0, -1): top, (0, 1): size[0] - bottom}
    (x, y), room = max(free.items(), key=lambda item: item[1] / ((right - left) if item[0][0] else (bottom - top)))
    length = min(room, ROOM * ((right - left) if x else (bottom - top)))
    return x * float(length), y * float(length)


def _case(
    photo: Image.Image,
    edit: Edit,
    mask: Image.Image | None,
    arrows: tuple[Arrow, ...] = (),
    second: tuple[Image.Image, Image.Image] | None = None,
) -> DemoCase:
    return DemoCase(photo, None, edit, "", mask, arrows, second)


def _photograph(name: str) -> Image.Image:
    from skimage import data

    return Image.fromarray(getattr(data, name)()).convert("RGB")


def _drawn(photo: Image.Image, draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    mask = Image.new("L", photo.size, 0)
    draw(ImageDraw.Draw(mask))
    return mask


def _ellipse(photo: Image.Image, shape: tuple[float, float, float, float]) -> Image.Image:
    x, y, rx, ry = shape
    return _drawn(photo, lambda draw: draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=255))
