"""Source holes made up smoothly from the ground around them. Pictures are in [-1, 1]."""

import math

import torch

from ..core.geometry import dilate, erode, fill
from ..core.types import Pictures, Region

RING = (0.3, 3, 12)
"""Width of the border that must continue: in radii of the hole, at least and at most in pixels. Source: chosen."""
ALIKE = 0.03
"""Pixels this near to a smooth ground belong to it. Source: chosen, four levels of 8 bits."""
SMOOTH = 0.4
"""From this share of such pixels in the border on, the ground is smooth and the others are other things."""
GRAINY, PLAIN = 0.1, 0.85
"""Pixels this near to a plane belong to a plain ground, with its grain, if so large a share of the border does. Source:
tuning seeds of `bench photos`; of plain grounds 0.92 to 0.95 did, of patterns 0.6 at most."""
DRAWS = 48
"""Planes through three pixels that are tried. Source: with half of the pixels on the plane, one fails in 600."""


def border(hole: Region) -> Region:
    """Known pixels around a hole, as wide as `RING`."""
    share, least, most = RING
    width = min(max(round(share * math.sqrt(float(hole.sum()) / math.pi)), least), most)
    return dilate(hole, width) & ~hole


def smoothly(x: Pictures, hole: Region, piece: Region | None = None) -> Pictures:
    """A hole made up smoothly from the ground around it, see `geometry.fill`.

    Where most of the border lies on one plane of colours, a plain or graded ground, the plane goes on into the hole,
    and what departs from it, other things beside the hole, does not bleed in.

    Args:
        x: one picture.
        hole: unknown pixels.
        piece: the part of them whose border is continued; None is all of it.
    """
    ring = border(hole) if piece is None else border(piece) & ~hole
    ground = _plane(x, ring)
    if ground is None:
        return fill(x, hole)
    plane, alike = ground
    near = dilate(hole, 2 * max(1, round(math.sqrt(float(ring.sum())))))
    left = torch.where(alike & ~hole & near, x - plane, torch.zeros_like(x))
    made = plane + fill(left, ~(alike & ~hole & ring))
    return torch.where(hole, made, x).clamp(-1, 1)


def is_plain(x: Pictures, hole: Region, piece: Region) -> bool:
    """Whether most of the border of a piece of a hole lies on one plane of colours; arguments as in `foreign`."""
    return _plane(x, border(piece) & ~hole) is not None


def foreign(x: Pictures, hole: Region, piece: Region) -> Region:
    """What is no part of the plain ground that a piece of a hole lies on: other things, which must not come into it.

    Args:
        x: one picture.
        hole: unknown pixels.
        piece: the part of them whose border tells.

    Returns:
        Nothing where the border is not plain.
    """
    ring = border(piece) & ~hole
    ground = _plane(x, ring, GRAINY, 0.0)
    if ground is None or float(ground[1][ring].float().mean()) < PLAIN:
        return torch.zeros_like(hole)
    # What is thinner than three pixels is grain.
    return dilate(erode(~ground[1], 1), 2) & ~hole


def _plane(x: Pictures, ring: Region, alike: float = ALIKE, least: float = SMOOTH) -> tuple[Pictures, Region] | None:
    """The plane of colours that most pixels of a border lie near, everywhere, and where pixels are near it.

    Args:
        x: one picture.
        ring: the border.
        alike: how near counts.
        least: share of the border that must lie near it.

    Source: M. A. Fischler and R. C. Bolles, "Random sample consensus", CACM 1981.
    """
    rows, columns = ring.nonzero().unbind(1)
    count = len(rows)
    if count < 3:
        return None
    height, width = ring.shape
    places = torch.stack((torch.ones(count), columns / width, rows / height), 1)
    colours = x[0][:, ring].T
    draws = torch.randint(count, (DRAWS, 3), generator=torch.Generator().manual_seed(0))
    draws = draws[torch.linalg.det(places[draws]).abs() > 1e-4]
    if not len(draws):
        return None
    planes = torch.linalg.solve(places[draws], colours[draws])
    near = (places @ planes - colours).abs().amax(2) < alike
    best = near[int(near.sum(1).argmax())]
    if int(best.sum()) < max(3, least * count):
        return None
    # On processors PyTorch's default driver, gelsy, reads uninitialised pivots: its last bits differ from run to run.
    weights = torch.linalg.lstsq(places[best], colours[best], driver="gelsd").solution
    down, across = torch.arange(height) / height, torch.arange(width) / width
    plane = weights[0, :, None, None] + weights[1, :, None, None] * across + weights[2, :, None, None] * down[:, None]
    return plane[None], (x - plane[None]).abs().amax((0, 1)) < alike
