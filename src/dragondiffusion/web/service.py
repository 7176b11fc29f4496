"""The service behind the routes: sessions, queue, engines, limits; and the dependencies that give it to requests."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends, Header, Request

from ..backbones.checkpoint import grids_of
from ..core.libraries import available
from ..core.stopping import stoppable
from ..core.types import ModelGrids
from ..pipeline.plan import check_edits, extent
from ..recipes import Recipe
from .answers import Bounds, SessionFacts
from .engine import Engine
from .limits import Limits, RefusedError
from .pictures import picture_facts
from .queue import EditJob, Queue
from .recipes import explained, in_session, without_data
from .reduced import reduced_recipe
from .sessions import Session, Sessions

T = TypeVar("T")

DEMO_FOR = (
    "The demo model is made for drawn scenes, clothes, fruit, vegetables and packages; "
    "in other photographs it draws no things."
)
"""What the demo model is good for, see docs/demo-model.md."""
BETTER = "dragondiffusion web --model stable-diffusion-v1-5/stable-diffusion-v1-5"
"""The command that loads a model for photographs."""


@dataclass(eq=False)
class Service:
    """The parts that requests work with.

    Args:
        sessions: of all visitors.
        queue: their jobs.
        engines: run the jobs, one engine a device.
        limits: what a request may ask for.
        model: name of the checkpoint, as it is shown; None is the demo model.
        weights: a SAM 2 checkpoint for selections by clicks; None is GrabCut.
        at_once: previews and selections that are computed at the same time.
    """

    sessions: Sessions
    queue: Queue
    engines: list[Engine]
    limits: Limits
    model: str | None = None
    weights: str | None = None
    at_once: int = 2
    on_sweep: Callable[[], None] = lambda: None
    """Called from time to time, to remove what is old."""
    _threads: CapacityLimiter | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.sessions.on_removal = self.queue.forget_session

    async def threaded(self, session: Session, work: Callable[[], T]) -> T:
        """The outcome of work in a thread: `at_once` at a time, one at a time of a session, and not for long.

        Raises:
            RefusedError: if it takes too long (422), or too much waits (429).
        """
        if session.in_line >= self.limits.streams:
            raise RefusedError(429, f"{session.in_line} requests of this session wait already; wait for an answer")
        session.in_line += 1
        try:
            async with session.turn:
                if self._threads is None:
                    self._threads = CapacityLimiter(self.at_once)
                return await anyio.to_thread.run_sync(partial(self._timed, work), limiter=self._threads)
        finally:
            session.in_line -= 1

    def _timed(self, work: Callable[[], T]) -> T:
        end = time.monotonic() + self.limits.seconds

        def check() -> None:
            if time.monotonic() > end:
                raise RefusedError(
                    422,
                    f"this takes more than {self.limits.seconds:g} s; give a smaller image, fewer edits, or masks with "
                    "fewer points",
                )

        with stoppable(check):
            return work()

    def submit(self, session: Session, data: dict[str, Any], tries: int) -> EditJob:
        """Checks a job and puts it into the queue.

        Raises:
            RefusedError: if it cannot be done, or too many wait.
        """
        recipe = in_session(data, session)
        self.limits.check(recipe, tries)
        checked(recipe, grids_of(self.model), session)
        return self.queue.put(EditJob(session, without_data(data, recipe, session), tries, seed=recipe.seed))

    @property
    def name(self) -> str:
        """The name of the model, as it is shown."""
        return self.model or "demo model"

    @cached_property
    def preview_grids(self) -> ModelGrids:
        """The model's grids at a working size of their own: the model's may be coarse."""
        return replace(grids_of(self.model) or ModelGrids(), working_size=ModelGrids.working_size)

    def facts(self, token: str, session: Session) -> SessionFacts:
        """A session and what can be done in it."""
        limits = self.limits
        return SessionFacts(
            session=token,
            model=self.name,
            demo=self.model is None,
            good_for=DEMO_FOR if self.model is None else "",
            better=BETTER if self.model is None else "",
            model_notes=list(dict.fromkeys(note for engine in self.engines for note in engine.notes)),
            limits=Bounds(
                bytes=limits.upload,
                pixels=limits.pixels,
                steps=limits.steps,
                tries=limits.tries,
                waiting=limits.waiting_each,
            ),
            masks=self.weights is not None or available("masks"),
            glances=self.weights is None and available("masks"),
            faces=available("faces"),
            pictures=[picture_facts(session, name) for name in session.names()],
            jobs=[self.queue.facts(job) for job in self.queue.of(session)],
        )


def checked(recipe: Recipe, grids: ModelGrids | None, session: Session) -> None:
    """Checks a recipe as far as that goes without a model, on the reduced copies of its images.

    Args:
        recipe: its images are files of the session.
        grids: the model's; None where they are not known, and what edits do to each other is found later.
        session: whose it is.

    Raises:
        RefusedError: if it cannot be done (422).
    """
    with explained(session):
        small = reduced_recipe(recipe)
        extent(small.edits, small.photo, recipe.settings)
        if grids is not None:
            check_edits(small.edits, small.photo, recipe.settings, grids)


def service_of(request: Request) -> Service:
    """The service of the application that a request came to."""
    return request.app.state.service


Serving = Annotated[Service, Depends(service_of)]


def session_of(service: Serving, x_session: Annotated[str | None, Header()] = None) -> Session:
    """The session that a request belongs to."""
    return service.sessions.find(x_session)


Visiting = Annotated[Session, Depends(session_of)]
