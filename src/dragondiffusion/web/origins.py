"""Which requests are answered: those of our own pages and of programs, never those of pages of other servers."""

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from .limits import RefusedError

READING = ("GET", "HEAD")
"""Methods that change nothing."""
FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
"""Types of bodies that a browser sends to other servers without asking them first. Source: the Fetch standard,
"CORS-safelisted request-header"."""
SEGMENT = 255
"""Bytes of one part of a path; no file or thing has a longer name."""
GRADIO = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|robots\.txt|manifest\.json)/?|/(assets|static|svelte)/.*"
    r"|/gradio_api/((info|upload|upload_progress|app_id|startup-events|login_check|user|token|reset|cancel)/?"
    r"|(call|queue|heartbeat|run|api)/.*|file=/.*|file=[A-Za-z]:.*)"
)
"""Paths of Gradio that its page and its clients need. Others (fetching addresses for clients, monitoring, logins,
recordings of runs, reloading of code) are not there."""


def check_path(path: str) -> None:
    """Checks that a path can be that of something.

    Raises:
        RefusedError: if it cannot (404).
    """
    ours = path == "/api" or path.startswith(("/api/", "/page/"))
    odd = any(ord(c) < 32 or ord(c) == 127 for c in path) or "://" in path
    if odd or any(len(part.encode(errors="replace")) > SEGMENT for part in path.split("/")):
        raise RefusedError(404, "there is nothing of that name; correct the address")
    if not ours and not GRADIO.fullmatch(path):
        raise RefusedError(404, "there is nothing at this address; the page is at /, its interface at /api")


def check_origin(method: str, path: str, headers: Mapping[str, str], names: Collection[str]) -> None:
    """Checks that a request does not come from a page of another server.

    Browsers say with `Sec-Fetch-Site` and `Origin` whose page asks, and pages cannot change what they say. Programs
    send neither. Foreign pages may lead to ours (a link), and nothing else.

    Args:
        method: of the request.
        path: of the request.
        headers: of the request, names in lower case.
        names: further names of this server, such as that of a proxy before it.

    Raises:
        RefusedError: if it does (403), or has a type that needs no asking (415).
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    own = site in ("same-origin", "none") if site else origin is None or _is_own(origin, headers.get("host"), names)
    is_link = site is not None and method in READING and headers.get("sec-fetch-mode") == "navigate"
    if not own and not is_link:
        raise RefusedError(
            403,
            "the request comes from a page of another server; open this server's own page, use a program, or name the "
            "proxy before it with --allow-host",
        )
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if method not in READING and kind in FORMS and path.startswith("/api"):
        raise RefusedError(
            415, f"a body of type {kind} is not taken; say what it is: application/json, or image/png for a file"
        )


def _is_own(origin: str, host: str | None, names: Collection[str]) -> bool:
    """Whether the origin of a page is this server, as far as the request tells."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return bool(parts.netloc) and (parts.netloc == host or parts.hostname in names)
