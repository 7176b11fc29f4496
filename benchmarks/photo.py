"""What a large photo costs beyond the model: seconds, and memory (Linux).

    python benchmarks/photo.py [--megapixels 12] [--kind move] [--suffix .jpg]

An object of a drawn photo is moved, removed or dragged with the demo model, from file to file. Then the frame that was
edited is edited once more as a picture of its own. What the first takes more is the photo's: reading, framing, detail,
compositing, writing.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from dragondiffusion import Drag, Editor, Move, Remove, Settings
from dragondiffusion.edits.base import Edit
from dragondiffusion.imaging.photos import Shot, read_photo
from dragondiffusion.pipeline.plan import framed


def draw_photo(height: int, width: int) -> Image.Image:
    """A photo with structure at every scale: a ramp, waves and noise."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = 40 * np.sin(x / 37) * np.cos(y / 53) + 25 * np.sin(x / 3.1 + y / 4.7)
    grey = 128 + 50 * (x / width - y / height) + waves + np.random.default_rng(0).normal(0, 6, (height, width))
    return Image.fromarray(np.stack([grey, grey * 0.9 + 10, 230 - grey], axis=-1).clip(0, 255).astype(np.uint8))


def draw_mask(height: int, width: int) -> Image.Image:
    """A disc of an eighth of the photo's height in radius, left of its middle."""
    y, x = np.mgrid[:height, :width]
    inside = (x - 0.4 * width) ** 2 + (y - 0.5 * height) ** 2 < (height / 8) ** 2
    return Image.fromarray(inside.astype(np.uint8) * 255)


def make_edit(kind: str, mask: Path, height: int, width: int) -> Edit:
    """The edit of a kind, in pixels of the photo."""
    if kind == "remove":
        return Remove(mask)
    if kind == "drag":
        return Drag([((0.4 * width, 0.5 * height), (0.47 * width, 0.48 * height))])
    return Move(mask, offset=(0.2 * width + 0.5, 0.05 * height + 0.25), angle=10)


def memory(name: str) -> float:
    """VmRSS (held now) or VmHWM (held at most) of this process, MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def measured(work: Callable[[], object]) -> tuple[float, float, float]:
    """Seconds of some work, those of the processor, and the memory that it took at most, MB."""
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # VmHWM starts from now on
    begin, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - busy, memory("VmHWM") - before


def shot_of(editor: Editor, photo: Path, edit: Edit) -> Shot:
    """The photo with the frame that the edit is made in."""
    return framed(read_photo(photo), edit, Settings(), editor.backbone.working_size)


def compare(folder: Path, size: tuple[int, int], kind: str, suffix: str, repeats: int) -> None:
    """Prints what the edit of a photo and that of its frame alone take."""
    photo, mask = folder / f"photo{suffix}", folder / "mask.png"
    editor, edit = Editor.from_pretrained(device="cpu"), make_edit(kind, mask, *size)
    shot = shot_of(editor, photo, edit)
    frame, pixels, inner = shot.frame, shot.pixels.copy(), edit.within(shot.frame, Settings())
    del shot
    editor(pixels, inner)  # what is only done once
    rows = {
        "from file to file": lambda: editor(photo, edit).save(folder / f"out{suffix}"),
        "its frame alone": lambda: editor(pixels, inner),
    }
    print(f"{size[1]}x{size[0]} {suffix}, {kind}, frame {frame.box}, scale {frame.scale:.3f}; best of {repeats}")
    taken = {name: [measured(work) for _ in range(repeats)] for name, work in rows.items()}
    best = {name: tuple(min(run[k] for run in runs) for k in range(3)) for name, runs in taken.items()}
    whole, alone = best.values()
    best["beyond the model"] = tuple(a - b for a, b in zip(whole, alone, strict=True))
    for name, (seconds, busy, megabytes) in best.items():
        print(f"{name:<18} {seconds:6.2f} s {busy:6.2f} s of the processor {megabytes:6.0f} MB")


def main() -> None:
    """Draws the photo in a process of its own, whose memory does not count, and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--kind", choices=("move", "remove", "drag"), default="move")
    parser.add_argument("--suffix", choices=(".jpg", ".png"), default=".jpg")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--draw", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    height = round((given.megapixels * 1e6 * 3 / 4) ** 0.5)
    size = (height, round(height * 4 / 3))
    if given.draw is not None:
        draw_photo(*size).save(
            given.draw / f"photo{given.suffix}", **({"quality": 95} if given.suffix == ".jpg" else {})
        )
        draw_mask(*size).save(given.draw / "mask.png")
        return
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--draw", name], check=True)
        compare(Path(name), size, given.kind, given.suffix, given.repeats)


if __name__ == "__main__":
    main()
