"""Giving a face, or anything with landmarks, another layout of them."""

import math
from dataclasses import dataclass
from typing import Annotated

import torch

from ..core.bounds import Length
from ..core.geometry import cell_centres, coverage
from ..core.types import MOST_POINTS, Canvas, Mask, PointList, Size
from ..imaging.frames import Box, Frame, box_of_points, clipped, grown
from ..method import strengths
from ..method.bank import appending
from ..method.objective import Objective, Transport
from ..method.terms import patch_term
from .base import Compiled, Edit, with_fields
from .bending import check_pairs, deformed
from .placement import picture_area
from .settings import Settings


@dataclass(frozen=True)
class Landmarks(Edit):
    """Moves landmarks to another layout, such as that of another face.

    Args:
        points_from: landmarks (x, y) of the image, in pixels.
        points_to: where each of them goes, in the same order; landmarks that stay belong in both lists.

    Raises:
        ValueError: if the lists differ in length or nothing moves.
    """

    points_from: Annotated[PointList, Length(1, MOST_POINTS, "points")]
    points_to: Annotated[PointList, Length(1, MOST_POINTS, "points")]

    STRENGTHS = strengths.LANDMARKS
    CLAMP = 1.0  # chosen, docs/experiments.md

    FREE = 0.1
    """How near to a landmark the border of what may change is free, in its diagonals. Source: as `Drag.FREE`."""
    SURROUNDINGS = 0.15
    """How far around the landmarks content may change, in diameters of their hull. Source: chosen."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.points_from) != len(self.points_to):
            raise ValueError(
                f"points_from has {len(self.points_from)} points and points_to {len(self.points_to)}; "
                "give every landmark in both"
            )

    def no_effect(self) -> str:
        same = self.points_to == self.points_from
        return "points_to equals points_from and nothing moves; change at least one landmark" if same else ""

    def _pairs(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        return [
            ((float(a[0]), float(a[1])), (float(b[0]), float(b[1])))
            for a, b in zip(self.points_from, self.points_to, strict=True)
        ]

    def extent(self, size: Size, settings: Settings) -> Box:
        check_pairs(self._pairs(), size, "points_from, points_to")
        box = box_of_points([point for pair in self._pairs() for point in pair])
        return clipped(grown(box, self.SURROUNDINGS * math.hypot(box[2] - box[0], box[3] - box[1])), size)

    def within(self, frame: Frame, settings: Settings) -> "Landmarks":
        if frame.is_whole:
            return self
        self.pairs(frame.picture)
        return with_fields(self, points_from=frame.points(self.points_from), points_to=frame.points(self.points_to))

    def editable(self, canvas: Canvas) -> Mask:
        """What may change, on the padded image: the hull of old and new landmarks and its surroundings."""
        points = torch.tensor([point for pair in self._pairs() for point in pair], dtype=torch.float64)
        diameter = float((points.amax(0) - points.amin(0)).norm())
        reach = max(self.SURROUNDINGS * diameter, 2.0 * canvas.factor)
        return near_hull(points, reach, canvas.padded).float() * picture_area(canvas)

    def pairs(self, size: Size) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        """Landmarks (from, to) of an image of a size.

        Raises:
            ValueError: if there is none, or one is not finite or lies outside.
        """
        check_pairs(self._pairs(), size, "points_from, points_to")
        return self._pairs()

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        pairs, mask = self.pairs(canvas.picture), self.editable(canvas)
        w, inside = self.STRENGTHS.under(settings), coverage(mask, canvas.latent) > 0
        placed = deformed(pairs, mask > 0.5, canvas, self.clamp(settings), settings.proxy, self.FREE)
        objective = Objective(
            edit_terms=(patch_term(pairs, 0.5 * w.w_edit, canvas),),
            content_terms=(),
            inside=inside,
            recalls=(appending(w.recall_window),),
            transports=(Transport(0, placed.match),),
            noise_region=inside,
            strengths=w,
        )
        return Compiled.in_place(objective, mask, canvas, (placed,))


def near_hull(points: torch.Tensor, reach: float, size: tuple[int, int]) -> torch.Tensor:
    """Pixels within a distance of the convex hull of points, up to the rounding of its corners.

    A pixel belongs to it if in no direction it lies farther out than the outermost point plus `reach`.
    """
    angles = torch.arange(64, dtype=torch.float64) * (2 * torch.pi / 64)
    directions = torch.stack((angles.cos(), angles.sin()))
    support = (points.double() @ directions).amax(0) + reach
    low, high = (points.amin(0) - reach).floor().long().tolist(), (points.amax(0) + reach).ceil().long().tolist()
    rows, columns = (slice(max(0, low[k]), max(0, high[k])) for k in (1, 0))
    near, centres = torch.zeros(size, dtype=torch.bool), cell_centres(size, size).reshape(*size, 2)[rows, columns]
    near[rows, columns] = ((centres @ directions) <= support).all(-1)
    return near
