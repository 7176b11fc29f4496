"""Routes of the session: begin, read, end."""

from typing import Annotated

from fastapi import APIRouter, Header, Request

from ..answers import SessionFacts
from ..service import Serving, Visiting

router = APIRouter(tags=["session"])


@router.post("/session")
def begin_session(request: Request, service: Serving) -> SessionFacts:
    """Begins a session. Its token goes into the header X-Session of all further requests."""
    return service.facts(*service.sessions.begin("" if request.client is None else request.client.host))


@router.get("/session")
def read_session(service: Serving, session: Visiting, x_session: Annotated[str, Header()]) -> SessionFacts:
    """The images and jobs of a session, the oldest first."""
    return service.facts(x_session, session)


@router.delete("/session", status_code=204)
def end_session(service: Serving, session: Visiting) -> None:
    """Ends a session and removes its files."""
    service.sessions.end(session)
