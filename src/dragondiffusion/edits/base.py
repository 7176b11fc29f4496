"""What every edit compiles to.

An edit is a frozen dataclass in pixels; `Edit.objective` turns it into an `Objective`, which holds all that the sampler
needs. Several edits of one picture are the union of their objectives.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ..energies import Contrast, Energy, GlobalSimilarity, LocalSimilarity
from ..geometry import Correspondence, coverage, dilate, feather, resize_nearest, union
from ..images import Pixels
from ..memory import Recall
from ..settings import Settings
from ..types import Canvas, Mask, Number, Region, Size


@dataclass(frozen=True)
class Guide:
    """A further picture that an edit takes something from.

    Args:
        pixels: the picture, of the size of the edited one.
        prompt: what it shows.
    """

    pixels: Pixels
    prompt: str


@dataclass(frozen=True)
class Carry:
    """Content that is brought to a new place.

    Args:
        guide: picture it comes from, as in `Energy.guide`.
        latent: where every latent cell of the destination comes from.
        pixels: the same in pixels, for the draft; None when there is none.
    """

    guide: int
    latent: Correspondence
    pixels: Correspondence | None


@dataclass(frozen=True)
class Objective:
    """An edit of one picture as data.

    Args:
        edit_terms: energies whose gradient acts inside `inside`.
        content_terms: energies whose gradient acts outside it.
        inside: latent cells in which the edit energies act.
        touched: cells of the energy grid the edit changes.
        changed: pixels the edit changes, 0 to 1.
        recall: how decoder self-attention reads the memory bank.
        carries: content that starts, and may be held, at a new place.
        vacated: latent cells whose content goes away.
        noise_region: latent cells in which regional noise is "inside".
        guidance_scale: classifier-free guidance scale.
        energy_scale: strength of the energies.
        factor: $k$ of section 5 of docs/method.md, the step size of the energies' gradient.
        noise_inside: strength of regional noise in `noise_region`.
        noise_outside: strength elsewhere.
    """

    edit_terms: tuple[Energy, ...]
    content_terms: tuple[Energy, ...]
    inside: Region
    touched: Region
    changed: Mask
    recall: Recall | None
    carries: tuple[Carry, ...]
    vacated: Region
    noise_region: Region
    guidance_scale: Number
    energy_scale: Number
    factor: Number
    noise_inside: Number
    noise_outside: Number

    def rest(self, margin: int) -> Region:
        """Latent cells that the edit leaves alone, `margin` cells around what goes away excluded."""
        size: Size = (self.inside.shape[0], self.inside.shape[1])
        return ~((coverage(self.changed, size) > 0) | dilate(self.vacated, margin))

    def alpha(self, canvas: Canvas, margin: int, width: int) -> Mask:
        """Weight of the edited picture in the composite.

        It is 1 on the edit and `margin` latent cells around it, then falls to exactly 0 within `width` latent cells.
        """
        edited = resize_nearest((~self.rest(margin)).float(), canvas.padded) > 0.5
        alpha = feather(edited, round(width * canvas.latent_cell))
        return alpha[: canvas.picture[0], : canvas.picture[1]]


class Edit(ABC):
    """What a user wants done to a picture, in pixels of that picture."""

    @abstractmethod
    def objective(self, canvas: Canvas, settings: Settings) -> Objective:
        """The edit as data.

        Args:
            canvas: grids of the picture.
            settings: strengths and geometry.

        Raises:
            ValueError: if the edit does not fit the picture, before any model work.
        """

    def guides(self, canvas: Canvas, settings: Settings) -> tuple[Guide, ...]:
        """Further pictures the edit takes something from; objectives number them from 1."""
        return ()


def chosen(value: Number | None, own: Number) -> Number:
    """A setting, or the edit's own value where it is None."""
    return own if value is None else value


