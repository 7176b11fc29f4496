"""What does the jobs: one thread a device, which holds an editor and the last inverted pictures."""

import io
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Literal

from PIL import Image

from ..console.terminal import PHASES
from ..imaging.files import Pixels
from ..imaging.frames import Box
from ..pipeline.editor import Editor
from ..pipeline.postprocess import PreviewStream
from ..pipeline.reference import Reference
from ..pipeline.result import EditResult
from ..recipes import Recipe
from .limits import Limits, RefusedError
from .queue import Job, Queue
from .recipes import in_session, words

GUIDED = 2.5
"""How much longer a step of the sampling takes than one of the inversion, for the time that is left. Source: measured
on the demo model; it only counts until the sampling has begun."""


LOG = logging.getLogger(__name__)


class CancelledError(Exception):
    """Somebody asked to stop."""


class Kept:
    """Inverted pictures, the last used.

    Args:
        count: so many at most.
        most: bytes that they may take together.
    """

    def __init__(self, count: int, most: int) -> None:
        self.count, self.most = count, most
        self._kept: OrderedDict[Hashable, tuple[Reference, int]] = OrderedDict()

    def get(self, key: Hashable) -> Reference | None:
        """The inverted picture under a key."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: Hashable, reference: Reference) -> None:
        """Keeps an inverted picture; the longest unused go where there is no more room."""
        self._kept.pop(key, None)
        self._kept[key] = reference, nbytes(reference)
        while len(self._kept) > self.count or (self._kept and self.nbytes > self.most):
            self._kept.popitem(last=False)

    @property
    def nbytes(self) -> int:
        """Memory that all of them take."""
        return sum(size for _, size in self._kept.values())


def nbytes(reference: Reference) -> int:
    """Memory that an inverted picture takes, bytes."""
    tensors = [reference.x, *reference.trajectory, *(f for maps in reference.features.values() for f in maps)]
    photo = 0 if reference.shot is None else reference.shot.photo.pixels.nbytes
    held = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return held + reference.bank.nbytes + reference.pixels.nbytes + photo


class Engine:
    """Does jobs, one after the other, on one device.

    Args:
        load: gives the editor; called once, in the engine's own thread.
        queue: where jobs come from.
        limits: how much memory inverted pictures may take.
    """

    def __init__(self, load: Callable[[], Editor], queue: Queue, limits: Limits) -> None:
        self.status: Literal["loading", "ready", "failed"] = "loading"
        self.error: str | None = None
        self._load, self._queue = load, queue
        self._kept = Kept(limits.kept, limits.kept_bytes)
        self._thread = threading.Thread(target=self._work, name="dragondiffusion-engine", daemon=True)

    def start(self) -> None:
        """Loads the model and begins to work."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Waits for the end of what runs, after the queue was closed."""
        self._thread.join(seconds)

    def _work(self) -> None:
        editor = None
        try:
            editor = self._load()
            self.status = "ready"
        except Exception as error:  # noqa: BLE001  # whatever a checkpoint does, the page should say it
            self.error = f"the model cannot be loaded: {' '.join(str(error).split())}"
            self.status = "failed"
            LOG.error(self.error)
        while (job := self._queue.take()) is not None:
            try:
                self._do(job, editor)
            finally:
                self._queue.finished(job)

    def _do(self, job: Job, editor: Editor | None) -> None:
        """One job, with whatever may come of it."""
        begin = time.perf_counter()
        try:
            _keep(job)  # as one that runs, in case that the server is killed
            if editor is None:
                raise RefusedError(503, self.error or "the model is not loaded")
            telling, recipe = _Telling(job, begin), in_session(job.recipe, job.session)
            result = self._edited(job, recipe, editor, telling)
            job.change(state="done", phase="", **_kept_result(job, recipe, result))
        except CancelledError:
            job.change(state="cancelled")
        except (ValueError, OSError, MemoryError, RefusedError) as error:
            job.change(state="failed", error=words(error, job.session))
        except Exception:  # the server goes on
            LOG.exception("job %s failed", job.id)
            job.change(state="failed", error="something went wrong in the server; its log says what")
        job.change(seconds=time.perf_counter() - begin, seconds_left=None)
        _keep(job)

    def _edited(self, job: Job, recipe: Recipe, editor: Editor, telling: "_Telling") -> EditResult:
        s, live = recipe.settings, PreviewStream(telling.show)
        key = (job.recipe["image"], recipe.prompt, s.steps, s.inversion_iterations, s.energy_grid, s.working_size)
        reference = self._kept.get(key)
        result = None if reference is None else self._again(editor, reference, recipe, job.tries, telling, live)
        if result is None:
            asked = (recipe.image, recipe.edits, recipe.prompt, recipe.negative_prompt, recipe.seed, s)
            result = editor(*asked, progress=telling.progress, tries=job.tries, live=live)
        self._kept.put(key, result.reference)
        return result

    @staticmethod
    def _again(
        editor: Editor, reference: Reference, recipe: Recipe, tries: int, telling: "_Telling", live: PreviewStream
    ) -> EditResult | None:
        """The edit of a picture that is inverted already; None if that lacks what the edit needs."""
        try:
            asked = (reference, recipe.edits, recipe.negative_prompt, recipe.seed, recipe.settings)
            return editor.edit(*asked, progress=telling.progress, tries=tries, live=live)
        except ValueError:
            return None


class _Telling:
    """Tells of a job how far it is, and stops it where that is asked for."""

    def __init__(self, job: Job, begin: float) -> None:
        self._job, self._begin = job, begin
        self._phase, self._since, self._last = "", begin, begin
        job.change(phase="load", done=0, total=0)
        self.check()

    def check(self) -> None:
        """Ends the job if it was cancelled."""
        if self._job.cancelled.is_set():
            raise CancelledError

    def progress(self, phase: str, done: int, total: int) -> None:
        """Called after every step."""
        self.check()
        now = time.perf_counter()
        if phase != self._phase:
            self._phase, self._since = phase, self._last if done else now
        self._last = now
        step = (now - self._since) / max(1, done)
        left = step * (total - done) + (GUIDED * step * total if phase == "invert" else 0.0)
        shown = "decode" if phase == "sample" and done == total else PHASES.get(phase, phase)
        self._job.change(
            phase=shown, done=done, total=total, seconds_left=left if done else None, seconds=now - self._begin
        )

    def show(self, number: int, pixels: Pixels, box: Box) -> None:
        """Called with what there is so far."""
        self.check()
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, format="jpeg", quality=88)
        frame = data.getvalue(), ",".join(map(str, box))
        self._job.change(frame=frame, frames=self._job.frames + 1)


def _keep(job: Job) -> None:
    """Writes the record of a job whose session is still there."""
    if job.session.folder.is_dir():
        job.keep()


def _kept_result(job: Job, recipe: Recipe, result: EditResult) -> dict[str, object]:
    """Keeps the resulting picture in the session; gives what the job says of it."""
    session, report = job.session, result.report
    path = session.pictures / f".{job.id}.png"
    left = replace(recipe, seed=result.seed).write_picture(result.image, path)
    notes = [note.replace(f"{session.pictures}/", "") for note in result.notes]
    if left:
        notes.append("the input is too large to be carried along in the PNG; export the recipe with its files")
    title = f"{job.session.title(job.recipe['image']).rsplit('.', 1)[0].removesuffix(' edited')} edited.png"
    return {
        "result": session.take(path, title),
        "seed": result.seed,
        "notes": notes,
        "report": {
            "arrived": report.arrived,
            "ghost": report.ghost,
            "background": report.background,
            "score": report.score,
            "words": str(report),
        },
    }
