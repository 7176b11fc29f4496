"""Figures of batches: rate on one and two workers, overhead, sharing, kills at random moments, ten thousand jobs.

`python benchmarks/batch.py` prints all of them, `--only rate sharing kills many` some. Workers have one thread each.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from dragondiffusion.batch.driver import Driver, left
from dragondiffusion.batch.engine import BatchEngine
from dragondiffusion.batch.folder import OutputFolder, Shard
from dragondiffusion.batch.jobs import Source
from dragondiffusion.batch.journal import Journal
from dragondiffusion.batch.local import LocalEngine
from dragondiffusion.batch.on_ray import RayEngine
from dragondiffusion.batch.worker import EditWorker, Orders

WARM = 4
"""Results of each worker before the rate is measured."""


def write_scenes(folder: Path, scenes: int, size: int, steps: int) -> Path:
    """Demo scenes with one move each, as jobs; gives the file."""
    from dragondiffusion.bench.demo import draw_case

    with (folder / "jobs.jsonl").open("w") as file:
        for seed in range(scenes):
            case = draw_case(seed, (size, size))
            case.before.save(folder / f"{seed}.png")
            assert case.mask is not None
            case.mask.save(folder / f"{seed}-mask.png")
            edit = {"edit": "move", "mask": f"{seed}-mask.png", "offset": [round(v, 2) for v in case.edit.offset]}
            line = {"name": str(seed), "image": f"{seed}.png", "edits": [edit], "prompt": case.caption, "seed": seed}
            file.write(json.dumps({**line, "settings": {"steps": steps}}) + "\n")
    return folder / "jobs.jsonl"


def write_edits(folder: Path, scenes: int) -> Path:
    """Eight edits of each demo scene: three moves, a resize, a turn, a removal and two drags of its object."""
    from dragondiffusion.bench.demo import draw_case

    with (folder / "jobs.jsonl").open("w") as file:
        for seed in range(scenes):
            case = draw_case(seed, (128, 128))
            case.before.save(folder / f"{seed}.png")
            assert case.mask is not None
            case.mask.save(folder / f"{seed}-mask.png")
            x, y = case.edit.offset
            left_, top, right, bottom = case.mask.getbbox() or (0, 0, 1, 1)
            centre = [(left_ + right) / 2, (top + bottom) / 2]
            mask = {"mask": f"{seed}-mask.png"}
            edits: list[dict[str, Any]] = [
                *({"edit": "move", **mask, "offset": [round(k * x, 1), round(k * y, 1)]} for k in (1, 0.8, 0.6)),
                {"edit": "move", **mask, "offset": [0, 0], "scale": 0.8},
                {"edit": "move", **mask, "offset": [0, 0], "angle": 25},
                {"edit": "remove", **mask},
                {"edit": "drag", "points": [[centre, [centre[0] + 8, centre[1]]]]},
                {"edit": "drag", "points": [[centre, [centre[0], centre[1] - 8]]]},
            ]
            for k, edit in enumerate(edits):
                line = {"name": f"{seed}-{k}", "image": f"{seed}.png", "edits": [edit], "prompt": case.caption}
                file.write(json.dumps(line) + "\n")
    return folder / "jobs.jsonl"


class Run:
    """A batch made by this process, and when each result came."""

    def __init__(self, jobs: Path, out: Path, engine: BatchEngine) -> None:
        source, times = Source(jobs), list[float]()
        folder, every = OutputFolder(out, Shard()), source.jobs()
        with folder.held(), Journal(folder.journal) as journal:
            standings = folder.open({"threads": 1}, every)
            todo, finished = left(every, folder, standings, False)
            arguments = (engine, folder, journal, standings, finished, jobs.parent, 0)
            driver = Driver(*arguments, lambda *_: times.append(time.perf_counter()))
            driver.run(todo)
        self.out, self.times, self.failed, self.standings = out, times, driver.failed, standings
        self.workers = engine.places

    @property
    def rate(self) -> float:
        """Jobs a second, once all workers work."""
        skipped = WARM * self.workers
        return (len(self.times) - 1 - skipped) / (self.times[-1] - self.times[skipped])

    def seconds(self, name: str) -> float:
        """Mean of `edit_seconds` or `seconds` of the jobs that the rate is made of."""
        made = [one.made for one in self.standings.values() if one.made is not None]
        return statistics.fmean(getattr(one, name) for one in made[WARM * self.workers + 1 :])

    def bytes(self) -> float:
        """Mean size of a result."""
        return statistics.fmean(path.stat().st_size for path in self.out.glob("*.png"))

    def digests(self) -> dict[str, str]:
        """Digests of all results by name."""
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.out.glob("*.png")}


def orders(folder: Path, out: Path, **more: Any) -> Orders:
    """What workers of one thread on the processor are told."""
    return Orders(folder=folder, out=out, devices=("cpu",), threads=1, **more)


def others() -> str:
    """How busy the machine was, to judge figures by."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def rate(count: int) -> None:
    """One and two workers, overhead, equal files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = write_scenes(folder, count, 128, 20)
        runs: dict[str, Run] = {}
        for title, kind, workers in (("Ray, 1", RayEngine, 1), ("Ray, 2", RayEngine, 2), ("local, 1", LocalEngine, 1)):
            out = folder / title.replace(", ", "-")
            run = runs[title] = Run(jobs, out, kind(partial(EditWorker, orders(folder, out)), workers))
            beyond = run.workers / run.rate - run.seconds("edit_seconds")
            share = 100 * beyond / run.seconds("edit_seconds")
            print(
                f"{title} worker(s): {run.rate:.3f} jobs/s, edit {run.seconds('edit_seconds'):.3f} s, "
                f"{1000 * beyond:.1f} ms beyond it ({share:.1f} %), {run.bytes() / 1e3:.1f} kB a result; {others()}",
                flush=True,
            )
        print(f"two Ray workers against one: {runs['Ray, 2'].rate / runs['Ray, 1'].rate:.2f} times the rate")
        same = len({json.dumps(run.digests(), sort_keys=True) for run in runs.values()}) == 1
        print(f"files of all engines are {'identical' if same else 'DIFFERENT'} ({count} each)")


def sharing(scenes: int) -> None:
    """Eight edits a picture, with their inversion shared and not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = write_edits(folder, scenes)
        kept = folder / "references"
        ways: dict[str, dict[str, Any]] = {
            "without": {"sharing": False},
            "shared": {"sharing": True},
            "kept on disk": {"references": kept, "references_bytes": 10**10},
            "found on disk": {"references": kept, "references_bytes": 10**10},
        }
        runs: dict[str, Run] = {}
        for title, more in ways.items():
            out = folder / title.replace(" ", "-")
            run = runs[title] = Run(jobs, out, LocalEngine(partial(EditWorker, orders(folder, out, **more)), 1))
            times = f"{run.rate / runs['without'].rate:.2f} times the rate"
            print(
                f"{8 * scenes} jobs on {scenes} pictures, {title}: {run.rate:.2f} jobs/s, {times}; {others()}",
                flush=True,
            )
        sizes = [path.stat().st_size for path in kept.iterdir()]
        print(f"{statistics.fmean(sizes) / 1e6:.1f} MB for an inverted picture on disk")
        same = len({json.dumps(run.digests(), sort_keys=True) for run in runs.values()}) == 1
        print(f"files are {'identical' if same else 'DIFFERENT'}")


