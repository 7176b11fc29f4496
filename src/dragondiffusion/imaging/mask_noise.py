"""Noise of masks: black that is not quite black, white that is not quite white, dust.

Files that were compressed with losses, scanned, or taken from a video hold a few levels too many everywhere. What a
mask marks at all is edited, so they are set to exactly 0 and 1. Soft borders stay as they are: they fall from the
object outwards, and noise does not.
"""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float32]
"""Values (height, width) in [0, 1]."""

Bytes: TypeAlias = npt.NDArray[np.uint8]
"""Values (height, width) of 8 bits."""

FAINT = 0.12
"""Values up to this may be noise. Source: chosen; black of video is at 16 of 255 (0.063), with noise around it."""
LEAST = 0.5 / 255
"""Smaller values are 0: those that 8 bits do not hold."""

BLOCKS = 128
"""Blocks along the longer side in which distances are measured. Source: chosen."""
FAR = 0.75
"""Share of the blocks outside an object that are not far from it. Source: chosen."""
STRAY = 0.05
"""Share of the far blocks that may be brighter than noise. Source: chosen."""
FALLS = 0.25
"""How much brighter the nearer half of the far blocks is in the mean if a border still falls there, as a share of the
brightest. Source: chosen."""
WAY = 256
"""Pixels along which a soft border is followed outwards. Source: chosen."""
TAIL = 2
"""How much wider than from one half to `FAINT` a border is from there to 0. Source: chosen; 1.5 if it was blurred by a
Gaussian, 0.3 if it falls linearly."""


def floor(values: Values) -> float:
    """The level of a mask's background: of the brightest of what is far away from everything above one half.

    Where it still falls there, it is a soft border, and the level is that of the darkest.

    Returns:
        At most `FAINT`; 0 if there is nothing far away, or what is there is no noise.
    """
    side = math.ceil(max(values.shape) / BLOCKS)
    most = _block_max(values, side)
    distance = _distance(most > 0.5)
    outside = distance[distance > 0]
    if outside.size == 0 or outside.size == distance.size:
        return 0.0
    near, far = (max(1, float(np.quantile(outside, share))) for share in (FAR, (1 + FAR) / 2))
    nearer, farther = most[(distance >= near) & (distance < far)], most[distance >= far]
    noise = farther[farther <= FAINT]
    if noise.size <= (1 - STRAY) * farther.size:
        return 0.0
    level = float(noise.max())
    falls = nearer.size > 0 and float(nearer.mean()) - float(farther.mean()) > FALLS * level
    return float(noise.min()) if falls else level


def stretched(values: Values) -> tuple[Values, float, float]:
    """Values between the levels of the background and of the inside of the object, brought to [0, 1].

    Returns:
        The values, and the two levels.
    """
    low, high = floor(values), 1 - floor(1 - values)
    if low > 0 or high < 1:
        values = ((values - np.float32(low)) / np.float32(high - low)).clip(0, 1)
    return values, low, high


def without_dust(values: Values) -> tuple[Values, bool]:
    """Faint values lowered to what can be reached from the object without going up again, and not far beyond it.

    It is the greyscale reconstruction of a mask from what is brighter than `FAINT` (L. Vincent, "Morphological
    grayscale reconstruction in image analysis", IEEE Trans. Image Processing 2, 1993), ended after `TAIL` times the
    width over which the border falls from one half to `FAINT`: beyond hard borders only compression leaves something.

    Returns:
        The values, and whether there was anything to lower.
    """
    values = np.where(values < LEAST, np.float32(0), values)
    marked = values > 0
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    if rows.size == 0:
        return values, False
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    values[box], dusty = _within(values[box])
    return values, dusty


def _within(values: Values) -> tuple[Values, bool]:
    """The same of the part that is marked at all."""
    faint = (values <= FAINT) & (values > 0)
    if not faint.any():
        return values, False
    eight = np.rint(values * 255).astype(np.uint8)
    clear = np.where(values <= FAINT, np.uint8(0), eight)
    width = _steps(np.where(values <= 0.5, np.uint8(0), np.uint8(1)), (values > FAINT).view(np.uint8), WAY)[1]
    reached, _ = _steps(clear, eight, max(0, TAIL * width - 1))
    dust = faint & (eight > reached)
    return np.where(dust, reached / np.float32(255), values), bool(dust.any())


def _steps(start: Bytes, limit: Bytes, most: int) -> tuple[Bytes, int]:
    """Values that grow by a pixel a step, nowhere above a limit, and after how many steps they stopped."""
    for step in range(most):
        further = np.minimum(_max_of_neighbours(start), limit)
        if np.array_equal(further, start):
            return start, step
        start = further
    return start, most


def _block_max(values: Values, side: int) -> Values:
    height, width = values.shape
    padded = np.pad(values, ((0, -height % side), (0, -width % side)), mode="edge")
    return padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side).max((1, 3))


def _distance(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Steps from each block to the nearest that is inside; 1 more than there are where none is."""
    distance = np.where(inside, 0, sum(inside.shape))
    for step in range(1, max(inside.shape)):
        grown = _max_of_neighbours(inside.view(np.uint8)).view(np.bool_)
        if np.array_equal(grown, inside):
            break
        distance[grown & ~inside] = step
        inside = grown
    return distance


def _max_of_neighbours(values: Bytes) -> Bytes:
    """The largest value of each pixel and its eight neighbours."""
    rows = values.copy()
    np.maximum(rows[1:], values[:-1], out=rows[1:])
    np.maximum(rows[:-1], values[1:], out=rows[:-1])
    both = rows.copy()
    np.maximum(both[:, 1:], rows[:, :-1], out=both[:, 1:])
    np.maximum(both[:, :-1], rows[:, 1:], out=both[:, :-1])
    return both
