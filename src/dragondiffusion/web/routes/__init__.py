"""The HTTP API: one module for each group of routes. Work that takes time runs in threads of its own."""

from typing import Any

from fastapi import APIRouter

from ..answers import Trouble
from . import images, jobs, masks, recipes, server, session

TROUBLES: dict[int | str, dict[str, Any]] = {
    code: {"model": Trouble, "description": text}
    for code, text in (
        (401, "The session is unknown or over."),
        (404, "The session has nothing of that name."),
        (413, "Too many bytes."),
        (422, "The request cannot be done; the answer says why."),
        (429, "Too many jobs of the session wait."),
        (503, "Too many jobs wait."),
    )
}
router = APIRouter(prefix="/api", responses=TROUBLES)
for group in (server, session, images, masks, jobs, recipes):
    router.include_router(group.router)
