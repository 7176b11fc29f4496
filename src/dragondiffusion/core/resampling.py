"""Values of an image between the centres of its cells."""

import torch
import torch.nn.functional as nnf
from jaxtyping import Float, Int64
from torch import Tensor

from .residents import Places, remembered
from .types import Points, Size


def nearest_cells(n: int, resized: int) -> Int64[Tensor, " _"]:
    """For each of so many cells that an axis is resized to, the cell of its `n` that nearest resampling reads.

    Float32 counts the cells exactly up to 16 million.
    """
    return nnf.interpolate(torch.arange(n, dtype=torch.float32)[None, None], resized)[0, 0].long()


def sample_bilinear(
    values: Float[Tensor, "batch channels height width"], source: Points, extent: Size
) -> Float[Tensor, "batch channels points"]:
    """Values at points, bilinear between cell centres, edge values beyond them.

    Args:
        values: what is sampled; its grid covers the extent.
        source: (x, y) in units of the extent.
        extent: (height, width) the points refer to.
    """
    return _sampled(values, source, extent, "bilinear")


def sample_bicubic(
    values: Float[Tensor, "batch channels height width"], source: Points, extent: Size
) -> Float[Tensor, "batch channels points"]:
    """The same by bicubic convolution, which keeps fine texture; within the range of each channel's values.

    Source: R. Keys, "Cubic convolution interpolation for digital image processing", 1981; PyTorch's `grid_sample`.
    """
    low, high = values.amin((2, 3)), values.amax((2, 3))
    found = _sampled(values, source, extent, "bicubic")
    return torch.minimum(torch.maximum(found, low[..., None]), high[..., None])


def _sampled(values: Tensor, source: Points, extent: Size, mode: str) -> Tensor:
    precise = values.to(torch.promote_types(values.dtype, torch.float32))

    def unit() -> Tensor:
        return (2 * (source / torch.tensor((extent[1], extent[0]), dtype=source.dtype)) - 1).to(precise)

    # On the processor it is computed as fast as found, and points of large photos take much memory.
    at_hand = precise.device == source.device
    own = unit() if at_hand else remembered(source, ("unit", extent, precise.dtype, precise.device), unit)
    grid = own[None, None].expand(values.shape[0], -1, -1, -1)
    found = nnf.grid_sample(precise, grid, mode=mode, padding_mode="border", align_corners=False)
    return found[:, :, 0].to(values.dtype)


def sample_at(
    values: Float[Tensor, "batch channels height width"], source: Points, extent: Size, bilinear: bool
) -> Float[Tensor, "batch channels points"]:
    """Values at points in units of `extent`.

    Args:
        values: what is sampled.
        source: (x, y) within the extent.
        extent: (height, width) the points refer to.
        bilinear: between cell centres; otherwise the values are first resized to `extent` cells by nearest resampling
            and the cell that contains the point is read.
    """
    if bilinear:
        return sample_bilinear(values, source, extent)
    rows, columns = nearest_places(source, (values.shape[-2], values.shape[-1]), extent, values.device)
    return values[:, :, rows, columns]


def nearest_places(source: Points, grid: Size, extent: Size, device: torch.device) -> Places:
    """Cells of a grid that nearest resampling reads at points (x, y) in units of the extent, on a device."""

    def make() -> Places:
        rows, columns = (nearest_cells(n, resized) for n, resized in zip(grid, extent, strict=True))
        x, y = source.floor().long().unbind(-1)
        return rows[y].to(device), columns[x].to(device)

    return remembered(source, ("nearest", grid, extent, device), make)
