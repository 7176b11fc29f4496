"""What every task holds, and how seeds are walked over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from ... import edits
from ...core.geometry import Affine, Correspondence, warp_mask
from ...core.types import Number, Point, PointList, Size
from ...edits.settings import Geometry
from .. import metrics
from .. import scenes as S

Range: TypeAlias = tuple[Number, Number]
"""Lowest and highest value."""

HELD_OUT = 1_000_000_000
"""Seeds from here on are never trained on."""
TUNING = HELD_OUT + 500_000_000
"""Seeds from here on are for choosing settings; figures are never reported on them."""
SECOND = 50_000_000
"""Second pictures have seeds from this far beyond those of the pictures that are edited."""

PATIENCE = 5000
"""Seeds in a row that may be passed over before a generator gives up."""

SEEN = 0.98
"""Share of an object that is seen when it counts as wholly visible."""

SURROUNDINGS = 0.1
"""How far shadows fall from an object, as a fraction of the shorter side. Source: chosen, the longest of `scenes`."""

REGIONS: dict[str, tuple[str, ...]] = {
    "move": ("destination", "hole", "rest", "outside"),
    "resize": ("destination", "hole", "rest", "outside"),
    "rotate": ("destination", "hole", "rest", "outside"),
    "paste": ("destination", "rest", "outside"),
    "appearance": ("edited", "rest", "outside"),
    "drag": ("edited", "rest", "outside"),
    "landmarks": ("edited", "rest", "outside"),
    "remove": ("hole", "rest", "outside"),
}
"""The regions that a kind of edit is scored in."""


@dataclass(frozen=True)
class Second:
    """The picture that something is taken from."""

    picture: Float[Tensor, "3 h w"]
    mask: Float[Tensor, "h w"]
    """What is seen of the object that is taken, or whose look is."""
    caption: str


@dataclass(frozen=True)
class Task:
    """An edit of one object of a scene, and what the picture then is. Lengths and places are in pixels."""

    kind: str
    """Which edit, a key of `TASKS`."""
    seed: int
    scenes: S.Scenes
    """The scene before, alone in its batch."""
    after: S.Scenes
    """The scene of the truth."""
    index: int
    """Which object of both; of the truth alone if it is pasted."""
    before: Float[Tensor, "3 h w"]
    truth: Float[Tensor, "3 h w"]
    mask: Float[Tensor, "h w"]
    """What is seen of the object before the edit; nothing if it is pasted."""
    placed: Float[Tensor, "h w"]
    """What is seen of it afterwards; nothing if it is removed."""
    centre: Point = (0.0, 0.0)
    """The object's centre (x, y), in the second picture if it is pasted: the anchor of scale and rotation."""
    offset: Point = (0.0, 0.0)
    """Displacement (x, y)."""
    scale: Number = 1.0
    angle: Number = 0.0
    editable: Float[Tensor, "h w"] | None = None
    """Where a drag may change the picture."""
    points_from: PointList = ()
    """Handle or landmarks before."""
    points_to: PointList = ()
    """The same afterwards."""
    second: Second | None = None

    @property
    def caption(self) -> str:
        """What the picture shows."""
        return S.captions(self.scenes)[0]

    @property
    def caption_after(self) -> str:
        """What the truth shows."""
        return S.captions(self.after)[0]

    @property
    def size(self) -> Size:
        """(height, width)."""
        return self.before.shape[1], self.before.shape[2]

    def regions(self, margin: int = 6) -> dict[str, Float[Tensor, "h w"]]:
        """The regions scored, those without a pixel left out.

        `destination`: the object after the edit; `hole`: before and not after; `edited`: before or after, where it
        stays in place; `rest`: neither; `outside`: `margin` pixels off both and off what may be edited.
        """
        source, placed = (self.mask > 0.5).float(), (self.placed > 0.5).float()
        either = torch.maximum((self.mask > 0.02).float(), (self.placed > 0.02).float())
        every = {
            "destination": placed,
            "hole": source * (1 - placed),
            "edited": torch.maximum(source, placed),
            "rest": 1 - either,
            "outside": 1 - grown(either if self.editable is None else torch.maximum(either, self.editable), margin),
        }
        return {name: every[name] for name in REGIONS[self.kind] if bool(every[name].any())}

    def surroundings(self, reach: Number = SURROUNDINGS) -> Float[Tensor, "h w"] | None:
        """The ring around the object after the edit, where its shadow falls; None without a pixel.

        Pixels of the object before belong to `hole` and not to it.

        Args:
            reach: How far the ring reaches, as a fraction of the shorter side.
        """
        if not bool((self.placed > 0.5).any()):
            return None
        either = torch.maximum((self.mask > 0.02).float(), (self.placed > 0.02).float())
        ring = grown((self.placed > 0.5).float(), max(1, round(reach * min(self.size)))) * (1 - either)
        return ring if bool(ring.any()) else None

    def carried(self) -> tuple[Float[Tensor, "3 h w"], Float[Tensor, "h w"]] | None:
        """The picture that a moved or pasted object comes from, carried along the edit's map, and its coverage there.

        None for edits that are no map of a whole object.
        """
        if self.kind not in ("move", "resize", "rotate", "paste"):
            return None
        source = self.before if self.second is None else self.second.picture
        mask = self.mask if self.second is None else self.second.mask
        affine = Affine.about(self.centre, self.offset, (self.scale, self.scale), self.angle)
        everywhere = Correspondence.along(affine, torch.ones(self.size, dtype=torch.bool), self.size)
        return everywhere.carry(source[None], self.before[None])[0], warp_mask(mask, affine, self.size)

    def edit(self, geometry: Geometry = Geometry.AFFINE) -> edits.Edit:
        """The edit to make.

        Args:
            geometry: That of the settings it will be made with. The authors' geometry resizes about the middle of the
                picture (and when moving, multiplies the displacement by the scale); it is given the displacement that
                brings the object to the same place.
        """
        match self.kind:
            case "move" | "resize" | "rotate":
                anchor, offset = self._anchored(geometry)
                return edits.Move(_array(self.mask), offset, self.scale, self.angle, anchor=anchor)
            case "paste":
                anchor, offset = self._anchored(geometry)
                return edits.Paste(
                    pixels(self._second.picture),
                    _array(self._second.mask),
                    offset,
                    self.scale,
                    self.angle,
                    anchor=anchor,
                    prompt=self._second.caption,
                )
            case "appearance":
                second = self._second
                return edits.ReplaceAppearance(
                    _array(self.mask), pixels(second.picture), _array(second.mask), prompt=second.caption
                )
            case "drag":
                mask = None if self.editable is None else _array(self.editable)
                return edits.Drag(list(zip(self.points_from, self.points_to, strict=True)), mask=mask)
            case "landmarks":
                return edits.Landmarks(list(self.points_from), list(self.points_to))
            case "remove":
                return edits.Remove(_array(self.mask))
            case _:
                raise ValueError(f"kind {self.kind!r} is no kind of task; use one of {', '.join(REGIONS)}")

    @property
    def _second(self) -> Second:
        if self.second is None:
            raise ValueError(f"second is missing; a task of kind {self.kind!r} takes something from a second picture")
        return self.second

    def _anchored(self, geometry: Geometry) -> tuple[Point | None, Point]:
        """Anchor and offset."""
        if geometry is Geometry.AFFINE:
            return self.centre, self.offset
        if self.scale == 1:
            return None, self.offset
        middle = (self.size[1] / 2, self.size[0] / 2)
        x, y = (c + d - m - self.scale * (c - m) for c, d, m in zip(self.centre, self.offset, middle, strict=True))
        times = 1 if self.kind == "paste" else self.scale
        return None, (x / times, y / times)


