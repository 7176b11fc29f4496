"""Settings of the method: the run that a batch shares, and the strengths of each edit."""

from dataclasses import dataclass, fields
from enum import Enum
from typing import Annotated, Any, TypeAlias

from ..core.bounds import Bounded, Length, Range
from ..core.levels import Levels
from ..core.types import NEVER, Number, Share, Window

Weight: TypeAlias = Annotated[Number, Range(0, 1_000_000)]
"""Strength of an energy, or weight of one. Source of the range: chosen; the authors' are at most 4000."""

Repeats: TypeAlias = Annotated[int, Range(1, 100)]
"""How often something is made again. Source of the range: chosen; it multiplies the time."""

Steps: TypeAlias = Annotated[int, Range(1, 1000, "steps")]
"""Steps of a run. Source of the range: the noise levels that models are trained with."""


class Geometry(Enum):
    """How the map of an edit becomes places on the grids."""

    AFFINE = "affine"
    """One affine map about the edit's anchor, sampled bilinearly, displacements of fractions of a cell included."""
    REFERENCE = "reference"
    """As the authors' code: nearest cells, whole-cell displacements, resizing about the image's centre."""

    @classmethod
    def _missing_(cls, value: object) -> "Geometry | None":
        return cls.REFERENCE if value == "centred" else None  # its name before 0.2


@dataclass(frozen=True, kw_only=True)
class RunSettings(Bounded):
    """What the sampling loop shares: all jobs of a batch have these in common, and the loop knows no other settings.

    Args:
        steps: DDIM steps of the inversion and of the sampling. Source: docs/experiments.md; the paper, section 5: 50.
        feature_scales: which scales of the decoder's features the energies compare, 0 the coarsest; None is all that
            the model gives. Source: the paper, section 4.2, two scales.
        guidance: windows of the steps with energies. Source: DiffEditor, every step to 0.2, every second one to 0.6.
        merged_backward: one backward pass for all energies instead of one for those inside and one for those outside
            the edit; twice as cheap and not the same numbers. Source: docs/method.md, section 10.
        cached_features: reference features come from the calls of the inversion (whose input is one level cleaner)
            instead of calls of their own. Source: docs/method.md, section 10.
        time_travel: steps that are repeated. Source: off; DiffEditor 0.42 to 0.6 on even steps.
        time_travel_passes: how often they are made. Source: DiffEditor (3).
        noise: steps with regional noise. Source: DiffEditor, 10 < i < 20 of 50.
        image_prompt_scale: weight of the image prompt: the edited image and those it takes something from, through
            whatever IP-Adapter is loaded into the pipeline. Source: off; DiffEditor 0.1, landmarks 0.05.
        image_prompt: steps with the image prompt. Source: authors' code, 10 <= i < 20 of 50.
        inversion_iterations: evaluations of the network per inversion step; 1 is plain DDIM, more solve the implicit
            step by fixed-point iteration.

    Raises:
        TypeError: if a field has a value of another type.
        ValueError: if one lies outside of its range (docs/limits.md).
    """

    steps: Steps = 20
    feature_scales: Annotated[tuple[Annotated[int, Range(0, 31)], ...], Length(1, 32, "scales")] | None = None
    guidance: Annotated[tuple[Window, ...], Length(0, 100, "windows")] = (Window(0.0, 0.2), Window(0.2, 0.6, every=2))
    merged_backward: bool = True
    cached_features: bool = True
    time_travel: Window = NEVER
    time_travel_passes: Repeats = 3
    noise: Window = Window(0.22, 0.4)
    image_prompt_scale: Annotated[Number, Range(0, 10)] = 0.0
    image_prompt: Window = Window(0.2, 0.4)
    inversion_iterations: Repeats = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        scales = self.feature_scales or ()
        if len(set(scales)) < len(scales):
            raise ValueError(f"feature_scales={scales} must be different numbers from 0 on; None is all scales")

    @property
    def run(self) -> "RunSettings":
        """The part of these settings that the loop shares, and nothing else."""
        return RunSettings(**{field.name: getattr(self, field.name) for field in fields(RunSettings)})

    def guides(self, i: int, levels: Levels) -> bool:
        """Whether energies act in step `i`.

        In pure noise there is nothing to compare, and what is added to the noise would outweigh the image.
        """
        return not levels[i].is_noise and any(window.holds(i, levels.share(i)) for window in self.guidance)

    def passes(self, i: int, share: Number) -> int:
        """How often step `i` is made, before which a share of the run is over."""
        return self.time_travel_passes if self.time_travel.holds(i, share) else 1


