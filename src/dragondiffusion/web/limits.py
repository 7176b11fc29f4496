"""Limits of the requests of one visitor, and of all visitors together."""

from dataclasses import dataclass, fields
from typing import Any, cast

from ..edits.base import Edit
from ..recipes import Recipe


def encodable(text: str) -> str:
    """A text without what UTF-8 does not know: halves of surrogate pairs, which JSON can name."""
    return text.encode(errors="replace").decode()


class RefusedError(Exception):
    """A request that is answered with an HTTP error.

    Args:
        status: HTTP status code.
        sentence: the reason, and the remedy.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = encodable(sentence)


@dataclass(frozen=True)
class Limits:
    """The limits of a server.

    Args:
        upload: bytes of one request.
        pixels: of one image.
        steps: of one run, repeated ones counted.
        edits: in one recipe.
        points: in one edit.
        tries: seeds of one job.
        waiting: jobs that wait, of all sessions.
        waiting_each: of one session.
        sessions: that are kept; for a new one an empty, unused one is removed, and no other.
        sessions_each: of them, that were begun from one address.
        recipe: bytes of a request whose body is a recipe.
        values: numbers and texts in it; counted before it is parsed.
        streams: answers that last, of one session.
        seconds: that a preview, a selection or the check of a job may take.
        session_bytes: of the files of one session.
        files: of one session.
        jobs_bytes: of the recipes of all jobs that are kept, of one session a quarter of it; they are held in memory.
        hours: after which an unused session is removed.
        kept: inverted images that stay in memory, so that the next edit of an image starts at once.
        kept_bytes: memory that they may take.

    Raises:
        ValueError: if one is not positive.

    Source: chosen; an image of 50 megapixels is one of a good camera.
    """

    upload: int = 64 * 2**20
    pixels: int = 50_000_000
    steps: int = 300
    edits: int = 32
    points: int = 1000
    tries: int = 8
    waiting: int = 64
    waiting_each: int = 8
    sessions: int = 1000
    sessions_each: int = 250
    recipe: int = 8 * 2**20
    values: int = 50_000
    streams: int = 16
    seconds: float = 20.0
    session_bytes: int = 2 * 2**30
    files: int = 5000
    jobs_bytes: int = 2**28
    hours: float = 24.0
    kept: int = 8
    kept_bytes: int = 2**30

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"{field.name}={getattr(self, field.name)} must be positive")

    def check(self, recipe: Recipe, tries: int) -> None:
        """Checks that a job is not too much.

        Raises:
            RefusedError: if it is (422); says what to ask for instead.
        """
        settings = recipe.settings
        passes = sum(settings.passes(i, i / settings.steps) for i in range(min(settings.steps, self.steps + 1)))
        asked = {
            "steps": (max(settings.steps * settings.inversion_iterations, passes), self.steps),
            "tries": (tries, self.tries),
            "the number of edits": (len(recipe.edits), self.edits),
            "the number of points": (max(_points(edit) for edit in recipe.edits), self.points),
            "energy_grid": (settings.energy_grid, 4),
            "working_size": (settings.working_size or 0, 1024),
        }
        for name, (value, most) in asked.items():
            if value > most:
                raise RefusedError(422, f"{name} is {value}, and this server takes at most {most}; ask for less")


def _points(edit: Edit) -> int:
    """The length of the longest list among the fields of an edit."""
    values = (getattr(edit, field.name) for field in fields(cast(Any, edit)))
    return max((len(cast("list[Any]", value)) for value in values if isinstance(value, (list, tuple))), default=0)
