"""The guided sampling loop: from the edited noise of inverted pictures to clean latents."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..backbones.base import Backbone, Condition, ImagePrompt, PartialForward
from ..core.levels import Levels
from ..core.types import Features, Latents, Pictures, Region
from ..edits.base import Carry, Objective
from ..pipeline.settings import Settings
from . import solver as ddim
from .bank import Reader, Reading, batch_reader, merged
from .guidance import guidance, normalised
from .inversion import Progress, Reference


@dataclass(frozen=True)
class Proxy:
    """A rough edit of a picture.

    Args:
        x: the padded picture in [-1, 1].
        latents: its clean latents.
    """

    x: Pictures
    latents: Latents


@dataclass(frozen=True)
class Job:
    """One picture of a batch and what is to be done to it.

    Args:
        objective: the edit as data.
        references: the inverted picture, then the edit's further pictures.
        condition: what the result shows.
        negative: what it does not show; used at guidance scales other than 1.
        proxy: a rough edit; None without one.
        generator: source of all noise, on the CPU, so that a seed means the same on every device.
        image_prompt: what the pictures look like, for steps with an image prompt; None without one.
        fresh: noise that places start from which something leaves; None where they start from the inverted noise.
        limit: of the ratio of noise to signal, under which places that something leaves are no longer held to the
            proxy.
    """

    objective: Objective
    references: tuple[Reference, ...]
    condition: Condition
    negative: Condition
    proxy: Proxy | None
    generator: torch.Generator
    image_prompt: ImagePrompt | None = None
    fresh: Latents | None = None
    limit: float = math.inf

    def conditions(self, prompted: bool) -> tuple[Condition, Condition]:
        """Condition and negative, with the image prompt or without."""
        if not prompted or self.image_prompt is None:
            return self.condition, self.negative
        return self.condition.having(self.image_prompt.positive), self.negative.having(self.image_prompt.negative)


@dataclass(frozen=True)
class Sampled:
    """What the loop gives back.

    Args:
        latents: clean latents, one per job.
        energies: for every job (step, value of each energy by name) of the guided steps.
    """

    latents: Latents
    energies: list[list[tuple[int, dict[str, float]]]]


@torch.no_grad()
def sample(
    backbone: Backbone,
    jobs: Sequence[Job],
    settings: Settings,
    progress: Progress,
    seen: Callable[[Latents], None] | None = None,
) -> Sampled:
    r"""Makes the edited pictures of a batch of jobs with one number of steps and one size.

    The run begins at the last level at which everything is known (`beginning`). Every step: hold what is known,
    predict noise with the memory bank, add the energies' guidance to the noise that predicts the clean latent (but not
    to the direction), step to the next level, with regional noise where asked.

    `seen`, if it is given, is called in every step with the clean latents that are predicted.

    Source: docs/method.md, sections 4 to 8; DiffEditor (arXiv 2402.02583), algorithm 1.
    """
    levels = jobs[0].references[0].levels
    condition = Condition.cat([job.condition for job in jobs])
    energies: list[list[tuple[int, dict[str, Tensor]]]] = [[] for _ in jobs]
    first = min(beginning(job.objective, job.limit, levels, settings) for job in jobs)
    # Where everything is known, what came before does not count.
    z_t = torch.cat([start(job, levels, settings) if first == 0 else job.references[0].at(first) for job in jobs])
    peak, strength = z_t.new_zeros(len(jobs)), guidance_strengths(jobs, settings).to(z_t.device)
    for i, t in list(enumerate(levels.timesteps))[first:]:
        alpha_t, alpha_s = levels.alphas[i], levels.alphas[i + 1]
        # In pure noise there is nothing to compare, and what is added to the noise would outweigh the picture.
        acting = settings.guides(i) and not levels.is_noise(i)
        guided = acting and any(job.objective.strengths.energy_scale for job in jobs)
        f_gud = [guide_features(backbone, job, i, t, settings) if guided else () for job in jobs]
        passes = settings.passes(i) if any(job.objective.strengths.energy_scale for job in jobs) else 1
        z_s = z_0 = z_t
        for k in range(passes):
            z_t = hold(z_t, i, jobs, levels, settings)
            added, prefix = None, None
            if guided:
                objectives = [job.objective for job in jobs]
                merging, scales = settings.merged_backward, settings.feature_scales
                g = guidance(backbone, z_t, t, condition, objectives, f_gud, merging, scales)
                noise, peak = normalised(g.noise, peak, strength)
                added, prefix = noise, g.prefix
                for log, values in zip(energies, g.energies, strict=True):
                    log.append((i, values))
            eps = predict_noise(backbone, z_t, i, t, jobs, settings, prefix)
            z_0 = ddim.predict_clean(z_t, eps if added is None else eps + added, alpha_t)
            z_s = ddim.stochastic_step(z_0, eps, *regional_noise(z_t, i, jobs, levels, settings), alpha_s)
            if k + 1 < passes:
                eps_s = backbone.noise(z_s, levels.timestep(i + 1), condition)
                z_t = ddim.step(z_s, eps_s, alpha_s, alpha_t)
        z_t = z_s
        if seen is not None:
            seen(z_0)
        progress("sample", i + 1 - first, len(levels) - first)
    z_0 = hold(z_t, len(levels), jobs, levels, settings)
    return Sampled(z_0, [[(i, {n: float(e) for n, e in v.items()}) for i, v in log] for log in energies])


def guidance_strengths(jobs: Sequence[Job], settings: Settings) -> Tensor:
    """Strength of every job's guidance in one step, for `guidance.normalised`; infinite where it is left as it is.

    What a guided step adds is not made smaller where there are more of them, so they share the strength of the run.
    """
    count = max(1, sum(settings.guides(i) for i in range(settings.steps)))
    strengths = [job.objective.strengths.guidance_strength for job in jobs]
    return torch.tensor([math.inf if s is None else s / count for s in strengths])


def start(job: Job, levels: Levels, settings: Settings) -> Latents:
    """The noisiest latent: the picture's own, with carried content in place and fresh noise where content goes away."""
    z_t = job.references[0].at(0)
    if job.fresh is not None:
        z_t = torch.where(job.objective.hole.to(z_t.device), job.fresh.to(z_t), z_t)
    for carry in job.objective.carries if settings.transported_start else ():
        z_t = carried(job, carry, 0, levels, z_t)
    return z_t


