"""From requests to plans: images and edits read, checked and compiled, once each, on the model's own canvas.

Everything that can be wrong with a request is found in `plan` and `check_together`, before any model work.
"""

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, cast

from ..backbones.base import Backbone
from ..core.bounds import quoted
from ..core.levels import NEVER, Levels
from ..core.types import Canvas, ModelGrids, Pictures, Region
from ..edits.base import Compiled, Edit
from ..edits.compose import compose
from ..edits.hole import found_leftovers, with_leftovers
from ..edits.order import Order, ordered
from ..edits.reference.strategy import in_geometry
from ..edits.settings import Geometry, Settings
from ..imaging.frames import Box, Frame, fits, joined
from ..imaging.notes import gathered_notes
from ..imaging.photos import Photo, Shot, read_photo
from ..method.objective import Objective
from ..method.settings import RunSettings
from ..proxy.change_map import ChangeMap
from ..proxy.foretelling import KNOWN, Foretold, foretell
from ..proxy.shading import scaled
from .cache import guided_steps, steps_read
from .reference import Reference
from .request import InversionRequest, Plan, Request, as_edits
from .wider import Wider

LEAST_SCALE, FINE = 0.45, 512
"""In frames at less than this scale models made for fewer than so many pixels leave source holes to the proxy: what
they draw is blurred when it is enlarged. Source: tuning seeds of `bench photos`, docs/experiments.md."""

LEFT_ALONE = (
    "the place that is left is filled from the photo around it, not by the model: made for {pixels} pixels, it sees "
    "the photo at {scale} % of its size; a checkpoint made for 512 or more fills it itself"
)


def plan(backbone: Backbone, request: Request, number: int | None = None) -> Plan:
    """Reads and checks a request.

    Args:
        backbone: model.
        request: what is to be done.
        number: its place among others, for messages; None if there is only one.

    Raises:
        FileNotFoundError: if an image's path does not exist.
        TypeError: if it is no request.
        ValueError: if an image is unreadable, the edits do not fit it, or an inverted image lacks what they need.
    """
    with _numbered(request, number), gathered_notes() as notes:
        made = _plan(backbone, request)
    return replace(made, notes=(*made.notes, *made.shot.photo.notes, *notes))


@contextmanager
def _numbered(request: Request, number: int | None) -> Generator[None]:
    """Context manager: errors say which request they are about; what is none is refused."""
    if not isinstance(cast(Any, request), Request):
        raise TypeError(f"requests[{number or 0}]={quoted(request)} must be a Request(image, edit, ...)")
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        if number is None:
            raise
        raise type(error)(f"requests[{number}]: {error}") from error


def order_of(backbone: Backbone, request: Request, number: int | None = None) -> Order:
    """Which edits of a request are made together, and which on the result of others; arguments as in `plan`.

    Raises:
        FileNotFoundError: as `plan`.
        TypeError: as `plan`.
        ValueError: if edits do not fit the image, or contradict each other.
    """
    with _numbered(request, number):
        edits, settings = request.edits(), request.settings or Settings()
        if len(edits) == 1:
            return Order(((0,),))
        frame = _shown(request, settings, backbone.working_size)[0].frame
        return _order(edits, frame, settings, backbone.canvas(frame.size, settings.energy_grid))


def _order(edits: Sequence[Edit], frame: Frame, settings: Settings, canvas: Canvas) -> Order:
    inner = [edit.within(frame, settings) for edit in in_geometry(edits, settings)]
    return ordered([edit.compiled(canvas, settings) for edit in inner])


