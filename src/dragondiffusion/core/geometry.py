"""Affine maps of the image plane, regions on grids, and correspondences between two images.

Convention: x to the right, y down, pixel centres at +0.5, origin at the top left corner; positive angles turn
counter-clockwise as seen on the screen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from .resampling import sample_at, sample_bicubic, sample_bilinear
from .residents import cells
from .types import Mask, Number, Point, Points, Region, Size

SHRINKS = 0.2
"""By how much content must be denser than pixels to be averaged over them. Source: chosen."""

Row: TypeAlias = tuple[Number, Number, Number]
"""A row of the matrix of an affine map."""


@dataclass(frozen=True)
class Affine:
    """An affine map of points, $x' = a x + b y + c, y' = d x + e y + f$, in pixels.

    Args:
        rows: ((a, b, c), (d, e, f)).
    """

    rows: tuple[Row, Row] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))

    @staticmethod
    def about(
        anchor: Point,
        offset: Point = (0.0, 0.0),
        scale: Point = (1.0, 1.0),
        angle: Number = 0.0,
        flip: bool = False,
    ) -> "Affine":
        r"""The map that flips, scales, then turns about `anchor`, and moves by `offset`.

        $x' = R(\mathrm{angle})\,\mathrm{diag}(\pm s_x, s_y)\,(x - \mathrm{anchor}) + \mathrm{anchor} + \mathrm{offset}$

        Args:
            anchor: fixed point of flip, scale and turn, pixels.
            offset: displacement, pixels.
            scale: factors along x and y, applied before the turn.
            angle: degrees, counter-clockwise as seen on the screen.
            flip: mirror left and right first.
        """
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        s_x, s_y = (-scale[0] if flip else scale[0]), scale[1]
        a, b, d, e = cos * s_x, sin * s_y, -sin * s_x, cos * s_y
        (x, y), (dx, dy) = anchor, offset
        return Affine(((a, b, x - a * x - b * y + dx), (d, e, y - d * x - e * y + dy)))

    def __call__(self, points: Points) -> Points:
        """Maps points (x, y)."""
        (a, b, c), (d, e, f) = self.rows
        x, y = points.unbind(-1)
        return torch.stack((a * x + b * y + c, d * x + e * y + f), dim=-1)

    def __matmul__(self, other: "Affine") -> "Affine":
        """The map that applies `other` first: `(self @ other)(p) == self(other(p))`."""
        (a, b, c), (d, e, f) = self.rows
        (g, h, i), (j, k, m) = other.rows
        return Affine(
            (
                (a * g + b * j, a * h + b * k, a * i + b * m + c),
                (d * g + e * j, d * h + e * k, d * i + e * m + f),
            )
        )

    def inverse(self) -> "Affine":
        """The map that undoes this one.

        Raises:
            ValueError: if the map is singular.
        """
        (a, b, c), (d, e, f) = self.rows
        det = a * e - b * d
        if abs(det) < 1e-12:
            raise ValueError(f"the affine map {self.rows} has no inverse; use scales away from 0")
        p, q, r, s = e / det, -b / det, -d / det, a / det
        return Affine(((p, q, -(p * c + q * f)), (r, s, -(r * c + s * f))))


def cell_centres(grid: Size, extent: Size) -> Points:
    """Centres of the cells of a grid that covers an image, row by row.

    Args:
        grid: cells.
        extent: size of the image the grid covers, pixels.

    Returns:
        (x, y) in pixels, double precision, so that exact ties do not depend on rounding.
    """
    y = (torch.arange(grid[0], dtype=torch.float64) + 0.5) * (extent[0] / grid[0])
    x = (torch.arange(grid[1], dtype=torch.float64) + 0.5) * (extent[1] / grid[1])
    return torch.stack((x.expand(grid[0], -1), y[:, None].expand(-1, grid[1])), dim=-1).reshape(-1, 2)


def resize_nearest(mask: Tensor, size: Size) -> Tensor:
    """Nearest resampling of an (height, width) array; cell `i` of `n` reads source cell `floor(i * source / n)`."""
    return nnf.interpolate(mask[None, None].float(), size)[0, 0]


def coverage(mask: Mask, size: Size) -> Mask:
    """How much of every cell of a coarser grid the mask covers, 0 to 1."""
    return nnf.adaptive_avg_pool2d(mask[None, None].float(), size)[0, 0]


def covered_cells(mask: Mask, size: Size) -> Region:
    """Cells of a coarser grid that a mask covers by half; for a mask smaller than a cell, those it covers most."""
    share = coverage(mask, size)
    return (share > 0) & (share >= min(0.5, 0.5 * float(share.max())))


def dilate(region: Region, cells: int) -> Region:
    """Grows a region by a number of cells in all eight directions."""
    if cells <= 0 or not holds_any(region):
        return region
    near, grown = surroundings(region, cells), torch.zeros_like(region)
    grown[near] = _dilated_columns(_dilated_columns(region[near], cells).T, cells).T
    return grown


def _dilated_columns(region: Region, cells: int) -> Region:
    """Grows a region up and down: cells that have one of it so near, by differences of sums, at any distance alike."""
    sums = nnf.pad(region.cumsum(0, dtype=torch.int32), (0, 0, 1, 0))
    row = torch.arange(region.shape[0])
    return sums[(row + cells + 1).clamp(max=len(row))] > sums[(row - cells).clamp(min=0)]


def erode(region: Region, cells: int) -> Region:
    """Shrinks a region by a number of cells in all eight directions, but not from the border of the grid."""
    return ~dilate(~region, cells)


def surroundings(region: Region, cells: int) -> tuple[slice, slice]:
    """Rows and columns of the box around a region, so many cells wider on every side as far as the grid goes."""
    left, top, right, bottom = bounding_box(region)
    return slice(max(0, top - cells), bottom + cells), slice(max(0, left - cells), right + cells)


def feather(region: Region, width: int) -> Mask:
    """Soft copy of a region: 1 inside, falling linearly to 0 within `width` cells, exactly 0 beyond."""
    alpha = region.float()
    if width <= 0 or not bool(region.any()):
        return alpha
    near = surroundings(region, width)
    soft = grown = alpha[near][None, None]
    for k in range(1, width + 1):
        grown = nnf.max_pool2d(grown, 3, stride=1, padding=1)
        soft = torch.maximum(soft, grown * (1 - k / (width + 1)))
    alpha[near] = soft[0, 0]
    return alpha


def warp(values: Float[Tensor, "channels height width"], affine: Affine) -> Float[Tensor, "channels height width"]:
    """Transports an image along an affine map, bilinear, with edge values beyond the border.

    Convention: `warp(x, A)` at `A(p)` is `x` at `p`; nothing wraps around.
    """
    size: Size = (values.shape[-2], values.shape[-1])
    source = affine.inverse()(cell_centres(size, size))
    return sample_bilinear(values[None], source, size)[0].reshape(values.shape)


def warp_mask(mask: Mask, affine: Affine, size: Size | None = None) -> Mask:
    """Transports a mask along an affine map; what comes from outside the image is 0.

    Args:
        mask: on the source image.
        affine: pixels of the source image to pixels of the target image.
        size: of the target image; None is that of the source.
    """
    extent: Size = (mask.shape[0], mask.shape[1])
    size = size or extent
    return sample_mask(mask, affine.inverse()(cell_centres(size, size))).reshape(size)


def sample_mask(mask: Mask, points: Points) -> Float[Tensor, " _"]:
    """A mask at points (x, y) in pixels, bilinear; what lies outside of its image is 0."""
    extent: Size = (mask.shape[0], mask.shape[1])
    inside = (points > 0).all(-1) & (points[:, 0] < extent[1]) & (points[:, 1] < extent[0])
    return sample_bilinear(mask[None, None].float(), points, extent)[0, 0] * inside


@dataclass(frozen=True)
class Correspondence:
    """Which place of a source image every cell of a target region is compared with or filled from.

    Args:
        target: cells of the target grid, read row by row.
        source: for each of them the place (x, y) in the source image, in units of `extent`.
        extent: (height, width) of the source image in the units of `source`.
        bilinear: how it is sampled, see `sample_at`.
    """

    target: Region
    source: Points
    extent: Size
    bilinear: bool

    @staticmethod
    def same(region: Region) -> "Correspondence":
        """Every cell of the region corresponds to itself."""
        size: Size = (region.shape[0], region.shape[1])
        return Correspondence(region, region.nonzero().flip(1).double() + 0.5, size, bilinear=False)

    @staticmethod
    def along(affine: Affine, target: Region, extent: Size, source_extent: Size | None = None) -> "Correspondence":
        """Every target cell corresponds to where an affine map brought its centre from.

        Args:
            affine: pixels of the source image to pixels of the target image.
            target: cells of a grid that covers the target image.
            extent: size of the target image in pixels.
            source_extent: size of the source image in pixels; None is that of the target.
        """
        centres = cell_centres((target.shape[0], target.shape[1]), extent)[target.flatten()]
        return Correspondence.to(affine.inverse()(centres), target, source_extent or extent)

    @staticmethod
    def to(source: Points, target: Region, extent: Size) -> "Correspondence":
        """Every target cell corresponds to a point of the source image; points beyond its border to the border.

        Args:
            source: (x, y) in pixels, one for each cell of the target.
            target: cells of a grid.
            extent: size of the source image in pixels.
        """
        limit = torch.tensor((extent[1], extent[0]), dtype=source.dtype)
        return Correspondence(target, torch.minimum(source.clamp(min=0), limit - 1e-6), extent, bilinear=True)

    @staticmethod
    def to_self(region: Region, extent: Size) -> "Correspondence":
        """Every cell of the region corresponds to itself, in pixels."""
        size: Size = (region.shape[0], region.shape[1])
        return Correspondence.to(cell_centres(size, extent)[region.flatten()], region, extent)

    def sample(self, values: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels points"]:
        """Values of the source image at the corresponding places."""
        return sample_at(values, self.source, self.extent, self.bilinear)

    @property
    def nearest(self) -> "Correspondence":
        """The same, sampled by the nearest cell of a grid."""
        return replace(self, bilinear=False)

    def restrict(self, region: Region) -> "Correspondence":
        """The part whose target cells lie in a region."""
        kept = region[self.target]
        return Correspondence(self.target & region, self.source[kept], self.extent, self.bilinear)

    def carry(
        self,
        source: Float[Tensor, "batch channels height width"],
        target: Float[Tensor, "batch channels rows columns"],
    ) -> Float[Tensor, "batch channels rows columns"]:
        """A copy of `target` whose cells in the region hold the corresponding values of `source`."""
        return self._put(self.sample(source), target)

    def carry_pixels(
        self,
        source: Float[Tensor, "batch channels height width"],
        target: Float[Tensor, "batch channels rows columns"],
    ) -> Float[Tensor, "batch channels rows columns"]:
        """The same for an image's pixels: by bicubic convolution, averaged over each pixel where content shrinks."""
        if not self.bilinear:
            return self.carry(source, target)
        parts = [sample_bicubic(source, self.source + shift, self.extent) for shift in self._within_pixel()]
        return self._put(torch.stack(parts).mean(0), target)

    def _within_pixel(self) -> list[Float[Tensor, "2"]]:
        """Displacements in the source image of places spread over a pixel; only its centre unless content shrinks."""
        place = torch.full(self.target.shape, -1)
        place[self.target] = torch.arange(len(self.source))
        steps = list[Tensor]()
        for axis in (1, 0):
            first, second = place.narrow(axis, 0, place.shape[axis] - 1), place.narrow(axis, 1, place.shape[axis] - 1)
            both = (first >= 0) & (second >= 0)
            if not bool(both.any()):
                return [torch.zeros(2)]
            steps.append((self.source[second[both]] - self.source[first[both]]).median(0).values)
        count = math.ceil(float(torch.stack(steps).norm(dim=1).max()) - SHRINKS)
        at = [(k + 0.5) / count - 0.5 for k in range(count)] if count > 1 else [0.0]
        return [u * steps[0] + v * steps[1] for u in at for v in at]

    def _put(self, found: Tensor, target: Tensor) -> Tensor:
        result = target.clone()
        rows, columns = cells(self.target, target.device)
        result[:, :, rows, columns] = found.to(target.dtype)
        return result


