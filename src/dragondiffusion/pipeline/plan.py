"""From requests to what the sampler runs: pictures and edits read and checked, pictures inverted, proxies painted.

Everything that can be wrong with a request is found in `plan` and `check_together`, before any model work.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ..backbones.base import Backbone, Condition
from ..core.clock import Clock
from ..core.geometry import fill
from ..core.types import Canvas, Pictures
from ..edits.base import Edit, Guide, Objective
from ..edits.compose import join
from ..edits.shading import scaled
from ..imaging.files import ImageLike, Pixels
from ..imaging.frames import Box, Frame, fits, joined
from ..imaging.photos import Photo, Shot, read_photo
from ..imaging.tensors import from_tensor, pad_picture, to_tensor
from ..method.bank import merged
from ..method.inversion import Progress, Reference, invert
from ..method.sampling import Proxy, beginning
from ..proxy.rough import uncertainty
from .settings import LOOP_FIELDS, Geometry, Settings


@dataclass(frozen=True)
class Request:
    """What is to be done to one picture.

    Args:
        image: the picture (PIL image, array or path), or an inverted one.
        edit: one edit, or several that are made together.
        prompt: what the picture shows; that of the inversion, if it is inverted already.
        negative_prompt: what it should not show; counts at guidance scales other than 1.
        seed: of all noise.
        settings: how; None is `Settings()`.
    """

    image: ImageLike | Reference
    edit: Edit | Sequence[Edit]
    prompt: str = ""
    negative_prompt: str = ""
    seed: int = 42
    settings: Settings | None = None


@dataclass(frozen=True, eq=False)
class InversionRequest:
    """A picture that has to be inverted.

    Args:
        pixels: the picture.
        x: the padded picture in [-1, 1].
        canvas: its grids.
        prompt: what it shows.
        shot: the photo that it is a frame of; None for further pictures of an edit.
    """

    pixels: Pixels
    x: Pictures
    canvas: Canvas
    prompt: str
    shot: Shot | None = None

    @staticmethod
    def of_shot(shot: Shot, prompt: str, canvas: Canvas) -> "InversionRequest":
        """The frame of a photo."""
        return InversionRequest(shot.pixels, to_tensor(shot.pixels, canvas.padded), canvas, prompt, shot)

    @staticmethod
    def of_guide(guide: Guide, canvas: Canvas) -> "InversionRequest":
        """A further picture of an edit.

        Args:
            guide: the picture.
            canvas: grids of the edited picture.
        """
        own = canvas.of(guide.size)
        return InversionRequest(from_tensor(guide.x, guide.size), pad_picture(guide.x, own.padded), own, guide.prompt)

    def same(self, other: "InversionRequest") -> bool:
        """Whether both are the same picture with the same prompt."""
        return self.prompt == other.prompt and self.x.shape == other.x.shape and torch.equal(self.x, other.x)

    def invert(
        self, backbone: Backbone, settings: Settings, remember: frozenset[int], clock: Clock, progress: Progress
    ) -> Reference:
        """The inverted picture."""
        return _invert_group(backbone, [self], settings, remember, clock, progress)[0]


@dataclass(frozen=True)
class Plan:
    """A request that was found to be in order.

    Args:
        request: what was asked for.
        settings: how.
        shot: the photo, and the part of it that is edited.
        canvas: grids of that part.
        objective: the edits as data.
        pictures: the picture, then those its edits take something from; what is inverted already is a reference.
        limit: see `sampling.Job`.
        start: noise level at which its run can begin.
    """

    request: Request
    settings: Settings
    shot: Shot
    canvas: Canvas
    objective: Objective
    pictures: tuple[InversionRequest | Reference, ...]
    limit: float
    start: int


def plan(backbone: Backbone, request: Request, number: int | None = None) -> Plan:
    """Reads and checks a request.

    Args:
        backbone: model.
        request: what is to be done.
        number: its place among others, for messages; None if there is only one.

    Raises:
        FileNotFoundError: if a picture's path does not exist.
        ValueError: if a picture is unreadable, the edits do not fit it, or an inverted picture lacks what they need.
    """
    try:
        return _plan(backbone, request)
    except (ValueError, FileNotFoundError) as error:
        if number is None:
            raise
        raise type(error)(f"requests[{number}]: {error}") from error


def _plan(backbone: Backbone, request: Request) -> Plan:
    settings, working = request.settings or Settings(), backbone.working_size
    shot, picture = _shown(request, settings, working)
    canvas = backbone.canvas(shot.frame.size, settings.energy_grid)
    first = picture or InversionRequest.of_shot(shot, _prompt(request), canvas)
    edits = [edit.within(shot.frame, settings) for edit in as_edits(request.edit)]
    x = first.x.cpu()
    objective = compile_edits(edits, canvas, settings, x)
    if isinstance(first, Reference) and first.start == 0:
        _check_reference(first, objective, settings)
    if settings.image_prompt_scale:
        backbone.check_image_prompt()
    further = [InversionRequest.of_guide(guide, canvas) for edit in edits for guide in edit.guides(canvas, settings)]
    limit = uncertain(x, objective, settings)
    start = beginning(objective, limit, backbone.schedule.levels(settings.steps), settings)
    return Plan(request, settings, shot, canvas, objective, (first, *further), limit, start)


def _shown(request: Request, settings: Settings, working: int) -> tuple[Shot, Reference | None]:
    """The photo with its frame, and the inverted frame, if there is one that shows what the edits are about."""
    if not isinstance(request.image, Reference):
        return framed(read_photo(request.image), request.edit, settings, working), None
    reference, shot = request.image, request.image.shot
    if shot is None:
        photo = Photo(reference.pixels)
        return Shot(photo, Frame.whole(photo.size, working)), reference
    if shot.frame.is_whole or shot.frame.holds(extent(as_edits(request.edit), shot.photo, settings)):
        return shot, reference
    return framed(shot.photo, request.edit, settings, working), None


def _prompt(request: Request) -> str:
    return request.image.prompt if isinstance(request.image, Reference) else request.prompt


def framed(photo: Photo, edit: Edit | Sequence[Edit], settings: Settings, working: int) -> Shot:
    """A photo with the part of it that edits are about, see `Frame.around`.

    Args:
        photo: the photo.
        edit: what is to be done, in its pixels.
        settings: how.
        working: side in pixels of the pictures a model was made for; settings may say otherwise.

    Raises:
        ValueError: if an edit does not fit the picture.
    """
    working = settings.working_size or working
    if fits(photo.size, working):
        return Shot(photo, Frame.whole(photo.size, working))
    # Without compositing all of the picture is the model's; the authors' geometry refers to the picture's centre.
    if not settings.composite or settings.geometry is Geometry.CENTRED:
        return Shot(photo, Frame.reduced(photo.size, working))
    return Shot(photo, Frame.around(extent(as_edits(edit), photo, settings), photo.size, working))


def extent(edits: Sequence[Edit], photo: Photo, settings: Settings) -> Box:
    """The part of a photo that edits are about.

    Raises:
        ValueError: if one does not fit the picture.
    """
    return joined([edit.extent(photo.size, settings) for edit in edits])


def uncertain(x: Pictures, objective: Objective, settings: Settings) -> float:
    """Ratio of noise to signal under which the proxy of places that something leaves is no longer trusted."""
    if settings.clamp_hole is None or not bool(objective.hole_pixels.any()):
        return math.inf
    lit = x if objective.lit is None else scaled(x, objective.lit)
    return settings.clamp_hole * uncertainty(lit, objective.hole_pixels)


def as_edits(edit: Edit | Sequence[Edit]) -> Sequence[Edit]:
    """One edit or several as a sequence.

    Raises:
        ValueError: if there is none.
    """
    edits = [edit] if isinstance(edit, Edit) else list(edit)
    if not edits:
        raise ValueError("edit is empty; give at least one edit")
    return edits


def compile_edits(
    edit: Edit | Sequence[Edit],
    canvas: Canvas,
    settings: Settings,
    x: Pictures | None = None,
    compatible: bool = False,
) -> Objective:
    """The objective of one edit or of the union of several.

    Args:
        edit: what is to be done.
        canvas: grids of the picture.
        settings: how.
        x: the padded picture in [-1, 1]; without it, nothing that must be read off it is in the objective.
        compatible: several edits are known not to contradict each other.

    Raises:
        ValueError: if an edit does not fit the picture, or edits contradict each other.
    """
    edits = as_edits(edit)
    objectives = [one.objective(canvas, settings) for one in edits]
    if x is not None:
        objectives = [one.refine(o, x, canvas, settings) for one, o in zip(edits, objectives, strict=True)]
    return join(objectives, [len(one.guides(canvas, settings)) for one in edits], compatible)


def check_together(plans: Sequence[Plan]) -> None:
    """Checks that plans fit into one run.

    Raises:
        ValueError: if working sizes differ, or settings that belong to the loop rather than to an edit.
    """
    for k, one in enumerate(plans[1:], start=1):
        first = plans[0]
        if one.canvas.latent != first.canvas.latent:
            raise ValueError(
                f"requests[{k}] has working size {one.canvas.padded} and requests[0] {first.canvas.padded}; "
                "batch pictures of one size"
            )
        for name in LOOP_FIELDS:
            a, b = getattr(first.settings, name), getattr(one.settings, name)
            if a != b:
                raise ValueError(
                    f"requests[{k}] has {name}={b} and requests[0] {name}={a}; give all of a batch the same"
                )
        if bool(one.objective.strengths.energy_scale) != bool(first.objective.strengths.energy_scale):
            raise ValueError(f"requests[{k}]: energy_scale must be 0 for all of a batch or for none")


@dataclass(frozen=True)
class Requirements:
    """What edits need of an inverted picture.

    Args:
        start: level up to which it is inverted; 0 is the noisiest.
        remember: steps whose tokens are read.
        features: steps whose features are compared.
    """

    start: int
    remember: frozenset[int]
    features: frozenset[int]

    def served(self, reference: Reference, steps: int) -> bool:
        """Whether an inverted picture serves edits of so many steps."""
        run = frozenset(range(self.start, steps))
        return (
            reference.start <= self.start
            and len(reference.levels) == steps
            and self.remember & run <= reference.bank.steps
            and self.features & run <= reference.features.keys()
        )


class ReferenceCache(ABC):
    """Where pictures are looked for that were inverted before."""

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
        """The inverted picture, found or made."""


def invert_all(
    backbone: Backbone, plans: Sequence[Plan], clock: Clock, progress: Progress, known: ReferenceCache | None = None
) -> list[tuple[Reference, ...]]:
    """The pictures of all plans, inverted together where their sizes agree; a picture that occurs twice only once.

    With `known` every picture is inverted alone, so that a result does not depend on what was known.
    """
    settings, start = plans[0].settings, min(one.start for one in plans)
    plans = [replace(one, pictures=tuple(_serving(p, one, start) for p in one.pictures)) for one in plans]
    wanted: list[InversionRequest] = []
    for picture in (picture for one in plans for picture in one.pictures):
        if isinstance(picture, InversionRequest) and not any(picture.same(other) for other in wanted):
            wanted.append(picture)
    remember = frozenset[int]().union(*(steps_read(one.objective, settings) for one in plans))
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
    """One picture, inverted alone."""
    return _invert_group(backbone, [picture], settings, need.remember, clock, progress, need.start)[0]


def inverted_further(
    backbone: Backbone, reference: Reference, settings: Settings, need: Requirements, clock: Clock, progress: Progress
) -> Reference:
    """An inverted picture, inverted further up to a noisier level; the numbers are those of one inversion."""
    with clock.phase("invert"):
        (walk,) = invert(
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
        trajectory=walk.trajectory[:-1] + reference.trajectory,
        bank=walk.bank.joined(reference.bank),
        features={**walk.features, **reference.features},
        start=need.start,
    )


def _serving(picture: InversionRequest | Reference, one: Plan, start: int) -> InversionRequest | Reference:
    """A picture that was inverted for another edit, if that serves this one too; otherwise it is inverted again."""
    if isinstance(picture, InversionRequest) or picture.start == 0:
        return picture
    need = Requirements(start, steps_read(one.objective, one.settings), guided_steps(one.settings))
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
    levels = backbone.schedule.levels(settings.steps)
    with clock.phase("encode"):
        conditions = [backbone.describe([picture.prompt], picture.canvas) for picture in group]
        z_0 = backbone.encode(torch.cat([picture.x for picture in group]))
    with clock.phase("invert"):
        walks = invert(
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
        Reference(p.pixels, p.x, p.canvas, condition, levels, w.trajectory, w.bank, w.features, start, p.prompt, p.shot)
        for p, condition, w in zip(group, conditions, walks, strict=True)
    ]


def paint_proxies(
    backbone: Backbone, plans: Sequence[Plan], references: Sequence[Sequence[Reference]]
) -> list[Proxy | None]:
    """Every picture with its edits made roughly in pixels, where its objective asks for them.

    What goes away is smoothed over first: the autoencoder would let it bleed into what arrives beside it.
    """
    proxies: list[Proxy | None] = []
    for one, own in zip(plans, references, strict=True):
        objective = one.objective
        paints = [carry.paint for carry in objective.carries if carry.paint is not None]
        if not one.settings.proxy or not (paints or bool(objective.hole_pixels.any())):
            proxies.append(None)
            continue
        x = painted([reference.x.cpu() for reference in own], objective)
        proxies.append(Proxy(x, backbone.encode(x)))
    return proxies


def painted(pictures: Sequence[Pictures], objective: Objective) -> Pictures:
    """A picture with its edits made roughly in pixels.

    Args:
        pictures: the padded picture and those that its edits take something from, in [-1, 1].
        objective: the edits as data.
    """
    x = pictures[0] if objective.lit is None else scaled(pictures[0], objective.lit)
    x = fill(x, objective.hole_pixels)
    for carry in objective.carries:
        x = x if carry.paint is None else carry.paint.onto(x, pictures)
    return x


def guided_steps(settings: Settings) -> frozenset[int]:
    """Steps whose features an inversion keeps for the energies."""
    if not settings.cached_features:
        return frozenset()
    return frozenset(i for i in range(settings.steps) if settings.guides(i))


def steps_read(objective: Objective, settings: Settings) -> frozenset[int]:
    """Steps in which an objective reads the memory bank."""
    return frozenset(i for i in range(settings.steps) if merged(objective.recalls, i, settings.steps))


def _check_reference(reference: Reference, objective: Objective, settings: Settings) -> None:
    if len(reference.levels) != settings.steps:
        raise ValueError(
            f"steps={settings.steps} but the reference was inverted with {len(reference.levels)}; invert it again"
        )
    if not steps_read(objective, settings) <= reference.bank.steps:
        raise ValueError(
            "the reference does not remember every step this edit reads; invert it again for these settings"
        )
    if not guided_steps(settings) <= reference.features.keys():
        raise ValueError(
            "the reference holds no features for cached_features=True; invert it again with these settings"
        )
