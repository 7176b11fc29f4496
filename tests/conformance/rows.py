"""What the battery looks at, one row each: a new backbone, energy or edit is a row here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from checkpoints import flux, schnell, sd3, sd21, sd35, sdxl
from conformance.toys import Flow, Preserving
from dragondiffusion import Drag, Editor, Landmarks, Move, Paste, Remove, ReplaceAppearance
from dragondiffusion.core.geometry import Affine, Correspondence
from dragondiffusion.method.energies import Contrast, Energy, GlobalSimilarity, LocalSimilarity, PatchSimilarity
from dragondiffusion.method.patches import SIDE, point_patches

ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}


@dataclass(frozen=True)
class BackboneRow:
    """A backbone.

    Args:
        make: from the folder of the tests' data to the denoiser.
        precise: it works in double precision as it is.
        told: it is told the guidance scale in one call, which negative conditions do not enter.
        difference: of latents in units of their deviation, by which its derivatives are checked.
    """

    make: Callable[[Any], Any]
    precise: bool = False
    told: bool = False
    difference: float = 1e-5


SINGLE = 1e-3
"""For networks that normalise or turn queries and keys in single precision, whatever their own is."""

BACKBONES = {
    "tiny-sd": BackboneRow(lambda data: Editor.from_pretrained(data / "tiny-sd", device="cpu").backbone),
    "demo": BackboneRow(lambda data: Editor.from_pretrained(device="cpu").backbone),
    "sdxl": BackboneRow(lambda data: Editor(sdxl(data)).backbone),
    "v-zero-snr": BackboneRow(lambda data: Editor(sd21(data, **ZERO_SNR)).backbone),
    "sd3": BackboneRow(lambda data: Editor(sd3(data)).backbone),
    "sd35": BackboneRow(lambda data: Editor(sd35(data)).backbone, difference=SINGLE),
    "flux": BackboneRow(lambda data: Editor(flux(data)).backbone, told=True, difference=SINGLE),
    "schnell": BackboneRow(lambda data: Editor(schnell(data)).backbone, difference=SINGLE),
    "preserving": BackboneRow(lambda data: Preserving(), precise=True),
    "flow": BackboneRow(lambda data: Flow(), precise=True),
}

GRID = (8, 12)
"""Cells of the energy grid of the energies' rows."""
REGION = torch.zeros(GRID, dtype=torch.bool)
REGION[2:6, 3:9] = True
ELSEWHERE = Correspondence.along(Affine.about((0, 0), (2.0, 1.0)), REGION, GRID)
SAME = Correspondence.same(REGION)
POINTS = point_patches([(24.0, 24.0), (64.0, 40.0)], Flow().canvas((32, 48)))


@dataclass(frozen=True)
class EnergyRow:
    """An energy.

    Args:
        term: one of it.
        best: features of the picture that is made at which a term of this kind has its extreme value, and the term.
        extreme: that value at one scale, without its weight.
        is_least: it is the smallest; otherwise the largest.
        share: from the value at one scale to a mean over the cells, for energies that are a function of one.
    """

    term: Energy
    best: Energy
    extreme: float
    is_least: bool = True
    share: Callable[[float], float] | None = None


def closeness(energy: float) -> float:
    """The similarity whose energy this is."""
    return (1 / energy - 1) / 4


def patches(source=POINTS):
    return PatchSimilarity("edit", 1.5, 1, POINTS, source, SIDE**2, (32, 48), bilinear=True)


ENERGIES = {
    "local": EnergyRow(
        LocalSimilarity("edit", 2.0, 1, ELSEWHERE), LocalSimilarity("edit", 2.0, 1, SAME), 0.2, share=closeness
    ),
    "raw": EnergyRow(
        LocalSimilarity("edit", 2.0, 0, SAME, raw=True),
        LocalSimilarity("edit", 2.0, 0, SAME, raw=True),
        0.2,
        share=closeness,
    ),
    "global": EnergyRow(
        GlobalSimilarity("inpaint", 0.5, 0, REGION, ~REGION), GlobalSimilarity("inpaint", 0.5, 0, REGION, REGION), 0.2
    ),
    "contrast": EnergyRow(
        Contrast("contrast", 0.3, 0, ELSEWHERE), Contrast("contrast", 0.3, 0, SAME), 1.0, False, share=float
    ),
    "patches": EnergyRow(patches(POINTS + 8.0), patches(), 0.2),
}


