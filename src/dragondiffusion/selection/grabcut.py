"""A thing's mask from clicks without a network: the best of many regions, cut along edges by GrabCut.

Source: C. Rother, V. Kolmogorov, A. Blake, "GrabCut", SIGGRAPH 2004, as OpenCV has it. It needs a first guess that is
nearly right; `guesses` finds it.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ..core.stopping import go_on
from ..imaging.files import Pixels
from .borders import refined
from .clicks import Clicks
from .guesses import Demand, different, enlarged, ranked, reduced
from .regions import Cells, LabImage, Pixel, grown, shrunk

SIDE = 256
"""Longer side of the copy on which regions are looked for, pixels. Source: chosen, a fifth of a second on one core."""
ROUNDS = 2
"""Iterations of GrabCut."""
SEED = 2
"""Radius of what a click is sure of, pixels of the copy."""
BAND = 4
"""Distance from the guess's border up to which GrabCut decides, pixels of the copy."""


@dataclass(frozen=True)
class Cut:
    """A thing cut out.

    Args:
        mask: values in [0, 1], (height, width).
        leap: how many times as large it is as without the last click, if that is more than plausible; None otherwise.
        certain: how certain it is that this much is meant, from 0 to 1.
    """

    mask: Float[np.ndarray, "_ _"]
    leap: float | None
    certain: float = 1.0


@dataclass(frozen=True)
class Region:
    """A thing in the small copy; see `Cut`."""

    cells: Cells
    leap: float | None
    certain: float = 1.0


def cut_out(picture: Pixels, clicks: Clicks, count: int = 1) -> list[Cut]:
    """Things that clicks may mean, with soft borders, the likeliest first.

    Args:
        picture: RGB.
        clicks: where it is; inside of the image.
        count: how many at most.

    Raises:
        ValueError: if nothing is found there.
    """
    found = _found(picture, clicks, count)
    return [Cut(refined(region.cells, picture), region.leap, region.certain) for region in found]


def roughly(picture: Pixels, clicks: Clicks) -> Cells:
    """The likeliest thing that clicks may mean, on the small copy.

    Args:
        picture: RGB.
        clicks: where it is; inside of the image.

    Returns:
        Where it is; at most `SIDE` high and wide.

    Raises:
        ValueError: if nothing is found there.
    """
    return _found(picture, clicks, 1)[0].cells


def _found(picture: Pixels, clicks: Clicks, count: int) -> list[Region]:
    found = find_regions(LabImage.of(_small(picture)), clicks.scaled(_factor(picture)), count)
    if not found:
        raise ValueError("nothing stands out there; click on another part of the thing or draw a box around it")
    return found


def _factor(of: Any) -> float:
    """Scale of the small copy of an image or a mask."""
    return min(1.0, SIDE / max(of.shape[:2]))


def _small(of: Any) -> Any:
    """The small copy of an image or a mask, at most `SIDE` high and wide."""
    if (factor := _factor(of)) == 1:
        return of
    height, width = (max(1, round(side * factor)) for side in of.shape[:2])
    return cv2.resize(of, (width, height), interpolation=cv2.INTER_AREA)


def snapped(picture: Pixels, mask: Float[np.ndarray, "_ _"]) -> Float[np.ndarray, "_ _"]:
    """A mask drawn around a thing, its border moved to edges nearby, if that looks better.

    Args:
        picture: RGB.
        mask: values in [0, 1], of the image's size.

    Returns:
        Values in [0, 1], with soft borders.
    """
    drawn = _small(mask) > 0.5
    if not drawn.any():  # smaller than a pixel of the copy
        return mask
    return refined(_cut(drawn, Demand(LabImage.of(_small(picture)), (), (), None)), picture)


