"""The guided sampling loop: from the edited noise of inverted images to clean latents."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress

import torch
from torch import Tensor

from ..core.levels import Levels
from ..core.residents import numbers, resident
from ..core.types import Features, Latents, Number, Progress
from . import solver
from .bank import Reader, Reading, batch_reader, merged
from .constraint import Constraint, Unconstrained
from .denoiser import Condition, Denoiser, ImagePrompt, PartialForward, Prediction
from .guidance import guidance, normalised
from .inversion import Inversion
from .objective import Objective, Transport
from .settings import RunSettings


@dataclass(frozen=True)
class Sample:
    """One image of a batch and what is to be made of it.

    Args:
        objective: the edit as data.
        references: the inverted image, then the edit's further images.
        condition: what the result shows.
        negative: what it does not show; used at guidance scales other than 1.
        start: latents at the level with which the run begins.
        generator: source of all noise, on the CPU, so that a seed means the same on every device.
        constraint: what is kept as it is.
        image_prompt: what the images look like, for steps with an image prompt; None without one.
    """

    objective: Objective
    references: tuple[Inversion, ...]
    condition: Condition
    negative: Condition
    start: Latents
    generator: torch.Generator
    constraint: Constraint = field(default_factory=Unconstrained)
    image_prompt: ImagePrompt | None = None

    def conditions(self, image_scale: Number) -> tuple[Condition, Condition]:
        """Condition and negative; with the image prompt, if its weight is not 0."""
        if not image_scale or self.image_prompt is None:
            return self.condition, self.negative
        prompt = self.image_prompt
        return self.condition.having(prompt.positive, image_scale), self.negative.having(prompt.negative, image_scale)


@dataclass(frozen=True)
class Sampled:
    """What the loop gives back.

    Args:
        latents: clean latents, one per image.
        energies: for every image (step, value of each energy by name) of the guided steps since its own start.
    """

    latents: Latents
    energies: list[list[tuple[int, dict[str, float]]]]


@torch.no_grad()
def sample(
    denoiser: Denoiser,
    samples: Sequence[Sample],
    settings: RunSettings,
    progress: Progress,
    seen: Callable[[Latents], None] | None = None,
) -> Sampled:
    r"""Makes the edited images of a batch with one number of steps and one size.

    Every step: clamp what is known, predict noise with the memory bank, add the energies' guidance to the noise that
    predicts the clean latent (but not to the direction), step to the next level, with regional noise where asked.

    A GPU is not waited for within a run: noise is drawn before it, and whether a gradient overflowed in half precision
    is asked after it. Only if one did, which is rare, all is made again with a look at every step.

    Args:
        denoiser: model.
        samples: one per image; what is each image's own.
        settings: what they share.
        progress: see `Progress`.
        seen: called in every step with the clean latents that are predicted.

    Raises:
        ValueError: if energies act on some of the images and not on others.

    Source: docs/method.md, sections 4 to 8; DiffEditor (arXiv 2402.02583), algorithm 1.
    """
    run = _Run.of(samples, settings)
    if not run.is_waited_for:
        made, is_finite = _sampled(denoiser, run, progress, seen, check=False)
        if is_finite:
            return made
    return _sampled(denoiser, run, progress, seen, check=True)[0]


@dataclass(frozen=True)
class _Run:
    """What all steps of a batch have in common, and what is made before the first of them.

    Args:
        samples: one per image.
        settings: what they share.
        levels: noise levels.
        firsts: the level with which each image's own run begins.
        condition: what the images show.
        noise: for every step and each of its passes, see `regional_noise`.
    """

    samples: Sequence[Sample]
    settings: RunSettings
    levels: Levels
    firsts: tuple[int, ...]
    condition: Condition
    noise: list[list[tuple[Latents | None, Tensor | float]]]

    @staticmethod
    def of(samples: Sequence[Sample], settings: RunSettings) -> "_Run":
        levels, firsts = samples[0].references[0].levels, tuple(one.constraint.first for one in samples)
        repeats = has_energies([one.objective for one in samples])
        start = torch.cat([one.start for one in samples])
        noise = [
            [
                regional_noise(start, i, samples, levels, settings, firsts)
                for _ in range(settings.passes(i, levels.share(i)) if repeats else 1)
            ]
            for i in range(min(firsts), len(levels))
        ]
        return _Run(samples, settings, levels, firsts, Condition.cat([one.condition for one in samples]), noise)

    @property
    def objectives(self) -> list[Objective]:
        return [one.objective for one in self.samples]

    @property
    def first(self) -> int:
        """The level with which the batch begins."""
        return min(self.firsts)

    @property
    def is_waited_for(self) -> bool:
        """Whether it costs nothing to look at numbers within a step."""
        return self.samples[0].start.device.type in ("cpu", "mps")


def _sampled(
    denoiser: Denoiser, run: _Run, progress: Progress, seen: Callable[[Latents], None] | None, *, check: bool
) -> tuple[Sampled, bool]:
    """The edited images of a run, and whether all gradients were finite."""
    samples, settings, levels = run.samples, run.settings, run.levels
    energies: list[list[tuple[int, dict[str, Tensor]]]] = [[] for _ in samples]
    z_t = torch.cat([one.start for one in samples])
    peak, strength = z_t.new_zeros(len(samples)), guidance_strengths(run.objectives, levels, settings).to(z_t.device)
    finite: list[Tensor] = []
    for done, i in enumerate(range(run.first, len(levels))):
        t, s = levels[i], levels[i + 1]
        guided = is_guided(run.objectives, i, levels, settings)
        f_gud = [guide_features(denoiser, one, i, settings) if guided else () for one in samples]
        z_0 = z_s = z_t
        for k, noise in enumerate(run.noise[done]):
            z_t = clamp(z_t, i, samples)
            g, partial = None, None
            if guided:
                found = guidance(denoiser, z_t, t, run.condition, run.objectives, f_gud, settings, check)
                partial = found.partial
                finite.append(found.finite)
                begun = [first <= i for first in run.firsts]
                g, peaks = normalised(found.noise, peak, strength)
                peak = peaks.where(numbers(tuple(map(float, begun)), peak.device).bool(), peak)
                for log, values in compress(zip(energies, found.energies, strict=True), begun):
                    log.append((i, values))
            made = predict(denoiser, z_t, i, levels, samples, settings, partial)
            z_0 = made.z_0 if g is None else solver.guided_clean(made.z_0, g, t)
            z_s = solver.stochastic_step(z_0, made.eps, *noise, s)
            if k + 1 < len(run.noise[done]):
                z_t = solver.step(z_s, denoiser.predict(z_s, s, run.condition).eps, s, t)
        z_t = z_s
        if seen is not None:
            seen(z_0)
        progress("sample", done + 1, len(levels) - run.first)
    is_finite = check or not finite or bool(torch.stack(finite).all())
    return Sampled(clamp(z_t, len(levels), samples), _as_numbers(energies)), is_finite


def _as_numbers(energies: list[list[tuple[int, dict[str, Tensor]]]]) -> list[list[tuple[int, dict[str, float]]]]:
    """Energies as numbers, all of them read at once."""
    flat = [value for log in energies for _, values in log for value in values.values()]
    read = iter(torch.stack(flat).tolist() if flat else ())
    return [[(i, {name: next(read) for name in values}) for i, values in log] for log in energies]


def transported(transports: Sequence[Transport], references: Sequence[Inversion], level: int, base: Latents) -> Latents:
    r"""`base` with content brought to its new place at a noise level: the starting latent of the paper, section 4.1.

    A latent is split, $z_t = \alpha_t z_0 + \sigma_t \epsilon$: the clean part is sampled as the correspondence says,
    the noise by nearest, which keeps its variance.
    """
    for transport in transports:
        source, match = references[transport.guide], transport.match
        if not match.bilinear:
            base = match.carry(source.at(level), base)
            continue
        t, z_0 = source.levels[level], source.at(-1)
        clean = match.carry(z_0, base)
        eps = match.nearest.carry(solver.implied_noise(source.at(level), z_0, t), base)
        base = torch.where(resident(match.target, base.device), solver.add_noise(clean, eps, t), base)
    return base


def clamp(z_t: Latents, i: int, samples: Sequence[Sample]) -> Latents:
    """Latents of the batch with what is known at level `i` set."""
    return torch.cat([one.constraint.clamp(z, i) for one, z in zip(samples, z_t.split(1), strict=True)])


def has_energies(objectives: Sequence[Objective]) -> bool:
    """Whether energies act at all.

    Raises:
        ValueError: if they act on some of a batch only, so that steps would not be repeated alike.
    """
    acting = {bool(objective.strengths.energy_scale) for objective in objectives}
    if len(acting) > 1:
        raise ValueError("energy_scale must be 0 for all of a batch or for none")
    return acting == {True}


def is_guided(objectives: Sequence[Objective], i: int, levels: Levels, settings: RunSettings) -> bool:
    """Whether energies act in step `i`."""
    return settings.guides(i, levels) and has_energies(objectives)


def guidance_strengths(objectives: Sequence[Objective], levels: Levels, settings: RunSettings) -> Tensor:
    """Strength of every image's guidance in one step, for `guidance.normalised`; infinite where it is left as it is.

    What a guided step adds is not made smaller where there are more of them, so they share the strength of the run.
    """
    count = max(1, sum(settings.guides(i, levels) for i in range(len(levels))))
    strengths = [objective.strengths.guidance_strength for objective in objectives]
    return torch.tensor([math.inf if s is None else s / count for s in strengths])


def predict(
    denoiser: Denoiser,
    z_t: Latents,
    i: int,
    levels: Levels,
    samples: Sequence[Sample],
    settings: RunSettings,
    partial: PartialForward | None = None,
) -> Prediction:
    """What the model predicts in step `i` with the memory bank, image prompts and classifier-free guidance.

    Args:
        denoiser: model.
        z_t: latents.
        i: the step.
        levels: of the run.
        samples: one per image.
        settings: of the run.
        partial: a partial forward of the same latents, without image prompt, that can be resumed.
    """
    image_scale = settings.image_prompt_scale if settings.image_prompt.holds(i, levels.share(i)) else 0.0
    condition, negative = (Condition.cat([one.conditions(image_scale)[k] for one in samples]) for k in (0, 1))
    scales = [one.objective.strengths.guidance_scale for one in samples]
    return denoiser.predict(
        z_t,
        levels[i],
        condition,
        negative=negative,
        guidance_scale=torch.tensor(scales, dtype=torch.float32),
        attention=bank_reader(samples, i),
        resume=None if image_scale else partial,
    )


def bank_reader(samples: Sequence[Sample], i: int) -> Reader | None:
    """How a batch reads the bank in step `i`; None if no image does."""
    readings: list[Reading | None] = []
    for one in samples:
        recall = merged(one.objective.recalls, i, one.references[0].levels.share(i))
        banks = [reference.bank for reference in one.references]
        readings.append(Reading(recall, banks, one.objective.moves) if recall else None)
    return batch_reader(readings, i)


def guide_features(denoiser: Denoiser, one: Sample, i: int, settings: RunSettings) -> tuple[Features, ...]:
    """Features of an image's guiding images in step `i`, all under the prompt of the edited one."""
    if settings.cached_features:
        return tuple(reference.features[i] for reference in one.references)
    condition = one.references[0].condition
    return tuple(
        denoiser.partial_forward(reference.at(i), reference.levels[i], condition).features
        for reference in one.references
    )


