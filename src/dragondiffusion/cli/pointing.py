"""Commands that find what edits need: the mask of a thing somebody points at, the landmarks of a face."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ..console.command import Command

if TYPE_CHECKING:
    from ..core.types import Mask
    from ..imaging.files import Pixels

Point = tuple[float, float]
Points = Annotated[tuple[Point, ...], tyro.conf.UseAppendAction]
Out = Annotated[Path, tyro.conf.arg(aliases=["-o"])]


SIZES = {"smaller": -1, "likeliest": 0, "larger": 1}
"""Places from the likeliest candidate."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskCommand(Command):
    """Make the mask of a thing from points on it or a box around it, and write it as an image.

    Then, in this order: parts dropped, holes filled, shadow joined, grown or shrunk, inverted, feathered.
    """

    photo: tyro.conf.Positional[Path]
    """The image."""
    out: Out
    """Where the mask goes; the suffix says the format, .json writes COCO's run lengths."""
    point: Annotated[Points, tyro.conf.arg(metavar="X Y")] = ()
    """A point on the thing, in pixels; may be repeated."""
    not_: Annotated[Points, tyro.conf.arg(name="not", metavar="X Y")] = ()
    """A point that is not on the thing; may be repeated."""
    box: tuple[float, float, float, float] | None = None
    """A box around the thing: x0 y0 x1 y1, in pixels."""
    weights: str | None = None
    """A SAM 2 checkpoint: a folder or a hub id; None is GrabCut, which needs none."""
    device: str = "cpu"
    """Where SAM 2 runs."""
    size: Literal["smaller", "likeliest", "larger"] = "likeliest"
    """Which of the masks that the clicks may mean; their shares of the image are printed."""
    largest: tyro.conf.FlagCreatePairsOff[bool] = False
    """Keep the largest part only."""
    specks: float = 0.0
    """Drop parts of fewer pixels than this."""
    fill: tyro.conf.FlagCreatePairsOff[bool] = False
    """Fill holes."""
    shadow: tyro.conf.FlagCreatePairsOff[bool] = False
    """Join the shadow that the thing casts, if there is one."""
    grow: float = 0.0
    """Grow the mask by so many pixels; negative numbers shrink it."""
    invert: tyro.conf.FlagCreatePairsOff[bool] = False
    """Mark everything but the thing."""
    feather: float = 0.0
    """Width over which the border fades, pixels."""

    def run(self) -> None:
        from ..console.terminal import check_output, show_notes
        from ..imaging.files import read_picture
        from ..selection import Clicks, candidates

        clicks = Clicks(self.point, self.not_, self.box)
        if self.specks < 0 or self.feather < 0:
            raise ValueError(f"--specks {self.specks} and --feather {self.feather} must not be negative")
        if self.out.suffix.lower() != ".json":
            check_output(self.out)
        pixels = read_picture(self.photo)
        offered = candidates(pixels, clicks, self.weights, self.device)
        found = offered.beside(SIZES[self.size])
        print(f"found by {found.by}")
        shares = [f"{one.share:.1%}{' (chosen)' if one is found else ''}" for one in offered.selections]
        print(f"candidates, from small to large: {', '.join(shares)} of the image")
        show_notes(*found.notes)
        mask = self._worked(found.mask, pixels)
        print(f"{float((mask > 0.5).float().mean()):.1%} of the image")
        print(f"wrote {_write_mask(mask, self.out)}")

    def _worked(self, mask: Mask, pixels: Pixels) -> Mask:
        """The mask after what was asked for."""
        from ..selection import masks

        mask = masks.largest(mask) if self.largest else mask
        mask = masks.without_specks(mask, self.specks) if self.specks else mask
        mask = masks.filled(mask) if self.fill else mask
        if self.shadow:
            mask, there = masks.with_shadow(mask, pixels)
            print("joined its shadow" if there else "it casts no shadow that can be found")
        mask = masks.shrink(mask, -self.grow) if self.grow < 0 else masks.grow(mask, self.grow)
        mask = masks.invert(mask) if self.invert else mask
        mask = masks.feathered(mask, self.feather)
        if not bool((mask > 0.5).any()):
            raise ValueError("nothing is left of the mask; shrink it less or keep smaller parts")
        return mask


@dataclasses.dataclass(frozen=True, kw_only=True)
class FindLandmarks(Command):
    """Find the landmarks of a face and write them as JSON, as `landmarks` takes them."""

    photo: tyro.conf.Positional[Path]
    """The image."""
    out: Out
    """Where the points go, a JSON file."""
    count: int = 68
    """How many: 478 (mediapipe), 68 (iBUG 300-W) or 17 of those."""
    face: int | None = None
    """Which face, from left to right, from 0; None is the only one."""
    model: Path | None = None
    """Mediapipe's file face_landmarker.task; None downloads it once."""

    def run(self) -> None:
        from ..core.strict_json import write_json
        from ..imaging.writing import write_file
        from ..selection.faces import find_landmarks

        if self.out.suffix.lower() != ".json":
            raise ValueError(f"--out {self.out} must be the name of a file that ends in .json")
        text = write_json([list(point) for point in find_landmarks(self.photo, self.count, self.face, self.model)])
        print(f"wrote {write_file(self.out, lambda file: file.write(text.encode('utf-8')))}")


def _write_mask(mask: Mask, out: Path) -> Path:
    """Writes a mask as a grey image, or as run lengths."""
    import numpy as np
    from PIL import Image

    from ..core.strict_json import write_json
    from ..imaging.rle import encode_runs
    from ..imaging.shapes import RunLengthMask
    from ..imaging.writing import write_file, write_picture

    if out.suffix.lower() != ".json":
        return write_picture(Image.fromarray(np.rint(mask.numpy() * 255).astype(np.uint8)), out)
    runs = RunLengthMask((mask.shape[0], mask.shape[1]), encode_runs((mask > 0.5).numpy()))
    text = write_json(runs.to_json())
    return write_file(out, lambda file: file.write(text.encode("utf-8")))


COMMANDS: dict[str, type[Command]] = {"mask": MaskCommand, "find-landmarks": FindLandmarks}
"""The commands by name."""
