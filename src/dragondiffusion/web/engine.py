"""The engine that runs jobs: one thread a device, with an editor and the last inverted images."""

import io
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

from PIL import Image

from ..console.terminal import PHASES
from ..core.stopping import stoppable
from ..core.types import Size
from ..imaging.files import Pixels
from ..imaging.frames import Box
from ..pipeline.editor import Editor
from ..pipeline.postprocess import PreviewStream
from ..pipeline.recent import RecentInversions
from ..pipeline.reference import Reference
from ..pipeline.result import EditResult
from ..recipes import Recipe
from .limits import Limits, RefusedError
from .pictures import size_of
from .queue import EditJob, Queue
from .recipes import UNDOABLE, at_full_size, in_session, words

GUIDED = 2.5
"""How much longer a step of the sampling takes than one of the inversion, for the remaining time. Source: measured
on the demo model; it only counts until the sampling has started."""


FINISHING, WRITING = 0.2, 0.2
"""Seconds a megapixel of the image that compositing and writing the result take, until they were measured. Source:
measured on one core."""

FAULT = "something went wrong in the server; its log says what"
"""Said of what failed for no reason that a visitor can know."""

LOG = logging.getLogger(__name__)


class CancelledError(Exception):
    """The job was cancelled."""


class Engine:
    """Runs jobs, one after the other, on one device.

    Args:
        load: gives the editor; called once, in the engine's own thread.
        queue: where jobs come from.
        limits: how much memory inverted images may take.
    """

    def __init__(self, load: Callable[[], Editor], queue: Queue, limits: Limits) -> None:
        self.status: Literal["loading", "ready", "failed"] = "loading"
        self.error: str | None = None
        self.notes: tuple[str, ...] = ()
        self._load, self._queue = load, queue
        self._inversions = RecentInversions(limits.kept, limits.kept_bytes)
        self._rates = Rates()
        self._thread = threading.Thread(target=self._work, name="dragondiffusion-engine", daemon=True)

    def start(self) -> None:
        """Loads the model and begins to work."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Waits until the running job ends, after the queue was closed."""
        self._thread.join(seconds)

    def _work(self) -> None:
        editor = None
        try:
            editor = self._load()
            self.notes = editor.notes
            self.status = "ready"
        except Exception as error:  # noqa: BLE001  # whatever a checkpoint raises, the page should report it
            self.error = f"the model cannot be loaded: {' '.join(str(error).split())}"
            self.status = "failed"
            LOG.error(self.error)
        while (job := self._queue.take()) is not None:
            try:
                self._run(job, editor)
            except Exception:  # the engine goes on with the next
                LOG.exception("job %s cannot be ended", job.id)
                job.change(error=FAULT, state="failed")
            finally:
                self._queue.finished(job)

    def _run(self, job: EditJob, editor: Editor | None) -> None:
        """Runs one job to its end: a result, an error, or its cancellation."""
        begin = time.perf_counter()
        try:
            job.save()  # as a running one, in case the server is killed
            if editor is None:
                raise RefusedError(503, self.error or "the model is not loaded")
            progress = _JobProgress(job, begin, self._rates)
            with stoppable(progress.check):  # also between the steps that progress is told of
                recipe = at_full_size(in_session(job.recipe, job.session), job.session)
                progress.image_is(size_of(cast(Path, recipe.image)))
                result = self._edited(job, recipe, editor, progress)
                progress.write()
            outcome = {"state": "done", **_saved_result(job, recipe, result)}
            progress.written()
        except CancelledError:
            outcome = {"state": "cancelled"}
        except RefusedError as error:
            outcome = {"state": "failed", "error": error.sentence}
        except UNDOABLE as error:
            outcome = {"state": "failed", "error": words(error, job.session)}
        except Exception:  # the server goes on
            LOG.exception("job %s failed", job.id)
            outcome = {"state": "failed", "error": FAULT}
        job.end(**outcome, frame=None, phase="", seconds=time.perf_counter() - begin, seconds_left=None)

    def _edited(self, job: EditJob, recipe: Recipe, editor: Editor, progress: "_JobProgress") -> EditResult:
        s, live = recipe.settings, PreviewStream(progress.show)
        key = (job.recipe["image"], recipe.prompt, s.steps, s.inversion_iterations, s.energy_grid, s.working_size)
        reference = self._inversions.get(key)
        result = None if reference is None else self._again(editor, reference, recipe, job.tries, progress, live)
        if result is None:
            asked = (recipe.image, recipe.edits, recipe.prompt, recipe.negative_prompt, recipe.seed, s)
            result = editor(*asked, progress=progress.step, tries=job.tries, live=live)
        self._inversions.put(key, result.reference)
        return result

    @staticmethod
    def _again(
        editor: Editor, reference: Reference, recipe: Recipe, tries: int, progress: "_JobProgress", live: PreviewStream
    ) -> EditResult | None:
        """The edit of an image that is inverted already; None if its inversion lacks something that the edit needs."""
        try:
            asked = (reference, recipe.edits, recipe.negative_prompt, recipe.seed, recipe.settings)
            return editor.edit(*asked, progress=progress.step, tries=tries, live=live)
        except ValueError:
            return None


