"""Routes of recipes: restoring them, and exporting them for use elsewhere."""

from fastapi import APIRouter, Request, Response

from .. import exports
from ..answers import ExportFacts, RecipeQuestion, RestoredFacts
from ..downloads import attachment
from ..recipes import at_full_size, in_session, restored
from ..service import Serving, Visiting

router = APIRouter(tags=["recipes"])


@router.post("/recipes", openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}})
async def restore(request: Request, service: Serving, session: Visiting) -> RestoredFacts:
    """Restores the recipe in the body: JSON, or a PNG that contains one. Its images and masks become the session's."""
    data = await request.body()
    return await service.threaded(session, lambda: restored(data, session, service.name))


@router.post("/exports")
async def export(question: RecipeQuestion, service: Serving, session: Visiting) -> ExportFacts:
    """A recipe for use elsewhere: as JSON, as Python, as a command."""

    def work() -> ExportFacts:
        recipe = at_full_size(in_session(question.recipe, session), session)
        files = exports.Files.of(recipe, session)
        return ExportFacts(
            recipe=exports.recipe_json(recipe, session),
            python=exports.python_code(recipe, files, service.model),
            command=exports.command_line(recipe, files, service.model),
            files=[*files.names.values()],
        )

    return await service.threaded(session, work)


@router.post("/exports/files", response_class=Response)
async def export_files(question: RecipeQuestion, service: Serving, session: Visiting) -> Response:
    """The images and masks that the exported Python and command name, and the recipe, in a ZIP archive."""

    def work() -> bytes:
        recipe = at_full_size(in_session(question.recipe, session), session)
        return exports.zipped(recipe, session, exports.Files.of(recipe, session))

    data = await service.threaded(session, work)
    return Response(data, media_type="application/zip", headers=attachment("edit.zip"))
