"""Which place of one object belongs to which place of another, told from their outlines."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from ..core.geometry import Affine, cell_centres, centroid, sample_mask
from ..core.stopping import go_on
from ..core.types import Mask, Points, Size

Matrix = Float64[Tensor, "2 2"]

TURNS = 72
"""Turns that are tried. Source: chosen, steps of 5 degrees."""

RELUCTANCE = 0.03
"""What half a turn, or mirroring, must gain in overlap, so that symmetric outlines stay upright. Source: chosen."""

GRID, REACH = 48, 3.0
"""Cells along the side of the grid on which outlines are compared, and its half side in standard deviations."""


@dataclass(frozen=True)
class Registration:
    """One object laid over another.

    Args:
        affine: pixels of the other object's picture to pixels of the picture it is laid over.
        overlap: what the two then have in common, over what either covers; 0 to 1.
    """

    affine: Affine
    overlap: float


def register(mask: Mask, like: Mask) -> Registration:
    r"""Lays one object over another by an affine map, so that their outlines agree best.

    Both are brought to unit covariance about their centres, $u = \Sigma^{-1/2}(p - \mu)$, after which two outlines that
    an affine map takes into each other differ by a turn $R$ and perhaps a mirroring. Those are searched.

    Args:
        mask: the object that is laid over.
        like: the other object, on its own picture.

    Source: J. Heikkila, "Pattern matching with affine moment descriptors", Pattern Recognition 2004, for the
    normalisation; the search is chosen.
    """
    (mean, root), (mean_like, root_like) = moments(mask), moments(like)
    unit = _unit_grid()
    own = sample_mask(mask, unit @ root.T + mean).double()
    best, overlap, chosen = -math.inf, 0.0, torch.eye(2, dtype=torch.float64)
    for turn, cost in _turns():
        go_on()
        other = sample_mask(like, unit @ turn.T @ root_like.T + mean_like).double()
        common = float(torch.minimum(own, other).sum() / torch.maximum(own, other).sum().clamp_min(1e-9))
        if common - cost > best:
            best, overlap, chosen = common - cost, common, turn
    matrix = root @ chosen.T @ torch.linalg.inv(root_like)
    return Registration(_about(matrix, mean_like, mean), overlap)


def moments(mask: Mask) -> tuple[Float64[Tensor, "2"], Matrix]:
    """Centre of a mask, (x, y) in pixels, and the symmetric root of its covariance."""
    size: Size = (mask.shape[0], mask.shape[1])
    points, weight = cell_centres(size, size), mask.flatten().double()
    weight = weight / weight.sum()
    mean = torch.tensor(centroid(mask), dtype=torch.float64)
    away = points - mean
    values, vectors = torch.linalg.eigh(away.T @ (weight[:, None] * away))
    # A pixel alone has the variance of a pixel.
    return mean, vectors @ torch.diag(values.clamp_min(1 / 12).sqrt()) @ vectors.T


def _turns() -> list[tuple[Matrix, float]]:
    """Turns and mirrored turns with what each must gain."""
    found: list[tuple[Matrix, float]] = []
    for k in range(TURNS):
        go_on()
        a = 2 * math.pi * k / TURNS
        turn = torch.tensor(((math.cos(a), -math.sin(a)), (math.sin(a), math.cos(a))), dtype=torch.float64)
        cost = RELUCTANCE * min(k, TURNS - k) / (TURNS / 2)
        found.append((turn, cost))
        found.append((turn @ torch.diag(torch.tensor((-1.0, 1.0), dtype=torch.float64)), cost + RELUCTANCE))
    return found


def _unit_grid() -> Points:
    return (cell_centres((GRID, GRID), (GRID, GRID)) / GRID * 2 - 1) * REACH


def _about(matrix: Matrix, mean_from: Tensor, mean_to: Tensor) -> Affine:
    """The affine map of a matrix that brings one point to another."""
    shift = (mean_to - matrix @ mean_from).tolist()
    (a, b), (d, e) = matrix.tolist()
    return Affine(((a, b, shift[0]), (d, e, shift[1])))