SECOND = np.random.default_rng(5).integers(0, 256, (61, 90, 3), dtype=np.uint8)
SECOND_MASK = np.zeros((61, 90), bool)
SECOND_MASK[20:44, 26:50] = True
"""A second picture, and an object of it."""


@dataclass(frozen=True)
class EditRow:
    """An edit, in pixels of a picture of at least 61x90.

    Args:
        make: from a picture and the mask of an object at x 16 to 40, y 20 to 44, to the edit; `by` shifts it.
        wrong: changes of an edit that are refused, and the parameter that the error names.
    """

    make: Callable[..., Any]
    wrong: tuple[tuple[Callable[[Any], Any], str], ...]


def shifted(points, by):
    return tuple((x + by[0], y + by[1]) for x, y in points)


def drag_of(picture, mask, by=(0, 0)):
    return Drag(tuple(zip(shifted(((24, 30), (34, 36)), by), shifted(((40, 31), (44, 40)), by), strict=True)))


def landmarks_of(picture, mask, by=(0, 0)):
    return Landmarks(
        shifted(((20, 24), (36, 24), (28, 38)), by),
        shifted(((20, 24), (37, 22), (30, 42)), by),
    )


EDITS = {
    "move": EditRow(
        lambda picture, mask, by=(0, 0): Move(mask, (24, 3)),
        (
            (lambda edit: replace(edit, scale=0.0), "scale"),
            (lambda edit: replace(edit, angle=float("nan")), "angle"),
            (lambda edit: replace(edit, mask=np.zeros((61, 90), bool)), "mask"),
            (lambda edit: replace(edit, hint=np.zeros((61, 90), bool)), "hint"),
        ),
    ),
    "paste": EditRow(
        lambda picture, mask, by=(0, 0): Paste(SECOND, SECOND_MASK, (14 + by[0], 3 + by[1])),
        (
            (lambda edit: replace(edit, offset=(float("inf"), 0)), "offset"),
            (lambda edit: replace(edit, mask=np.zeros((61, 90), bool)), "mask"),
        ),
    ),
    "appearance": EditRow(
        lambda picture, mask, by=(0, 0): ReplaceAppearance(mask, SECOND, SECOND_MASK),
        (
            (lambda edit: replace(edit, mask=np.zeros((61, 90), bool)), "mask"),
            (lambda edit: replace(edit, reference_mask=np.zeros((61, 90), bool)), "reference_mask"),
        ),
    ),
    "drag": EditRow(
        drag_of,
        (
            (lambda edit: replace(edit, points=(((20, 20), (20, 20)),)), "points"),
            (lambda edit: replace(edit, points=(((20, 20), (900, 20)),)), "points"),
            (lambda edit: replace(edit, mask=np.zeros((61, 90), bool)), "mask"),
        ),
    ),
    "landmarks": EditRow(
        landmarks_of,
        (
            (lambda edit: replace(edit, points_to=edit.points_to[1:]), "points_to"),
            (lambda edit: replace(edit, points_to=edit.points_from), "points_to"),
            (lambda edit: replace(edit, points_from=((-5, 3), *edit.points_from[1:])), "points_from"),
        ),
    ),
    "remove": EditRow(
        lambda picture, mask, by=(0, 0): Remove(mask),
        (
            (lambda edit: replace(edit, mask=np.zeros((61, 90), bool)), "mask"),
            (lambda edit: replace(edit, mask=np.ones((61, 90), bool)), "mask"),
            (lambda edit: replace(edit, hint=np.zeros((61, 90), bool)), "hint"),
        ),
    ),
}
