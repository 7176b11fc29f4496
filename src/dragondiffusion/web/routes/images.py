"""Routes of images: upload, drawn scenes, files and views."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from ...bench.demo import draw_case
from ...imaging.png import to_png
from ..answers import PictureFacts, SceneFacts, SceneQuestion
from ..downloads import IMMUTABLE, image_file
from ..limits import RefusedError
from ..masks import full_mask
from ..pictures import photo, picture_facts, view
from ..recipes import words
from ..service import Serving, Visiting
from ..sessions import Session

SCENE = (256, 256)
"""Height and width of drawn scenes, pixels. Source: chosen; edits of twice the size that the demo model was made for
take about as long, come nearly as near to the truth, and look sharper."""

router = APIRouter(tags=["pictures"])


@router.post("/pictures", openapi_extra={"requestBody": {"content": {"image/*": {}}}})
async def add_picture(
    request: Request, service: Serving, session: Visiting, title: Annotated[str, Query(max_length=255)] = "picture.png"
) -> PictureFacts:
    """Sends the file of an image, as the body of the request."""
    data = await request.body()

    def work() -> PictureFacts:
        name = session.add(data, title)
        return picture_facts(
            session, name, notes=[note.replace(str(session.path(name)), title) for note in _notes(session, name)]
        )

    return await service.threaded(session, work)


def _notes(session: Session, name: str) -> tuple[str, ...]:
    try:
        return photo(session.path(name)).notes
    except ValueError as error:
        raise RefusedError(422, words(error, session)) from error


@router.post("/scenes")
async def add_scene(question: SceneQuestion, service: Serving, session: Visiting) -> SceneFacts:
    """Draws a scene like those that the demo model was trained on."""

    def work() -> SceneFacts:
        case = draw_case(question.seed % 10_000, SCENE, question.kind)
        points = getattr(case.edit, "points_from", ())
        name = session.add(to_png(case.before), f"scene {question.seed}.png")
        session.mark_drawn(name)
        second = None
        if case.second is not None:
            other = session.add(to_png(case.second[0]), f"second scene {question.seed}.png")
            session.mark_drawn(other)
            second = picture_facts(session, other)
        facts = picture_facts(session, name, prompt=case.caption, landmarks=[(float(x), float(y)) for x, y in points])
        return SceneFacts(picture=facts, second=second)

    return await service.threaded(session, work)


@router.get("/pictures/{name}", response_class=Response)
async def read_picture(name: str, service: Serving, session: Visiting) -> Response:
    """The file of an image as it was sent; a mask at the size of its image."""
    session.path(name)
    return await service.threaded(session, lambda: image_file(session, full_mask(session, name).name))


@router.get("/pictures/{name}/view", response_class=Response)
async def read_view(
    name: str, service: Serving, session: Visiting, side: Annotated[int, Query(ge=16, le=4096)] = 1600
) -> Response:
    """An image or mask as browsers show it, upright, its longer side no longer than asked."""
    path = session.path(name)
    data, kind = await service.threaded(session, lambda: view(path, side))
    return Response(data, media_type=kind, headers=IMMUTABLE)
