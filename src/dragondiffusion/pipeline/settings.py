"""How an edit is run: numbers of steps, strengths, and the parts of the method that are switched on."""

import math
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any

from ..core.types import ALWAYS, NEVER, Number, Window


class Geometry(Enum):
    """How the map of an edit becomes places on the grids."""

    AFFINE = "affine"
    """One affine map about the edit's anchor, sampled bilinearly, displacements of fractions of a cell included."""
    CENTRED = "centred"
    """As the authors' code: nearest cells, whole-cell displacements, resizing about the picture's centre."""


LEAST_WORKING_SIZE = 64
"""Smallest working size, pixels. Source: chosen, eight latent cells of Stable Diffusion."""


@dataclass(frozen=True)
class Settings:
    r"""Settings of one run. `None` stands for the edit's own value.

    Args:
        steps: DDIM steps of the inversion and of the sampling. Source: docs/experiments.md; the paper, section 5: 50.
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
        energy_grid: cells of the energy grid per latent cell and axis. Source: authors' code (`up_scale` = 2).
        feature_scales: which scales of the decoder's features the energies compare, 0 the coarsest; None is all that
            the model gives. Source: the paper, section 4.2, two scales.
        raw_cosine: moves compare by the raw cosine, which has a pole. Source: off, docs/method.md, section 9.
        geometry: how maps become places on grids. Source: docs/method.md, section 4.
        guidance: windows of the steps with energies. Source: DiffEditor, every step to 0.2, every second one to 0.6.
        merged_backward: one backward pass for all energies instead of one for those inside and one for those outside
            the edit; twice as cheap and not the same numbers. Source: docs/method.md, section 10.
        cached_features: reference features come from the calls of the inversion (whose input is one level cleaner)
            instead of calls of their own. Source: docs/method.md, section 10.
        recall: decoder self-attention reads the memory bank.
        recall_window: steps in which it does. Source: None, the edit's own, docs/method.md, section 6.
        time_travel: steps that are repeated. Source: off; DiffEditor 0.42 to 0.6 on even steps.
        time_travel_passes: how often they are made. Source: DiffEditor (3).
        noise: steps with regional noise. Source: DiffEditor, 10 < i < 20 of 50.
        noise_inside: strength of the noise in the edit region, 0 none, 1 as DDPM. Source: chosen, off; None
            is the edit's own, DiffEditor's.
        noise_outside: the same elsewhere.
        clamp_rest: steps before which what is not edited is set to the inverted picture. Source: docs/method.md,
            section 10.
        clamp_destination: the same for the edit's destination. Source: None, the edit's own, docs/experiments.md.
        clamp_margin: latent cells around what goes away that are left free. Source: docs/experiments.md.
        proxy: held destinations and starting latents come from a rough edit of the picture in pixels, encoded;
            otherwise from latents carried along by bilinear sampling. Latents are not equivariant to turns, flips and
            shifts of less than a cell; pixels are. Their noise is carried by nearest sampling in both cases, because
            interpolation would lower its variance. Source: chosen, to be judged by the benchmark.
        transported_start: destinations start from what is moved there; otherwise from the image's own noise. Source:
            the paper, section 4.1.
        fresh_noise: the source hole starts from fresh noise. Source: docs/method.md, section 10.
        shadows: an object that is moved or removed takes its cast shadow along, where one is found
            (`shadows.find_shadow`). Source: chosen, docs/experiments.md.
        clamp_hole: places that something leaves are set to the proxy, which is smooth there, as long as the noise
            hides what is wrong with it: while $\sqrt{(1-\alpha_t)/\alpha_t}$ exceeds this many times its uncertainty
            (`edits.proxy.uncertainty`). None never sets them. Source: chosen, docs/experiments.md.
        restore_detail: where the result agrees with the proxy, what the autoencoder lost of the proxy is given back.
            Source: chosen, docs/experiments.md.
        composite: pixels away from the edit are those of the input.
        composite_feather: width of the transition, latent cells. Source: chosen, one cell beyond the free margin.
        image_prompt_scale: weight of the image prompt: the edited picture and those it takes something from, through
            whatever IP-Adapter is loaded into the pipeline. Source: off; DiffEditor 0.1, landmarks 0.05.
        image_prompt: steps with the image prompt. Source: authors' code, 10 <= i < 20 of 50.
        inversion_iterations: evaluations of the network per inversion step; 1 is plain DDIM, more solve the implicit
            step by fixed-point iteration.
        working_size: pictures with a side of more than one and a half times this, in pixels, are edited in a frame
            around the edit, which is scaled down to about this many pixels along each side where it is larger. Source:
            None, what the model was made for.
    """

    steps: int = 20
    guidance_scale: Number | None = 1.0
    energy_scale: Number | None = 1500.0
    guidance_strength: Number | None = 1.0
    w_edit: Number | None = None
    w_content: Number | None = None
    w_contrast: Number | None = None
    w_inpaint: Number | None = None
    energy_grid: int = 2
    feature_scales: tuple[int, ...] | None = None
    raw_cosine: bool = False
    geometry: Geometry = Geometry.AFFINE
    guidance: tuple[Window, ...] = (Window(0.0, 0.2), Window(0.2, 0.6, every=2))
    merged_backward: bool = True
    cached_features: bool = True
    recall: bool = True
    recall_window: Window | None = None
    time_travel: Window = NEVER
    time_travel_passes: int = 3
    noise: Window = Window(0.22, 0.4)
    noise_inside: Number | None = 0.0
    noise_outside: Number | None = 0.0
    clamp_rest: Window = ALWAYS
    clamp_destination: Window | None = None
    clamp_margin: int = 0
    proxy: bool = True
    transported_start: bool = True
    fresh_noise: bool = True
    shadows: bool = True
    clamp_hole: Number | None = 20.0
    restore_detail: bool = True
    composite: bool = True
    composite_feather: int = 1
    image_prompt_scale: Number = 0.0
    image_prompt: Window = Window(0.2, 0.4)
    inversion_iterations: int = 1
    working_size: int | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "energy_grid", "time_travel_passes", "inversion_iterations"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.working_size is not None and self.working_size < LEAST_WORKING_SIZE:
            raise ValueError(f"working_size={self.working_size} must be at least {LEAST_WORKING_SIZE} pixels")
        for name in ("clamp_margin", "composite_feather"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)} must not be negative")
        _check_scales(self.feature_scales)
        for name in (
            "guidance_scale",
            "energy_scale",
            "guidance_strength",
            "w_edit",
            "w_content",
            "w_contrast",
            "w_inpaint",
        ):
            _check_strength(name, getattr(self, name), math.inf)
        _check_strength("clamp_hole", self.clamp_hole, math.inf)
        _check_strength("image_prompt_scale", self.image_prompt_scale, math.inf)
        for name in ("noise_inside", "noise_outside"):
            _check_strength(name, getattr(self, name), 1.0)

    @staticmethod
    def preset(name: str, **changes: Any) -> "Settings":
        """Settings under a name, with changes.

        Args:
            name: `default`; `fast` for fewer steps and no energies; or `reference` for the numbers of the authors'
                released code with regional noise and image prompt switched off (switch the noise on with
                `noise_inside=0.4`).
            changes: fields to change.

        Raises:
            ValueError: if the name or a field is unknown.
        """
        if name not in PRESETS:
            raise ValueError(f"preset {name!r} is unknown; use one of {', '.join(PRESETS)}")
        unknown = set(changes) - {field.name for field in fields(Settings)}
        if unknown:
            raise ValueError(f"settings {sorted(unknown)} are unknown; see the fields of Settings")
        return replace(PRESETS[name], **changes)

    def guides(self, i: int) -> bool:
        """Whether energies act in step `i`."""
        return any(window.holds(i, self.steps) for window in self.guidance)

    def passes(self, i: int) -> int:
        """How often step `i` is made."""
        return self.time_travel_passes if self.time_travel.holds(i, self.steps) else 1


