"""Dragging content from points to points."""

import math
from dataclasses import dataclass
from typing import Annotated

from ..core.bounds import Length
from ..core.geometry import coverage, covered_cells
from ..core.types import MOST_POINTS, Canvas, Mask, Pairs, Size
from ..imaging.frames import Box, Frame, box_of_mask, box_of_points, clipped, grown, joined
from ..imaging.masks import MaskLike, ReadMask, read_mask
from ..method import strengths
from ..method.bank import appending
from ..method.objective import Objective, Transport
from ..method.terms import content_term, left_terms, patch_term
from .base import Compiled, Edit, object_mask, with_fields
from .bending import capsules, check_pairs, deformed
from .footprint import BORDER
from .placement import picture_area
from .settings import Settings


@dataclass(frozen=True)
class Drag(Edit):
    """Drags the content at some points to others.

    Args:
        points: pairs (from, to) of points (x, y) in pixels. A pair of twice the same point is an anchor: its content
            stays where it is.
        mask: what may change; an image, array or path of the size of the image. None is everything near the
            displacements (see `editable`).

    Raises:
        ValueError: if no pair has a displacement.
    """

    points: Annotated[Pairs, Length(1, MOST_POINTS, "pairs")]
    mask: MaskLike | None = None

    STRENGTHS = strengths.DRAG
    CLAMP = 1.0  # chosen, docs/experiments.md

    FREE = 0.35
    """How near to an end the border of what may change is free, in its diagonals. Source: docs/experiments.md."""
    REACH = 2.0
    """Without a mask: how far around them content may change, as a multiple of the longest.
    Source: docs/experiments.md."""
    LEAST_REACH = 4
    """The same, at least, in latent cells. Source: chosen, wider than a patch of 3x3 cells."""

    def no_effect(self) -> str:
        if self.moving:
            return ""
        return f"points[0] {self.points[0][0]} has no displacement, nor has any other pair; drag one somewhere else"

    @property
    def moving(self) -> Pairs:
        """The pairs that are no anchors."""
        return tuple(pair for pair in self.points if tuple(pair[0]) != tuple(pair[1]))

    @property
    def anchors(self) -> Pairs:
        """The pairs whose content stays."""
        return tuple(pair for pair in self.points if tuple(pair[0]) == tuple(pair[1]))

    def editable(self, canvas: Canvas) -> Mask:
        """What may change, on the padded image: the mask or, without one, the surroundings of the displacements.

        Raises:
            ValueError: if a point lies outside of the image.
        """
        check_pairs(self.points, canvas.picture, "points")
        if self.mask is None:
            longest = max(math.dist(start, end) for start, end in self.moving)
            radius = max(self.REACH * longest, self.LEAST_REACH * canvas.factor)
            return capsules(self.moving, radius, canvas.padded).float() * picture_area(canvas)
        return object_mask(self.mask, canvas)

    def extent(self, size: Size, settings: Settings) -> Box:
        check_pairs(self.points, size, "points")
        path = box_of_points([point for pair in self.moving for point in pair])
        if self.mask is None:
            longest = max(math.dist(start, end) for start, end in self.moving)
            return clipped(grown(path, self.REACH * longest), size)
        mask = read_mask(self.mask, size)
        self._check_inside(mask)
        return clipped(joined([grown(path, BORDER), grown(box_of_mask(mask), BORDER)]), size)

    def within(self, frame: Frame, settings: Settings) -> "Drag":
        if frame.is_whole:
            return self
        check_pairs(self.points, frame.picture, "points")
        left, top, right, bottom = frame.box
        # What lies beyond the frame stays in any case.
        anchors = tuple(p for p in self.anchors if left <= p[0][0] < right and top <= p[0][1] < bottom)
        moving = frame.pairs(self.moving)
        points = (*moving, *frame.pairs(anchors))
        if self.mask is None:
            return with_fields(self, points=points)
        mask = frame.mask(self.mask)
        # Points at the border of a mask stay inside when it is scaled down.
        for x, y in (point for pair in moving for point in pair):
            mask[int(y), int(x)] = 1
        return with_fields(self, points=points, mask=ReadMask(mask))

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        mask = self.editable(canvas)
        self._check_inside(mask)
        w = self.STRENGTHS.under(settings)
        touched, inside = covered_cells(mask, canvas.energy), coverage(mask, canvas.latent) > 0
        fixed = tuple(pair for pair in self.anchors if mask[int(pair[0][1]), int(pair[0][0])] > 0.5)
        points = (*self.moving, *fixed)
        placed = deformed(points, mask > 0, canvas, self.clamp(settings), settings.proxy, self.FREE)
        objective = Objective(
            edit_terms=(patch_term(points, 0.5 * w.w_edit, canvas), *left_terms(self.moving, w, canvas)),
            content_terms=content_term(~touched, 0.5 * w.w_content),
            inside=inside,
            recalls=(appending(w.recall_window),),
            transports=(Transport(0, placed.match),),
            noise_region=inside,
            strengths=w,
        )
        return Compiled.in_place(objective, mask, canvas, (placed,), touched)

    def _check_inside(self, mask: Mask) -> None:
        """Checks that the mask holds the points that move."""
        for k, pair in enumerate(self.points):
            if tuple(pair[0]) == tuple(pair[1]):
                continue
            for x, y in pair:
                if mask[int(y), int(x)] <= 0.5:
                    raise ValueError(f"points[{k}]: ({x}, {y}) lies outside of the mask; draw the mask over it")
