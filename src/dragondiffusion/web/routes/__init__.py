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
        (403, "The request comes from a page of another server."),
        (408, "The body came too slowly."),
        (413, "Too many bytes."),
        (415, "A type that pages of other servers can send."),
        (422, "The request cannot be done; the answer says why."),
        (429, "Too much is asked for at this moment: jobs, sessions, streams, uploads; try again later."),
        (507, "The disk of the server is full."),
    )
}
router = APIRouter(prefix="/api", responses=TROUBLES)
for group in (server, session, images, masks, jobs, recipes):
    router.include_router(group.router)