def find_regions(scene: LabImage, clicks: Clicks, count: int = 1) -> list[Region]:
    """Things that clicks may mean in a small image, the likeliest first; none if nothing stands out.

    Points are taken one after the other: one that lies in what is selected already changes nothing, any other adds to
    it.
    """
    demand = Demand.of(scene, clicks)
    points = demand.points
    now, before = replace(demand, points=points[:1]), None
    guesses, certain = ranked(now)
    chosen = _best(guesses, replace(now, outside=()), None)
    if chosen is not None and any(chosen[y, x] for x, y in demand.outside):
        guesses, certain = reduced(now, chosen), 1.0
        chosen = _best(guesses, now, None)
    for k in range(1, len(points)):
        go_on()
        x, y = points[k]
        if chosen is None:
            now = replace(demand, points=points[k : k + 1])
            guesses, certain = ranked(now)
        elif not chosen[y, x]:
            now, before = replace(demand, points=points[: k + 1]), chosen
            guesses, certain = enlarged(now, before), 1.0
        else:
            continue
        chosen = _best(guesses, now, before)
    if chosen is None:
        return []
    others: list[Cells] = []
    if count > 1:
        rest = [guess for guess in guesses[1:] if not any(guess[y, x] for x, y in demand.outside)]
        others = [_cut(guess, now) for guess in different([*guesses[:1], *rest], count)[1:]]
    return [Region(cells, _leap(cells, before, now), certain) for cells in different((chosen, *others), count)]


def _best(guesses: list[Cells], demand: Demand, before: Cells | None) -> Cells | None:
    """The likeliest thing; what was there before if a click brings nothing."""
    return _cut(guesses[0], demand) if guesses else before


def _leap(cells: Cells, before: Cells | None, demand: Demand) -> float | None:
    if before is None or cells.sum() <= demand.plausible(before):
        return None
    return float(cells.sum() / before.sum())


def _cut(guess: Cells, demand: Demand) -> Cells:
    """A guess cut along edges, if that looks better or the guess goes against a click."""
    points, outside = demand.points, demand.outside
    label = np.full(guess.shape, cv2.GC_BGD, np.uint8)
    label[grown(guess, BAND)] = cv2.GC_PR_BGD
    label[guess] = cv2.GC_PR_FGD
    core = shrunk(guess, BAND)
    label[core] = cv2.GC_FGD if not any(core[y, x] for x, y in outside) else cv2.GC_PR_FGD
    label[~demand.allowed] = cv2.GC_BGD
    for at, kind in (*((p, cv2.GC_FGD) for p in points), *((p, cv2.GC_BGD) for p in outside)):
        cv2.circle(label, at, SEED, kind, -1)
    cut = _grabcut(demand.scene.rgb, label)
    if cut is None:
        return guess
    cut = _kept(cut, points)
    against = any(guess[y, x] for x, y in outside) or any(not guess[y, x] for x, y in points)
    of_cut, of_guess = demand.judged([cut, guess])
    return cut if against or of_cut >= of_guess else guess


def _grabcut(rgb: UInt8[np.ndarray, "_ _ 3"], label: UInt8[np.ndarray, "_ _"]) -> Cells | None:
    """What GrabCut makes of labelled pixels, in the part of the image that matters; None if one side is missing."""
    ys, xs = np.nonzero(label != cv2.GC_BGD)
    margin = 4 * BAND
    rows, columns = (slice(max(0, int(v.min()) - margin), int(v.max()) + margin + 1) for v in (ys, xs))
    part = np.ascontiguousarray(label[rows, columns])
    front = (part & 1) > 0
    if front.all() or not front.any():
        return None
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(rgb[rows, columns]), part, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    whole = np.zeros(label.shape, bool)
    whole[rows, columns] = (part & 1) > 0
    return whole


def _kept(region: Cells, points: tuple[Pixel, ...]) -> Cells:
    """The parts of a region that hold a point; all of it, rid of specks, if there is none."""
    labels, stats = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=4)[1:3]
    if points:
        return np.isin(labels, [label for label in (labels[y, x] for x, y in points) if label])
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.isin(labels, np.flatnonzero(areas > 0.05 * areas.max(initial=1)) + 1)
