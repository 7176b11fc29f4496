"""Workers and engines of batches for tests: edits that cost nothing and fail as they are told to."""

import io
import os
import signal
import time
from collections import deque
from pathlib import Path

from PIL import Image

from dragondiffusion.batch.engine import BatchEngine, Held, Lost, Raised, Returned
from dragondiffusion.batch.folder import JOB_TEXT
from dragondiffusion.batch.worker import Outcome
from dragondiffusion.core.strict_json import parse_json
from dragondiffusion.imaging.writing import carries_text, picture_writer


class Died(BaseException):
    """What a worker that is killed does in the engine without processes."""


class FakeWorker:
    """Does what the prompt says: paints, waits, fails or dies; writes down everything it was asked for.

    Args:
        log: folder with a file for each call.
        real: dying is real.
    """

    def __init__(self, log, real, place):
        self.log, self.real, self.place = Path(log), real, place

    def note(self, text):
        name = f"{time.monotonic_ns():020d}-{os.getpid()}"
        (self.log / name).write_text(text)

    def prepare(self, model, files):
        self.note(f"load {model}")
        if "missing" in str(model):
            raise FileNotFoundError(f"checkpoint {model} does not exist; give another")
        if "deadly" in str(model):
            self.die()
        return "weights of another" if (self.log / "other-weights").exists() else "weights"

    def do(self, task, files):
        recipe = parse_json(task.recipe, "recipe")
        prompt = recipe.get("prompt", "")
        self.note(f"edit {task.target}")
        if files:
            self.note(f"read {' '.join(sorted(files))}, {sum(map(len, files.values()))} bytes")
        if prompt.startswith("wait"):
            time.sleep(float(prompt.split()[1]))
        begin = time.monotonic()
        while prompt == "pace" and time.monotonic() - begin < float(Path("pace").read_text() or 0):
            time.sleep(0.01)
        if prompt == "die" or (prompt == "die once" and self.times(task) == 1):
            self.die()
        if prompt == "bad file":
            return Outcome(error="image cut.png is broken or cut short", final=True)
        if prompt == "no memory" or (prompt == "no memory once" and self.times(task) == 1):
            return Outcome(error="OutOfMemory: no memory left")
        if prompt == "broken":
            return Outcome(error="RuntimeError: CUDA error: an illegal memory access", broken=True)
        if prompt == "raise":
            raise RuntimeError("nobody thought of this")
        picture = Image.new("RGB", (8, 8), (task.seed % 256, len(prompt) % 256, 0))
        target = Path(task.target)
        data = io.BytesIO()
        picture_writer(picture, target, {JOB_TEXT: task.id} if carries_text(target) else None)(data)
        report = {"arrived": 0.9, "ghost": None, "background": 0.0, "error": 0.01, "score": -0.01}
        return Outcome(data=data.getvalue(), seconds=0.25, edit_seconds=0.2, report=report)

    def times(self, task):
        return sum(path.read_text() == f"edit {task.target}" for path in self.log.iterdir())

    def die(self):
        if self.real:
            os.kill(os.getpid(), signal.SIGKILL)
        raise Died


class DirectEngine(BatchEngine):
    """Workers that are objects of this process.

    Args:
        make: as for other engines.
        places: workers.
    """

    def __init__(self, make, places=2):
        self.make, self._places, self.count = make, places, 0
        self.held, self.calls, self.ended, self.closed = {}, {}, [], False

    @property
    def places(self):
        return self._places

    def add(self, place):
        worker, self.count = self.count, self.count + 1
        self.held[worker], self.calls[worker] = Held(self.make, place), deque()
        return worker

    def call(self, worker, method, argument, files=None):
        self.calls[worker].append((method, argument, {}))

    def wait(self, seconds):
        for worker, calls in self.calls.items():
            if calls:
                try:
                    fine, value = self.held[worker].call(*calls.popleft())
                except Died:
                    del self.calls[worker], self.held[worker]
                    return [Lost(worker, "killed by SIGKILL")]
                return [Returned(worker, value) if fine else Raised(worker, value)]
        return []

    def end(self, worker):
        self.ended.append(worker)
        del self.calls[worker], self.held[worker]

    def close(self):
        self.closed = True


class Squares:
    """Something for workers to do."""

    def __init__(self, place):
        self.place = place

    def square(self, number, files):
        if number == 13:
            raise ValueError("13 brings bad luck")
        if number == 17:
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number