def pixels(picture: Float[Tensor, "3 h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """A picture as the editor takes it, 8 bits a channel."""
    return (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def _array(mask: Float[Tensor, "h w"]) -> Float[np.ndarray, "h w"]:
    return mask.numpy()


def walk(count: int, first_seed: int, make: Callable[[int], Task | None]) -> Iterator[Task]:
    """The first `count` tasks of the seeds from `first_seed` on.

    Args:
        count: How many.
        first_seed: Where to begin.
        make: The task of a seed, or None if its scene does not fit.

    Raises:
        ValueError: No seed of many fits.
    """
    seed, found, passed = first_seed, 0, 0
    while found < count:
        task = make(seed)
        seed += 1
        if task is not None:
            found, passed = found + 1, 0
            yield task
            continue
        passed += 1
        if passed == PATIENCE:
            raise ValueError(f"none of {PATIENCE} scenes from seed {seed - PATIENCE} on fits; widen the ranges")


def grown(region: Float[Tensor, "h w"], margin: int) -> Float[Tensor, "h w"]:
    """A region and `margin` pixels around it."""
    return F.max_pool2d(region[None, None], 2 * margin + 1, 1, margin)[0, 0]


def present(scenes: S.Scenes) -> list[int]:
    """The objects that are there."""
    return scenes.present[0].nonzero()[:, 0].tolist()


def between(range_: Range, u: Tensor) -> float:
    """The value at `u` of [0, 1] in a range."""
    return range_[0] + (range_[1] - range_[0]) * float(u)


def wholly_visible(drawn: S.Rendering, index: int) -> bool:
    """Whether nothing hides the object."""
    return float(drawn.masks[0, index].sum() / drawn.whole[0, index].sum().clamp_min(1e-6)) >= SEEN


def cut_off(drawn: S.Rendering, index: int) -> bool:
    """Whether the object touches the border of the picture."""
    whole = drawn.whole[0, index]
    return bool((torch.cat([whole[0], whole[-1], whole[:, 0], whole[:, -1]]) > 0.02).any())


def shown(task: Task | None, share: Number) -> Task | None:
    """The task, if the edit visibly changes that share of the object's pixels before or after."""
    if task is None:
        return None
    either = (torch.maximum(task.mask, task.placed) > 0.5).float()
    return task if metrics.changed(task.truth, task.before, either, tolerance=0.1) >= share else None