def fill(
    values: Float[Tensor, "batch channels height width"], unknown: Region
) -> Float[Tensor, "batch channels height width"]:
    """A copy of an image whose unknown pixels are inpainted smoothly from the known ones around them.

    Averages over ever coarser cells of the known pixels, each level filling what the finer ones could not.

    Source: S. J. Gortler et al., "The lumigraph", SIGGRAPH 1996, pull-push.
    """
    if not bool(unknown.any()) or bool(unknown.all()):
        return values
    known = (~unknown).to(values)[None, None]
    coarse_known = nnf.avg_pool2d(known, 2, ceil_mode=True)
    coarse = nnf.avg_pool2d(values * known, 2, ceil_mode=True) / coarse_known.clamp_min(1e-6)
    coarse = fill(coarse, coarse_known[0, 0] == 0)
    size = (values.shape[-2], values.shape[-1])
    return torch.where(known > 0, values, nnf.interpolate(coarse, size, mode="bilinear"))


def union(regions: Sequence[Region]) -> Region:
    """Cells that belong to any of the regions."""
    return torch.stack(list(regions)).any(0)


def centroid(mask: Mask) -> Point:
    """Centre of gravity (x, y) of a mask in pixels."""
    x, y = (mask.sum(k, dtype=torch.float64) for k in (0, 1))
    across, down = (float(w @ (torch.arange(len(w), dtype=w.dtype) + 0.5) / w.sum()) for w in (x, y))
    return across, down


def holds_any(region: Region) -> bool:
    """Whether a region has any cell; much faster than `any` on large ones."""
    return bool(region.numel()) and bool(region.view(torch.uint8).amax())


def bounding_box(mask: Region) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the cells of a region, right and bottom exclusive."""
    # The largest byte of each row and column: several times faster than `any` on large masks.
    cells = mask.bool().view(torch.uint8)
    rows, columns = cells.amax(1).nonzero().flatten(), cells.amax(0).nonzero().flatten()
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
