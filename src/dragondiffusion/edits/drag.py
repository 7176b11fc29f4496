"""Dragging content from points to points."""

import math
from dataclasses import dataclass, replace

import torch

from ..core.geometry import Correspondence, coverage, covered_cells, resize_nearest
from ..core.types import Canvas, Mask, Pairs, Size, Window
from ..imaging.frames import Box, Frame, box_of_mask, box_of_points, clipped, grown, joined
from ..imaging.masks import MaskLike, read_mask
from ..method.bank import appending
from ..method.energies import Contrast, Energy, LocalSimilarity
from ..pipeline.settings import Geometry, Settings
from .base import Edit, Objective, Strengths, nowhere, object_mask
from .footprint import BORDER
from .patches import capsules, check_pairs, copied_patches, deformed, patch_region, patch_term
from .placement import picture_area


@dataclass(frozen=True)
class Drag(Edit):
    """Drags the content at some points to others.

    Args:
        points: pairs (from, to) of points (x, y) in pixels.
        mask: what may change; a picture, array or path of the size of the picture. None is everything near the ways
            from start to end (see `editable`).

    Raises:
        ValueError: if a pair has no displacement.
    """

    points: Pairs
    mask: MaskLike | None = None

    # Source: docs/method.md, section 9; how long the proxy is held is chosen, docs/experiments.md.
    STRENGTHS = Strengths(w_inpaint=0.2, recall_window=Window(0.1, 1.0), hold=Window(0.0, 0.9))

    REACH = 1.0
    """Without a mask: how far around the ways content may change, in displacements. Source: chosen."""
    LEAST_REACH = 4
    """The same, at least, in latent cells. Source: chosen, wider than a patch of 3x3 cells."""

    def __post_init__(self) -> None:
        for k, (start, end) in enumerate(self.points):
            if tuple(start) == tuple(end):
                raise ValueError(f"points[{k}] {start} has no displacement; drag it somewhere else or leave it out")

    def editable(self, canvas: Canvas) -> Mask:
        """What may change, on the padded picture: the mask or, without one, the surroundings of the ways.

        Raises:
            ValueError: if a point lies outside of the picture.
        """
        check_pairs(self.points, canvas.picture, "points")
        if self.mask is None:
            longest = max(math.dist(start, end) for start, end in self.points)
            radius = max(self.REACH * longest, self.LEAST_REACH * canvas.factor)
            return capsules(self.points, radius, canvas.padded).float() * picture_area(canvas)
        return object_mask(self.mask, canvas)

    def extent(self, size: Size, settings: Settings) -> Box:
        check_pairs(self.points, size, "points")
        ways = box_of_points([point for pair in self.points for point in pair])
        if self.mask is None:
            longest = max(math.dist(start, end) for start, end in self.points)
            return clipped(grown(ways, self.REACH * longest), size)
        mask = read_mask(self.mask, size)
        self._check_inside(mask)
        return clipped(joined([grown(ways, BORDER), grown(box_of_mask(mask), BORDER)]), size)

    def within(self, frame: Frame, settings: Settings) -> "Drag":
        if frame.is_whole:
            return self
        points = frame.pairs(self.points)
        if self.mask is None:
            return replace(self, points=points)
        mask = frame.mask(self.mask)
        # Points at the border of a mask stay inside when it is scaled down.
        for x, y in (point for pair in points for point in pair):
            mask[int(y), int(x)] = 1
        return replace(self, points=points, mask=mask)

    def objective(self, canvas: Canvas, settings: Settings) -> Objective:
        mask = self.editable(canvas)
        if settings.geometry is Geometry.AFFINE:
            self._check_inside(mask)
        w = self.STRENGTHS.under(settings)
        if settings.geometry is Geometry.CENTRED:
            touched = resize_nearest((mask > 0).float(), canvas.energy) > 0.5
            inside = resize_nearest((mask > 0).float(), canvas.latent) > 0
            carries = (copied_patches(self.points, canvas),)
        else:
            touched, inside = covered_cells(mask, canvas.energy), coverage(mask, canvas.latent) > 0
            carries = (deformed(self.points, mask > 0.5, canvas, w.hold, settings.proxy),)
        edit = patch_term(self.points, 0.5 * w.w_edit, canvas, settings)
        content = LocalSimilarity("content", 0.5 * w.w_content, 0, Correspondence.same(~touched))
        return Objective(
            edit_terms=(edit, *self._left_terms(canvas, w)),
            content_terms=(content,) if bool((~touched).any()) else (),
            inside=inside,
            touched=touched,
            changed=mask,
            stays=inside,
            hole_pixels=nowhere(canvas.padded),
            recalls=(appending(w.recall_window),),
            carries=carries,
            hole=torch.zeros_like(inside),
            noise_region=inside,
            strengths=w,
        )

    def _check_inside(self, mask: Mask) -> None:
        """Checks that the mask holds the points. The authors' code, whose numbers `CENTRED` keeps, does not ask."""
        for k, pair in enumerate(self.points):
            for x, y in pair:
                if mask[int(y), int(x)] <= 0.5:
                    raise ValueError(f"points[{k}]: ({x}, {y}) lies outside of the mask; draw the mask over it")

    def _left_terms(self, canvas: Canvas, w: Strengths) -> tuple[Energy, ...]:
        """What leaves a patch no longer looks as it did."""
        terms: list[Energy] = []
        for start, end in self.points:
            left = patch_region(start, canvas) & ~patch_region(end, canvas)
            if bool(left.any()):
                weight = 0.5 * w.w_inpaint / len(self.points)
                terms.append(Contrast("inpaint", weight, 0, Correspondence.same(left)))
        return tuple(terms)
