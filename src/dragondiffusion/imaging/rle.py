"""COCO's run lengths of masks: runs outside and inside in turn, and the text they are packed into.

Source: the format of COCO's tools (`maskApi`): columns from left to right; from the fourth count on the text holds the
difference to the count two before; five bits a letter, the sixth says that more follow, letters begin at "0".
`pycocotools` writes the same text, but reads one that does not fill its size from memory that nobody wrote.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from ..core.types import Size

MAX_PIXELS = 100_000_000
"""Largest mask, pixels; that of the largest image that is read."""


def encode_runs(mask: Bool[np.ndarray, "_ _"]) -> list[int]:
    """Lengths of the runs of a mask; the first is outside and may be 0."""
    flat = np.concatenate(([False], mask.T.ravel()))
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.concatenate(([0], ends, [mask.size]))).tolist()


def decode_runs(counts: Sequence[int], size: Size) -> Bool[np.ndarray, "_ _"]:
    """The mask of run lengths.

    Args:
        counts: lengths of the runs.
        size: (height, width).

    Raises:
        ValueError: if a length is negative, or together they are not the size.
    """
    height, width = size
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise ValueError(f"size {height}x{width} must be positive and hold at most {MAX_PIXELS} pixels")
    if any(count < 0 for count in counts):
        raise ValueError(f"counts holds {min(counts)}; lengths of runs are not negative")
    if sum(counts) != height * width:
        raise ValueError(f"counts add up to {sum(counts)} but the size {height}x{width} has {height * width} pixels")
    inside = np.arange(len(counts)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, counts).reshape(width, height).T)


def pack_runs(counts: Sequence[int]) -> str:
    """COCO's text of run lengths."""
    letters: list[str] = []
    for k, count in enumerate(counts):
        value = count - counts[k - 2] if k > 2 else count
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            letters.append(chr(48 + (bits | 32 if more else bits)))
    return "".join(letters)


def unpack_runs(text: str) -> list[int]:
    """Run lengths of COCO's text.

    Raises:
        ValueError: if a letter does not belong there or the text ends early.
    """
    counts: list[int] = []
    value, shift = 0, 0
    for k, letter in enumerate(text):
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError(f"counts holds {letter!r} at place {k}, which is not COCO's text of run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value, shift = 0, 0
    if shift:
        raise ValueError("counts ends within a number; the text was cut short")
    return counts