def _plan(backbone: Backbone, request: Request) -> Plan:
    settings, working = request.settings or Settings(), backbone.working_size
    shot, picture = _shown(request, settings, working)
    canvas = backbone.canvas(shot.frame.size, settings.energy_grid)
    first = picture or InversionRequest.of_shot(shot, prompt_of(request), canvas)
    edits = [edit.within(shot.frame, settings) for edit in in_geometry(request.edits(), settings)]
    x = first.x.cpu()
    compiled = compile_edits(edits, canvas, settings, x)
    if isinstance(first, Reference) and first.start == 0:
        _check_reference(first, compiled.objective, settings)
    backbone.check_negative_prompt(request.negative_prompt)
    if settings.image_prompt_scale:
        backbone.check_image_prompt()
    further = [InversionRequest.of_guide(guide, canvas) for edit in edits for guide in edit.guides(canvas, settings)]
    levels = backbone.levels(settings.steps, canvas)
    foretold = _foretold(compiled, x, shot, settings)
    coarse = shot.frame.scale < LEAST_SCALE and working < FINE
    map_ = change_map(compiled, None if coarse else foretold, levels, settings, working >= FINE)
    pictures = (first, *further)
    start, notes = map_.first(levels), _notes(backbone, request, settings, pictures)
    if coarse and not foretold.is_settled and clamps_hole(settings):
        notes = (*notes, LEFT_ALONE.format(pixels=working, scale=round(100 * shot.frame.scale)))
    return Plan(request, settings, shot, canvas, tuple(edits), compiled, pictures, levels, foretold, map_, start, notes)


def _notes(
    backbone: Backbone, request: Request, settings: Settings, pictures: Sequence[InversionRequest | Reference]
) -> tuple[str, ...]:
    """What somebody who wrote the prompts of a request should know."""
    notes = [note for text in dict.fromkeys(one.prompt for one in pictures) for note in backbone.prompt_notes(text)]
    if request.negative_prompt and settings.guidance_scale == 1:
        notes.append("the negative prompt does not count at guidance_scale 1; choose a larger one")
    elif request.negative_prompt:
        notes += [
            note.replace("the prompt", "the negative prompt") for note in backbone.prompt_notes(request.negative_prompt)
        ]
    return tuple(notes)


def clamps_hole(settings: Settings) -> bool:
    """Whether source holes are clamped to the proxy at all."""
    return settings.proxy and settings.fresh_noise and settings.clamp_hole is not None


def change_map(
    compiled: Compiled, hole: Foretold | None, levels: Levels, settings: Settings, fine: bool = False
) -> ChangeMap:
    """When every latent cell of an edit is released.

    Args:
        compiled: the edits as data.
        hole: how well its source hole can be inpainted; None leaves it to that.
        levels: of the run.
        settings: how.
        fine: the model was made for `FINE` pixels or more; such may draw better than patches do, which is not known
            here.
    """
    ratio = math.inf
    if clamps_hole(settings) and bool(compiled.hole_pixels.any()):
        clamp = settings.clamp_hole or 0.0
        ratio = NEVER if hole is None or hole.is_settled else clamp * (hole.typical if fine else hole.uncertainty)
    return ChangeMap.filled(
        levels,
        rest=compiled.rest(settings.clamp_margin),
        clamp_rest=settings.clamp_rest,
        hole=compiled.hole,
        hole_ratio=ratio,
        placed=compiled.placed,
    )


def _foretold(compiled: Compiled, x: Pictures, shot: Shot, settings: Settings) -> Foretold:
    """How well the source hole can be inpainted, with all that the photo shows around it."""
    if not settings.proxy or not bool(compiled.hole_pixels.any()):
        return KNOWN
    wider = Wider.of(x if compiled.lit is None else scaled(x, compiled.lit), compiled.hole_pixels, shot)
    return foretell(wider.x, wider.hole)


def _shown(request: Request, settings: Settings, working: int) -> tuple[Shot, Reference | None]:
    """The photo with its frame, and the inverted frame, if there is one that shows what the edits are about."""
    if not isinstance(request.image, Reference):
        photo = request.image if isinstance(request.image, Photo) else read_photo(request.image)
        return framed(photo, request.edit, settings, working), None
    reference, shot = request.image, request.image.shot
    if shot is None:
        photo = Photo(reference.pixels)
        return Shot(photo, Frame.whole(photo.size, working)), reference
    if shot.frame.is_whole or shot.frame.holds(extent(request.edits(), shot.photo, settings)):
        return shot, reference
    return framed(shot.photo, request.edit, settings, working), None


