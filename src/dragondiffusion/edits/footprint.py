"""What part of an image edits are about: shared by those that move, remove and bring in objects."""

import math

from ..core.geometry import Affine
from ..core.types import Mask, Number, Size
from ..imaging.frames import Box, Frame, box_of_mask, clipped, grown, is_empty, joined, mapped_box
from ..imaging.masks import MaskLike, ReadMask, read_mask
from ..proxy.leftovers import reach_of
from ..proxy.shadows import REACH
from .settings import Settings

BORDER = 2
"""Pixels around what a mask marks that an edit looks at. Source: as `vacating.FRINGE`, and one more."""


def arrival_box(box: Box, affine: Affine, size: Size) -> Box | None:
    """Where an object comes to lie in an image.

    Args:
        box: around the object, where it comes from.
        affine: its map.
        size: of the image.

    Returns:
        None if it lies outside.
    """
    arrival = clipped(mapped_box(box, affine), size)
    return None if is_empty(arrival) else arrival


def leaving_box(mask: Mask, box: Box, size: Size, settings: Settings, arrival: tuple[Box, Number] | None = None) -> Box:
    """The footprint of an object that leaves its place: itself, its new place, and the surroundings of its shadow.

    Args:
        mask: the object.
        box: around it.
        size: of the image.
        settings: whether shadows are looked for.
        arrival: its new place, and its size there relative to that before; None if it is removed.
    """
    left, top, right, bottom = box
    radius = math.sqrt(float(mask[top:bottom, left:right].sum()) / math.pi)
    reach: float = BORDER
    if settings.shadows and settings.proxy:
        reach = max(BORDER, REACH * radius, reach_of(math.pi * radius**2))
    places = [grown(box, reach)]
    if arrival is not None:
        places.append(grown(arrival[0], reach * arrival[1]))
    return clipped(joined(places), size)


def hint_within(hint: MaskLike | None, frame: Frame) -> ReadMask | None:
    """A hint in a frame; None where none of it lies inside."""
    if hint is None:
        return None
    inside = frame.mask(hint, "hint")
    return ReadMask(inside) if bool((inside > 0.5).any()) else None


def with_hint(hint: MaskLike | None, box: Box, size: Size) -> Box:
    """A box that also holds the region that the source hole should look like."""
    return box if hint is None else joined([box, box_of_mask(read_mask(hint, size, "hint"))])
