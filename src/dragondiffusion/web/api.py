"""The HTTP API: what is asked, checked and answered. Work that takes time happens in threads of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

import anyio.to_thread
import torch
from anyio import CapacityLimiter
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from ..bench.demo import draw_case
from ..core.libraries import available
from ..imaging.masks import read_mask
from ..imaging.png import to_png
from ..pipeline.preview import preview
from ..recipes import Recipe, recipe_schema
from ..recipes.recipe import versions
from ..selection import Clicks, select
from ..selection.faces import find_landmarks
from . import exports
from .answers import (
    Bounds,
    ExportFacts,
    Health,
    JobFacts,
    JobQuestion,
    LandmarksFacts,
    LandmarksQuestion,
    MaskFacts,
    PictureFacts,
    RecipeQuestion,
    RestoredFacts,
    SceneFacts,
    SceneQuestion,
    SelectionFacts,
    SelectionQuestion,
    SessionFacts,
    Trouble,
)
from .engine import Engine
from .limits import Limits, RefusedError
from .pictures import corrected, encoded, inside, keep_mask, mask_facts, painted, photo, picture_facts, size_of, view
from .queue import Job, Queue
from .recipes import in_session, restored, words
from .sessions import Session, Sessions

T = TypeVar("T")
SCENE = (256, 256)
"""Height and width of drawn scenes, pixels. Source: chosen; edits of twice the size that the demo model was made for
take about as long, come nearly as near to the truth, and look sharper."""
SMALL = 50_000
"""Up to so many pixels previews are PNG, which is exact; above, WebP, which is small and quicker."""
BEAT = 0.05
"""Seconds between looks at a job whose events are followed."""
ALIVE = 15.0
"""Seconds after which a silent stream says that it is still there."""


@dataclass(eq=False)
class Service:
    """What the requests work on.

    Args:
        sessions: of all visitors.
        queue: their jobs.
        engines: what does them.
        limits: what may be asked.
        model: name of the checkpoint, as it is shown; None is the demo model.
        weights: a SAM 2 checkpoint for selections by clicks; None is GrabCut.
        at_once: previews and selections that are worked on at the same time.
    """

    sessions: Sessions
    queue: Queue
    engines: list[Engine]
    limits: Limits
    model: str | None = None
    weights: str | None = None
    at_once: int = 2
    _threads: CapacityLimiter | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.sessions.on_removal = self.queue.forget_session

    async def threaded(self, work: Callable[[], T]) -> T:
        """The outcome of work in a thread, a few at a time."""
        if self._threads is None:
            self._threads = CapacityLimiter(self.at_once)
        return await anyio.to_thread.run_sync(work, limiter=self._threads)

    def submit(self, session: Session, data: dict[str, Any], tries: int) -> Job:
        """Checks a job and lets it wait for its turn.

        Raises:
            RefusedError: if it cannot be done, or too many wait.
        """
        recipe = in_session(data, session)
        self.limits.check(recipe, tries)
        checked(recipe, session)
        return self.queue.put(Job(session, data, tries, seed=recipe.seed))

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.model or "demo model"

    def facts(self, token: str, session: Session) -> SessionFacts:
        """A session and what can be done in it."""
        limits = self.limits
        return SessionFacts(
            session=token,
            model=self.name,
            demo=self.model is None,
            limits=Bounds(
                bytes=limits.upload,
                pixels=limits.pixels,
                steps=limits.steps,
                tries=limits.tries,
                waiting=limits.waiting_each,
            ),
            masks=self.weights is not None or available("masks"),
            faces=available("faces"),
            pictures=[picture_facts(session, name) for name in session.names()],
            jobs=[self.queue.facts(job) for job in self.queue.of(session)],
        )


def checked(recipe: Recipe, session: Session) -> None:
    """Checks a recipe as far as that goes without a model.

    Raises:
        RefusedError: if it cannot be done (422).
    """
    try:
        recipe.check()
    except (ValueError, OSError) as error:
        raise RefusedError(422, words(error, session)) from error


def service_of(request: Request) -> Service:
    """What the requests of an application work on."""
    return request.app.state.service


Serving = Annotated[Service, Depends(service_of)]


def session_of(service: Serving, x_session: Annotated[str | None, Header()] = None) -> Session:
    """The session that a request belongs to."""
    return service.sessions.find(x_session)


Visiting = Annotated[Session, Depends(session_of)]

TROUBLES: dict[int | str, dict[str, Any]] = {
    code: {"model": Trouble, "description": text}
    for code, text in (
        (401, "The session is unknown or over."),
        (404, "There is nothing of that name in the session."),
        (413, "Too many bytes."),
        (422, "What is asked for cannot be done; says why."),
        (429, "Too many jobs of the session wait."),
        (503, "Too many jobs wait."),
    )
}
router = APIRouter(prefix="/api", responses=TROUBLES)


@router.get("/health", tags=["server"])
def health(service: Serving) -> Health:
    """How the server is."""
    states = [engine.status for engine in service.engines]
    waiting, running = service.queue.counts
    status = "ready" if "ready" in states else "loading" if "loading" in states else "failed"
    error = next((engine.error for engine in service.engines if engine.error), None)
    return Health(status=status, model=service.name, waiting=waiting, running=running, error=error)


@router.get("/version", tags=["server"])
def version() -> dict[str, str]:
    """Versions of this package and what it stands on."""
    return versions()


@router.get("/schema", tags=["server"])
def schema() -> dict[str, Any]:
    """JSON schema of recipes. In the API, pictures and masks are names of the session's."""
    return recipe_schema()