def prompt_of(request: Request) -> str:
    """What the image of a request shows."""
    return request.image.prompt if isinstance(request.image, Reference) else request.prompt


def framed(photo: Photo, edit: Edit | Sequence[Edit], settings: Settings, working: int) -> Shot:
    """A photo with the part of it that edits are about, see `Frame.around`.

    Args:
        photo: the photo.
        edit: what is to be done, in its pixels.
        settings: how.
        working: side in pixels of the images a model was made for; settings may say otherwise.

    Raises:
        ValueError: if an edit does not fit the image.
    """
    working = settings.working_size or working
    if fits(photo.size, working):
        return Shot(photo, Frame.whole(photo.size, working))
    # Without compositing all of the image is the model's; the authors' geometry refers to the image's centre.
    if not settings.composite or settings.geometry is Geometry.REFERENCE:
        return Shot(photo, Frame.reduced(photo.size, working))
    return Shot(photo, Frame.around(extent(as_edits(edit), photo, settings), photo.size, working))


def extent(edits: Sequence[Edit], photo: Photo, settings: Settings) -> Box:
    """The part of a photo that edits are about.

    Raises:
        ValueError: if one does not fit the image.
    """
    return joined([edit.extent(photo.size, settings) for edit in edits])


def compile_edits(
    edits: Sequence[Edit],
    canvas: Canvas,
    settings: Settings,
    x: Pictures | None = None,
    left: Region | None = None,
) -> Compiled:
    """One edit or several as data.

    Args:
        edits: what is to be done in one pass, in pixels of the canvas.
        canvas: grids of the image.
        settings: how.
        x: the padded image in [-1, 1]; without it, nothing that must be read off it is in the result.
        left: pixels that masks leave out of what is taken away, where they are known; None looks for them.

    Raises:
        ValueError: if an edit does not fit the image.
    """
    compiled = [one.compiled(canvas, settings) for one in edits]
    if x is not None:
        compiled = [one.refine(c, x, canvas, settings) for one, c in zip(edits, compiled, strict=True)]
    joined = compose(compiled, [len(one.guides(canvas, settings)) for one in edits])
    if left is None and x is not None and settings.shadows and settings.proxy:
        left = found_leftovers(joined, x, canvas)
    return joined if left is None else with_leftovers(joined, left, canvas)


def check_edits(edits: Sequence[Edit], photo: Photo, settings: Settings, grids: ModelGrids) -> Order:
    """Checks that edits fit a photo and each other, on the grids of a model; gives the order in which they are made.

    Raises:
        ValueError: if they do not.
    """
    frame = framed(photo, edits, settings, grids.working_size).frame
    return _order(edits, frame, settings, grids.canvas(frame.size, settings.energy_grid))


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
                "batch images of one size"
            )
        _check_runs(first.settings.run, one.settings.run, k)
        if bool(one.compiled.objective.strengths.energy_scale) != bool(first.compiled.objective.strengths.energy_scale):
            raise ValueError(f"requests[{k}]: energy_scale must be 0 for all of a batch or for none")


def _check_runs(first: RunSettings, other: RunSettings, k: int) -> None:
    """The loop knows nothing of settings but these, so all of a batch have them in common."""
    for field in fields(RunSettings):
        a, b = getattr(first, field.name), getattr(other, field.name)
        if a != b:
            raise ValueError(
                f"requests[{k}] has {field.name}={b} and requests[0] {field.name}={a}; give all of a batch the same"
            )


def _check_reference(reference: Reference, objective: Objective, settings: Settings) -> None:
    if len(reference.levels) != settings.steps:
        raise ValueError(
            f"steps={settings.steps} but the reference was inverted with {len(reference.levels)}; invert it again"
        )
    if not steps_read(objective, reference.levels) <= reference.bank.steps:
        raise ValueError(
            "the reference does not remember every step this edit reads; invert it again for these settings"
        )
    if not guided_steps(settings, reference.levels) <= reference.features.keys():
        raise ValueError(
            "the reference holds no features for cached_features=True; invert it again with these settings"
        )
