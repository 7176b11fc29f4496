"""How far a result is from the truth, region by region. Each metric is defined once, here or in `features`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float
from skimage.color import deltaE_cie76, rgb2lab
from skimage.metrics import structural_similarity

from ...core.types import Number
from .arrays import Bytes, Mask, Region, dilated, to_image
from .features import Maps, features, perceptual_map, texture_distance
from .problem import Problem

Scores: TypeAlias = dict[str, float]

TOLERANCES = (2, 5, 10)
"""Units of CIE76 within which a pixel counts as right."""
HIGHEST = 100.0
"""PSNR of an exact copy, dB."""
AROUND = 1 / 8
"""Width of the surroundings of a hole, as a share of the shorter side."""
SMALLEST = 12
"""Pixels that a region must have before its texture is judged."""
BETTER: Mapping[str, int] = {
    "psnr": 1,
    "ssim": 1,
    "right": 1,
    "perceptual": -1,
    "seam": -1,
    "texture": -1,
    "outside": -1,
}
"""Whether larger (1) or smaller (-1) values are better, by the first word of a metric's name."""


def psnr(image: Bytes, truth: Bytes, region: Region) -> float:
    """Peak signal-to-noise ratio of a region in dB, at most `HIGHEST`.

    Raises:
        ValueError: the region is empty.
    """
    if not region.any():
        raise ValueError("region is empty; score only the regions that a problem has")
    error = (to_image(image).astype(np.float64) - to_image(truth))[region]
    return min(HIGHEST, float(-10 * np.log10(max(float((error**2).mean()), 1e-12))))


def ssim_map(image: Bytes, truth: Bytes) -> Float[np.ndarray, "_ _"]:
    """Structural similarity at every pixel, mean of the channels, windows of 7 x 7 pixels. Source: scikit-image."""
    found: Any = structural_similarity(image, truth, channel_axis=2, full=True, data_range=255)
    return np.asarray(found[1]).mean(axis=2)


def differences(one: Bytes, other: Bytes) -> Float[np.ndarray, "_ _"]:
    """Colour difference at every pixel, units of CIE76 (the distance in CIELAB, D65)."""
    return np.asarray(deltaE_cie76(rgb2lab(one), rgb2lab(other)))


def share_right(
    in_truth: Float[np.ndarray, "_ _"],
    in_result: Float[np.ndarray, "_ _"],
    error: Float[np.ndarray, "_ _"],
    tolerance: Number,
) -> float:
    r"""Share of the edited pixels that are right, as intersection over union.

    $|T \cap R \cap \{e \le t\}| \,/\, |T \cup R|$ with the pixels $T$ that change by more than $t$ in the truth, those
    $R$ that change by more than $t$ in the result, and the difference $e$ between result and truth; 1 where nothing
    changes in either.

    Args:
        in_truth: difference between truth and the image before.
        in_result: difference between result and the image before.
        error: difference between result and truth.
        tolerance: t, in the same units.
    """
    t, r = in_truth > tolerance, in_result > tolerance
    union = int((t | r).sum())
    return float((t & r & (error <= tolerance)).sum()) / union if union else 1.0


def seam(image: Bytes, truth: Bytes, band: Region) -> float:
    r"""How far edges along the border of a change are from those of the truth, in L* a pixel.

    Mean over the band of $\big|\, \|\nabla L_r\| - \|\nabla L_t\| \,\big|$, central differences of CIELAB lightness.
    """
    one, other = (np.hypot(*np.gradient(rgb2lab(v)[..., 0])) for v in (image, truth))
    return float(np.abs(one - other)[band].mean())


def changed_outside(image: Bytes, before: Bytes, region: Region) -> int:
    """Pixels of a region that are not, bit for bit, as they were."""
    return int(((image != before).any(axis=2) & region).sum())


def surroundings(problem: Problem, hole: Region) -> Region:
    """A band around a hole in which nothing changes."""
    width = max(2, round(AROUND * min(problem.size)))
    return dilated(hole, width) & ~problem.footprint()


class Judge:
    """Scores results of one problem; what the truth alone decides is computed once.

    Args:
        problem: the problem.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.regions = problem, problem.regions()
        self._truth: Maps = features(problem.truth)
        self._in_truth = differences(problem.truth, problem.before)

    def scores(self, image: Bytes) -> Scores:
        """Every metric of a result.

        Args:
            image: RGB of the size of the problem.

        Raises:
            ValueError: the size is another.
        """
        problem = self.problem
        if image.shape != problem.truth.shape:
            raise ValueError(f"result has shape {image.shape} and the truth {problem.truth.shape}; give it that size")
        found = features(image)
        maps: dict[str, Mask] = {
            "ssim": ssim_map(image, problem.truth),
            "perceptual": perceptual_map(found, self._truth, problem.size),
        }
        scores: Scores = {}
        for name, region in self.regions.items():
            if name != "outside":
                scores[f"psnr {name}"] = psnr(image, problem.truth, region)
                scores |= {f"{metric} {name}": float(values[region].mean()) for metric, values in maps.items()}
        return scores | self._right(image) | self._texture(found) | self._borders(image)

    def _right(self, image: Bytes) -> Scores:
        in_result, error = differences(image, self.problem.before), differences(image, self.problem.truth)
        return {f"right {t}": share_right(self._in_truth, in_result, error, t) for t in TOLERANCES}

    def _texture(self, found: Maps) -> Scores:
        """Texture of the hole (of a drag and a new appearance, the destination) against the truth and around it."""
        scores: Scores = {}
        for name in ("hole", "destination"):
            region = self.regions.get(name)
            if region is None or region.sum() < SMALLEST:
                continue
            scores[f"texture {name}"] = texture_distance(found, region, self._truth, region)
            around = surroundings(self.problem, region)
            if name == "hole" and around.sum() >= SMALLEST:
                scores["texture surroundings"] = texture_distance(found, region, self._truth, around)
        return scores

    def _borders(self, image: Bytes) -> Scores:
        band, outside = self.regions.get("seam"), self.regions.get("outside")
        scores: Scores = {}
        if band is not None:
            scores["seam"] = seam(image, self.problem.truth, band)
        if outside is not None:
            scores["outside"] = float(changed_outside(image, self.problem.before, outside))
        return scores