@router.post("/session", tags=["session"])
def begin_session(service: Serving) -> SessionFacts:
    """Begins a session. Its token goes into the header X-Session of all further requests."""
    return service.facts(*service.sessions.begin())


@router.get("/session", tags=["session"])
def read_session(service: Serving, session: Visiting, x_session: Annotated[str, Header()]) -> SessionFacts:
    """The pictures and jobs of a session, the oldest first."""
    return service.facts(x_session, session)


@router.delete("/session", tags=["session"], status_code=204)
def end_session(service: Serving, session: Visiting) -> None:
    """Ends a session and removes its files."""
    service.queue.forget_session(session.name)
    session.remove()


@router.post("/pictures", tags=["pictures"], openapi_extra={"requestBody": {"content": {"image/*": {}}}})
async def add_picture(
    request: Request, service: Serving, session: Visiting, title: Annotated[str, Query(max_length=200)] = "picture.png"
) -> PictureFacts:
    """Sends a picture's file, as the body of the request."""
    data = await request.body()

    def work() -> PictureFacts:
        name = session.add(data, title)
        return picture_facts(
            session, name, notes=[note.replace(str(session.path(name)), title) for note in _notes(session, name)]
        )

    return await service.threaded(work)


def _notes(session: Session, name: str) -> tuple[str, ...]:
    try:
        return photo(session.path(name)).notes
    except ValueError as error:
        raise RefusedError(422, words(error, session)) from error


@router.post("/scenes", tags=["pictures"])
async def add_scene(question: SceneQuestion, service: Serving, session: Visiting) -> SceneFacts:
    """Draws a scene like those that the demo model was trained on."""

    def work() -> SceneFacts:
        case = draw_case(question.seed % 10_000, SCENE, question.kind)
        points = getattr(case.edit, "points_from", ())
        name = session.add(to_png(case.before), f"scene {question.seed}.png")
        second = None
        if case.second is not None:
            second = picture_facts(session, session.add(to_png(case.second[0]), f"second scene {question.seed}.png"))
        facts = picture_facts(session, name, prompt=case.caption, landmarks=[(float(x), float(y)) for x, y in points])
        return SceneFacts(picture=facts, second=second)

    return await service.threaded(work)


@router.get("/pictures/{name}", tags=["pictures"], response_class=Response)
def read_picture(name: str, session: Visiting) -> Response:
    """A picture's file as it was sent."""
    path = session.path(name)
    headers = _attachment(session.title(name)) | KEPT
    return Response(path.read_bytes(), media_type=f"image/{path.suffix[1:]}", headers=headers)


