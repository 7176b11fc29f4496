"""A long life: memory, files and threads of a server over many edits, and of a batch over many jobs (Linux).

    python benchmarks/long_life.py [--edits 2000] [--jobs 10000]

The server runs as `dragondiffusion web` with the demo model; every edit has an image of its own, and a session is ended
after every 50. The batch has jobs whose edits cost nothing, so that its driver is what is measured. Ends with code 1 if
something grew.
"""

import argparse
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
GROWTH = 1.1
"""Times what was there after a tenth of the way that is no growth. Source: chosen; allocators keep what is freed."""


class Kept:
    """What a process holds.

    Args:
        process: its number.
        temporary: the folder that it makes temporary files in.
    """

    def __init__(self, process: int, temporary: Path) -> None:
        self.process, self.temporary = process, temporary

    def read(self) -> dict[str, float]:
        """Memory in MB, open files, threads, temporary files."""
        place = Path(f"/proc/{self.process}")
        return {
            "MB": memory(self.process),
            "files": len(list((place / "fd").iterdir())),
            "threads": len(list((place / "task").iterdir())),
            "temporary files": sum(path.is_file() for path in self.temporary.rglob("*")),
        }


def grown(name: str, early: dict[str, float], late: dict[str, float]) -> bool:
    """Prints what a process held early and late; tells whether something grew."""
    more = [key for key in early if late[key] > max(GROWTH * early[key], early[key] + 4)]
    for key, before in early.items():
        print(f"{name}, {key}: {before:.0f}, then {late[key]:.0f}{' GREW' if key in more else ''}", flush=True)
    return bool(more)


def server(edits: int, folder: Path) -> bool:
    """Makes edits in one server; tells whether something grew."""
    with served(folder / "data") as (url, process):
        kept, early = Kept(process, folder / "tmp"), dict[str, float]()
        for k in range(edits):
            if k % SESSION == 0:
                visitor = Visitor(url)
            recipe = visitor.recipe(draw_case(k % 10_000, (128, 128), KINDS[k % len(KINDS)]), settings={"steps": 4})
            visitor.finished(visitor.job(recipe))
            if k % SESSION == SESSION - 1:
                visitor.client.delete("session").raise_for_status()
                visitor.client.close()
            if k == edits // 10:
                early = kept.read()
        late = kept.read()
        sessions = len(list((folder / "data" / "sessions").iterdir()))
    print(f"{edits} edits; {sessions} sessions left")
    return grown("server", early, late) or sessions > 1


def batch(jobs: int, folder: Path) -> bool:
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
            except (OSError, StopIteration):
                return
            time.sleep(0.5)

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
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = str(folder / "tmp")
        results = [server(options.edits, folder), batch(options.jobs, folder)]
    return int(any(results))


if __name__ == "__main__":
    sys.exit(main())
