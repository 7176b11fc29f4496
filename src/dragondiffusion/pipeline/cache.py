"""Inverted images: which are needed, found among those inverted before, or made together."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ..backbones.base import Backbone
from ..core.clock import Clock
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
    remember = frozenset[int]().union(*(steps_read(one.compiled.objective, settings) for one in plans))
    done: list[tuple[InversionRequest, Reference]] = []
    if known is not None:
        need = Requirements(start, remember, guided_steps(settings))
        done = [(one, known.reference(backbone, one, settings, need, clock, progress)) for one in wanted]
        wanted = []
    sizes = {picture.canvas.padded for picture in wanted}
    for size in sorted(sizes):
        group = [picture for picture in wanted if picture.canvas.padded == size]
        done += zip(group, _invert_group(backbone, group, settings, remember, clock, progress, start), strict=True)
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
    return _invert_group(backbone, [picture], settings, need.remember, clock, progress, need.start)[0]


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
    need = Requirements(start, steps_read(one.compiled.objective, one.settings), guided_steps(one.settings))
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
    remember: frozenset[int],
    clock: Clock,
    progress: Progress,
    start: int = 0,
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
            remember=remember,
            keep_features=guided_steps(settings),
            iterations=settings.inversion_iterations,
            progress=progress,
            start=start,
        )
    return [
        Reference.of(inversion, p.pixels, p.x, p.canvas, p.prompt, p.shot)
        for p, inversion in zip(group, inversions, strict=True)
    ]


def guided_steps(settings: Settings) -> frozenset[int]:
    """Steps whose features an inversion keeps for the energies."""
    if not settings.cached_features:
        return frozenset()
    return frozenset(i for i in range(settings.steps) if settings.guides(i))


def steps_read(objective: Objective, settings: Settings) -> frozenset[int]:
    """Steps in which an objective reads the memory bank."""
    return frozenset(i for i in range(settings.steps) if merged(objective.recalls, i, settings.steps))
