"""One edit whose exact answer is known: the image before, the truth, and the edit that leads from one to the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from ... import edits
from ...core.geometry import Affine
from .arrays import Bytes, Mask, Region, dilated, distance_to

ACTIONS = {
    "move": "move",
    "resize": "move",
    "rotate": "move",
    "flip": "move",
    "remove": "remove",
    "paste": "paste",
    "appearance": "appearance",
    "drag": "drag",
    "translate": "move",
    "scale": "move",
    "reflect": "move",
}
"""The class of edit that makes each kind."""

GROWN = 1 / 96
"""How far a user draws beyond a thing, as a share of the shorter side."""


@dataclass(frozen=True)
class Motion:
    """Where a thing goes; see `edits.Move`.

    Args:
        anchor: (x, y) that stays in place under scaling, turning and mirroring, pixels.
        offset: (dx, dy), pixels.
        scale: factor.
        angle: degrees, counter-clockwise as seen on the screen.
        flip: mirrored left and right.
    """

    anchor: tuple[float, float]
    offset: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    angle: float = 0.0
    flip: bool = False

    @property
    def affine(self) -> Affine:
        """The map of the canvas."""
        return Affine.about(self.anchor, self.offset, (self.scale, self.scale), self.angle, self.flip)


@dataclass(frozen=True, eq=False)
class Second:
    """A further image that an edit takes something from.

    Args:
        image: of any size.
        mask: the thing in it, of the same size.
    """

    image: Bytes
    mask: Mask


@dataclass(frozen=True, eq=False)
class Problem:
    """An edit with its exact answer.

    Args:
        kind: a key of `ACTIONS`.
        seed: what it was made from.
        ground: its label: plain, medium or textured for photographs, otherwise the name of a drawn ground.
        before: the image that is edited.
        truth: what the edit should make of it.
        mask: the thing in `before`, its true alpha; for drags, what may change.
        placed: the thing in `truth`, its true alpha; None where it is gone.
        motion: where it goes; None if it stays.
        second: what the edit takes something from.
        pairs: points (from, to) of a drag.
    """

    kind: str
    seed: int
    ground: str
    before: Bytes
    truth: Bytes
    mask: Mask
    placed: Mask | None = None
    motion: Motion | None = None
    second: Second | None = None
    pairs: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()
    notes: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if self.kind not in ACTIONS:
            raise ValueError(f"kind {self.kind!r} is unknown; use one of {', '.join(ACTIONS)}")

    @property
    def name(self) -> str:
        """A name for files."""
        return f"{self.kind}-{self.seed}"

    @property
    def action(self) -> str:
        """The class of edit that makes it."""
        return ACTIONS[self.kind]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.before.shape[0], self.before.shape[1]

    def regions(self) -> dict[str, Region]:
        """Where results are judged, by name.

        whole: everything. destination: where the thing is in the truth, and its shadow. hole: where it was and is no
        more, and its shadow. seam: a band around the borders of both. outside: neither in a mask of the edit nor
        changed in the truth. Regions without a pixel are left out.
        """
        changed = (self.before != self.truth).any(axis=2)
        arrived = np.zeros(self.size, bool) if self.placed is None else self.placed > 0
        was = self.mask > 0 if self.action in ("move", "remove") else np.zeros(self.size, bool)
        covered = arrived & (self.placed > 0.98 if self.placed is not None else False)
        nearer = self._nearer(changed, arrived, was)
        found = {
            "whole": np.ones(self.size, bool),
            "destination": arrived | (changed & nearer),
            "hole": (was & ~covered) | (changed & ~nearer & ~arrived),
            "seam": self._seam(),
            "outside": ~self.footprint(),
        }
        return {name: region for name, region in found.items() if region.any()}

    def footprint(self) -> Region:
        """Pixels that the edit may change: its masks, and what changes in the truth."""
        changed = (self.before != self.truth).any(axis=2)
        mask = np.zeros(self.size, bool) if self.action == "paste" else self.mask > 0
        return changed | mask | (self.placed > 0 if self.placed is not None else False)

    def _seam(self) -> Region:
        """A band of a 64th of the shorter side on both sides of the borders of the thing, before and after."""
        radius = max(1, round(min(self.size) / 64))
        found = np.zeros(self.size, bool)
        for mask in (self.mask if self.action != "paste" else None, self.placed):
            if mask is not None:
                solid = mask > 0.5
                found |= dilated(solid, radius) & dilated(~solid, radius)
        return found

    def _nearer(self, changed: Region, arrived: Region, was: Region) -> Region:
        """Pixels nearer to the thing's new place than to its old one, to which their changes (shadows) are counted."""
        if not arrived.any() or not was.any():
            return np.full(changed.shape, arrived.any() or not was.any())
        return distance_to(arrived) <= distance_to(was)

    def edit(self) -> edits.Edit:
        """The edit to make."""
        motion, second = self.motion, self.second
        if self.action == "move" and motion is not None:
            pure = motion.scale == 1 and motion.angle == 0 and not motion.flip
            anchor = None if pure else motion.anchor
            return edits.Move(self.mask, motion.offset, motion.scale, motion.angle, motion.flip, anchor)
        if self.action == "remove":
            return edits.Remove(self.mask)
        if self.action == "paste" and motion is not None and second is not None:
            where = motion.offset, motion.scale, motion.angle, motion.flip, motion.anchor
            return edits.Paste(second.image, second.mask, *where)
        if self.action == "appearance" and second is not None:
            return edits.ReplaceAppearance(self.mask, second.image, second.mask)
        if self.action == "drag" and self.pairs:
            return edits.Drag(list(self.pairs), mask=self.mask)
        raise ValueError(f"problem {self.name} lacks what an edit of its kind needs; give motion, second or pairs")

    def as_drawn_by_hand(self) -> Problem:
        """The same with masks as a user gives them: hard, and slightly larger than the thing.

        The true alpha stays in `placed`; footprint and regions follow the user's mask.
        """
        radius = max(1, round(GROWN * min(self.size)))
        second = self.second
        if second is not None:
            second = replace(second, mask=_by_hand(second.mask, radius))
        mask = self.mask if self.action in ("drag", "paste") else _by_hand(self.mask, radius)
        return replace(self, mask=mask, second=second)