def _check_scales(scales: tuple[int, ...] | None) -> None:
    if scales is not None and (not scales or min(scales) < 0 or len(set(scales)) < len(scales)):
        raise ValueError(f"feature_scales={scales} must be different numbers from 0 on; None is all scales")


def _check_strength(name: str, value: Number | None, top: float) -> None:
    if value is not None and not (math.isfinite(value) and 0 <= value <= top):
        raise ValueError(f"{name}={value} must be a number from 0 to {top}")


LOOP_FIELDS = (
    "steps",
    "energy_grid",
    "feature_scales",
    "guidance",
    "merged_backward",
    "cached_features",
    "time_travel",
    "time_travel_passes",
    "noise",
    "clamp_rest",
    "clamp_margin",
    "transported_start",
    "image_prompt_scale",
    "image_prompt",
    "inversion_iterations",
)
"""Settings that pictures of one batch have in common; all others are each picture's own."""

PRESETS: dict[str, Settings] = {
    "default": Settings(),
    "fast": Settings(steps=10, guidance=()),
    "reference": Settings(
        steps=50,
        guidance_scale=None,
        energy_scale=None,
        guidance_strength=None,
        raw_cosine=True,
        geometry=Geometry.CENTRED,
        merged_backward=False,
        cached_features=False,
        guidance=(Window(0.0, 0.2), Window(0.2, 0.6, every=2)),
        time_travel=Window(0.42, 0.6, every=2),
        clamp_rest=NEVER,
        clamp_destination=NEVER,
        proxy=False,
        fresh_noise=False,
        shadows=False,
        clamp_hole=None,
        restore_detail=False,
        composite=False,
    ),
}
"""Source of `fast`: docs/experiments.md; of `reference`: docs/method.md, section 9, the authors' released code."""