@router.get("/pictures/{name}/view", tags=["pictures"], response_class=Response)
async def read_view(
    name: str, service: Serving, session: Visiting, side: Annotated[int, Query(ge=16, le=4096)] = 1600
) -> Response:
    """A picture or mask as browsers show it, upright, its longer side no longer than asked."""
    path = session.path(name)
    data, kind = await service.threaded(lambda: view(path, side))
    return Response(data, media_type=kind, headers=KEPT)


KEPT = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
"""Names are made from content, so that browsers need not ask again."""


def _attachment(title: str) -> dict[str, str]:
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in title)
    return {"Content-Disposition": f'attachment; filename="{plain}"', "X-Content-Type-Options": "nosniff"}


@router.post("/selections", tags=["masks"])
async def select_thing(question: SelectionQuestion, service: Serving, session: Visiting) -> SelectionFacts:
    """The mask of the thing that clicks mean. Corrections by hand are kept when further clicks are made."""
    path = session.path(question.picture)

    def work() -> SelectionFacts:
        size = size_of(path)
        inside([*question.points, *question.outside], size, "the point")
        try:
            clicks = Clicks(question.points, question.outside, question.box)
            chosen = select(photo(path).pixels, clicks, service.weights)
        except ValueError as error:
            raise RefusedError(422, words(error, session)) from error
        found = keep_mask(session, chosen.mask)
        if question.found is None or question.corrected is None:
            return SelectionFacts(found=found, mask=found, by=chosen.by)
        before, by_hand = (read_mask(session.path(n), size) for n in (question.found, question.corrected))
        return SelectionFacts(
            found=found, mask=keep_mask(session, corrected(by_hand, chosen.mask, before)), by=chosen.by
        )

    return await service.threaded(work)


@router.post("/masks", tags=["masks"], openapi_extra={"requestBody": {"content": {"image/png": {}}}})
async def add_mask(
    request: Request, service: Serving, session: Visiting, picture: Annotated[str, Query(max_length=64)]
) -> MaskFacts:
    """Sends a mask that was painted on a view of a picture, light where it is marked; it is scaled to the picture."""
    data = await request.body()
    session.path(picture)
    return await service.threaded(lambda: painted(session, picture, data))


@router.get("/masks/{name}", tags=["masks"])
async def read_mask_facts(name: str, service: Serving, session: Visiting) -> MaskFacts:
    """Where a mask is."""
    path = session.path(name)
    return await service.threaded(lambda: mask_facts(path))


@router.post("/landmarks", tags=["masks"])
async def landmarks(question: LandmarksQuestion, service: Serving, session: Visiting) -> LandmarksFacts:
    """The landmarks of a face in a photograph. Needs mediapipe, the extra `faces`."""
    path = session.path(question.picture)

    def work() -> LandmarksFacts:
        try:
            found = find_landmarks(photo(path).pixels, question.count, question.face)
        except (ValueError, OSError) as error:
            raise RefusedError(422, words(error, session)) from error
        return LandmarksFacts(points=[(float(x), float(y)) for x, y in found])

    return await service.threaded(work)


@router.post("/previews", tags=["edits"], response_class=Response)
async def make_preview(question: RecipeQuestion, service: Serving, session: Visiting) -> Response:
    """A rough picture, at once, of the part that a recipe changes, transparent where the picture stays.

    The header X-Box says which part: left, top, right, bottom in pixels.
    """

    def work() -> Response:
        recipe = in_session(question.recipe, session)
        service.limits.check(recipe, 1)
        try:
            with torch.inference_mode():
                # At a scale of its own: the model's may be coarse.
                made = preview(photo(session.path(question.recipe["image"])), recipe.edits, recipe.settings)
        except (ValueError, OSError) as error:
            raise RefusedError(422, words(error, session)) from error
        data, kind = encoded(made.image, "png" if made.alpha.size < SMALL else "webp")
        headers = {"X-Box": ",".join(f"{v:g}" for v in made.box), "Cache-Control": "no-store"}
        return Response(data, media_type=kind, headers=headers)

    return await service.threaded(work)


@router.post("/jobs", tags=["edits"], status_code=202)
async def add_job(question: JobQuestion, service: Serving, session: Visiting) -> JobFacts:
    """Asks for an edit. Answers at once; sessions take turns."""
    job = await service.threaded(lambda: service.submit(session, question.recipe, question.tries))
    return service.queue.facts(job)


