"""A long life: memory, files and threads of a server over many edits, and of a batch over many jobs (Linux).

    python benchmarks/long_life.py [--edits 2000] [--every 200] [--jobs 10000] [--curve long_life.csv]

The server runs as `dragondiffusion web` with the demo model; every edit has an image of its own, and a session is ended
after every 50. What the server holds is printed every `--every` edits. The batch has jobs whose edits cost nothing, so
that its driver is what is measured. Ends with code 1 if something grew. The curve has a row for every hundredth of the
way.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from dragondiffusion.bench.demo import draw_case
from web import Visitor, memory, served

KINDS = ("move", "remove", "rotate", "paste", "drag")
SESSION = 50
"""Edits of one session."""
SIDE, STEPS = 96, 2
"""Pixels and steps of an edit: few, since it is their number that counts."""
GROWTH = 1.1
"""Times what was there after a tenth of the way that is no growth. Source: chosen; allocators keep what is freed."""


class Curve:
    """What processes held, row by row in a file, as far as they came.

    Args:
        path: of the file; None writes none.
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self.begun = path, time.monotonic()
        self.add("of", "done", "seconds", *Kept.NAMES)

    def row(self, of: str, done: int, held: dict[str, float]) -> None:
        """Adds a row."""
        self.add(of, done, f"{time.monotonic() - self.begun:.0f}", *(f"{held[name]:.0f}" for name in Kept.NAMES))

    def add(self, *values: object) -> None:
        """Writes a row at once, so that it is there if the rest never comes."""
        if self.path is not None:
            with self.path.open("w" if values[0] == "of" else "a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerow(values)


class Kept:
    """What a process holds.

    Args:
        process: its number.
        temporary: the folder that it makes temporary files in.
    """

    NAMES = ("MB", "files", "threads", "temporary files")

    def __init__(self, process: int, temporary: Path) -> None:
        self.process, self.temporary = process, temporary

    def read(self) -> dict[str, float]:
        """Memory in MB, open files, threads, temporary files."""
        place = Path(f"/proc/{self.process}")
        counts = (
            len(list((place / "fd").iterdir())),
            len(list((place / "task").iterdir())),
            sum(path.is_file() for path in self.temporary.rglob("*")),
        )
        return dict(zip(self.NAMES, (memory(self.process), *counts), strict=True))


def grown(name: str, early: dict[str, float], late: dict[str, float]) -> bool:
    """Prints what a process held early and late; tells whether something grew."""
    more = [key for key in early if late[key] > max(GROWTH * early[key], early[key] + 4)]
    for key, before in early.items():
        print(f"{name}, {key}: {before:.0f}, then {late[key]:.0f}{' GREW' if key in more else ''}", flush=True)
    return bool(more)


def server(edits: int, every: int, folder: Path, curve: Curve) -> bool:
    """Makes edits in one server; tells whether something grew."""
    with served(folder / "data") as (url, process):
        kept, early = Kept(process, folder / "tmp"), dict[str, float]()
        for k in range(edits):
            if k % SESSION == 0:
                visitor = Visitor(url)
            case = draw_case(k % 10_000, (SIDE, SIDE), KINDS[k % len(KINDS)])
            visitor.finished(visitor.job(visitor.recipe(case, settings={"steps": STEPS})))
            if k % SESSION == SESSION - 1:
                visitor.client.delete("session").raise_for_status()
                visitor.client.close()
            if k % max(1, edits // 100) == 0:
                curve.row("server", k, kept.read())
            if (k + 1) % every == 0:
                print(
                    f"{k + 1} edits: " + ", ".join(f"{value:.0f} {name}" for name, value in kept.read().items()),
                    flush=True,
                )
            if k == edits // 10:
                early = kept.read()
        late = kept.read()
        curve.row("server", edits, late)
        sessions = len(list((folder / "data" / "sessions").iterdir()))
    print(f"{edits} edits; {sessions} sessions left")
    return grown("server", early, late) or sessions > 1


def batch(jobs: int, folder: Path, curve: Curve) -> bool:
    """Makes a batch of jobs that cost nothing; tells whether its driver grew, or something is missing."""
    from PIL import Image

    Image.new("RGB", (16, 16), "red").save(folder / "cup.png")
    edit = {"edit": "move", "mask": {"box": [2, 2, 9, 9]}, "offset": [3, 0]}
    line = {"image": "cup.png", "edits": [edit], "seeds": list(range(jobs))}
    (folder / "jobs.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    (folder / "log").mkdir()
    tests = Path(__file__).resolve().parents[1] / "tests"
    code = (
        f"import sys; sys.path.insert(0, {str(tests)!r})\n"
        "from functools import partial\n"
        "from batch_fakes import DirectEngine, FakeWorker\n"
        "from dragondiffusion.batch.commands import Batch\n"
        "from dragondiffusion.cli import main as cli\n"
        "Batch._engine = lambda *_: DirectEngine(partial(FakeWorker, 'log', False), 2)\n"
        "sys.exit(cli.main(['batch', 'jobs.jsonl', '--out', 'out']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder)
    kept, read = Kept(process.pid, folder / "tmp"), list[dict[str, float]]()

    def watch() -> None:
        while process.poll() is None:
            try:
                read.append(kept.read())
                curve.row("batch", sum(1 for _ in (folder / "out").glob("*.png")), read[-1])
            except (OSError, StopIteration):
                return
            time.sleep(max(0.5, jobs / 10_000))

    thread = threading.Thread(target=watch)
    thread.start()
    ended = process.wait()
    thread.join()
    made = len(list((folder / "out").glob("*.png")))
    print(f"{made} of {jobs} results, exit code {ended}")
    # The names and states of all jobs are in memory from the beginning; the first third is reading them.
    return grown("batch", read[len(read) // 3], read[-1]) or made != jobs or ended != 0


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=2000, help="in the server; 0 leaves it out")
    parser.add_argument("--every", type=int, default=200, help="edits between two lines of the server's figures")
    parser.add_argument("--jobs", type=int, default=10_000, help="of the batch; 0 leaves it out")
    parser.add_argument("--curve", type=Path, default=Path("long_life.csv"))
    options = parser.parse_args()
    curve = Curve(options.curve)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = str(folder / "tmp")
        results = [options.edits > 0 and server(options.edits, options.every, folder, curve)]
        results.append(options.jobs > 0 and batch(options.jobs, folder, curve))
    return int(any(results))


if __name__ == "__main__":
    sys.exit(main())
