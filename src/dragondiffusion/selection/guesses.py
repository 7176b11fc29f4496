"""Regions that clicks or a box may mean, the likeliest first: nothing more than is plausible after one more click.

Convention: everything is in pixels of the small copy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float

from .clicks import Clicks
from .judging import overlaps, scores
from .likelihood import certainty, likelihoods
from .regions import Cells, LabImage, Pixel, boxed, filled, more_regions, regions, unlike_rim
from .subjects import is_whole, subjects

AROUND = 0.25
"""How much of the surroundings of a box is looked at, in its sides."""
STARTS = ((2, 2), (1, 2), (3, 2), (2, 1), (2, 3))
"""Places in a box where the thing may be clicked, in quarters of its sides."""
TIGHT = 3.0
"""Weight of how well a region reaches the sides of a box, beside `judging.scores`. Source: chosen on scenes."""
FLUSH = 1.5
"""Weight of the share of a box's border that a region holds: things touch their box here and there. Source: chosen on
photographs."""
PAIRED = 6
"""Regions in a box that are also tried together, the likeliest: a thing has parts of several colours."""
MULTIPLIED = 2.0
"""So many times the area of what was selected is plausible after one more click, however close that is."""
LEAP = 1.5
"""How much less likely a region is for each e-fold of area beyond what is plausible. Source: chosen on photographs."""
CARVED = 0.5
"""How much less likely it is that a part is to be taken out of what was selected than that a smaller thing is meant.
Source: chosen on composites."""
DIFFERENT = 0.85
"""Intersection over union up to which two regions are worth being offered both."""


@dataclass(frozen=True)
class Demand:
    """What a region has to keep to.

    Args:
        scene: the image.
        points: that it holds.
        outside: that it does not hold.
        box: in which it lies; None is everywhere.
        anywhere: the box was nearly the whole image: it asks for the image's subject and says nothing of its sides.
    """

    scene: LabImage
    points: tuple[Pixel, ...]
    outside: tuple[Pixel, ...]
    box: tuple[float, float, float, float] | None
    anywhere: bool = False

    @staticmethod
    def of(scene: LabImage, clicks: Clicks) -> "Demand":
        """What clicks demand."""
        height, width = size = scene.gradient.shape
        anywhere = clicks.box is not None and is_whole(clicks.box, (height, width))
        box = (0, 0, width, height) if anywhere else clicks.box
        return Demand(scene, _pixels(clicks.points, size), _pixels(clicks.outside, size), box, anywhere)

    @property
    def allowed(self) -> Cells:
        """Pixels that the box allows."""
        inside = np.ones(self.scene.gradient.shape, bool)
        if self.box is not None:
            x0, y0, x1, y1 = self.box
            inside[:] = False
            inside[max(0, int(y0)) : int(np.ceil(y1)), max(0, int(x0)) : int(np.ceil(x1))] = True
        return inside

    def kept(self, found: Iterable[Cells]) -> list[Cells]:
        """Regions cut to the box, each once, without those that hold what is outside."""
        allowed = self.allowed
        clipped = (region & allowed for region in found if not any(region[y, x] for x, y in self.outside))
        return list({region.tobytes(): region for region in clipped}.values())

    def judged(
        self, found: list[Cells], before: Cells | None = None, parts: list[Cells] | None = None
    ) -> Float[np.ndarray, " _"]:
        """How likely each region is meant: how it looks, how it fits the box, how much it adds to an earlier one."""
        result = scores(found, self.scene, parts)
        if self.box is not None and not self.anywhere:
            allowed = self.allowed
            result = result + [_fitting(region, allowed) for region in found]
        if before is not None and found:
            area = np.array([max(1, region.sum()) for region in found])
            result = result - LEAP * np.maximum(0, np.log(area / self.plausible(before)))
        return result

    def plausible(self, before: Cells) -> float:
        """Area that a region plausibly has after one more click.

        That is twice what was selected, or the smallest box around it and the click if that is larger.
        """
        rows, columns = (np.flatnonzero(before.any(axis)) for axis in (1, 0))
        x, y = self.points[-1]
        height = max(y, rows[-1]) - min(y, rows[0]) + 1
        width = max(x, columns[-1]) - min(x, columns[0]) + 1
        return max(MULTIPLIED * float(before.sum()), float(height * width))


def ranked(demand: Demand) -> tuple[list[Cells], float]:
    """Regions that a first point, a box, or both may mean, and how certain the choice is.

    Returns:
        The likeliest first; what is outside may be in them. From 0 to 1, that of a box counts as certain.
    """
    free = replace(demand, outside=())
    if demand.box is None or demand.anywhere:
        found = free.kept(_wanted(demand))
        likely = likelihoods(found, demand.scene, demand.points[0] if demand.points else None)
        return _sorted(found, likely), certainty(found, likely)
    found = free.kept(_first(demand))
    found = free.kept([*found, *_pairs(found, demand.judged(found))])
    return _sorted(found, demand.judged(found)), 1.0


def _wanted(demand: Demand) -> Iterator[Cells]:
    """What the first point may mean, or the subject of the image where there is none."""
    if demand.points:
        return more_regions(demand.scene, demand.points[0])
    return subjects(demand.scene)


def enlarged(demand: Demand, before: Cells) -> list[Cells]:
    """Regions that clicks may mean where the last one lies beside what was selected before, the likeliest first."""
    new = demand.kept(regions(demand.scene, demand.points[-1]))
    options = {(before | region).tobytes(): (before | region, region) for region in new}
    options |= {r.tobytes(): (r, r) for r in new if all(r[y, x] for x, y in demand.points)}
    found, parts = [[pair[k] for pair in options.values()] for k in (0, 1)]
    return _sorted(found, demand.judged(found, before, parts))


def reduced(demand: Demand, before: Cells) -> list[Cells]:
    """Regions that clicks may mean where one beside the thing lies in what was selected before, the likeliest first."""
    wrong = [(x, y) for x, y in demand.outside if before[y, x]]
    options = {r.tobytes(): (r, r) for r in demand.kept(_first(demand)) if all(r[y, x] for x, y in demand.points)}
    for taken in replace(demand, points=wrong[:1], outside=demand.points).kept(regions(demand.scene, wrong[0])):
        options[(before & ~taken).tobytes()] = (before & ~taken, taken)
    found, parts = [[pair[k] for pair in options.values()] for k in (0, 1)]
    cost = [0.0 if region is part else CARVED for region, part in zip(found, parts, strict=True)]
    return _sorted(found, demand.judged(found, parts=parts) - cost)


def _sorted(found: list[Cells], judged: Float[np.ndarray, " _"]) -> list[Cells]:
    return [found[k] for k in np.argsort(-judged, kind="stable") if judged[k] > -np.inf]


def different(found: Iterable[Cells], count: int) -> list[Cells]:
    """The first so many regions of which none is nearly another."""
    chosen: list[Cells] = []
    for region in found:
        if len(chosen) == count:
            break
        if not chosen or overlaps([*chosen, region])[-1, :-1].max() <= DIFFERENT:
            chosen.append(region)
    return chosen


def _pixels(points: Iterable[tuple[float, float]], size: tuple[int, ...]) -> tuple[Pixel, ...]:
    return tuple((min(int(x), size[1] - 1), min(int(y), size[0] - 1)) for x, y in points)


def _first(demand: Demand) -> Iterator[Cells]:
    """What the first point, the box, or both may mean."""
    if demand.points:
        yield from regions(demand.scene, demand.points[0])
    if demand.box is not None:
        for region in subjects(demand.scene) if demand.anywhere else _in_box(demand):
            if all(region[y, x] for x, y in demand.points[:1]):
                yield region


def _pairs(found: list[Cells], judged: Float[np.ndarray, " _"]) -> Iterator[Cells]:
    """The likeliest regions, two by two."""
    best = different(_sorted(found, judged), PAIRED)
    for k, one in enumerate(best):
        for other in best[:k]:
            yield one | other


def _fitting(region: Cells, allowed: Cells) -> float:
    """How well a region fits a box: it reaches all its sides, but not with all of its border."""
    if not region.any():
        return 0.0
    rows, columns = (np.flatnonzero(allowed.any(axis)) for axis in (1, 0))
    part = region[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    shares = [(np.flatnonzero(part.any(axis))[[0, -1]] @ (-1, 1) + 1) / part.shape[1 - axis] for axis in (0, 1)]
    rim = np.concatenate((part[0], part[-1], part[:, 0], part[:, -1])).mean()
    return float(TIGHT * shares[0] * shares[1] * min(shares) - FLUSH * rim)


def _in_box(demand: Demand) -> Iterator[Cells]:
    """What may be meant by a box: what is unlike its surroundings, what GrabCut makes of it, or the ellipse in it."""
    assert demand.box is not None
    scene, allowed = demand.scene, demand.allowed
    height, width = allowed.shape
    x0, y0, x1, y1 = demand.box
    rim = max(2, round(AROUND * min(x1 - x0, y1 - y0)))
    left, top = max(0, int(x0) - rim), max(0, int(y0) - rim)
    window = slice(top, min(height, int(np.ceil(y1)) + rim)), slice(left, min(width, int(np.ceil(x1)) + rim))
    for inside in (*unlike_rim(scene.lab[window], rim), boxed(scene, allowed, window)):
        whole = np.zeros((height, width), bool)
        whole[window] = inside
        opened = cv2.morphologyEx((whole & allowed).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        labels, stats = cv2.connectedComponentsWithStats(opened, connectivity=4)[1:3]
        large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] > 0.1 * stats[1:, cv2.CC_STAT_AREA].max(initial=1)) + 1
        yield np.isin(labels, large)
        yield filled(np.isin(labels, large))
    places = [(x0 + (x1 - x0) * i / 4, y0 + (y1 - y0) * j / 4) for i, j in STARTS]
    for x, y in _pixels(places, (height, width)):
        yield from regions(scene, (max(0, x), max(0, y)))
    ellipse = np.zeros((height, width), np.uint8)
    middle, axes = ((x0 + x1) / 2, (y0 + y1) / 2), (x1 - x0, y1 - y0)
    yield (cv2.ellipse(ellipse, (middle, axes, 0.0), 1, -1) > 0) & allowed