@router.get("/jobs/{name}", tags=["edits"])
def read_job(name: str, service: Serving, session: Visiting) -> JobFacts:
    """How far a job is, or what came of it."""
    return service.queue.facts(service.queue.find(session, name))


@router.get("/jobs/{name}/events", tags=["edits"], response_class=StreamingResponse)
async def follow_job(name: str, request: Request, service: Serving, session: Visiting) -> StreamingResponse:
    """A job whenever something changes (server-sent events named `job`); ends with the job."""
    job = service.queue.find(session, name)

    async def events() -> AsyncIterator[str]:
        known, silent = (-1, -1), 0.0
        while not await request.is_disconnected():
            over = job.is_over
            state = (job.version, service.queue.position(job))
            silent += BEAT
            if state != known:
                known, silent = state, 0.0
                yield f"event: job\ndata: {service.queue.facts(job).model_dump_json()}\n\n"
            elif silent > ALIVE:
                silent = 0.0
                yield ": still there\n\n"
            if over:
                return
            await asyncio.sleep(BEAT)

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.get("/jobs/{name}/frame", tags=["edits"], response_class=Response)
def read_frame(name: str, service: Serving, session: Visiting) -> Response:
    """What a running job has so far, of the part in the header X-Box."""
    frame = service.queue.find(session, name).frame
    if frame is None:
        raise RefusedError(404, "the job has no picture yet; ask again when `frames` has grown")
    return Response(frame[0], media_type="image/jpeg", headers={"X-Box": frame[1], "Cache-Control": "no-store"})


@router.post("/jobs/{name}/cancel", tags=["edits"])
def cancel_job(name: str, service: Serving, session: Visiting) -> JobFacts:
    """Stops a job: at once if it waits, within one step if it runs."""
    job = service.queue.find(session, name)
    service.queue.cancel(job)
    return service.queue.facts(job)


@router.delete("/jobs/{name}", tags=["edits"], status_code=204)
def forget_job(name: str, service: Serving, session: Visiting) -> None:
    """Stops a job and forgets it."""
    service.queue.forget(service.queue.find(session, name))


@router.get("/jobs/{name}/result", tags=["edits"], response_class=Response)
def read_result(name: str, service: Serving, session: Visiting) -> Response:
    """The edited picture at full resolution: a PNG that carries its recipe."""
    job = service.queue.find(session, name)
    if job.result is None:
        raise RefusedError(
            404, f"the job has no result: it is {job.state}{'' if job.error is None else f', {job.error}'}"
        )
    return read_picture(job.result, session)


@router.post("/recipes", tags=["recipes"], openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}})
async def restore(request: Request, service: Serving, session: Visiting) -> RestoredFacts:
    """Takes a recipe's JSON, or a PNG that carries one, as the body; keeps its pictures and masks in the session."""
    data = await request.body()
    return await service.threaded(lambda: restored(data, session, service.name))


@router.post("/exports", tags=["recipes"])
async def export(question: RecipeQuestion, service: Serving, session: Visiting) -> ExportFacts:
    """A recipe for use elsewhere: as JSON, as Python, as a command."""

    def work() -> ExportFacts:
        recipe = in_session(question.recipe, session)
        files = exports.Files.of(recipe, session)
        return ExportFacts(
            recipe=exports.recipe_json(recipe, session),
            python=exports.python_code(recipe, files, service.model),
            command=exports.command_line(recipe, files, service.model),
            files=[*files.names.values()],
        )

    return await service.threaded(work)


@router.post("/exports/files", tags=["recipes"], response_class=Response)
async def export_files(question: RecipeQuestion, service: Serving, session: Visiting) -> Response:
    """The pictures and masks that the exported Python and command name, and the recipe, in a ZIP archive."""

    def work() -> bytes:
        recipe = in_session(question.recipe, session)
        return exports.zipped(recipe, session, exports.Files.of(recipe, session))

    data = await service.threaded(work)
    return Response(data, media_type="application/zip", headers=_attachment("edit.zip"))
