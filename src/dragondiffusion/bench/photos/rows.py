"""What is compared: baselines without a model, the proxy alone, and the method under several settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from PIL import Image as Pictures

from ...core.types import ModelGrids
from ...edits.settings import Geometry, Settings
from ...pipeline.editor import Editor
from ...pipeline.preview import preview
from ...pipeline.report import Report
from ...proxy.inpainting import inpaint
from .arrays import Bytes, to_bytes, to_image
from .baselines import copy_paste, unedited_input
from .problem import Problem

Baseline: TypeAlias = Callable[[Problem], Bytes]
Row: TypeAlias = Settings | Baseline
"""Settings of the method, or an edit without a model."""

SEED = 42
"""Of all noise. Source: as `Editor`."""


def proxy_alone(problem: Problem) -> Bytes:
    """The rough edit in pixels at the size of the image, laid over it; no model."""
    shown = preview(problem.before, problem.edit(), grids=ModelGrids(working_size=max(problem.size)), way=inpaint)
    left, top, right, bottom = (round(value) for value in shown.box)
    drawn, alpha = shown.pixels, shown.alpha
    if drawn.shape[:2] != (bottom - top, right - left):
        size = right - left, bottom - top
        drawn = np.asarray(Pictures.fromarray(drawn).resize(size, Pictures.Resampling.LANCZOS))
        alpha = np.asarray(Pictures.fromarray(alpha).resize(size, Pictures.Resampling.BILINEAR))
    result = problem.before.copy()
    weight = alpha[..., None].astype(np.float32) / 255
    under = to_image(result[top:bottom, left:right])
    result[top:bottom, left:right] = to_bytes(under * (1 - weight) + weight * to_image(drawn))
    return result


BASELINES: Mapping[str, Baseline] = {
    "unedited input": unedited_input,
    "copy-paste": copy_paste,
    "proxy alone": proxy_alone,
}
"""Rows without a model."""

USUAL = ("unedited input", "copy-paste", "proxy alone", "default", "default without energies", "default without bank")


def known_rows(steps: int | None = None) -> dict[str, Row]:
    """Every row by name.

    Args:
        steps: of inversion and sampling in every row with a model; None is each preset's own number.
    """
    changes = {} if steps is None else {"steps": steps}
    default = Settings.preset("default", **changes)
    return {
        **BASELINES,
        "default": default,
        "default without energies": replace(default, energy_scale=0.0),
        "default without bank": replace(default, recall=False),
        "fast": Settings.preset("fast", **changes),
        "reference": Settings.preset("reference", **changes),
    }


def chosen_rows(names: Sequence[str], steps: int | None = None) -> dict[str, Row]:
    """The rows asked for; `USUAL` if none are.

    Raises:
        ValueError: one is unknown.
    """
    known = known_rows(steps)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"--rows {unknown[0]!r} is unknown; use one or more of {', '.join(map(repr, known))}")
    return {name: known[name] for name in names or USUAL}


@dataclass(frozen=True, eq=False)
class Made:
    """What a row makes of a problem.

    Args:
        picture: the image.
        verdict: what the method says of it without knowing the truth; None for baselines.
    """

    picture: Bytes
    verdict: Report | None = None


def result_of(row: Row, problem: Problem, editor: Editor | None) -> Made:
    """What a row makes of a problem.

    Args:
        row: settings or a baseline.
        problem: what is edited.
        editor: the model; None where no row needs one.

    Raises:
        ValueError: the row needs a model and there is none, or the edit fails.
    """
    if not isinstance(row, Settings):
        return Made(row(problem))
    if editor is None:
        raise ValueError("editor is missing; only rows without a model can do without")
    result = editor(problem.before, problem.edit(), seed=SEED, settings=fitting(row, problem))
    return Made(np.asarray(result.image.convert("RGB")).copy(), result.report)


def fitting(settings: Settings, problem: Problem) -> Settings:
    """Settings that can make an edit: where the authors' geometry knows no such map, it is given ours."""
    motion = problem.motion
    pure = motion is None or (motion.scale == 1 and motion.angle == 0 and not motion.flip and problem.action == "move")
    return settings if pure else replace(settings, geometry=Geometry.AFFINE)


def text_of(row: Row) -> str:
    """What tells a row from another of its name."""
    return repr(row) if isinstance(row, Settings) else row.__name__
