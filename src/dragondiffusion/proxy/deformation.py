"""Smooth deformations of the plane that bring some points to others."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..core.geometry import cell_centres, dilate
from ..core.resampling import sample_bilinear
from ..core.stopping import go_on
from ..core.types import Mask, Points, Region, Size

STIFFNESS = 1e-6
"""Added to the diagonal of the system, so that points that coincide do not make it singular."""

STEPS = 8
"""Steps of a flow. Source: docs/experiments.md."""

LEAST = 0.2
"""Share of the movement below which led points are not driven harder to arrive. Source: chosen; 0.4 stops landmarks."""
AT_ONCE = 2**14
"""Points that are mapped together. Source: chosen, the cells of an image of 512 pixels; more take memory."""


@dataclass(frozen=True)
class ThinPlate:
    r"""The smoothest map through given points: $f(p) = A p + b + \sum_k w_k\, U(|p - c_k|)$, $U(r) = r^2 \log r^2$.

    Args:
        centres: points $c_k$.
        weights: $w_k$, then $A$ and $b$, solved so that $f(c_k)$ is the point asked for.
        unit: length in which points are measured inside, for the condition of the system.

    Source: F. L. Bookstein, "Principal warps: thin-plate splines and the decomposition of deformations", PAMI 1989.
    """

    centres: Points
    weights: Float[Tensor, "_ 2"]
    unit: float

    @staticmethod
    def through(centres: Points, images: Points) -> "ThinPlate":
        """The map with `f(centres) == images`.

        Args:
            centres: at least three points that do not lie on one line; pixels.
            images: where each goes, pixels.
        """
        centres, images = centres.double(), images.double()
        unit = float((centres.amax(0) - centres.amin(0)).max().clamp_min(1e-6))
        c = centres / unit
        n = len(c)
        ones = torch.cat((c, torch.ones(n, 1, dtype=c.dtype)), dim=1)
        system = torch.zeros(n + 3, n + 3, dtype=c.dtype)
        system[:n, :n] = _radial(torch.cdist(c, c)) + STIFFNESS * torch.eye(n, dtype=c.dtype)
        system[:n, n:], system[n:, :n] = ones, ones.T
        values = torch.cat(((images - centres) / unit, torch.zeros(3, 2, dtype=c.dtype)))
        weights = torch.linalg.lstsq(system, values, driver="gelsd").solution
        return ThinPlate(c, weights, unit)

    def __call__(self, points: Points) -> Points:
        """Maps points (x, y) in pixels."""
        return torch.cat([self._mapped(part) for part in points.split(AT_ONCE)])

    def _mapped(self, points: Points) -> Points:
        p = points.double() / self.unit
        basis = torch.cat((_radial(torch.cdist(p, self.centres)), p, torch.ones(len(p), 1, dtype=p.dtype)), dim=1)
        return points.double() + basis @ self.weights * self.unit


def flow(
    points: Points, begin: Points, end: Points, fixed: Points, weight: Mask, extent: Size, steps: int = STEPS
) -> Points:
    """Where points are carried while some points go straight from their beginning to their end, and others stay.

    Many small thin-plate maps one after the other; a single large one folds the plane where neighbours go different
    ways. Where only a share of the movement is made, led points are driven harder in proportion, so that they arrive.

    Args:
        points: what is carried, (x, y) in pixels.
        begin: points that are led.
        end: where they go.
        fixed: points that stay.
        weight: share of the movement that is made at every place of the picture.
        extent: (height, width) of the picture in pixels.
        steps: how many maps.

    Source: chosen, docs/experiments.md; that composing small maps avoids folds is the idea of G. E. Christensen et al.,
    "Deformable templates using large deformation kinematics", IEEE TIP 1996.
    """
    here = points.double()
    way = (end - begin) / steps
    for k in range(steps):
        go_on()
        led = begin + k * way
        drive = way / _share(weight, led, extent).clamp_min(LEAST)
        bend = ThinPlate.through(torch.cat((led, fixed)), torch.cat((led + drive, fixed)))
        share = _share(weight, here, extent)
        here = here + share * (bend(here) - here)
    return here


def _share(weight: Mask, points: Points, extent: Size) -> Float[Tensor, "points 1"]:
    """The weight at points."""
    return sample_bilinear(weight[None, None].float(), points, extent)[0, 0].double()[:, None]


def _radial(r: Tensor) -> Tensor:
    square = r.square()
    return torch.xlogy(square, square)


def border_points(region: Region, extent: Size, count: int) -> Points:
    """Points just outside a region, evenly chosen around its middle; none where it has no border.

    Args:
        region: cells that may move.
        extent: size of the picture in pixels.
        count: how many at most.
    """
    border = dilate(region, 1) & ~region
    points = cell_centres((region.shape[0], region.shape[1]), extent)[border.flatten()]
    if not len(points):
        return points
    centre = points.mean(0)
    around = torch.atan2(points[:, 1] - centre[1], points[:, 0] - centre[0]).argsort()
    return points[around[torch.linspace(0, len(points) - 1, min(count, len(points))).round().long()]]


def pins(region: Region, extent: Size, count: int) -> Points:
    """Points around a region that a deformation of it leaves in place: of its border, and the image's corners."""
    border = border_points(region, extent, count)
    edge = torch.tensor(((0.0, 0.0), (extent[1], 0.0), (0.0, extent[0]), (extent[1], extent[0])), dtype=border.dtype)
    return torch.cat((border, edge))