def _by_hand(mask: Mask, radius: int) -> Mask:
    return dilated(mask > 0.5, radius).astype(np.float32)


class Source(ABC):
    """What problems come from; picklable, and a function of its arguments alone.

    Args:
        KINDS: kinds of edit that it knows.
        GROUNDS: labels of grounds that it knows.
    """

    KINDS: ClassVar[tuple[str, ...]]
    GROUNDS: ClassVar[tuple[str, ...]]

    @abstractmethod
    def problem(self, kind: str, seed: int) -> Problem:
        """The problem of a seed.

        Raises:
            ValueError: the kind is unknown.
        """

    @abstractmethod
    def about(self) -> dict[str, object]:
        """Everything that problems depend on, beside kind and seed; JSON."""

    @classmethod
    def check_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        """The kinds asked for, all of them if none are.

        Raises:
            ValueError: one is unknown.
        """
        return _known("--kinds", kinds, cls.KINDS) or cls.KINDS

    @classmethod
    def check_grounds(cls, grounds: tuple[str, ...]) -> None:
        """Checks labels of grounds.

        Raises:
            ValueError: one is unknown.
        """
        _known("--grounds", grounds, cls.GROUNDS)


def _known(option: str, asked: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise ValueError(f"{option} {' '.join(unknown)}: use one or more of {', '.join(known)}")
    return asked


def generator(seed: int, *words: str) -> np.random.Generator:
    """The random numbers of a seed and some words."""
    return np.random.default_rng([seed, *(byte for word in words for byte in word.encode())])
