"""Masks that are not pictures: boxes, polygons, run lengths; drawn where a mask is needed.

Convention: points are (x, y) in pixels; pixel (i, j) covers the square from (j, i) to (j + 1, i + 1). Drawn masks hold
the share of every pixel that is inside.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..core.strict_json import Json, shown
from ..core.types import Number, Point, PointList, Size
from .rle import decode_runs, pack_runs, unpack_runs

Share = Float[np.ndarray, "_ _"]

LINES = 16
"""Lines per row of pixels on which polygons are cut; along each of them shares are exact. Source: chosen."""


class MaskShape(ABC):
    """A mask that is drawn at the size of its picture."""

    @abstractmethod
    def drawn(self, size: Size, name: str = "mask") -> Share:
        """The share of every pixel that is inside, 0 to 1.

        Args:
            size: (height, width) of the picture.
            name: what the mask is called in messages.

        Raises:
            ValueError: if it does not fit the picture.
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
        ValueError: if it is empty or a number is not finite.
    """

    x0: Number
    y0: Number
    x1: Number
    y1: Number

    def __post_init__(self) -> None:
        if not np.isfinite(self._sides).all() or not (self.x0 < self.x1 and self.y0 < self.y1):
            raise ValueError(f"box {list(self._sides)} is empty; give x0, y0, x1, y1 with x0 < x1 and y0 < y1")

    @property
    def _sides(self) -> tuple[Number, Number, Number, Number]:
        return self.x0, self.y0, self.x1, self.y1

    def drawn(self, size: Size, name: str = "mask") -> Share:
        _check_inside([(self.x0, self.y0), (self.x1, self.y1)], size, name)
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
        ValueError: if there is no ring, one has fewer points, or a number is not finite.
    """

    rings: Sequence[PointList]

    def __post_init__(self) -> None:
        if not self.rings:
            raise ValueError("polygon has no ring; give at least three points")
        for k, ring in enumerate(self.rings):
            if len(ring) < 3:
                raise ValueError(f"polygon ring {k} has {len(ring)} points; give at least three")
            if not np.isfinite(ring).all():
                raise ValueError(f"polygon ring {k} holds NaN or infinite numbers; correct them")

    def drawn(self, size: Size, name: str = "mask") -> Share:
        _check_inside([point for ring in self.rings for point in ring], size, name)
        ends = [
            (np.asarray(ring, np.float64), np.roll(np.asarray(ring, np.float64), -1, axis=0)) for ring in self.rings
        ]
        one, other = (np.concatenate(v) for v in zip(*ends, strict=True))
        share = np.zeros(size, np.float32)
        for i in range(max(0, int(one[:, 1].min())), min(size[0], int(np.ceil(one[:, 1].max())))):
            for k in range(LINES):
                crossings = _crossings(one, other, i + (k + 0.5) / LINES)
                for x0, x1 in zip(crossings[::2], crossings[1::2], strict=True):
                    _add_span(share[i], float(x0), float(x1))
        return np.clip(share / LINES, 0, 1)

    def to_json(self) -> Json:
        return {"polygon": [[[x, y] for x, y in ring] for ring in self.rings]}


@dataclass(frozen=True)
class RunLengthMask(MaskShape):
    """A mask as COCO's run lengths: columns from left to right, each downwards, runs outside and inside in turn.

    Args:
        size: (height, width) of the picture.
        counts: lengths of the runs, the first outside; or COCO's text of them.

    Raises:
        ValueError: if the runs do not make up a picture of that size.

    Source: T.-Y. Lin et al., "Microsoft COCO", ECCV 2014, and the format of its tools (`maskApi`).
    """

    size: Size
    counts: str | Sequence[int]

    def __post_init__(self) -> None:
        decode_runs(self._runs, self.size)

    @property
    def _runs(self) -> list[int]:
        return unpack_runs(self.counts) if isinstance(self.counts, str) else [int(count) for count in self.counts]

    def drawn(self, size: Size, name: str = "mask") -> Share:
        if tuple(self.size) != tuple(size):
            raise ValueError(
                f"{name} is for a picture of {self.size[0]}x{self.size[1]} but the picture is {size[0]}x{size[1]} "
                "(height x width); make the mask for this picture"
            )
        return decode_runs(self._runs, self.size).astype(np.float32)

    def to_json(self) -> Json:
        return {
            "size": list(self.size),
            "counts": self.counts if isinstance(self.counts, str) else pack_runs(self._runs),
        }


def _check_inside(points: Sequence[Point], size: Size, name: str) -> None:
    """Checks that points lie in the picture, its border included."""
    for x, y in points:
        if not (0 <= x <= size[1] and 0 <= y <= size[0]):
            raise ValueError(
                f"{name} has a corner at ({x:g}, {y:g}), outside of the {size[1]}x{size[0]} picture; keep it inside"
            )


def _crossings(one: Float[np.ndarray, "_ 2"], other: Float[np.ndarray, "_ 2"], y: float) -> Float[np.ndarray, " _"]:
    """Where a line at height y crosses the sides from one to the other points, from left to right."""
    crossed = (one[:, 1] <= y) != (other[:, 1] <= y)
    (x0, y0), (x1, y1) = one[crossed].T, other[crossed].T
    return np.sort(x0 + (y - y0) / (y1 - y0) * (x1 - x0))


def _add_span(row: Float[np.ndarray, " _"], x0: float, x1: float) -> None:
    """Adds to every pixel of a row its share of the way from x0 to x1."""
    first, last = int(x0), min(int(x1), len(row) - 1)
    if first >= len(row):
        return
    row[first : last + 1] += 1
    row[first] -= x0 - first
    row[last] -= last + 1 - x1


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
