"""Where the released code puts an object that is moved, resized or pasted.

Source: behaviour of the authors' released code, docs/method.md, section 9.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as nnf
from torch import Tensor

from ...core.geometry import Affine, Correspondence, resize_nearest, warp_mask
from ...core.resampling import nearest_cells
from ...core.types import Canvas, Mask, Number, Point, Region, Size


@dataclass(frozen=True)
class CellPlacement:
    """An object's old and new place.

    Args:
        source: cells of the energy grid the object leaves.
        match: cells of the energy grid it goes to, and where each came from.
        latent: the same on the latent grid.
        inside: latent cells in which the edit energy acts.
        noise_region: latent cells of the old and new place.
        hole: latent cells that only belong to the old place.
        changed: pixels of the old and new place, 0 to 1.
    """

    source: Region
    match: Correspondence
    latent: Correspondence
    inside: Region
    noise_region: Region
    hole: Region
    changed: Mask


def place(mask: Mask, offset: Point, scale: Number, canvas: Canvas) -> CellPlacement | None:
    """The object placed as the authors' code does: nearest cells, resized about the image's centre.

    Convention: the grid is resized to `int(n * scale)` cells, shifted by whole cells (the displacement in cells times
    the scale, cut towards zero), and its middle `n` cells are kept. Nothing wraps around, other than in that code.

    Source: behaviour of the authors' released code, docs/method.md, section 9.
    """
    solid = (mask > 0).float()
    cell = (canvas.padded[0] / canvas.energy[0], canvas.padded[1] / canvas.energy[1])
    shift = (int(offset[1] // cell[0] * scale), int(offset[0] // cell[1] * scale))
    match = _centred_match(solid, shift, scale, canvas.energy)
    step = (canvas.padded[0] / canvas.latent[0], canvas.padded[1] / canvas.latent[1])
    latent_shift = (int(offset[1] / step[0] * scale), int(offset[0] / step[1] * scale))
    latent = _centred_match(solid, latent_shift, scale, canvas.latent)
    if not bool(match.target.any()):
        return None
    source = resize_nearest(solid, canvas.energy) > 0.5
    both = (match.target | source).float()
    return CellPlacement(
        source=source,
        match=match,
        latent=latent,
        inside=resize_nearest(match.target.float(), canvas.latent) > 0,
        noise_region=resize_nearest(both, canvas.latent) > 0.5,
        hole=(resize_nearest(solid, canvas.latent) > 0.5) & ~latent.target,
        changed=resize_nearest(both, canvas.padded),
    )


def _centred_match(solid: Mask, shift: Size, scale: Number, grid: Size) -> Correspondence:
    resized: Size = (max(int(grid[0] * scale), 1), max(int(grid[1] * scale), 1))
    rows, columns = (_centred_axis(grid[k], resized[k], shift[k]) for k in (0, 1))
    inside = ((rows >= 0) & (rows < resized[0]))[:, None] & ((columns >= 0) & (columns < resized[1]))[None, :]
    tall, wide = rows.clamp(0, resized[0] - 1), columns.clamp(0, resized[1] - 1)
    down, across = (nearest_cells(n, to)[at] for n, to, at in zip(solid.shape, resized, (tall, wide), strict=True))
    target = (solid > 0.5)[down][:, across] & inside
    y, x = (target.nonzero() + 0.0).unbind(-1)
    source = torch.stack((columns[x.long()], rows[y.long()]), dim=-1).double() + 0.5
    return Correspondence(target, source, resized, bilinear=False)


def _centred_axis(n: int, resized: int, shift: int) -> Tensor:
    """For every cell of an axis the cell of the resized axis it shows."""
    pad = abs(resized - n) // 2
    return torch.arange(n) - shift + (pad if resized > n else -pad)


def arrive(mask: Mask, offset: Point, canvas: Canvas) -> CellPlacement | None:
    """An object of another image of the same size, placed as the authors' code does.

    Convention: whole pixels for the mask, whole cells (cut towards zero) for what is compared and transported.

    Args:
        mask: the object, on the other image, which was resized already.
        offset: displacement, pixels.
        canvas: grids.

    Source: behaviour of the authors' released code, docs/method.md, section 9.
    """
    solid = (mask > 0.5).float()
    arrived = shifted(solid, (int(offset[1]), int(offset[0])))
    target = resize_nearest(arrived, canvas.energy) > 0.5
    if not bool(target.any()):
        return None
    inside = resize_nearest(target.float(), canvas.latent) > 0
    cell = (canvas.padded[0] / canvas.energy[0], canvas.padded[1] / canvas.energy[1])
    step = (canvas.padded[0] / canvas.latent[0], canvas.padded[1] / canvas.latent[1])
    return CellPlacement(
        source=torch.zeros_like(target),
        match=_by_cells(target, (int(offset[1] / cell[0]), int(offset[0] / cell[1]))),
        latent=_by_cells(inside, (int(offset[1] / step[0]), int(offset[0] / step[1]))),
        inside=inside,
        noise_region=inside,
        hole=torch.zeros_like(inside),
        changed=arrived,
    )


def _by_cells(target: Region, shift: Size) -> Correspondence:
    size: Size = (target.shape[0], target.shape[1])
    y, x = (target.nonzero() + 0.0).unbind(-1)
    source = torch.stack((x - shift[1], y - shift[0]), dim=-1).double()
    limit = torch.tensor((size[1] - 1, size[0] - 1), dtype=source.dtype)
    return Correspondence(target, torch.minimum(source.clamp(min=0), limit) + 0.5, size, bilinear=False)


def shifted(mask: Mask, shift: Size) -> Mask:
    """A mask moved down and right by whole cells; what leaves the image is gone."""
    return warp_mask(mask, Affine.about((0, 0), (shift[1], shift[0])))


def scaled_about_centre(x: Tensor, scale: Number) -> Tensor:
    """An image or mask resized (nearest) to a cell at least, and cut, or surrounded by zeros, to its own size."""
    if scale == 1:
        return x
    size: Size = (x.shape[-2], x.shape[-1])
    height, width = (max(int(side * scale), 1) for side in size)
    top, left = abs(height - size[0]) // 2, abs(width - size[1]) // 2
    rows, columns = nearest_cells(size[0], height), nearest_cells(size[1], width)
    if scale > 1:
        return x[..., rows[top : top + size[0]], :][..., columns[left : left + size[1]]]
    return nnf.pad(x[..., rows, :][..., columns], (left, size[1] - width - left, top, size[0] - height - top))