def join(objectives: Sequence[Objective], guides: Sequence[int]) -> Objective:
    """Several edits of one picture as one objective.

    Edit energies and carried content are collected; content energies leave out what other edits touch and the energy
    over the rest is counted once; strengths of guidance and noise are the largest of the edits'.

    Args:
        objectives: one per edit.
        guides: how many further pictures each edit has; they are numbered one after the other.

    Raises:
        ValueError: if the destinations of two edits overlap, or their ways to read the bank exclude each other.
    """
    if len(objectives) == 1:
        return objectives[0]
    _check_overlap(objectives)
    shifted = [_shift(objective, sum(guides[:k])) for k, objective in enumerate(objectives)]
    # One factor serves the union; the terms of edits with a smaller one are weighed down to it.
    first = max(shifted, key=lambda o: o.factor * o.energy_scale)
    strength = first.factor * first.energy_scale
    ratio = [o.factor * o.energy_scale / strength if strength else 1.0 for o in shifted]
    content: dict[object, Energy] = {}
    for k, objective in enumerate(shifted):
        others = union([other.touched for m, other in enumerate(shifted) if m != k])
        for number, term in enumerate(objective.content_terms):
            kept = _without(term, others)
            if kept is not None:
                key: object = "content" if term.name == "content" else (k, number)
                kept = replace(kept, weight=kept.weight * ratio[k])
                content[key] = max(content.get(key, kept), kept, key=lambda e: e.weight)
    return replace(
        first,
        edit_terms=tuple(
            replace(e, weight=e.weight * r) for o, r in zip(shifted, ratio, strict=True) for e in o.edit_terms
        ),
        content_terms=tuple(content.values()),
        inside=union([o.inside for o in shifted]),
        touched=union([o.touched for o in shifted]),
        changed=torch.stack([o.changed for o in shifted]).amax(0),
        recall=_join_recalls([o.recall for o in shifted if o.recall is not None]),
        carries=tuple(carry for o in shifted for carry in o.carries),
        vacated=union([o.vacated for o in shifted]) & ~union([_arrived(o) for o in shifted]),
        noise_region=union([o.noise_region for o in shifted]),
        guidance_scale=max(o.guidance_scale for o in shifted),
        noise_inside=max(o.noise_inside for o in shifted),
        noise_outside=max(o.noise_outside for o in shifted),
    )


def _arrived(objective: Objective) -> Region:
    nowhere = torch.zeros_like(objective.inside)
    return union([nowhere, *(carry.latent.target for carry in objective.carries)])


def _check_overlap(objectives: Sequence[Objective]) -> None:
    places = [union([(c.pixels or c.latent).target for c in o.carries]) for o in objectives if o.carries]
    if len(places) > 1 and int(torch.stack(places).long().sum(0).max()) > 1:
        raise ValueError("the destinations of two edits overlap; move them apart or make the edits one after the other")


def _shift(objective: Objective, by: int) -> Objective:
    def index(guide: int) -> int:
        return guide + by if guide > 0 else 0

    recall = objective.recall
    return replace(
        objective,
        edit_terms=tuple(replace(e, guide=index(e.guide)) for e in objective.edit_terms),
        content_terms=tuple(replace(e, guide=index(e.guide)) for e in objective.content_terms),
        carries=tuple(replace(c, guide=index(c.guide)) for c in objective.carries),
        recall=None if recall is None else replace(recall, guides=tuple(index(g) for g in recall.guides)),
    )


def _without(term: Energy, region: Region) -> Energy | None:
    if isinstance(term, (LocalSimilarity, Contrast)):
        match = term.match.restrict(~region)
        return replace(term, match=match) if bool(match.target.any()) else None
    if isinstance(term, GlobalSimilarity):
        left = replace(term, region=term.region & ~region)
        return left if bool(left.region.any()) else None
    return term


def _join_recalls(recalls: Sequence[Recall]) -> Recall | None:
    if not recalls:
        return None
    if any(type(recall) is not type(recalls[0]) or recall.guides != recalls[0].guides for recall in recalls):
        raise ValueError("these edits read the memory bank in different ways; make them one after the other")
    return recalls[0]