@dataclass
class Rates:
    """What the end of a job takes, as measured on the last one.

    Args:
        finishing: compositing, seconds a megapixel.
        writing: writing the result, seconds a megapixel.
    """

    finishing: float = FINISHING
    writing: float = WRITING


class _JobProgress:
    """Reports how far a job is, and stops one that was cancelled."""

    def __init__(self, job: EditJob, begin: float, rates: Rates) -> None:
        self._job, self._begin, self._rates = job, begin, rates
        self._phase, self._since, self._last = "", begin, begin
        self._megapixels = 0.0
        job.change(phase="read", done=0, total=0)
        self.check()

    def check(self) -> None:
        """Ends the job if it was cancelled."""
        if self._job.cancelled.is_set():
            raise CancelledError

    def image_is(self, size: Size) -> None:
        """Called once the size of the image is known, on which the end of the job depends."""
        self._megapixels = size[0] * size[1] / 1e6

    def step(self, phase: str, done: int, total: int) -> None:
        """Called after every step."""
        self.check()
        now = time.perf_counter()
        if phase != self._phase:
            self._phase, self._since = phase, self._last if done else now
        self._last = now
        step = (now - self._since) / max(1, done)
        left = step * (total - done) + (GUIDED * step * total if phase == "invert" else 0.0)
        left += (self._rates.finishing + self._rates.writing) * self._megapixels
        shown = "decode" if phase == "sample" and done == total else PHASES.get(phase, phase)
        self._job.change(
            phase=shown, done=done, total=total, seconds_left=left if done else None, seconds=now - self._begin
        )

    def write(self) -> None:
        """Called when the result is about to be written."""
        self.check()
        now = time.perf_counter()
        if self._phase == "sample":
            self._rates.finishing = (now - self._last) / max(self._megapixels, 1e-6)
        self._last = now
        left = self._rates.writing * self._megapixels
        self._job.change(phase="write", seconds_left=left, seconds=now - self._begin)

    def written(self) -> None:
        """Called when it is written."""
        self._rates.writing = (time.perf_counter() - self._last) / max(self._megapixels, 1e-6)

    def show(self, number: int, pixels: Pixels, box: Box) -> None:
        """Called with an intermediate image."""
        self.check()
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, format="jpeg", quality=88)
        frame = data.getvalue(), ",".join(map(str, box))
        self._job.change(frame=frame, frames=self._job.frames + 1)


def _saved_result(job: EditJob, recipe: Recipe, result: EditResult) -> dict[str, object]:
    """Adds the resulting image to the session; returns the fields of the job that describe it."""
    session = job.session
    path = session.pictures / f".{job.id}.png"
    left = replace(recipe, seed=result.seed).write_picture(result.image, path, result.provenance)
    notes = [session.told(note) for note in result.notes]
    if left:
        notes.append("the input is too large to be stored in the PNG; export the recipe with its files")
    title = job.session.title(job.recipe["image"]).rsplit(".", 1)[0].removesuffix(" edited")[:240] + " edited.png"
    name = session.take(path, title)
    if session.is_drawn(job.recipe["image"]):
        session.mark_drawn(name)
    return {
        "result": name,
        "seed": result.seed,
        "notes": notes,
        "report": {**result.report.figures(), "words": str(result.report)},
    }