def carried(job: Job, carry: Carry, level: int, levels: Levels, base: Latents) -> Latents:
    r"""`base` with content brought to its new place at a noise level.

    A latent is split, $z_t = \sqrt{\alpha_t}\,z_0 + \sqrt{1-\alpha_t}\,\epsilon$: the clean part comes from the proxy,
    or is sampled as the correspondence says; the noise is sampled by nearest, which keeps its variance.
    """
    source = job.references[carry.guide]
    z_t, alpha_t = source.at(level), levels.alphas[level]
    if job.proxy is None and not carry.latent.bilinear:
        return carry.latent.carry(z_t, base)
    z_0 = source.at(-1)
    eps = ddim.implied_noise(z_t, z_0, alpha_t)
    clean = job.proxy.latents if job.proxy is not None else carry.latent.carry(z_0, base)
    noise = replace(carry.latent, bilinear=False).carry(eps, base)
    return torch.where(carry.latent.target.to(base.device), ddim.add_noise(clean, noise, alpha_t), base)


def hold(z_t: Latents, level: int, jobs: Sequence[Job], levels: Levels, settings: Settings) -> Latents:
    """Sets what is known at a noise level: the rest from the inverted picture, destinations from carried content."""
    # The clean level after the last step belongs to windows that reach the end of the run.
    i = min(level, len(levels) - 1)
    held: list[Latents] = []
    for job, z in zip(jobs, z_t.split(1), strict=True):
        if settings.clamp_rest.holds(i, len(levels)):
            rest = job.objective.rest(settings.clamp_margin).to(z.device)
            z = torch.where(rest, job.references[0].at(level), z)
        if job.proxy is not None and job.fresh is not None and hidden(job.limit, levels.alphas[level]):
            smooth = ddim.add_noise(job.proxy.latents, job.fresh.to(z), levels.alphas[level])
            z = torch.where(job.objective.hole.to(z.device), smooth, z)
        for carry in job.objective.carries:
            if carry.hold.holds(i, len(levels)):
                z = carried(job, carry, level, levels, z)
        held.append(z)
    return torch.cat(held)


def hidden(limit: float, alpha: float) -> bool:
    """Whether the noise at a level hides what is wrong with places that were made up, see `Job.limit`."""
    return math.sqrt((1 - alpha) / alpha) > limit


def known(objective: Objective, limit: float, level: int, levels: Levels, settings: Settings) -> Region:
    """Latent cells that `hold` sets at a noise level, whatever was there."""
    i = min(level, len(levels) - 1)
    cells = torch.zeros_like(objective.hole)
    if settings.clamp_rest.holds(i, len(levels)):
        cells |= objective.rest(settings.clamp_margin)
    if settings.proxy and settings.fresh_noise and hidden(limit, levels.alphas[level]):
        cells |= objective.hole
    for carry in objective.carries:
        if carry.hold.holds(i, len(levels)):
            cells |= carry.latent.target
    return cells


