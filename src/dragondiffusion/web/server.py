"""The application: API, page and their documentation behind one address, and running it."""

import logging
import os
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from filelock import FileLock, Timeout
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from .. import __version__
from .assets import STATIC
from .connections import Connection
from .engine import FAULT
from .guard import Guard
from .headers import SecurityHeaders
from .limits import RefusedError, encodable
from .recipes import FULL, is_full
from .routes import router
from .service import Service

LOG = logging.getLogger(__name__)
SWEEP = 600.0
"""Seconds between looks for sessions that are over."""
THREADS = 8
"""Short requests that are answered at once. More threads would keep the loop that answers all others waiting."""
SWITCH = 0.001
"""Seconds after which a thread that computes lets others go on, see `sys.setswitchinterval`; Python's 0.005 add up."""
BACKLOG = 128
"""Connections that wait to be accepted; so many are accepted at once, before others are answered."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""Names under which a server is reached that only this machine reaches."""


def application(service: Service, hosts: Sequence[str] = LOOPBACK, page: bool = True, root_path: str = "") -> ASGIApp:
    """The web application, behind what refuses requests that should not reach it.

    Args:
        service: what it works on; its engines start with it.
        hosts: names under which it may be reached, so that no other page can make a browser talk to it by renaming
            its own host; ("*",) for all.
        page: with the page and Gradio's API, not only the HTTP API.
        root_path: at which a proxy shows it.
    """
    app = _routed(service)
    app.root_path = root_path
    guarded = Guard(app, service.limits, service.sessions, _names(hosts), root_path)
    if page:
        # Gradio's files are ours alone, and are found again after a server was killed. It reads this on import.
        os.environ["GRADIO_TEMP_DIR"] = str(service.sessions.root.absolute().with_name("uploads"))
        from .page import check_uploads, mounted, sweep_uploads

        sweep_uploads(0.0)
        guarded.app = mounted(app, service)
        guarded.before_upload = partial(check_uploads, service.limits.session_bytes)
        service.on_sweep = sweep_uploads
    return SecurityHeaders(TrustedHostMiddleware(guarded, allowed_hosts=list(hosts)))


def _names(hosts: Sequence[str]) -> list[str]:
    """Names of a server that are not those of every machine."""
    return [host for host in hosts if host not in ("*", *LOOPBACK)]


def _routed(service: Service) -> FastAPI:
    """The HTTP API."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
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
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unparsed)
    app.add_exception_handler(OSError, partial(_unwritten, service))
    app.add_exception_handler(Exception, _failed)
    app.include_router(router)
    _add_documentation(app)
    app.mount("/page", GZipMiddleware(StaticFiles(directory=STATIC), minimum_size=1000), name="page")
    return app


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    headers = {"Retry-After": "10"} if error.status == 429 else None
    return JSONResponse({"detail": error.sentence}, error.status, headers)


async def _unparsed(request: Request, error: Exception) -> Response:
    """A body that cannot be parsed, which FastAPI answers in a way of its own; others as they are."""
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        return JSONResponse({"detail": "the body is no JSON in UTF-8, or nested too deeply; correct it"}, 422)
    return await http_exception_handler(request, error)


def _unwritten(service: Service, request: Request, error: Exception) -> JSONResponse:
    """A file that cannot be read or written: because its session ended meanwhile, or the disk is full."""
    if is_full(error):
        return JSONResponse({"detail": FULL}, 507)
    try:
        service.sessions.find(request.headers.get("x-session"))
    except RefusedError as refused:
        return _refused(request, refused)
    raise error


def _failed(_: Request, __: Exception) -> JSONResponse:
    """A fault of ours; it goes on to the log."""
    return JSONResponse({"detail": FAULT}, 500, {"Connection": "close"})  # which uvicorn does after a fault


def _invalid(_: Request, error: Exception) -> JSONResponse:
    """A request of the wrong form, in a sentence."""
    assert isinstance(error, RequestValidationError)
    parts = [f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()[:5]]
    return JSONResponse({"detail": encodable("; ".join(parts))}, 422)


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
        for sweep in (service.sessions.sweep, service.on_sweep):
            try:
                sweep()
            except OSError:  # such as a folder that somebody takes away meanwhile; the next time it is looked at again
                LOG.exception("old files cannot be removed")


def locked(folder: Path) -> FileLock:
    """The lock of a server on its folder; released when the process ends, however it does.

    Raises:
        ValueError: if another server works there.
        OSError: if the folder cannot be written.
    """
    lock = FileLock(folder / "lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire()
    except Timeout as error:
        raise ValueError(f"--data {folder} is used by another server; stop that one or name another folder") from error
    except OSError as error:
        raise OSError(f"--data {folder} cannot be written ({error.strerror}); name another folder") from error
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
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(f"--host {host} --port {port} cannot be used ({error.strerror}); choose another port") from error
    return listening


def serve(app: Any, listening: socket.socket) -> None:
    """Answers requests until the process is asked to stop."""
    sys.setswitchinterval(SWITCH)
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        log_level="error",  # its warnings are of requests that are none, as many as clients like
        timeout_graceful_shutdown=5,
        server_header=False,
        backlog=BACKLOG,
    )
    uvicorn.Server(config).run(sockets=[listening])
