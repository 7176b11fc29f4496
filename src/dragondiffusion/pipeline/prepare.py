"""From plans to what the sampler runs: proxies painted, constraints and starting latents made."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from ..backbones.base import Backbone
from ..core.stopping import go_on
from ..core.types import Latents
from ..method.sampling import Sample, draw_noise, transported
from ..proxy.change_map import Clamped, clean_latents
from ..proxy.rough import Proxy, painted
from .reference import Reference
from .request import Plan
from .wider import inpaint_within


@dataclass(frozen=True)
class Prepared:
    """A plan with its inverted images and its proxy.

    Args:
        plan: the plan.
        references: the inverted image, then the edit's further images.
        proxy: the rough edit in pixels; None without one.
    """

    plan: Plan
    references: tuple[Reference, ...]
    proxy: Proxy | None


def prepared(backbone: Backbone, plans: Sequence[Plan], references: Sequence[tuple[Reference, ...]]) -> list[Prepared]:
    """Plans with their proxies, where their edits ask for one.

    Args:
        backbone: model.
        plans: what is to be done.
        references: the inverted images of each.
    """
    return [Prepared(one, own, _proxy(backbone, one, own)) for one, own in zip(plans, references, strict=True)]


def _proxy(backbone: Backbone, one: Plan, references: Sequence[Reference]) -> Proxy | None:
    compiled = one.compiled
    paints = any(placed.paint is not None for placed in compiled.placed)
    if not one.settings.proxy or not (paints or bool(compiled.hole_pixels.any())):
        return None
    way = partial(inpaint_within, one.shot, ways=one.hole.ways)
    x = painted([r.x.cpu() for r in references], compiled.placed, compiled.hole_pixels, compiled.lit, way)
    return Proxy(x, backbone.encode(x))


def samples(backbone: Backbone, work: Sequence[Prepared]) -> list[Sample]:
    """What the sampler runs. All noise of an image is drawn from its own seed.

    Args:
        backbone: model.
        work: a batch.
    """
    first = min(one.plan.start for one in work)
    return [_sample(backbone, one, first) for one in work]


def _sample(backbone: Backbone, one: Prepared, first: int) -> Sample:
    plan, references, settings = one.plan, one.references, one.plan.settings
    generator = torch.Generator().manual_seed(plan.request.seed)
    fresh = draw_noise(references[0].at(-1), generator) if settings.fresh_noise else None
    proxy = None if one.proxy is None else one.proxy.latents
    clean = clean_latents(references, plan.compiled.placed, plan.compiled.rest(0), proxy)
    # At a scale of 1 a negative prompt says nothing, and need not be read.
    plain = plan.compiled.objective.strengths.guidance_scale == 1
    negative = references[0].condition if plain else backbone.describe([plan.request.negative_prompt], plan.canvas)
    constraint = Clamped(plan.map, plan.levels, references, plan.compiled.placed, clean, fresh)
    return Sample(
        objective=plan.compiled.objective,
        references=references,
        condition=references[0].condition,
        negative=negative,
        start=start(one, constraint, fresh, first),
        generator=generator,
        constraint=constraint,
        image_prompt=backbone.image_prompt([r.x for r in references]) if settings.image_prompt_scale > 0 else None,
    )


def start(one: Prepared, constraint: Clamped, fresh: Latents | None, first: int) -> Latents:
    """The latents with which a run begins.

    At the noisiest level: the image's own, with fresh noise in the source hole and moved content in place. Where the
    run begins later everything is clamped there, and only the shape counts.

    Args:
        one: what is to be done.
        constraint: its constraint.
        fresh: noise of the source hole; None leaves the image's own.
        first: level with which the batch begins.
    """
    z_t, compiled = one.references[0].at(first), one.plan.compiled
    if first:
        return z_t
    if fresh is not None:
        z_t = torch.where(compiled.hole.to(z_t.device), fresh.to(z_t), z_t)
    if not one.plan.settings.transported_start:
        return z_t
    if not compiled.placed:
        return transported(compiled.objective.transports, one.references, 0, z_t)
    known = constraint.known(0)
    for placed in compiled.placed:
        go_on()
        z_t = torch.where(placed.match.target.to(z_t.device), known, z_t)
    return z_t