def command(folder: Path, out: str, engine: str) -> list[str]:
    """The command line of a batch with two workers."""
    words = [
        sys.executable,
        "-m",
        "dragondiffusion.cli.main",
        "batch",
        str(folder / "jobs.jsonl"),
        "--out",
        str(folder / out),
    ]
    return [*words, "--engine", engine, "--jobs", "2", "--threads", "1", "--device", "cpu", "--retries", "20"]


def workers_of(driver: int) -> list[psutil.Process]:
    """The processes that edit for a driver, whatever engine began them."""
    try:
        below = psutil.Process(driver).children(recursive=True)
        return [one for one in below if "spawn_main" in " ".join(one.cmdline()) or "_Actor" in " ".join(one.cmdline())]
    except psutil.Error:
        return []


def kill(driver: subprocess.Popen[bytes], rng: random.Random) -> str:
    """Kills a driver, a worker of it, or both; says which."""
    what = rng.choice(("driver", "worker", "both"))
    own = workers_of(driver.pid)
    if what != "driver" and own:
        rng.choice(own).send_signal(signal.SIGKILL)
    if what != "worker" or not own:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        what = what if own else "driver"
    return what


def kills(count: int, times: int, engine: str) -> None:
    """Kills at random moments; every result is there once."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scenes(folder, count, 64, 4)
        said, stays, driver = list[str](), dict[str, tuple[int, int]](), None
        while len(said) < times:
            if driver is None or driver.poll() is not None:
                driver = subprocess.Popen(command(folder, "out", engine), stdout=-3, stderr=-3)
            time.sleep(rng.uniform(0, 12 if engine == "local" else 20))
            if driver.poll() is not None:
                break
            said.append(kill(driver, rng))
            found = {path.name: path.stat() for path in (folder / "out").glob("[!.]*.png")}
            stays = {name: (one.st_ino, one.st_mtime_ns) for name, one in found.items()} | stays
            print(f"{len(said)}: {said[-1]} killed, {len(found)} results", end="; ", flush=True)
        print()
        if driver is not None:
            driver.wait()
        code = subprocess.run(command(folder, "out", engine), check=False, stdout=-3).returncode
        told_kills(folder, count, engine, said, stays, code)


def told_kills(
    folder: Path, count: int, engine: str, said: list[str], stays: dict[str, tuple[int, int]], code: int
) -> None:
    """Compares with a batch that nobody killed, and prints what is right and wrong."""
    subprocess.run(command(folder, "calm", engine), check=True, stdout=-3)
    wrong, missing = 0, 0
    for k in range(count):
        paths = [folder / part / f"{k}.png" for part in ("out", "calm")]
        if not paths[0].is_file():
            missing += 1
            continue
        with Image.open(paths[0]) as picture:
            picture.load()
        wrong += paths[0].read_bytes() != paths[1].read_bytes()
    now = {name: (folder / "out" / name).stat() for name in stays}
    again = sum((now[name].st_ino, now[name].st_mtime_ns) != mark for name, mark in stays.items())
    lines = (folder / "out" / "journal.jsonl").read_text().splitlines()
    made = [json.loads(line)["job"] for line in lines if '"made"' in line]
    partial_files = len(list((folder / "out").glob(".*.png")))
    killed = ", ".join(f"{said.count(what)} {what}" for what in ("driver", "worker", "both"))
    print(f"{engine}: {len(said)} kills ({killed}), exit code {code}")
    print(f"{count - missing} of {count} results there and readable, {wrong} differ from a calm run")
    twice = len(made) - len(set(made))
    print(f"{again} finished ones made again, {twice} written down twice, {partial_files} half-written left")


def write_many(folder: Path, count: int) -> None:
    """Jobs with a picture and a mask of their own."""
    picture, mask = Image.new("RGB", (64, 64), "red"), Image.new("L", (64, 64), 255)
    with (folder / "jobs.jsonl").open("w") as file:
        for k in range(count):
            picture.save(folder / f"{k}.png")
            mask.save(folder / f"{k}-mask.png")
            edit = {"edit": "move", "mask": f"{k}-mask.png", "offset": [k % 7 + 0.5, 3]}
            file.write(json.dumps({"image": f"{k}.png", "edits": [edit], "prompt": f"a red thing, number {k}"}) + "\n")


def many(count: int) -> None:
    """Start, all jobs, and resume of a driver, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        write_many(Path(name), count)
        for what in ("start and all jobs", "resume, half of them left", "resume, nothing left"):
            if what == "resume, half of them left":
                for k in range(0, count, 2):
                    (Path(name) / "out" / f"{k + 1:06d}.png").unlink()
            line = subprocess.run(
                [sys.executable, Path(__file__).with_name("batch_driver.py"), name],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()
            print(
                f"{count} jobs, {what}: first job after {float(line[0]):.2f} s (process begun to worker asked), "
                f"{float(line[1]):.2f} ms a job in the driver, {float(line[2]):.0f} MB at most; {others()}",
                flush=True,
            )


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parts = ("rate", "sharing", "kills", "many")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--count", type=int, default=200, help="jobs of rate and kills")
    parser.add_argument("--scenes", type=int, default=12, help="pictures of sharing")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="of kills")
    parser.add_argument("--many", type=int, default=10_000)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    if "many" in given.only:
        many(given.many)
    if "rate" in given.only:
        rate(given.count)
    if "sharing" in given.only:
        sharing(given.scenes)
    if "kills" in given.only:
        kills(given.count, given.kills, given.engine)


if __name__ == "__main__":
    main()
