"""Masks that are not images: boxes, polygons, run lengths; drawn where a mask is needed.

Convention: points are (x, y) in pixels; pixel (i, j) covers the square from (j, i) to (j + 1, i + 1). Drawn masks hold
the share of every pixel that is inside.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar, TypeAlias

import numpy as np
from jaxtyping import Float

from ..core.bounds import Bounded, Length, Range
from ..core.stopping import go_on
from ..core.strict_json import Json, shown
from ..core.types import Coordinate, PointList, Size
from .rle import MAX_PIXELS, decode_runs, pack_runs, unpack_runs

Share = Float[np.ndarray, "_ _"]
Points = Float[np.ndarray, "_ 2"]
Values = Float[np.ndarray, " _"]

LINES = 16
"""Lines per row of pixels on which polygons are cut; along each of them shares are exact. Source: chosen."""

AT_ONCE = 2**17
"""Crossings of lines with sides that are worked on together. Source: chosen, they fit into a processor's cache."""

MOST_CROSSINGS = 2**22
"""Crossings of lines with sides of one polygon. Source: chosen, a second's work; the outline of an object that fills a
photo of 100 megapixels, ragged over ten times its length, has so many."""

Ring: TypeAlias = Annotated[PointList, Length(3, 50_000, "points")]
"""Corners of a polygon. Source of their number: chosen, the outline of an object in a large photo, pixel by pixel."""

Side: TypeAlias = Annotated[int, Range(1, MAX_PIXELS, "pixels")]
"""Height or width of a mask."""


class MaskShape(Bounded, ABC):
    """A mask that is drawn at the size of its image."""

    IN_WORDS: ClassVar[str] = "a shape (BoxMask, PolygonMask, RunLengthMask)"
    """What it is called where one is asked for."""

    @abstractmethod
    def drawn(self, size: Size, name: str = "mask") -> Share:
        """The share of every pixel that is inside, 0 to 1.

        Args:
            size: (height, width) of the image.
            name: what the mask is called in messages.

        Raises:
            ValueError: if it does not fit the image.
        """

    @abstractmethod
    def to_json(self) -> Json:
        """What `shape_of` takes for the same."""


@dataclass(frozen=True)
class BoxMask(MaskShape):
    """A mask that is a box.

    Args:
        x0: left side, pixels.
        y0: upper side.
        x1: right side.
        y1: lower side.

    Raises:
        TypeError: if one is no number.
        ValueError: if it is empty or a number lies outside of its range.
    """

    x0: Coordinate
    y0: Coordinate
    x1: Coordinate
    y1: Coordinate

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise ValueError(f"box {list(self._sides)} is empty; give x0, y0, x1, y1 with x0 < x1 and y0 < y1")

    @property
    def _sides(self) -> tuple[Coordinate, Coordinate, Coordinate, Coordinate]:
        return self.x0, self.y0, self.x1, self.y1

    def drawn(self, size: Size, name: str = "mask") -> Share:
        _check_inside(np.asarray(self._sides, np.float64).reshape(2, 2), size, name)
        y, x = (np.arange(side) for side in size)
        across = np.clip(np.minimum(x + 1, self.x1) - np.maximum(x, self.x0), 0, 1)
        down = np.clip(np.minimum(y + 1, self.y1) - np.maximum(y, self.y0), 0, 1)
        return (down[:, None] * across).astype(np.float32)

    def to_json(self) -> Json:
        return {"box": list(self._sides)}


@dataclass(frozen=True)
class PolygonMask(MaskShape):
    """A mask that is a polygon of one or several rings; a ring inside of another is a hole (even-odd rule).

    Args:
        rings: each a list of at least three points; the last is joined to the first.

    Raises:
        TypeError: if it is no list of points.
        ValueError: if there is no ring, one has too few points or too many, or a number lies outside of its range.
    """

    rings: Annotated[Sequence[Ring], Length(1, 10_000, "rings")]

    def drawn(self, size: Size, name: str = "mask") -> Share:
        rings = [np.asarray(ring, np.float64) for ring in self.rings]
        _check_inside(np.concatenate(rings), size, name)
        crossings = sum(float(np.abs(np.diff(ring[:, 1], append=ring[:1, 1])).sum()) for ring in rings) * LINES
        if crossings > MOST_CROSSINGS:
            raise ValueError(
                f"{name} is a polygon whose sides go up and down over {crossings / LINES:.0f} pixels, more than "
                f"{MOST_CROSSINGS // LINES}; give fewer corners, or the mask as an image"
            )
        return _even_odd(rings, size) if crossings < AT_ONCE else _kept(self, size).copy()

    def to_json(self) -> Json:
        return {"polygon": [[[x, y] for x, y in ring] for ring in self.rings]}


