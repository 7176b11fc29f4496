"""Inverted images: which are needed, found among those inverted before, or made together."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ..backbones.base import Backbone
from ..core.clock import Clock
from ..core.levels import Levels
from ..core.types import Progress
from ..edits.settings import Settings
from ..method.bank import merged
from ..method.denoiser import Condition
from ..method.inversion import invert
from ..method.objective import Objective
from .reference import Reference
from .request import InversionRequest, Plan


@dataclass(frozen=True)
class Requirements:
    """What edits need of an inverted image.

    Args:
        start: level up to which it is inverted; 0 is the noisiest.
        remember: steps whose tokens are read.
        features: steps whose features are compared.
    """

    start: int
    remember: frozenset[int]
    features: frozenset[int]

    def served(self, reference: Reference, steps: int) -> bool:
        """Whether an inverted image serves edits of so many steps."""
        run = frozenset(range(self.start, steps))
        return (
            reference.start <= self.start
            and len(reference.levels) == steps
            and self.remember & run <= reference.bank.steps
            and self.features & run <= reference.features.keys()
        )


class ReferenceCache(ABC):
    """Where images are looked for that were inverted before."""

    @abstractmethod
    def reference(
        self,
        backbone: Backbone,
        picture: InversionRequest,
        settings: Settings,
        need: Requirements,
        clock: Clock,
        progress: Progress,
    ) -> Reference:
        """The inverted image, found or made."""


def invert_all(
    backbone: Backbone, plans: Sequence[Plan], clock: Clock, progress: Progress, known: ReferenceCache | None = None
) -> list[tuple[Reference, ...]]:
    """The images of all plans, inverted together where their sizes agree; an image that occurs twice only once.

    With `known` every image is inverted alone, so that a result does not depend on what was known.
    """
    settings, start = plans[0].settings, min(one.start for one in plans)
    plans = [replace(one, pictures=tuple(_serving(p, one, start) for p in one.pictures)) for one in plans]
    wanted: list[InversionRequest] = []
    for picture in (picture for one in plans for picture in one.pictures):
        if isinstance(picture, InversionRequest) and not any(picture.same(other) for other in wanted):
            wanted.append(picture)
    need = requirements(plans, start)
    done: list[tuple[InversionRequest, Reference]] = []
    if known is not None:
        done = [(one, known.reference(backbone, one, settings, need, clock, progress)) for one in wanted]
        wanted = []
    sizes = {picture.canvas.padded for picture in wanted}
    for size in sorted(sizes):
        group = [picture for picture in wanted if picture.canvas.padded == size]
        done += zip(group, _invert_group(backbone, group, settings, need, clock, progress), strict=True)
    return [tuple(_found(picture, done) for picture in one.pictures) for one in plans]


def inverted(
    backbone: Backbone,
    picture: InversionRequest,
    settings: Settings,
    need: Requirements,
    clock: Clock,
    progress: Progress,
) -> Reference:
    """One image, inverted alone."""
    return _invert_group(backbone, [picture], settings, need, clock, progress)[0]


def inverted_further(
    backbone: Backbone, reference: Reference, settings: Settings, need: Requirements, clock: Clock, progress: Progress
) -> Reference:
    """An inverted image, inverted further up to a noisier level; the numbers are those of one inversion."""
    with clock.phase("invert"):
        (more,) = invert(
            backbone,
            reference.at(reference.start),
            reference.condition,
            reference.levels,
            remember=need.remember,
            keep_features=need.features,
            iterations=settings.inversion_iterations,
            progress=progress,
            start=need.start,
            top=reference.start,
        )
    return replace(
        reference,
        trajectory=more.trajectory[:-1] + reference.trajectory,
        bank=more.bank.joined(reference.bank),
        features={**more.features, **reference.features},
        start=need.start,
    )


def _serving(picture: InversionRequest | Reference, one: Plan, start: int) -> InversionRequest | Reference:
    """An image that was inverted for another edit, if that serves this one too; otherwise it is inverted again."""
    if isinstance(picture, InversionRequest) or picture.start == 0:
        return picture
    need = requirements([one], start)
    return (
        picture
        if need.served(picture, one.settings.steps)
        else InversionRequest(picture.pixels, picture.x, picture.canvas, picture.prompt, picture.shot)
    )


def _found(picture: InversionRequest | Reference, done: Sequence[tuple[InversionRequest, Reference]]) -> Reference:
    if isinstance(picture, Reference):
        return picture
    reference = next(reference for other, reference in done if picture.same(other))
    return replace(reference, pixels=picture.pixels, canvas=picture.canvas, shot=picture.shot)


def _invert_group(
    backbone: Backbone,
    group: Sequence[InversionRequest],
    settings: Settings,
    need: Requirements,
    clock: Clock,
    progress: Progress,
) -> list[Reference]:
    levels = backbone.levels(settings.steps, group[0].canvas)
    with clock.phase("encode"):
        conditions = [backbone.describe([picture.prompt], picture.canvas) for picture in group]
        z_0 = backbone.encode(torch.cat([picture.x for picture in group]))
    with clock.phase("invert"):
        inversions = invert(
            backbone,
            z_0,
            Condition.cat(conditions),
            levels,
            remember=need.remember,
            keep_features=need.features,
            iterations=settings.inversion_iterations,
            progress=progress,
            start=need.start,
        )
    return [
        Reference.of(inversion, p.pixels, p.x, p.canvas, p.prompt, p.shot)
        for p, inversion in zip(group, inversions, strict=True)
    ]


def requirements(plans: Sequence[Plan], start: int) -> Requirements:
    """What the plans of a batch need of their inverted images.

    Args:
        plans: of one run.
        start: level up to which images are inverted.
    """
    remember = frozenset[int]().union(*(steps_read(one.compiled.objective, one.levels) for one in plans))
    return Requirements(start, remember, guided_steps(plans[0].settings, plans[0].levels))


def guided_steps(settings: Settings, levels: Levels) -> frozenset[int]:
    """Steps of a run whose features an inversion keeps for the energies."""
    if not settings.cached_features:
        return frozenset()
    return frozenset(i for i in range(len(levels)) if settings.guides(i, levels))


def steps_read(objective: Objective, levels: Levels) -> frozenset[int]:
    """Steps of a run in which an objective reads the memory bank."""
    return frozenset(i for i in range(len(levels)) if merged(objective.recalls, i, levels.share(i)))
