"""Edits on a GPU: right, and how fast; one command, at most eight minutes, nothing to prepare and nothing downloaded.

    python benchmarks/gpu.py [-o gpu] [--minutes 8] [--toy] [--parts PART ...]

First whether half precision gives the images of single precision for every kind of edit, and whether steps wait for
the device. Then seconds, operations, memory and share of the measured matrix rate of Stable Diffusion 1.5 at 512x512
and XL at 1024x1024 with random weights: first and second edits by preset and phase, previews, generation of as many
steps beside them, batches of 8, and single calls with each optimisation.

Every part runs in a process of its own within its time, and writes every row when it is measured: a part that fails or
is stopped loses nothing. The same command goes on with parts that are not done; `--parts` makes some again. `gpu.json`
and `gpu.md` hold everything. Without a GPU, or with `--toy`, all parts run on the processor at toy size.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata, util
from pathlib import Path
from typing import Any

if util.find_spec("dragondiffusion") is None:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

ORDER = ("rates", "exact", "waits", "sd-1.5", "calls", "batches", "sdxl", "memory")
"""Parts in the order in which they run. The first are those without which the others mean nothing."""

LEAST = 10.0
"""Seconds below which no further part is begun."""


def main() -> int:
    """Runs what is not done and writes both files; 1 where something is wrong or failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, default=Path("gpu"), help="folder of results")
    parser.add_argument("--minutes", type=float, default=8.0, help="for all parts together")
    parser.add_argument("--toy", action="store_true", help="toy size on the processor")
    parser.add_argument("--parts", nargs="+", choices=ORDER, help="parts that are made, also where they are done")
    parser.add_argument("--part", choices=ORDER, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part is not None:
        return run_part(given.part, given.seconds, given.toy, given.out)
    given.out.mkdir(parents=True, exist_ok=True)
    about = conditions(given.toy)
    end = time.monotonic() + 60 * given.minutes
    for name in given.parts or ORDER:
        kept = read(given.out / f"{name}.json")
        if given.parts is None and kept.get("done") and kept.get("conditions") == about:
            print(f"{name}: done before", flush=True)
            continue
        left = end - time.monotonic()
        if left < LEAST:
            print(f"{name}: no time left; the same command goes on from here", flush=True)
            continue
        guarded(name, left, given, about)
    return finish(given.out, about)


def guarded(name: str, left: float, given: argparse.Namespace, about: dict[str, Any]) -> None:
    """Runs a part in its own process, stopped when its time is over; what it wrote by then is kept.

    Toys run in this process, which has loaded everything already.
    """
    from gpu_parts import PARTS

    path = given.out / f"{name}.json"
    write(path, {"conditions": about, "rows": [], "done": False, "error": None})
    allowed = left if given.toy or about["device"] == "cpu" else min(left, PARTS[name][0])
    command = [sys.executable, __file__, "--part", name, "--seconds", str(allowed), "-o", str(given.out)]
    begin = time.monotonic()
    if about["toy"]:
        run_part(name, allowed, True, given.out)
        kept = read(path)
        write(path, {**kept, "seconds": round(time.monotonic() - begin, 1)})
        told(name, read(path))
        return
    log = given.out / f"{name}.log"
    with log.open("w", encoding="utf-8") as out:
        # Rows that are begun in time may end after it.
        child = subprocess.Popen([*command, *(["--toy"] if given.toy else [])], stdout=out, stderr=subprocess.STDOUT)
        try:
            code: int | str = child.wait(min(1.5 * allowed + 20, left + 20))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            code = "stopped, its time was over"
    kept = read(path)
    kept["seconds"] = round(time.monotonic() - begin, 1)
    if code != 0 and kept.get("error") is None:
        kept["error"] = f"{code}; {log}: {' '.join(log.read_text(encoding='utf-8').splitlines()[-3:])[-400:]}"
    write(path, kept)
    told(name, kept)


def told(name: str, kept: dict[str, Any]) -> None:
    """Prints how a part went."""
    state = f"failed: {kept['error']}" if kept["error"] else "done" if kept["done"] else "rows left out, no time"
    print(f"{name}: {len(kept['rows'])} rows in {kept['seconds']} s, {state}", flush=True)


def run_part(name: str, allowed: float, toy: bool, out: Path) -> int:
    """Runs a part in this process, writing after every row."""
    import torch
    from gpu_parts import PARTS, Place

    device = "cuda" if torch.cuda.is_available() and not toy else "cpu"
    place = Place(device, toy or device == "cpu", time.monotonic() + allowed)
    path = out / f"{name}.json"
    kept = read(path)
    try:
        for row in PARTS[name][1](place):
            kept["rows"].append(row)
            write(path, kept)
        kept["done"] = not place.late()
    except Exception as error:  # noqa: BLE001  # whatever it is, it belongs into the report
        kept["error"] = f"{type(error).__name__}: {error}"[:500]
    write(path, kept)
    return 0 if kept["error"] is None else 1


def conditions(toy: bool) -> dict[str, Any]:
    """Where and with what everything is measured."""
    import torch

    cuda = torch.cuda.is_available() and not toy
    about: dict[str, Any] = {"device": "cuda" if cuda else "cpu", "toy": toy or not cuda}
    about["card"] = torch.cuda.get_device_name() if cuda else platform.processor() or platform.machine()
    if cuda:
        about["memory"] = round(torch.cuda.get_device_properties(0).total_memory / 1e9, 1)
        about["driver"] = driver()
        about["cuda"], about["cudnn"] = torch.version.cuda, torch.backends.cudnn.version()
    about["processors"] = os.cpu_count()
    about["python"] = platform.python_version()
    return about | {name: version(name) for name in ("torch", "triton", "diffusers", "transformers", "dragondiffusion")}


def driver() -> str | None:
    """Version of the card's driver."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True, timeout=20).stdout.split("\n")[0]
    except (OSError, subprocess.SubprocessError):
        return None


def version(name: str) -> str | None:
    """Version of an installed package; of this one also where it is not installed."""
    if name == "dragondiffusion":
        from dragondiffusion import __version__

        return __version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def finish(out: Path, about: dict[str, Any]) -> int:
    """Writes and prints the tables of all parts; 1 where a part failed or found something wrong."""
    from gpu_tables import tables

    parts = {name: read(out / f"{name}.json") for name in ORDER if (out / f"{name}.json").is_file()}
    write(out / "gpu.json", {"conditions": about, "parts": parts})
    text = tables(about, parts)
    (out / "gpu.md").write_text(text, encoding="utf-8")
    print(f"\n{text}\nwrote {out / 'gpu.json'} and {out / 'gpu.md'}")
    wrong = [row for part in parts.values() for row in part["rows"] if row.get("right") is False]
    failed = [name for name, part in parts.items() if part["error"]]
    if wrong or failed:
        print(f"{len(wrong)} rows are wrong, parts that failed: {', '.join(failed) or 'none'}", file=sys.stderr)
    return 1 if wrong or failed else 0


def read(path: Path) -> dict[str, Any]:
    """What a file holds; nothing if it is not there."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write(path: Path, found: dict[str, Any]) -> None:
    """Writes a file whole or not at all."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
