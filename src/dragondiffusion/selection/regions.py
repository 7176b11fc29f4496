"""Regions that a click may mean, many of them: found by edges, by colour, and by what surrounds them.

Convention: images are CIE Lab, float (height, width, 3), one unit barely visible; clicks are pixels (column, row).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from ..core.stopping import go_on
from .masks import holes
from .merging import Merges

Lab = Float[np.ndarray, "_ _ 3"]
Cells = Bool[np.ndarray, "_ _"]
Pixel = tuple[int, int]
Window = tuple[slice, slice]

# All numbers below are chosen on scenes of bench/scenes.py (seeds from 7000) and looked at on photographs.
CALM = (2.0, 3.0, 4.5, 6.0, 8.0, 11.0, 15.0, 20.0)
"""Gradients, in units of Lab a pixel, from which on an edge is taken for one."""
ALIKE = (5.0, 8.0, 12.0, 17.0, 24.0, 33.0)
"""Distances of colours up to which they belong together."""
UNLIKE = (7.0, 12.0, 18.0, 26.0)
"""Distances of colours from which on a pixel is not of the surroundings."""
LIGHTNESS = (1.0, 0.4)
"""Weights of lightness in distances of colours: with the smaller one shadows are like what they fall on."""
REACHES = (0.2, 0.35, 0.6)
"""Half sides of the windows whose rim is the surroundings, in longer sides of the image."""
RIM, COLOURS, SAMPLES = 0.12, 6, 600
"""Width of the rim in half sides; colours it is described by; pixels they are found from, about."""
FRAME = 0.1
"""Share of the image's border that a calm region must hold to be background."""
ROUNDS = 3
"""Iterations of GrabCut."""
WINDOWS = (0.25, 0.45, 0.7)
"""Half sides of the windows around a click in which GrabCut looks for what their rim is not, in longer sides of the
image."""
CUT_RIM, CUT_SEED, CUT_ROUNDS = 0.06, 4, 2
"""Width of that rim in sides of the window; radius of what is sure around the click, pixels; iterations of GrabCut."""


@dataclass(frozen=True)
class LabImage:
    """A small image as regions are looked for in it.

    Args:
        rgb: 8 bits a channel.
        lab: smoothed without blurring edges.
        gradient: of `lab`, units a pixel.
    """

    rgb: UInt8[np.ndarray, "_ _ 3"]
    lab: Lab
    gradient: Float[np.ndarray, "_ _"]

    @staticmethod
    def of(rgb: UInt8[np.ndarray, "_ _ 3"]) -> "LabImage":
        """The image, smoothed, with its gradient."""
        lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        lab = cv2.bilateralFilter(lab, 5, 12, 3)
        gx, gy = (cv2.Sobel(lab, cv2.CV_32F, dx, 1 - dx) / 4 for dx in (1, 0))
        return LabImage(rgb, lab, np.sqrt((gx**2 + gy**2).sum(2)))

    @cached_property
    def merges(self) -> Merges:
        """Its nested regions."""
        return Merges.of(self.lab, self.gradient)

    @cached_property
    def reached(self) -> Float[np.ndarray, "_ _"]:
        """How easily every pixel is reached from the image's border: the share of `CALM` that is enough."""
        return np.stack([background(self, calm) for calm in CALM]).mean(axis=0, dtype=np.float32)


def regions(scene: LabImage, at: Pixel) -> Iterator[Cells]:
    """Regions that hold a pixel: what a click on it may mean."""
    for found in (*_by_edges(scene, at), *_by_colour(scene, at), *_by_surroundings(scene, at)):
        if found is not None:
            yield found


def more_regions(scene: LabImage, at: Pixel) -> Iterator[Cells]:
    """Those, and others that are found by merging and cutting, which takes longer."""
    yield from regions(scene, at)
    for found in (*_by_merging(scene, at), *_by_cutting(scene, at)):
        if found is not None:
            yield found


def _by_edges(scene: LabImage, at: Pixel) -> Iterator[Cells | None]:
    """What the background, flooded from the image's border up to edges, leaves."""
    for calm in CALM:
        go_on()
        yield cleaned(~grown(background(scene, calm), 1), at)


def background(scene: LabImage, calm: float) -> Cells:
    """What is flooded from the image's border up to gradients of `calm`, units of Lab a pixel."""
    count, labels = cv2.connectedComponents((scene.gradient < calm).astype(np.uint8), connectivity=4)
    rim = np.bincount(np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1])), minlength=count)
    rim[0] = 0
    return np.isin(labels, np.flatnonzero(rim > FRAME * rim.sum()))


def _by_colour(scene: LabImage, at: Pixel) -> Iterator[Cells | None]:
    """What is coloured like the place of the click, with and without its holes."""
    x, y = at
    here = np.median(scene.lab[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].reshape(-1, 3), axis=0)
    for lightness in LIGHTNESS:
        go_on()
        distance = _distance(scene.lab, here, lightness)
        for alike in ALIKE:
            found = cleaned(distance < alike, at)
            yield found
            yield None if found is None else filled(found)