WEIGHTS = ("guidance_scale", "energy_scale", "w_edit", "w_content", "w_contrast", "w_inpaint")
"""Numbers of an edit that settings may set."""


@dataclass(frozen=True, kw_only=True)
class MethodSettings(RunSettings):
    """Settings of the method for one image: the run's, and how strongly the edit acts. `None` is the edit's own value.

    Args:
        guidance_scale: classifier-free guidance scale; 1 makes one call a step instead of two. Source: docs/method.md,
            section 10; larger scales let the background drift.
        energy_scale: strength of the energies' gradient. Source: docs/experiments.md; the authors' is the edit's own
            (None).
        guidance_strength: what the guidance of all steps together adds at most, in standard deviations of the noise:
            the same for every model, size, edit and number of steps; `energy_scale` then only says whether there are
            energies. None leaves the guidance as the energies give it. Source: docs/experiments.md.
        w_edit: weight of the edit energy. Source: None, docs/method.md, section 9, by edit.
        w_content: weight of the content energy. Source: as `w_edit`.
        w_contrast: weight of the contrast energy. Source: as `w_edit`.
        w_inpaint: weight of the inpainting energy. Source: as `w_edit`.
        energy_grid: cells of the energy grid per cell of the finest features and axis; of UNets these are the latents'
            cells, of transformers their tokens. The grid is never coarser than the latents. Source: authors' code
            (`up_scale` = 2).
        raw_cosine: moves compare by the raw cosine, which has a pole. Source: off, docs/method.md, section 9.
        geometry: how maps become places on grids. Source: docs/method.md, section 4.
        recall: decoder self-attention reads the memory bank.
        recall_window: steps in which it does. Source: None, the edit's own, docs/method.md, section 6.
        noise_inside: strength of the noise in the edit region, 0 none, 1 as DDPM. Source: chosen, off; None
            is the edit's own, DiffEditor's.
        noise_outside: the same elsewhere.
        transported_start: destinations start from content that is moved there; otherwise from the image's own noise.
            Source: the paper, section 4.1.
    """

    guidance_scale: Annotated[Number, Range(0, 100)] | None = 1.0
    energy_scale: Weight | None = 1500.0
    guidance_strength: Annotated[Number, Range(0, 1000, "standard deviations")] | None = 1.0
    w_edit: Weight | None = None
    w_content: Weight | None = None
    w_contrast: Weight | None = None
    w_inpaint: Weight | None = None
    energy_grid: Annotated[int, Range(1, 4, "cells")] = 2
    raw_cosine: bool = False
    geometry: Geometry = Geometry.AFFINE
    recall: bool = True
    recall_window: Window | None = None
    noise_inside: Share | None = 0.0
    noise_outside: Share | None = 0.0
    transported_start: bool = True

    def strengths(self) -> dict[str, Any]:
        """What these settings set of an edit's `Strengths`, by name."""
        chosen = {name: getattr(self, name) for name in (*WEIGHTS, "noise_inside", "noise_outside")}
        chosen["recall_window"] = self.recall_window if self.recall else NEVER
        return {name: value for name, value in chosen.items() if value is not None}


RELEASED = MethodSettings(
    steps=50,
    guidance_scale=None,
    energy_scale=None,
    guidance_strength=None,
    raw_cosine=True,
    geometry=Geometry.REFERENCE,
    merged_backward=False,
    cached_features=False,
    time_travel=Window(0.42, 0.6, every=2),
    noise_inside=0.0,
    noise_outside=0.0,
)
"""The authors' released code, regional noise and image prompt switched off. Source: docs/method.md, section 9."""
