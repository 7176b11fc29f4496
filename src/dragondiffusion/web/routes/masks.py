"""Routes of masks: selections by clicks, painted masks, landmarks."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from PIL import Image

from ...core.stopping import go_on, stoppable
from ...imaging.notes import gathered_notes
from ...selection import Clicks, candidates, glance
from ...selection.faces import find_landmarks
from ..answers import (
    GlanceQuestion,
    LandmarksFacts,
    LandmarksQuestion,
    MaskFacts,
    PaintedFacts,
    SelectionFacts,
    SelectionQuestion,
)
from ..masks import corrected, keep_mask, mask_facts, painted, reduced_mask
from ..pictures import encoded, factor_of, inside, reduced, size_of
from ..recipes import explained
from ..service import Serving, Visiting

router = APIRouter(tags=["masks"])


@router.post("/selections")
async def select_thing(question: SelectionQuestion, service: Serving, session: Visiting) -> SelectionFacts:
    """The mask of the object that clicks select. Corrections by hand are preserved when further clicks are made."""
    path = session.path(question.picture)

    def work() -> SelectionFacts:
        size = size_of(path)
        factor = factor_of(size)
        inside([*question.points, *question.outside], size, "the point")
        with explained(session):
            clicks = Clicks(question.points, question.outside, question.box).scaled(factor)
            offered = candidates(reduced(path, factor).pixels, clicks, service.weights)
        chosen = offered.chosen
        follows = service.weights is None
        kept = [keep_mask(session, one.mask, path.name, follows) for one in offered.selections]
        found = mask = kept[offered.choice]
        if question.found is not None and question.corrected is not None:
            before, by_hand = (reduced_mask(session, n, factor) for n in (question.found, question.corrected))
            mask = keep_mask(session, corrected(by_hand, chosen.mask, before), path.name)
        return SelectionFacts(
            found=found, mask=mask, by=chosen.by, candidates=kept, choice=offered.choice, notes=list(chosen.notes)
        )

    return await service.threaded(session, work)


class GaveWayError(Exception):
    """Another request of the session came while a glance was made."""


@router.post("/glances", response_class=Response)
async def glance_at_thing(question: GlanceQuestion, service: Serving, session: Visiting) -> Response:
    """What a click would select, as a small PNG, white inside, that is kept nowhere.

    The answer is empty (204) where nothing stands out, or as soon as another request of the session comes: to point at
    something never delays what is done.
    """
    path = session.path(question.picture)

    def give_way() -> None:
        if session.in_line > 1:
            raise GaveWayError

    def work() -> Response:
        size = size_of(path)
        factor = factor_of(size)
        inside([question.point], size, "the point")
        try:
            with stoppable(give_way):
                go_on()
                mask = glance(reduced(path, factor).pixels, Clicks([question.point]).scaled(factor))
        except (GaveWayError, ValueError):
            return Response(status_code=204)
        image = Image.fromarray((mask.numpy() * 255).astype(np.uint8))
        return Response(encoded(image, "png")[0], media_type="image/png", headers={"Cache-Control": "no-store"})

    return await service.threaded(session, work)


@router.post("/masks", openapi_extra={"requestBody": {"content": {"image/png": {}}}})
async def add_mask(
    request: Request,
    service: Serving,
    session: Visiting,
    picture: Annotated[str, Query(max_length=64)],
    snap: bool = False,
) -> PaintedFacts:
    """Sends a mask that was painted on a view of an image, light where it is marked; it is scaled to the image.

    With `snap` its border is moved to edges of the image nearby.
    """
    data = await request.body()
    session.path(picture)

    def work() -> PaintedFacts:
        with gathered_notes() as notes, explained(session):
            facts = painted(session, picture, data, snap)
        return PaintedFacts(**facts.model_dump(), notes=notes)

    return await service.threaded(session, work)


@router.get("/masks/{name}")
async def read_mask_facts(name: str, service: Serving, session: Visiting) -> MaskFacts:
    """Where a mask is."""
    path = session.path(name)
    return await service.threaded(session, lambda: mask_facts(path))


@router.post("/landmarks")
async def landmarks(question: LandmarksQuestion, service: Serving, session: Visiting) -> LandmarksFacts:
    """The landmarks of a face in a photograph. Needs mediapipe, the extra `faces`."""
    path = session.path(question.picture)

    def work() -> LandmarksFacts:
        with explained(session):
            factor = factor_of(size_of(path))
            found = find_landmarks(reduced(path, factor).pixels, question.count, question.face)
        return LandmarksFacts(points=[(float(x) / factor, float(y) / factor) for x, y in found])

    return await service.threaded(session, work)
