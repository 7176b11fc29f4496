"""Answers that are files, and the headers they carry."""

from fastapi import Response

from .sessions import Session

IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
"""For files named after their content, which browsers need not ask for again."""


def attachment(title: str) -> dict[str, str]:
    """Headers of a file that the browser saves under a title."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in title)
    return {"Content-Disposition": f'attachment; filename="{plain}"', "X-Content-Type-Options": "nosniff"}


def image_file(session: Session, name: str) -> Response:
    """The file of an image as it was sent.

    Raises:
        RefusedError: if the session has no image of that name (404).
    """
    path = session.path(name)
    headers = attachment(session.title(name)) | IMMUTABLE
    return Response(path.read_bytes(), media_type=f"image/{path.suffix[1:]}", headers=headers)
