"""The order of edits: which are made together, and which on the result of earlier ones.

Masks and points of an edit are places of the image as the edits before it leave it. Edits that do not touch each other
are made together; one that comes where an earlier one put or changed something is made on its result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..core.geometry import union
from ..core.paint import Placed
from ..core.stopping import go_on
from ..core.types import Region
from .base import Compiled

SAME = 0.7
"""From this intersection over union on, what an edit takes is what an earlier one put there. Source: chosen; two masks
of one object agree more, objects that cover each other in part agree less."""
MOSTLY = 0.5
"""Share of an object from which on an edit is about it. Source: chosen."""


@dataclass(frozen=True)
class Order:
    """How edits are made.

    Args:
        passes: places of the edits in their list, from 0, pass after pass; those of one pass are made together.
        notes: for every edit that is made on the result of others, which and why.
    """

    passes: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...] = ()


def ordered(edits: Sequence[Compiled]) -> Order:
    """The passes of edits, each as early as it can be.

    Args:
        edits: compiled on one canvas, in the order of their list.

    Raises:
        ValueError: if two contradict each other: both take the same thing away, or one is about what another takes.
    """
    places, notes = [0] * len(edits), list[str]()
    for k, later in enumerate(edits):
        go_on()
        for m, earlier in enumerate(edits[:k]):
            reason = _reason(earlier, later, f"edits {m + 1} and {k + 1}")
            if reason is not None:
                places[k] = max(places[k], places[m] + 1)
                notes.append(f"edit {k + 1} is made on the result of edit {m + 1}: {reason}")
    passes = [tuple(k for k, place in enumerate(places) if place == p) for p in range(max(places, default=0) + 1)]
    return Order(tuple(passes), tuple(notes))


def _reason(earlier: Compiled, later: Compiled, names: str) -> str | None:
    """Why an edit must be made on another's result; None if both can be made together.

    Raises:
        ValueError: if they contradict each other.
    """
    if bool((_destination(earlier) & _destination(later)).any()):
        return "it goes where that one puts something"
    put, taken = arrived(earlier), later.hole
    if bool((earlier.stays & (taken | arrived(later))).any()):
        return "both change the same place"
    if bool(put.any()) and int((put & taken).sum()) >= SAME * int((put | taken).sum()):
        return "it is about what that one puts there"
    gone = int((earlier.hole & taken).sum())
    if gone and gone > MOSTLY * min(int(earlier.hole.sum()), int(taken.sum())):
        raise ValueError(
            f"{names} both take the same thing away; keep one of them, or mark it in the second where the first puts it"
        )
    if bool((later.stays & put).any()):
        return "it changes what that one puts there"
    left = later.stays & earlier.hole
    if int(left.sum()) > MOSTLY * int(later.stays.sum()):
        raise ValueError(
            f"{names} are about the same thing, which the first takes away; exchange them, or keep one of them"
        )
    return "it changes what that one leaves" if bool(left.any()) else None


def arrived(edit: Compiled) -> Region:
    """Latent cells to which an edit brings content."""
    nothing = torch.zeros_like(edit.hole)
    return union([nothing, *(placed.match.target for placed in _contents(edit)), *_bare_targets(edit)])


def _contents(edit: Compiled) -> list[Placed]:
    """What is put in a place."""
    return [placed for placed in edit.placed if placed.is_content]


def _bare_targets(edit: Compiled) -> list[Region]:
    """Latent cells to which content is transported, where nothing is placed in pixels."""
    return [] if edit.placed else [transport.match.target for transport in edit.objective.transports]


def _destination(edit: Compiled) -> Region:
    places = [placed.paint.region if placed.paint else placed.match.target for placed in _contents(edit)]
    places += _bare_targets(edit)
    return union(places) if places else torch.zeros(1, 1, dtype=torch.bool)
