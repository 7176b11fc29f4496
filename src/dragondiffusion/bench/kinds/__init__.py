"""The kinds of edit that are measured: one entry each, from which commands, scores, rows and reports follow.

A new kind is an entry of `KINDS` and one file in `bench/tasks/` with the two functions that it names: the generator of
its tasks, and, if no kind had it before, the function that builds its edit. Nothing here imports torch, so that the
command line can list kinds at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of edit.

    Args:
        tasks: the generator of its tasks, MODULE.FUNCTION of `bench.tasks`.
        edit: the function that builds the edit of a task, MODULE.FUNCTION of `bench.tasks`; see `Build` there.
        regions: where results are compared to the truth, see `Task.regions`; the hardest first.
        terms: energy terms of the edit, by the names of their weights. Source: docs/method.md, section 4.
        options: ranges and numbers that its generator takes from the command line.
        rigid: whether an object goes along a map as a whole, so that its warp error can be measured.
        turns: whether objects are turned; the authors' geometry knows no angle, so ours is used in every row.
        outlined: whether the object, or what may change, is outlined where the task is shown.
    """

    tasks: str
    edit: str
    regions: tuple[str, ...]
    terms: tuple[str, ...]
    options: tuple[str, ...] = ()
    rigid: bool = False
    turns: bool = False
    outlined: bool = True

    @property
    def headline(self) -> str:
        """The region in which the kind is hardest: figures are broken down by it, beside the whole image."""
        return self.regions[0]


MOVED = ("destination", "hole", "rest", "outside")
IN_PLACE = ("edited", "rest", "outside")

KINDS: Mapping[str, Kind] = {
    "move": Kind(
        tasks="placing.moves",
        edit="editing.move",
        regions=MOVED,
        terms=("edit", "content", "contrast", "inpaint"),
        options=("displacement", "scale", "angle"),
        rigid=True,
    ),
    "resize": Kind(
        tasks="placing.resizes",
        edit="editing.move",
        regions=MOVED,
        terms=("edit", "content", "contrast", "inpaint"),
        options=("scale",),
        rigid=True,
    ),
    "rotate": Kind(
        tasks="placing.rotations",
        edit="editing.move",
        regions=MOVED,
        terms=("edit", "content", "contrast", "inpaint"),
        options=("angle",),
        rigid=True,
        turns=True,
    ),
    "remove": Kind(
        tasks="placing.removals",
        edit="editing.remove",
        regions=("hole", "rest", "outside"),
        terms=("content", "contrast", "inpaint"),
    ),
    "paste": Kind(
        tasks="transferring.pastes",
        edit="editing.paste",
        regions=("destination", "rest", "outside"),
        terms=("edit", "content"),
        options=("scale", "angle"),
        rigid=True,
        outlined=False,
    ),
    "appearance": Kind(
        tasks="transferring.appearances",
        edit="editing.appearance",
        regions=IN_PLACE,
        terms=("edit", "content"),
    ),
    "drag": Kind(
        tasks="reshaping.drags",
        edit="editing.drag",
        regions=IN_PLACE,
        terms=("edit", "content", "inpaint"),
        options=("displacement",),
    ),
    "landmarks": Kind(
        tasks="reshaping.face_landmarks",
        edit="editing.landmarks",
        regions=IN_PLACE,
        terms=("edit",),
        options=("points",),
        outlined=False,
    ),
}
"""The kinds by name, in the order of tables."""

OPTIONS: Mapping[str, tuple[str, ...]] = {
    option: tuple(name for name, kind in KINDS.items() if option in kind.options)
    for option in dict.fromkeys(option for kind in KINDS.values() for option in kind.options)
}
"""The kinds that take an option, by option."""


def kind_of(name: str) -> Kind:
    """The kind of a name.

    Raises:
        ValueError: there is no such kind.
    """
    if name not in KINDS:
        raise ValueError(f"kind {name!r} is no kind of task; use one of {', '.join(KINDS)}")
    return KINDS[name]
