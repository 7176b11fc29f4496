"""Routes of edits: previews, and jobs with their progress, frames and results."""

import asyncio
from collections.abc import AsyncIterator

import torch
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from ...pipeline.preview import preview
from ..answers import JobFacts, JobQuestion, PaintQuestion, PictureFacts, RecipeQuestion
from ..downloads import image_file
from ..limits import RefusedError
from ..painted_back import painted_back
from ..pictures import encoded, picture_facts
from ..recipes import explained, in_session
from ..reduced import reduced_recipe
from ..service import Serving, Visiting

SMALL = 50_000
"""Up to so many pixels previews are PNG, which is exact; above, WebP, which is small and quicker."""
POLL = 0.05
"""Seconds between looks at a job whose events are followed."""
ALIVE = 15.0
"""Seconds after which a silent stream sends a sign of life."""

router = APIRouter(tags=["edits"])


@router.post("/previews", response_class=Response)
async def make_preview(question: RecipeQuestion, service: Serving, session: Visiting) -> Response:
    """The rough edit, without the model: the part that a recipe changes, transparent where the image stays.

    The header X-Box says which part: left, top, right, bottom in pixels.
    """

    def work() -> Response:
        recipe = in_session(question.recipe, session)
        service.limits.check(recipe, 1)
        with explained(session), torch.inference_mode():
            small = reduced_recipe(recipe)
            made = preview(small.photo, small.edits, recipe.settings, service.preview_grids)
        data, kind = encoded(made.image, "png" if made.alpha.size < SMALL else "webp")
        headers = {"X-Box": ",".join(f"{v / small.factor:g}" for v in made.box), "Cache-Control": "no-store"}
        return Response(data, media_type=kind, headers=headers)

    return await service.threaded(session, work)


@router.post("/jobs", status_code=202)
async def add_job(question: JobQuestion, service: Serving, session: Visiting) -> JobFacts:
    """Asks for an edit. Answers at once; sessions take turns."""
    job = await service.threaded(session, lambda: service.submit(session, question.recipe, question.tries))
    return service.queue.facts(job)


@router.get("/jobs/{name}")
def read_job(name: str, service: Serving, session: Visiting) -> JobFacts:
    """The progress of a job, or its result."""
    return service.queue.facts(service.queue.find(session, name))


@router.get("/jobs/{name}/events", response_class=StreamingResponse)
async def follow_job(name: str, request: Request, service: Serving, session: Visiting) -> StreamingResponse:
    """A job whenever something changes (server-sent events named `job`); ends with the job."""
    job = service.queue.find(session, name)

    async def events() -> AsyncIterator[str]:
        known, silent = (-1, -1), 0.0
        while not await request.is_disconnected():
            over = job.is_over
            state = (job.version, service.queue.position(job))
            silent += POLL
            if state != known:
                known, silent = state, 0.0
                yield f"event: job\ndata: {service.queue.event(job)}\n\n"
            elif silent > ALIVE:
                silent = 0.0
                yield ": still there\n\n"
            if over:
                return
            await asyncio.sleep(POLL)

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.get("/jobs/{name}/frame", response_class=Response)
def read_frame(name: str, service: Serving, session: Visiting) -> Response:
    """The intermediate image of a running job, of the part in the header X-Box."""
    frame = service.queue.find(session, name).frame
    if frame is None:
        raise RefusedError(404, "the job has no image yet; ask again when `frames` has grown")
    return Response(frame[0], media_type="image/jpeg", headers={"X-Box": frame[1], "Cache-Control": "no-store"})


@router.post("/jobs/{name}/cancel")
def cancel_job(name: str, service: Serving, session: Visiting) -> JobFacts:
    """Stops a job: at once if it waits, within one step if it runs."""
    job = service.queue.find(session, name)
    service.queue.cancel(job)
    return service.queue.facts(job)


@router.delete("/jobs/{name}", status_code=204)
def forget_job(name: str, service: Serving, session: Visiting) -> None:
    """Stops a job and forgets it."""
    service.queue.forget(service.queue.find(session, name))


@router.get("/jobs/{name}/result", response_class=Response)
def read_result(name: str, service: Serving, session: Visiting) -> Response:
    """The edited image at full resolution: a PNG that contains its recipe."""
    job = service.queue.find(session, name)
    if job.result is None:
        raise RefusedError(
            404, f"the job has no result: it is {job.state}{'' if job.error is None else f', {job.error}'}"
        )
    return image_file(session, job.result)


@router.post("/jobs/{name}/painted")
async def paint_back(name: str, question: PaintQuestion, service: Serving, session: Visiting) -> PictureFacts:
    """The result with the input painted back where a mask is light, as an image of the session at full resolution.

    Its PNG contains the recipe of the result, and says that the input was painted back.
    """
    job = service.queue.find(session, name)

    def work() -> PictureFacts:
        with explained(session):
            return picture_facts(session, painted_back(job, question.mask))

    return await service.threaded(session, work)
