"""Routes about the server: health, versions, the schema of recipes, the kinds of edits."""

from typing import Any

from fastapi import APIRouter

from ...recipes import recipe_schema
from ...recipes.recipe import versions
from ..answers import EditKind, Health
from ..kinds import edit_kinds
from ..service import Serving

router = APIRouter(tags=["server"])


@router.get("/health")
async def health(service: Serving) -> Health:
    """Whether the server is ready, and how many jobs wait and run."""
    states = [engine.status for engine in service.engines]
    waiting, running = service.queue.counts
    status = "ready" if "ready" in states else "loading" if "loading" in states else "failed"
    error = next((engine.error for engine in service.engines if engine.error), None)
    return Health(status=status, model=service.name, waiting=waiting, running=running, error=error)


@router.get("/version")
def version() -> dict[str, str]:
    """Versions of this package and of the libraries it builds on."""
    return versions()


@router.get("/schema")
def schema() -> dict[str, Any]:
    """JSON schema of recipes. In the API, images and masks are names of the session's."""
    return recipe_schema()


@router.get("/edits")
def kinds() -> list[EditKind]:
    """The kinds of edits that recipes may hold, with the fields of each: enough to offer a form for any of them."""
    return edit_kinds()
