"""Mean distance: how far from its target the content of a handle is found in a result, by its features.

Three places are searched for it. Papers print the first two under one name, and they are far apart: over the whole
image a match may lie anywhere, near the points it cannot be far off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.types import Region, Size
from .cases import Case, Centre
from .features import FeatureField, best, pixel_centres, points_tensor

SEARCHES = ("whole", "mask", "region")
"""Where the handle is searched.

- `whole`: the whole image. Source: DragDiffusion (arXiv 2306.14435), `run_eval_point_matching.py`.
- `mask`: what may change; defined here, because content cannot have gone anywhere else.
- `region`: discs around handle and target. Source: RegionDrag (arXiv 2407.18247), `evaluator.py`, `create_mask`.
"""

SIDE = 512
"""Longer side of the images to whose scale distances are brought, pixels. Source: chosen, as papers edit."""

LEAST_RADIUS = 5.0
"""Radius of the discs at least, pixels. Source: RegionDrag, `create_mask`."""


@dataclass(frozen=True)
class Match:
    """Where one handle was found.

    Args:
        handle: centre of the pixel (x, y) that is dragged.
        target: where to.
        found: where its content is in the result, by search.
        size: (height, width) of the image.
    """

    handle: Centre
    target: Centre
    found: dict[str, Centre]
    size: Size

    @property
    def displacement(self) -> float:
        """How long the drag is, pixels."""
        return math.dist(self.handle, self.target)

    def distances(self) -> dict[str, float]:
        """Remaining distance by search: in pixels, at the scale of `SIDE`, over the displacement, and over the sides.

        `of sides` divides x by the width and y by the height. Source: RegionDrag, `compute_distance`.
        """
        height, width = self.size
        values: dict[str, float] = {}
        for search, (x, y) in self.found.items():
            dx, dy = x - self.target[0], y - self.target[1]
            values[f"{search} px"] = math.hypot(dx, dy)
            values[f"{search} at {SIDE}"] = math.hypot(dx, dy) * SIDE / max(self.size)
            values[f"{search} of displacement"] = math.hypot(dx, dy) / self.displacement
            values[f"{search} of sides"] = math.hypot(dx / width, dy / height)
        return values


def matches(before: FeatureField, after: FeatureField, case: Case) -> list[Match]:
    """Where the content of each handle is in the result.

    Args:
        before: features of the image.
        after: features of the result.
        case: what was to be dragged.
    """
    likeness = after.likeness(before.at(points_tensor([handle for handle, _ in case.pairs])))
    mask = torch.from_numpy(case.mask)
    found: list[Match] = []
    for alike, (handle, target) in zip(likeness, case.pairs, strict=True):
        regions: dict[str, Tensor | None] = {"whole": None, "mask": mask, "region": discs(handle, target, case.size)}
        places = {search: best(alike, regions[search]) for search in SEARCHES}
        found.append(Match(handle, target, places, case.size))
    return found


def discs(handle: Centre, target: Centre, size: Size) -> Region:
    r"""Pixels closer to the handle or the target than $\max(\lVert h - g \rVert / \sqrt 2, 5)$.

    Source: RegionDrag, `create_mask`.
    """
    radius = max(math.dist(handle, target) / math.sqrt(2), LEAST_RADIUS)
    centres = pixel_centres(torch.arange(size[0]), size[1])
    gaps = [(centres - torch.tensor(point)).norm(dim=-1) for point in (handle, target)]
    return torch.minimum(*gaps) < radius
