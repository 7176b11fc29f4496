"""Nested regions of an image: small basins that are merged, those first that are most alike and least divided.

Source: P. Arbelaez et al., "Contour Detection and Hierarchical Image Segmentation", TPAMI 2011, has the merging by the
mean strength of the border between two regions; distances of colours and the preference of small ones are added here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

Cells = Bool[np.ndarray, "_ _"]

# Numbers below are chosen on composites and photographs of tuning seeds.
CELL = 8
"""Side of the squares of which each starts one basin, pixels."""
LIGHTNESS = 0.7
"""Weight of lightness in distances of colours."""
DIVIDED = 2.0
"""Weight of the mean gradient between two regions, units of Lab a pixel, beside the distance of their colours."""
SMALL = 0.4
"""Power of the smaller area by which two regions are the farther apart."""
STEP = 1.15
"""Ratio of areas from which on a region is another one than the region in it."""
LEAST, LARGEST = 30, 0.85
"""Pixels that a region has at least; share of the image that it has at most."""


@dataclass(frozen=True, eq=False)
class Merges:
    """All regions that come about when basins are merged until one is left.

    Args:
        places: of every pixel's basin, in an order in which each region is an interval.
        first: of each region, basins first.
        last: the place behind its last basin.
        parent: what it is merged into, -1 of the last one.
        area: pixels.
    """

    places: Int[np.ndarray, "_ _"]
    first: list[int]
    last: list[int]
    parent: list[int]
    area: list[float]

    @staticmethod
    def of(lab: Float[np.ndarray, "_ _ 3"], gradient: Float[np.ndarray, "_ _"]) -> Merges:
        """The regions of an image, CIE Lab with its gradient."""
        basins = _basins(lab, gradient)
        pairs, area = _merged(basins, lab, gradient)
        count = int(basins.max()) + 1
        parent = [-1] * len(area)
        for k, pair in enumerate(pairs):
            for child in pair:
                parent[child] = count + k
        first, last, place = [0] * len(area), [0] * len(area), 0
        stack = [len(area) - 1]
        while stack:
            node = stack.pop()
            if node < 0:
                last[~node] = place
                continue
            first[node] = place
            if node < count:
                place += 1
                last[node] = place
            else:
                stack += [~node, *pairs[node - count]]
        return Merges(np.array(first[:count])[basins], first, last, parent, area)

    def holding(self, at: tuple[int, int]) -> Iterator[Cells]:
        """Regions that hold a pixel (column, row), from small to large."""
        node, before = int(self.places[at[1], at[0]]), 0.0
        node = next(k for k, place in enumerate(self.first) if place == node)
        while node >= 0:
            if self._usable(node) and self.area[node] > STEP * before:
                before = self.area[node]
                yield self._cells(node)
            node = self.parent[node]

    def large(self, least: float) -> Iterator[Cells]:
        """Regions of at least a share of the image that are clearly smaller than what they are merged into."""
        for node in range(len(self.area) - 1, -1, -1):
            alone = self._usable(node) and self.area[self.parent[node]] > STEP * self.area[node]
            if alone and self.area[node] >= least * self.places.size:
                yield self._cells(node)

    def _usable(self, node: int) -> bool:
        return LEAST < self.area[node] < LARGEST * self.places.size

    def _cells(self, node: int) -> Cells:
        return (self.places >= self.first[node]) & (self.places < self.last[node])


def _basins(lab: Float[np.ndarray, "_ _ 3"], gradient: Float[np.ndarray, "_ _"]) -> Int[np.ndarray, "_ _"]:
    """The number of every pixel's basin: watersheds around the calmest pixel of each square."""
    height, width = gradient.shape
    rows, columns = -(-height // CELL), -(-width // CELL)
    padded = np.full((rows * CELL, columns * CELL), np.inf, np.float32)
    padded[:height, :width] = gradient
    squares = padded.reshape(rows, CELL, columns, CELL).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
    calmest, square = squares.argmin(1), np.arange(rows * columns)
    found = np.zeros((height, width), np.int32)
    found[square // columns * CELL + calmest // CELL, square % columns * CELL + calmest % CELL] = square + 1
    coded = np.clip(lab * (2.55, 1, 1) + (0, 128, 128), 0, 255).astype(np.uint8)
    cv2.watershed(coded, found)
    while (lines := found <= 0).any():
        beside = cv2.dilate(np.where(lines, 0, found).astype(np.float32), np.ones((3, 3), np.uint8))
        found = np.where(lines, beside.astype(np.int32), found)
    return np.unique(found, return_inverse=True)[1].reshape(height, width)


def _merged(
    basins: Int[np.ndarray, "_ _"], lab: Float[np.ndarray, "_ _ 3"], gradient: Float[np.ndarray, "_ _"]
) -> tuple[list[tuple[int, int]], list[float]]:
    """Pairs of regions in the order of their merging, and the areas of all regions, basins first."""
    count, flat, whole = int(basins.max()) + 1, basins.ravel(), float(basins.size)
    sizes = np.bincount(flat, minlength=count).astype(float)
    colours = [np.bincount(flat, lab[..., c].ravel(), minlength=count) / sizes for c in range(3)]
    light, green, blue = (v.tolist() for v in (LIGHTNESS * colours[0], colours[1], colours[2]))
    area: list[float] = sizes.tolist()
    beside = _borders(basins, gradient, count)

    def apart(i: int, j: int) -> float:
        strength, length = beside[i][j]
        colour = ((light[i] - light[j]) ** 2 + (green[i] - green[j]) ** 2 + (blue[i] - blue[j]) ** 2) ** 0.5
        return (colour + DIVIDED * strength / length) * (min(area[i], area[j]) / whole) ** SMALL

    heap = [(apart(i, j), i, j) for i in range(count) for j in beside[i] if i < j]
    heapq.heapify(heap)
    pairs: list[tuple[int, int]] = []
    gone: set[int] = set()
    while heap:
        _, i, j = heapq.heappop(heap)
        if i in gone or j in gone:
            continue
        gone |= {i, j}
        new = len(area)
        pairs.append((i, j))
        area.append(area[i] + area[j])
        for channel in (light, green, blue):
            channel.append((area[i] * channel[i] + area[j] * channel[j]) / area[new])
        joined: dict[int, tuple[float, int]] = {}
        for part in (i, j):
            for other, (strength, length) in beside[part].items():
                if other not in (i, j):
                    more, longer = joined.get(other, (0.0, 0))
                    joined[other] = (strength + more, length + longer)
                    del beside[other][part]
        beside.append(joined)
        for other, border in joined.items():
            beside[other][new] = border
            heapq.heappush(heap, (apart(new, other), new, other))
    return pairs, area


def _borders(
    basins: Int[np.ndarray, "_ _"], gradient: Float[np.ndarray, "_ _"], count: int
) -> list[dict[int, tuple[float, int]]]:
    """Sum of gradients along the border of every basin with each beside it, and the border's length."""
    sides = ((basins[:, :-1], basins[:, 1:]), (basins[:-1], basins[1:]))
    strengths = (np.maximum(gradient[:, :-1], gradient[:, 1:]), np.maximum(gradient[:-1], gradient[1:]))
    one, other = (np.concatenate([pair[k].ravel() for pair in sides]).astype(np.int64) for k in (0, 1))
    differ = one != other
    strength = np.concatenate([v.ravel() for v in strengths])[differ]
    low, high = np.minimum(one, other)[differ], np.maximum(one, other)[differ]
    keys, place = np.unique(low * count + high, return_inverse=True)
    found: list[dict[int, tuple[float, int]]] = [{} for _ in range(count)]
    for key, total, length in zip(
        keys.tolist(), np.bincount(place, strength).tolist(), np.bincount(place).tolist(), strict=True
    ):
        i, j = divmod(key, count)
        found[i][j] = found[j][i] = (total, length)
    return found
