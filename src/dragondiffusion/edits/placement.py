"""Where an object that is moved, resized or turned comes to lie on the grids."""

from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

import torch

from ..core.bounds import Range
from ..core.geometry import Affine, Correspondence, coverage, covered_cells, warp_mask
from ..core.paint import Placed
from ..core.types import Canvas, Mask, Number, Region, Size
from ..proxy.rough import Copied

Scale: TypeAlias = Annotated[Number, Range(0.01, 100, remedy="use flip=True to mirror")]
"""Factor by which an object is resized. Source of the range: chosen; from one pixel to a side of a large photo."""

Angle: TypeAlias = Annotated[Number, Range(-3600, 3600, "degrees")]
"""Turn of an object. Source of the range: chosen, ten turns either way."""


@dataclass(frozen=True)
class Placement:
    """An object's old and new place.

    Args:
        source: cells of the energy grid the object leaves.
        match: cells of the energy grid it goes to, and where each came from.
        latent: the same on the latent grid.
        pixels: the same in pixels; None without a proxy.
        cover: how much of every pixel the object covers at its new place; None without a proxy.
        inside: latent cells in which the edit energy acts.
        noise_region: latent cells of the old and new place.
        hole: latent cells that only belong to the old place.
        changed: pixels of the old and new place, 0 to 1.
    """

    source: Region
    match: Correspondence
    latent: Correspondence
    pixels: Correspondence | None
    inside: Region
    noise_region: Region
    hole: Region
    changed: Mask
    cover: Mask | None = None

    def placed(self, guide: int, mask: Mask, clamp: Number) -> Placed:
        """The object at its new place.

        Args:
            guide: image it comes from.
            mask: the object there.
            clamp: see `Placed`.
        """
        paint = None if self.pixels is None else Copied(guide, self.pixels, mask, self.cover)
        return Placed(guide, self.latent, paint, clamp)


def place(mask: Mask, affine: Affine, canvas: Canvas, proxy: bool) -> Placement | None:
    """The object transported by an affine map; cells count by how much of them it covers.

    Args:
        mask: the object, on the padded image.
        affine: its map, pixels.
        canvas: grids.
        proxy: give the correspondence in pixels too.

    Returns:
        None if nothing of the object is left in the image.
    """
    arrival = arrive(mask, affine, canvas, proxy)
    if arrival is None:
        return None
    left = coverage(mask, canvas.latent) > 0
    return replace(
        arrival,
        source=covered_cells(mask, canvas.energy),
        noise_region=arrival.inside | left,
        hole=left & ~arrival.latent.target,
        changed=torch.maximum(mask, arrival.changed),
    )


def arrive(mask: Mask, affine: Affine, canvas: Canvas, proxy: bool) -> Placement | None:
    """As `place`, but for an object of another image, of which nothing is left behind in this one.

    Args:
        mask: the object, on its own padded image.
        affine: pixels of its image to pixels of the edited one.
        canvas: grids of the edited image.
        proxy: give the correspondence in pixels too.
    """
    extent: Size = (mask.shape[0], mask.shape[1])
    arrived = warp_mask(mask, affine, canvas.padded) * picture_area(canvas)
    if not bool((arrived > 0.5).any()):
        return None
    touched = coverage(arrived, canvas.latent) > 0
    # A proxy also knows how the cells look that the object covers in part.
    latent = touched if proxy else covered_cells(arrived, canvas.latent)
    nothing = torch.zeros(canvas.energy, dtype=torch.bool)
    pixels = Correspondence.along(affine, arrived > 0, canvas.padded, extent) if proxy else None
    return Placement(
        source=nothing,
        match=Correspondence.along(affine, covered_cells(arrived, canvas.energy), canvas.padded, extent),
        latent=Correspondence.along(affine, latent, canvas.padded, extent),
        pixels=pixels,
        inside=touched,
        noise_region=touched,
        hole=torch.zeros_like(touched),
        changed=arrived,
        cover=None
        if pixels is None
        else pixels.carry_pixels(mask[None, None], torch.zeros(1, 1, *canvas.padded))[0, 0],
    )


def picture_area(canvas: Canvas) -> Mask:
    """1 on the image, 0 on what was padded."""
    area = torch.zeros(canvas.padded)
    area[: canvas.picture[0], : canvas.picture[1]] = 1
    return area
