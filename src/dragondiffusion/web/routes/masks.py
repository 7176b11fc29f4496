"""Routes of masks: selections by clicks, painted masks, landmarks."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ...imaging.masks import read_mask
from ...selection import Clicks, select
from ...selection.faces import find_landmarks
from ..answers import LandmarksFacts, LandmarksQuestion, MaskFacts, SelectionFacts, SelectionQuestion
from ..limits import RefusedError
from ..pictures import corrected, inside, keep_mask, mask_facts, painted, photo, size_of
from ..recipes import UNDOABLE, words
from ..service import Serving, Visiting

router = APIRouter(tags=["masks"])


@router.post("/selections")
async def select_thing(question: SelectionQuestion, service: Serving, session: Visiting) -> SelectionFacts:
    """The mask of the object that clicks select. Corrections by hand are preserved when further clicks are made."""
    path = session.path(question.picture)

    def work() -> SelectionFacts:
        size = size_of(path)
        inside([*question.points, *question.outside], size, "the point")
        try:
            clicks = Clicks(question.points, question.outside, question.box)
            chosen = select(photo(path).pixels, clicks, service.weights)
        except UNDOABLE as error:
            raise RefusedError(422, words(error, session)) from error
        found = keep_mask(session, chosen.mask)
        if question.found is None or question.corrected is None:
            return SelectionFacts(found=found, mask=found, by=chosen.by)
        before, by_hand = (read_mask(session.path(n), size) for n in (question.found, question.corrected))
        return SelectionFacts(
            found=found, mask=keep_mask(session, corrected(by_hand, chosen.mask, before)), by=chosen.by
        )

    return await service.threaded(session, work)


@router.post("/masks", openapi_extra={"requestBody": {"content": {"image/png": {}}}})
async def add_mask(
    request: Request, service: Serving, session: Visiting, picture: Annotated[str, Query(max_length=64)]
) -> MaskFacts:
    """Sends a mask that was painted on a view of an image, light where it is marked; it is scaled to the image."""
    data = await request.body()
    session.path(picture)
    return await service.threaded(session, lambda: painted(session, picture, data))


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
        try:
            found = find_landmarks(photo(path).pixels, question.count, question.face)
        except UNDOABLE as error:
            raise RefusedError(422, words(error, session)) from error
        return LandmarksFacts(points=[(float(x), float(y)) for x, y in found])

    return await service.threaded(session, work)