def _by_surroundings(scene: LabImage, at: Pixel) -> Iterator[Cells | None]:
    """What is coloured unlike the rim of a window around the click, with and without its holes."""
    for window, place, half in _windows(scene, at, REACHES):
        for inside in unlike_rim(scene.lab[window], max(2, round(RIM * half))):
            yield from _put_back(scene, window, cleaned(inside, place))


def _by_merging(scene: LabImage, at: Pixel) -> Iterator[Cells]:
    """What is merged with the place of the click."""
    go_on()
    yield from scene.merges.holding(at)


def _by_cutting(scene: LabImage, at: Pixel) -> Iterator[Cells | None]:
    """What GrabCut takes for the rim of a window around the click, and leaves, with and without its holes."""
    for window, place, _ in _windows(scene, at, WINDOWS):
        rgb = scene.rgb[window]
        label = np.zeros(rgb.shape[:2], np.uint8)
        rim = max(2, round(CUT_RIM * min(label.shape)))
        label[rim:-rim, rim:-rim] = cv2.GC_PR_FGD
        cv2.circle(label, place, CUT_SEED, cv2.GC_FGD, -1)
        yield from _put_back(scene, window, cleaned(coarsely_cut(rgb, label, CUT_ROUNDS), place))


def _windows(scene: LabImage, at: Pixel, reaches: Sequence[float]) -> Iterator[tuple[Window, Pixel, int]]:
    """Windows around a click that reach so many longer sides far: where they lie, the click in them, how far."""
    height, width = scene.gradient.shape
    x, y = at
    for reach in reaches:
        go_on()
        half = round(reach * max(height, width))
        left, top = max(0, x - half), max(0, y - half)
        yield (slice(top, min(height, y + half + 1)), slice(left, min(width, x + half + 1))), (x - left, y - top), half


def _put_back(scene: LabImage, window: Window, found: Cells | None) -> Iterator[Cells]:
    """What was found in a window in the image, with and without its holes; nothing for None."""
    if found is not None:
        whole = np.zeros(scene.gradient.shape, bool)
        whole[window] = found
        yield whole
        yield filled(whole)


def coarsely_cut(rgb: UInt8[np.ndarray, "_ _ 3"], label: UInt8[np.ndarray, "_ _"], rounds: int) -> Cells:
    """What GrabCut makes of labelled pixels on a copy of half the size; nothing where one side is missing."""
    height, width = label.shape
    size = max(1, width // 2), max(1, height // 2)
    small = np.asarray(cv2.resize(label, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    if (small & 1).all() or not (small & 1).any():
        return np.zeros(label.shape, bool)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    picture = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    cv2.grabCut(picture, small, (0, 0, 1, 1), *models, rounds, cv2.GC_INIT_WITH_MASK)
    return cv2.resize((small & 1).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5


def unlike_rim(lab: Lab, rim: int) -> Iterator[Cells]:
    """Pixels of a window coloured unlike its rim, at several distances.

    Args:
        lab: the window.
        rim: width of its rim, pixels.
    """
    around = np.ones(lab.shape[:2], bool)
    around[rim:-rim, rim:-rim] = False
    sample = lab[around]
    sample = np.ascontiguousarray(sample[:: max(1, len(sample) // SAMPLES)])
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 8, 1.0)
    start = np.zeros((len(sample), 1), np.int32)
    colours = cv2.kmeans(sample, min(COLOURS, len(sample)), start, stop, 1, cv2.KMEANS_PP_CENTERS)[2]
    for lightness in LIGHTNESS:
        go_on()
        distance = np.min([_distance(lab, colour, lightness) for colour in colours], axis=0)
        for unlike in UNLIKE:
            yield distance > unlike


def boxed(scene: LabImage, allowed: Cells, window: tuple[slice, slice]) -> Cells:
    """What GrabCut makes of a box, in a window around it; the box itself where the window has nothing else."""
    inside = allowed[window]
    if inside.all():
        return inside
    label = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    picture = np.ascontiguousarray(scene.rgb[window])
    cv2.grabCut(picture, label, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    return (label & 1) > 0


def _distance(lab: Lab, colour: Float[np.ndarray, " 3"], lightness: float) -> Float[np.ndarray, "_ _"]:
    weights = np.array((lightness, 1.0, 1.0), np.float32)
    return np.sqrt((((lab - colour) * weights) ** 2).sum(2))


def cleaned(region: Cells, at: Pixel) -> Cells | None:
    """The part of a region, rid of threads, that holds a pixel; None if none does."""
    x, y = at
    found = opened(region)
    found[y, x] = region[y, x]
    labels = cv2.connectedComponents(found, connectivity=4)[1]
    return labels == labels[y, x] if labels[y, x] else None


def opened(region: Cells) -> UInt8[np.ndarray, "_ _"]:
    """A region rid of threads, 1 inside."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    return cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, kernel)


def filled(region: Cells) -> Cells:
    """A region with its holes."""
    return region | holes(region)


def grown(region: Cells, pixels: int) -> Cells:
    """A region grown in a square way."""
    return cv2.dilate(region.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def shrunk(region: Cells, pixels: int) -> Cells:
    """A region shrunk in a square way; the image's border is none of its."""
    return cv2.erode(region.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8), borderValue=1) > 0