def regional_noise(
    z_t: Latents,
    i: int,
    samples: Sequence[Sample],
    levels: Levels,
    settings: RunSettings,
    firsts: Sequence[int] | None = None,
) -> tuple[Latents | None, Tensor | float]:
    r"""Fresh noise of step `i` and its standard deviation per cell, a share of DDPM's; None without.

    Args:
        z_t: latents, of which the shape and place count.
        i: the step.
        samples: one per image.
        levels: of the run.
        settings: of the run.
        firsts: the level with which each image's own run begins; None asks its constraint.

    Source: DiffEditor, section 3.3, regional SDE guidance. One draw serves inside and outside.
    """
    if not settings.noise.holds(i, levels.share(i)):
        return None, 0.0
    own = [one.constraint.first for one in samples] if firsts is None else firsts
    strengths = [one.objective.strengths for one in samples]
    # Before its own first step all of an image is clamped, and its seed must not depend on what it is batched with.
    strong = [
        (w.noise_inside > 0 or w.noise_outside > 0) and i >= first for w, first in zip(strengths, own, strict=True)
    ]
    if not any(strong):
        return None, 0.0
    noise = torch.zeros(z_t.shape)
    for row, (one, noisy) in enumerate(zip(samples, strong, strict=True)):
        if noisy:
            noise[row] = torch.randn((1, *z_t.shape[1:]), generator=one.generator)[0]
    regions = [resident(one.objective.noise_region, z_t.device) for one in samples]
    eta = [torch.where(m, w.noise_inside, w.noise_outside) for m, w in zip(regions, strengths, strict=True)]
    return noise.to(z_t), solver.posterior_std(levels[i], levels[i + 1]) * torch.stack(eta)[:, None].to(z_t)


def draw_noise(like: Latents, generator: torch.Generator) -> Latents:
    """Standard normal noise drawn on the CPU."""
    return torch.randn(like.shape, generator=generator).to(like)
