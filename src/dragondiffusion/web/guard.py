"""The guard before the application: whose requests are answered, how much they send, how many streams they follow."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .bodies import Body, Intake
from .limits import Limits, RefusedError
from .origins import check_origin, check_path
from .sessions import Sessions

STREAMS = re.compile(r"/api/jobs/[^/]*/events|/gradio_api/(heartbeat/.*|queue/data|call/.*/.*)")
"""Routes whose answers last."""
OPEN = ("/api/session", "/api/session/")
"""Routes of the API that change something without a session: the one that begins it."""
AT_ONCE = 2
"""Largest bodies that the server holds at once, those of all requests together."""


class Guard:
    """Refuses what should not reach the application.

    Args:
        app: what answers the others.
        limits: of the server.
        sessions: of all visitors.
        names: further names of this server, such as that of a proxy before it.
        root_path: path at which a proxy shows the server.
    """

    def __init__(
        self, app: ASGIApp, limits: Limits, sessions: Sessions, names: Collection[str] = (), root_path: str = ""
    ) -> None:
        self.app, self.limits, self.sessions, self.names = app, limits, sessions, frozenset(names)
        self.root_path = root_path
        self.before_upload: Callable[[], None] = lambda: None
        """Called before a file is sent to Gradio; raises `RefusedError` if it may not be."""
        self._intake = Intake(AT_ONCE * limits.upload)
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        path = scope["path"]
        if self.root_path and path.startswith(f"{self.root_path}/"):
            path = path[len(self.root_path) :]
        announced = headers.get("content-length", "")
        body = Body(receive, path, int(announced) if announced.isdecimal() else None, self.limits, self._intake)
        answer = _Answer(send, body)
        try:
            self._check(scope["method"], path, headers)
            if body.refusal is None:
                with self._stream(path, headers.get("x-session", "")):
                    await self.app(scope, body.receive, answer.send)
        except RefusedError as error:
            body.refusal = error
        except Exception:
            if body.refusal is None:  # else it is what became of an application whose request ended before its time
                raise
        finally:
            body.release()
        if body.refusal is not None and not answer.begun:
            await body.drain()
            more = {"Connection": "close"} if not body.is_complete else {}
            more |= {"Retry-After": "10"} if body.refusal.status == 429 else {}
            response = JSONResponse({"detail": body.refusal.sentence}, body.refusal.status, more)
            await response(scope, receive, send)

    def _check(self, method: str, path: str, headers: Headers) -> None:
        """Checks what can be checked before a byte of the body is read."""
        check_path(path)
        check_origin(method, path, headers, self.names)
        if method not in ("GET", "HEAD", "OPTIONS") and path.startswith("/api/") and path not in OPEN:
            self.sessions.find(headers.get("x-session"))
        if path.rstrip("/") == "/gradio_api/upload":
            self.before_upload()

    @contextmanager
    def _stream(self, path: str, token: str) -> Generator[None]:
        """Context manager: counts answers that last."""
        if not STREAMS.fullmatch(path):
            yield
            return
        who = token if path.startswith("/api/") else "gradio"
        if self._streams[who] >= self.limits.streams or self._streams.total() >= 8 * self.limits.streams:
            raise RefusedError(429, f"{self._streams[who]} streams are open already; close one first")
        self._streams[who] += 1
        try:
            yield
        finally:
            self._streams[who] -= 1
            if not self._streams[who]:
                del self._streams[who]


class _Answer:
    """An answer as the application sends it; nothing is sent once the request is refused.

    Args:
        send: sends it.
        body: of the request.
    """

    def __init__(self, send: Send, body: Body) -> None:
        self._send, self._body, self.begun = send, body, False

    async def send(self, message: Message) -> None:
        """Sends a part of it."""
        if self._body.refusal is not None and not self.begun:
            return
        self.begun = True
        await self._send(message)
