"""What somebody points at: points on the thing, points beside it, a box around it."""

from dataclasses import dataclass

import numpy as np

from ..core.types import Number, PointList, Size


@dataclass(frozen=True)
class Clicks:
    """What is known of the place of a thing in an image.

    Convention: points are (x, y) in pixels, pixel centres at +0.5.

    Args:
        points: on the thing.
        outside: not on the thing.
        box: (x0, y0, x1, y1) around it, or None.

    Raises:
        ValueError: if there is neither a point nor a box, a number is not finite, or the box is empty.
    """

    points: PointList = ()
    outside: PointList = ()
    box: tuple[Number, Number, Number, Number] | None = None

    def __post_init__(self) -> None:
        if not self.points and self.box is None:
            raise ValueError("points is empty and there is no box; point at the thing or draw a box around it")
        numbers = [v for point in (*self.points, *self.outside) for v in point] + list(self.box or ())
        if not np.isfinite(numbers).all():
            raise ValueError(f"points and box hold {numbers}; all numbers must be finite")
        if self.box is not None and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError(f"box {self.box} is empty; give x0 y0 x1 y1 with x0 < x1 and y0 < y1")

    def check(self, size: Size) -> None:
        """Checks that all of it lies in an image.

        Raises:
            ValueError: if a point or the box does not, or a point lies outside of the box.
        """
        height, width = size
        for name, points in (("point", self.points), ("outside point", self.outside)):
            for x, y in points:
                if not (0 <= x < width and 0 <= y < height):
                    raise ValueError(f"{name} ({x}, {y}) lies outside of the {width}x{height} image; move it inside")
        if self.box is None:
            return
        x0, y0, x1, y1 = self.box
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            raise ValueError(f"box {self.box} lies outside of the {width}x{height} image; move it inside")
        for x, y in self.points:
            if not (x0 <= x <= x1 and y0 <= y <= y1):
                raise ValueError(f"point ({x}, {y}) lies outside of the box {self.box}; correct one of them")

    def scaled(self, factor: Number) -> "Clicks":
        """The same in an image whose sides are so many times as long."""
        points, outside = (tuple((factor * x, factor * y) for x, y in p) for p in (self.points, self.outside))
        box = None if self.box is None else tuple(factor * v for v in self.box)
        return Clicks(points, outside, box)  # pyright: ignore[reportArgumentType]  # four numbers stay four
