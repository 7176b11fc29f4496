"""What an image shows above all: what stands out from the image's border, wherever it is.

Source: the prior that the border of an image is background, Y. Wei et al., "Geodesic Saliency Using Background Priors",
ECCV 2012. A rim of the image stands for its background here; its colours are taken as `regions` takes those around a
click.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from ..core.stopping import go_on
from ..core.types import Size
from .regions import CALM, Cells, LabImage, background, coarsely_cut, filled, grown, opened, unlike_rim

WHOLE = 0.9
"""Share of the image from which on a box says nothing of where the sides of a thing are."""
RIMS = (0.03, 0.08, 0.2)
"""Widths of the rim that is background, in shorter sides of the image."""
INSETS = (0.02, 0.05, 0.12)
"""Distances of the boxes that GrabCut gets from the image's border, in its sides."""
LEAST, PARTS = 0.01, 4
"""Share of the image that a subject has at least; parts of one kind that are tried, the largest."""
MERGED = 0.03
"""Share of the image from which on a region of merged basins is tried."""
ROUNDS = 3
"""Iterations of GrabCut."""


def is_whole(box: tuple[float, float, float, float], size: Size) -> bool:
    """Whether a box is nearly the whole image."""
    x0, y0, x1, y1 = box
    height, width = size
    inside = (min(width, x1) - max(0, x0)) * (min(height, y1) - max(0, y0))
    return inside >= WHOLE * height * width


def subjects(scene: LabImage) -> Iterator[Cells]:
    """Regions that may be what the image shows above all."""
    side = min(scene.gradient.shape)
    for calm in CALM:
        go_on()
        yield from _parts(~grown(background(scene, calm), 1))
    for rim in RIMS:
        for unlike in unlike_rim(scene.lab, max(2, round(rim * side))):
            yield from _with_holes(unlike)
    for inset in INSETS:
        go_on()
        yield from _with_holes(_inside(scene, inset))
    yield from scene.merges.large(MERGED)


def _with_holes(found: Cells) -> Iterator[Cells]:
    for part in _parts(found):
        yield part
        yield filled(part)


def _parts(found: Cells) -> Iterator[Cells]:
    """The largest parts, rid of threads."""
    labels, stats = cv2.connectedComponentsWithStats(opened(found), connectivity=4)[1:3]
    areas = stats[1:, cv2.CC_STAT_AREA]
    for place in np.argsort(-areas, kind="stable")[:PARTS]:
        if areas[place] > LEAST * found.size:
            yield labels == place + 1


def _inside(scene: LabImage, inset: float) -> Cells:
    """What GrabCut finds in the image but for its border."""
    height, width = scene.gradient.shape
    y, x = max(2, round(inset * height)), max(2, round(inset * width))
    label = np.zeros((height, width), np.uint8)
    label[y:-y, x:-x] = cv2.GC_PR_FGD
    return coarsely_cut(scene.rgb, label, ROUNDS)