def beginning(objective: Objective, limit: float, levels: Levels, settings: Settings) -> int:
    """The last level at which everything is known, where a run can begin; 0 if there is none."""
    sure = (
        level for level in range(len(levels), 0, -1) if bool(known(objective, limit, level, levels, settings).all())
    )
    return next(sure, 0)


def predict_noise(
    backbone: Backbone,
    z_t: Latents,
    i: int,
    t: int,
    jobs: Sequence[Job],
    settings: Settings,
    prefix: PartialForward | None = None,
) -> Latents:
    r"""Noise prediction with the memory bank, $\epsilon = \epsilon_u + w\,(\epsilon_c - \epsilon_u)$.

    With scale $w = 1$ throughout, the unconditional half is left out. Of the conditional half, what a call for
    features of the same latents, without image prompt, has computed (`prefix`) is not computed again.
    """
    prompted = settings.image_prompt_scale > 0 and settings.image_prompt.holds(i, len(jobs[0].references[0].levels))
    condition, negative = (Condition.cat([job.conditions(prompted)[k] for job in jobs]) for k in (0, 1))
    predict = backbone.noise if prompted or prefix is None else partial(backbone.resume, prefix)
    with backbone.image_prompting(settings.image_prompt_scale) if prompted else nullcontext():
        if all(job.objective.strengths.guidance_scale == 1 for job in jobs):
            with recalling(backbone, jobs, i, copies=1):
                return predict(z_t, t, condition)
        with recalling(backbone, jobs, i, copies=2):
            both = predict(torch.cat((z_t, z_t)), t, Condition.cat((negative, condition)))
    eps_u, eps_c = both.chunk(2)
    w = torch.tensor([job.objective.strengths.guidance_scale for job in jobs], device=z_t.device)[:, None, None, None]
    return eps_u + w * (eps_c - eps_u)


def recalling(backbone: Backbone, jobs: Sequence[Job], i: int, copies: int) -> AbstractContextManager[None]:
    """Context manager: the jobs that read their memory bank in step `i` do."""
    reader = bank_reader(jobs, i, copies)
    return nullcontext() if reader is None else backbone.recalling(reader)


def bank_reader(jobs: Sequence[Job], i: int, copies: int) -> Reader | None:
    """How a batch made of so many copies of the jobs reads the bank; None if no job does."""
    readings: list[Reading | None] = []
    for job in jobs:
        recall = merged(job.objective.recalls, i, len(job.references[0].levels))
        banks = [reference.bank for reference in job.references]
        readings.append(Reading(recall, banks) if recall else None)
    return batch_reader(readings, i, copies) if any(readings) else None


def guide_features(backbone: Backbone, job: Job, i: int, t: int, settings: Settings) -> tuple[Features, ...]:
    """Features of a job's guiding pictures in step `i`, all under the prompt of the edited one."""
    if settings.cached_features:
        return tuple(reference.features[i] for reference in job.references)
    condition = job.references[0].condition
    return tuple(backbone.features(reference.at(i), t, condition) for reference in job.references)


def regional_noise(
    z_t: Latents, i: int, jobs: Sequence[Job], levels: Levels, settings: Settings
) -> tuple[Latents | None, Tensor | float]:
    r"""Fresh noise of step `i` and its standard deviation $\sigma = \eta\,\sigma_\mathrm{DDPM}$ per cell; None without.

    Source: DiffEditor, section 3.3, regional SDE guidance. One draw serves inside and outside.
    """
    strengths = [job.objective.strengths for job in jobs]
    strong = [w.noise_inside > 0 or w.noise_outside > 0 for w in strengths]
    if not settings.noise.holds(i, len(levels)) or not any(strong):
        return None, 0.0
    noise = torch.zeros_like(z_t)
    for row, (job, noisy) in enumerate(zip(jobs, strong, strict=True)):
        if noisy:
            noise[row] = draw_noise(noise[row : row + 1], job.generator)[0]
    regions = [job.objective.noise_region for job in jobs]
    eta = [torch.where(m, w.noise_inside, w.noise_outside) for m, w in zip(regions, strengths, strict=True)]
    sigma = ddim.posterior_std(levels.alphas[i], levels.alphas[i + 1])
    return noise, sigma * torch.stack(eta)[:, None].to(z_t)


def draw_noise(like: Latents, generator: torch.Generator) -> Latents:
    """Standard normal noise drawn on the CPU."""
    return torch.randn(like.shape, generator=generator).to(like)
