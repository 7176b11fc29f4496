"""The application: API, page and their documentation behind one address, and running it."""

import socket
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from filelock import FileLock, Timeout
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import __version__
from .assets import STATIC
from .limits import RefusedError
from .routes import router
from .service import Service

SWEEP = 600.0
"""Seconds between looks for sessions that are over."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "testserver")
"""Names under which a server is reached that only this machine reaches."""


class TooMuch:
    """Refuses requests whose body has too many bytes, without keeping more of it than that.

    Args:
        app: what answers the others.
        most: bytes.
    """

    DRAINED = 4
    """So many times as much is read and thrown away, so that a client who is still sending hears why."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api"):
            await self.app(scope, receive, send)
            return
        sentence = f"the request has more than {self.most / 2**20:.0f} MB; scale the image down or store it smaller"
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self.most:
            await self._drain(receive, 0)
            await JSONResponse({"detail": sentence}, 413, {"Connection": "close"})(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                if message.get("more_body"):
                    await self._drain(receive, seen)
                raise HTTPException(413, sentence)
            return message

        await self.app(scope, counted, send)

    async def _drain(self, receive: Receive, seen: int) -> None:
        while seen <= self.DRAINED * self.most:
            message = await receive()
            seen += len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body"):
                return


def application(service: Service, hosts: Sequence[str] = LOOPBACK, page: bool = True) -> FastAPI:
    """The web application.

    Args:
        service: what it works on; its engines start with it.
        hosts: names under which it may be reached, so that no other page can make a browser talk to it by renaming
            its own host; ("*",) for all.
        page: with the page and Gradio's API, not only the HTTP API.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        service.queue.recover(service.sessions)
        for engine in service.engines:
            engine.start()
        ended = threading.Event()
        threading.Thread(target=_sweeping, args=(service, ended), daemon=True).start()
        yield
        ended.set()
        service.queue.close()
        for engine in service.engines:
            engine.join(10.0)

    app = FastAPI(
        title="dragondiffusion",
        version=__version__,
        description="Drag-style editing of images. Begin a session, send images, ask for edits.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.service = service
    app.add_middleware(TooMuch, most=service.limits.upload)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.include_router(router)
    _add_documentation(app)
    app.mount("/page", StaticFiles(directory=STATIC), name="page")
    if page:
        from .page import mounted

        return mounted(app, service)
    return app


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    return JSONResponse({"detail": error.sentence}, error.status)


def _invalid(_: Request, error: Exception) -> JSONResponse:
    """A request of the wrong form, in a sentence."""
    assert isinstance(error, RequestValidationError)
    parts = [f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()[:5]]
    return JSONResponse({"detail": "; ".join(parts)}, 422)


def _add_documentation(app: FastAPI) -> None:
    """A page of the API that loads nothing from elsewhere."""
    from swagger_ui_bundle import swagger_ui_path

    app.mount("/api/swagger", StaticFiles(directory=str(swagger_ui_path)), name="swagger")

    @app.get("/api", include_in_schema=False)
    def documentation(request: Request) -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        root = request.scope.get("root_path", "").rstrip("/")
        return get_swagger_ui_html(
            openapi_url=f"{root}/api/openapi.json",
            title="dragondiffusion: HTTP API",
            swagger_js_url=f"{root}/api/swagger/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/api/swagger/swagger-ui.css",
            swagger_favicon_url=f"{root}/api/swagger/favicon-32x32.png",
        )


def _sweeping(service: Service, ended: threading.Event) -> None:
    while not ended.wait(SWEEP):
        service.sessions.sweep()


def locked(folder: Path) -> FileLock:
    """The lock of a server on its folder; released when the process ends, however it does.

    Raises:
        ValueError: if another server works there.
        OSError: if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ValueError(f"--data {folder} is used by another server; stop that one or name another folder") from error
    return lock


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OSError: if the address is taken; says what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is said, because asyncio asks for it before it lets small packets go at once (TCP_NODELAY).
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise OSError(f"--host {host} --port {port} cannot be used ({error.strerror}); choose another port") from error
    return listening


def serve(app: Any, listening: socket.socket) -> None:
    """Answers requests until the process is asked to stop."""
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])
