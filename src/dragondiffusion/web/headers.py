"""Headers of every answer: what a browser may do with it, and that no other page may show or read it."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
DATA_POLICY = "default-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox"
"""Content-Security-Policy of images and JSON: opened by themselves they can do nothing."""
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:; object-src 'none'; frame-ancestors 'self'; base-uri 'self'; form-action 'self'"
)
"""Content-Security-Policy of pages: nothing is loaded from other servers, and nothing sent there. Gradio builds its
page with inline scripts and evaluates the code of components."""


HASHED = re.compile(r"/assets/[\w.-]+-[\w-]{8}\.\w+")
"""Gradio's scripts and styles whose names are made from their content: browsers need not ask for them again."""
LASTING = "public, max-age=31536000, immutable"


class SecurityHeaders:
    """Adds the headers.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_lasting = HASHED.fullmatch(scope["path"]) is not None
        is_data = scope["path"].startswith("/api/") and not scope["path"].startswith("/api/swagger/")

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers[name] = value
                if is_lasting and message["status"] == 200:
                    headers["Cache-Control"] = LASTING
                headers["Content-Security-Policy"] = DATA_POLICY if is_data else PAGE_POLICY
            await send(message)

        await self.app(scope, receive, headed)
