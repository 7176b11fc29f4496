"""How much of an image a result leaves as it was."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as nnf

from ...imaging.files import Pixels
from ...imaging.tensors import to_unpadded
from .cases import Case

Lpips: TypeAlias = Callable[[Pixels, Pixels], float]
"""LPIPS of two images of one size."""

LPIPS_SIDE = 224
"""Images are brought to squares of this side before LPIPS. Source: DragDiffusion, `run_eval_similarity.py`."""


def outside(result: Pixels, case: Case) -> dict[str, float]:
    """Mean difference outside of the mask in levels of 8 bits, and the share of its pixels that are the same exactly.

    Empty where the mask leaves nothing outside.
    """
    rest = ~case.mask
    if not bool(rest.any()):
        return {}
    difference = np.abs(result.astype(np.int16) - case.pixels.astype(np.int16))[rest]
    return {"outside": float(difference.mean()), "exact": float((difference == 0).all(axis=1).mean())}


def load_lpips() -> tuple[Lpips | None, str]:
    """LPIPS with AlexNet (arXiv 1801.03924), and its version; or None, and what is missing.

    Source: DragDiffusion, `run_eval_similarity.py`, which uses the package `lpips` in the same way.
    """
    try:
        package: Any = importlib.import_module("lpips")
    except ImportError as error:
        return None, f"1-LPIPS is left out: {error}; install the packages lpips and torchvision"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            net = package.LPIPS(net="alex", verbose=False).eval()
    except (OSError, RuntimeError, ImportError) as error:
        return None, (
            f"1-LPIPS is left out: the weights of AlexNet cannot be had ({error}); "
            "put the file that torchvision names into hub/checkpoints of TORCH_HOME"
        )

    @torch.no_grad()
    def distance(a: Pixels, b: Pixels) -> float:
        side = (LPIPS_SIDE, LPIPS_SIDE)
        small = [nnf.interpolate(to_unpadded(pixels), side, mode="bilinear") for pixels in (a, b)]
        return float(net(*small))

    return distance, f"lpips {_version('lpips')}, alex, {LPIPS_SIDE}x{LPIPS_SIDE}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"