@dataclass(frozen=True)
class RunLengthMask(MaskShape):
    """A mask as COCO's run lengths: columns from left to right, each downwards, runs outside and inside in turn.

    Args:
        size: (height, width) of the image.
        counts: lengths of the runs, the first outside; or COCO's text of them.

    Raises:
        TypeError: if a field has a value of another type.
        ValueError: if the runs do not make up an image of that size.

    Source: T.-Y. Lin et al., "Microsoft COCO", ECCV 2014, and the format of its tools (`maskApi`).
    """

    size: tuple[Side, Side]
    counts: (
        Annotated[str, Length(0, 2**24, "characters")]
        | Annotated[Sequence[Annotated[int, Range(0, MAX_PIXELS, "pixels")]], Length(0, 2**22, "runs")]
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        decode_runs(self._runs, self.size)

    @property
    def _runs(self) -> list[int]:
        return unpack_runs(self.counts) if isinstance(self.counts, str) else [int(count) for count in self.counts]

    def drawn(self, size: Size, name: str = "mask") -> Share:
        if tuple(self.size) != tuple(size):
            raise ValueError(
                f"{name} is for an image of {self.size[0]}x{self.size[1]} but the image is {size[0]}x{size[1]} "
                "(height x width); make the mask for this image"
            )
        return decode_runs(self._runs, self.size).astype(np.float32)

    def to_json(self) -> Json:
        return {
            "size": list(self.size),
            "counts": self.counts if isinstance(self.counts, str) else pack_runs(self._runs),
        }


def _check_inside(points: Points, size: Size, name: str) -> None:
    """Checks that points lie in the image, its border included."""
    outside = ((points < 0) | (points > size[::-1])).any(1)
    if bool(outside.any()):
        x, y = points[outside][0]
        raise ValueError(
            f"{name} has a corner at ({x:g}, {y:g}), outside of the {size[1]}x{size[0]} image; keep it inside"
        )


@lru_cache(maxsize=1)
def _kept(polygon: PolygonMask, size: Size) -> Share:
    """A polygon of many crossings, drawn once for the several times that an edit asks for it."""
    return _even_odd([np.asarray(ring, np.float64) for ring in polygon.rings], size)


def _even_odd(rings: Sequence[Points], size: Size) -> Share:
    """The share of every pixel that lies inside an odd number of rings, exact along each of its `LINES`.

    Pillow and OpenCV draw the outline too and know no shares; scikit-image asks for every pixel about every side.
    """
    one = np.concatenate(rings)
    other = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    top, bottom = int(one[:, 1].min()), min(size[0], math.ceil(one[:, 1].max()))
    crossed = float(np.abs(other[:, 1] - one[:, 1]).sum()) * LINES
    rows = max(1, int((bottom - top) / (1 + crossed / AT_ONCE)))
    share = np.zeros(size, np.float32)
    for row in range(top, bottom, rows):
        go_on()
        band = slice(row, min(row + rows, bottom))
        share[band] = _band(*_crossings(one, other, band), (band.stop - row, size[1]))
    return share


def _band(lines: Values, x: Values, size: Size) -> Share:
    """Shares of the pixels of some rows, from the crossings of their lines."""
    # One sort orders crossings by line and from left to right; every line has an even number of them.
    stride = size[1] + 1
    ordered = np.sort(lines * stride + x.clip(0, size[1]))
    whole = ordered.astype(np.intp)
    # Of the way from x = 0 to a crossing, pixels get their part: added where a span ends, taken off where one begins.
    sign = np.ones(len(ordered))
    sign[::2] = -1
    place = whole // (LINES * stride) * stride + whole % stride
    partly, wholly = (
        np.bincount(place, weights, size[0] * stride).reshape(-1, stride)
        for weights in (sign * (ordered - whole), sign)
    )
    share = partly[:, :-1] + wholly[:, :0:-1].cumsum(1)[:, ::-1]
    return np.clip(share / LINES, 0, 1).astype(np.float32)


def _crossings(one: Points, other: Points, band: slice) -> tuple[Values, Values]:
    """The line, counted within a band of rows, and x of every crossing of a side with one of the band's lines."""
    y0, y1 = ((points[:, 1] - band.start) * LINES - 0.5 for points in (one, other))
    first, last = (
        np.ceil(end(y0, y1)).clip(0, (band.stop - band.start) * LINES).astype(np.intp)
        for end in (np.minimum, np.maximum)
    )
    number = last - first
    lines = np.arange(int(number.sum()), dtype=np.float64) - np.repeat(np.cumsum(number) - last, number)
    slope = (other[:, 0] - one[:, 0]) / np.where(y0 == y1, 1, y1 - y0)
    return lines, np.repeat(one[:, 0] - y0 * slope, number) + lines * np.repeat(slope, number)


def shape_of(data: Json, name: str = "mask") -> MaskShape:
    """The mask of JSON.

    Args:
        data: `{"box": [x0, y0, x1, y1]}`, `{"polygon": RINGS}` or COCO's `{"size": [height, width], "counts": RUNS}`; a
            ring is a list of points or, as in COCO, of their numbers; a single ring may stand for a list of one.
        name: what it is called in messages.

    Raises:
        ValueError: if it is none of them.
    """
    kinds = {("box",): _box, ("polygon",): _polygon, ("counts", "size"): _run_lengths}
    kind = kinds.get(tuple(sorted(data))) if isinstance(data, dict) else None
    if kind is None:
        raise ValueError(f'{name} is {shown(data)}; expected an object with "box", "polygon", or "size" and "counts"')
    try:
        return kind(data)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def shape_of_text(text: str, name: str = "mask") -> MaskShape | None:
    """The mask of `box:X0,Y0,X1,Y1` or `polygon:X,Y,X,Y,X,Y[;another ring]`; None if the text begins with neither.

    Raises:
        ValueError: if numbers are wrong.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in ("box", "polygon"):
        return None
    try:
        rings = [[float(number) for number in ring.split(",")] for ring in rest.split(";")]
    except ValueError as error:
        raise ValueError(f"{name} {text}: {error}; separate numbers by commas and rings by semicolons") from error
    return shape_of({kind: rings[0] if kind == "box" and len(rings) == 1 else rings}, f"{name} {text}")


def _box(data: dict[str, Json]) -> BoxMask:
    sides = data["box"]
    if not _are_numbers(sides) or len(sides) != 4:
        raise ValueError(f"box is {shown(sides)}; give four numbers, x0, y0, x1, y1")
    return BoxMask(*sides)


def _polygon(data: dict[str, Json]) -> PolygonMask:
    rings = data["polygon"]
    if not isinstance(rings, list) or not rings:
        raise ValueError(f"polygon is {shown(rings)}; give a list of rings, each a list of points")
    single = _are_numbers(rings) or (_are_numbers(rings[0]) and len(rings[0]) == 2)
    return PolygonMask(tuple(_ring(ring) for ring in ([rings] if single else rings)))


def _ring(ring: Any) -> PointList:
    if _are_numbers(ring) and len(ring) % 2 == 0:
        ring = [ring[k : k + 2] for k in range(0, len(ring), 2)]
    if not isinstance(ring, list) or not all(_are_numbers(point) and len(point) == 2 for point in ring):
        raise ValueError(f"a polygon's ring is {shown(ring)}; give points, [[x, y], ...] or [x, y, x, y, ...]")
    return tuple((x, y) for x, y in ring)


def _run_lengths(data: dict[str, Json]) -> RunLengthMask:
    size, counts = data["size"], data["counts"]
    if not _are_numbers(size, int) or len(size) != 2:
        raise ValueError(f"size is {shown(size)}; give [height, width]")
    if not isinstance(counts, str) and not _are_numbers(counts, int):
        raise ValueError(f"counts is {shown(counts)}; give whole numbers or COCO's text")
    return RunLengthMask((size[0], size[1]), counts if isinstance(counts, str) else tuple(counts))


def _are_numbers(value: Any, *kinds: type) -> bool:
    """Whether a value is a list of numbers."""
    return isinstance(value, list) and all(type(v) in (kinds or (int, float)) for v in value)
