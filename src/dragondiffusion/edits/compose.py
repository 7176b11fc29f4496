"""Several edits of one picture as one objective."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..core.geometry import union
from ..core.types import Mask, Region
from ..method.energies import Contrast, Energy, GlobalSimilarity, LocalSimilarity
from .base import Carry, Objective


def join(objectives: Sequence[Objective], guides: Sequence[int], compatible: bool = False) -> Objective:
    """Several edits of one picture as one objective.

    Edit energies and carried content are collected; content energies leave out what other edits touch and the energy
    over the rest is counted once; the bank is read as every edit asks; strengths of guidance and noise are the largest
    of the edits'.

    Args:
        objectives: one per edit.
        guides: how many further pictures each edit has; they are numbered one after the other.
        compatible: the edits are known not to contradict each other.

    Raises:
        ValueError: if two edits contradict each other.
    """
    if len(objectives) == 1:
        return objectives[0]
    if not compatible:
        _check_conflicts(objectives)
    shifted = [_shift(objective, sum(guides[:k])) for k, objective in enumerate(objectives)]
    # One factor serves the union; the terms of edits with a smaller one are weighed down to it.
    first = max((o.strengths for o in shifted), key=lambda s: s.factor * s.energy_scale)
    strength = first.factor * first.energy_scale
    ratios = [o.strengths.factor * o.strengths.energy_scale / strength if strength else 1.0 for o in shifted]
    return Objective(
        edit_terms=tuple(_weighed(e, r) for o, r in zip(shifted, ratios, strict=True) for e in o.edit_terms),
        content_terms=_content_terms(shifted, ratios),
        inside=union([o.inside for o in shifted]),
        touched=union([o.touched for o in shifted]),
        changed=torch.stack([o.changed for o in shifted]).amax(0),
        stays=union([o.stays for o in shifted]),
        hole_pixels=union([o.hole_pixels for o in shifted]),
        recalls=tuple(recall for o in shifted for recall in o.recalls),
        carries=tuple(carry for o in shifted for carry in o.carries),
        hole=union([o.hole for o in shifted]) & ~union([_arrived(o) for o in shifted]),
        noise_region=union([o.noise_region for o in shifted]),
        lit=_product([o.lit for o in shifted]),
        strengths=replace(
            first,
            guidance_scale=max(o.strengths.guidance_scale for o in shifted),
            noise_inside=max(o.strengths.noise_inside for o in shifted),
            noise_outside=max(o.strengths.noise_outside for o in shifted),
        ),
    )


def _content_terms(shifted: Sequence[Objective], ratios: Sequence[float]) -> tuple[Energy, ...]:
    content: dict[object, Energy] = {}
    for k, objective in enumerate(shifted):
        others = union([other.touched for m, other in enumerate(shifted) if m != k])
        for number, term in enumerate(objective.content_terms):
            kept = without(term, others)
            if kept is not None:
                key: object = "content" if term.name == "content" else (k, number)
                kept = _weighed(kept, ratios[k])
                content[key] = max(content.get(key, kept), kept, key=lambda e: e.weight)
    return tuple(content.values())


def _product(factors: Sequence[Mask | None]) -> Mask | None:
    found = [factor for factor in factors if factor is not None]
    return torch.stack(found).prod(0) if found else None


def _weighed(term: Energy, ratio: float) -> Energy:
    return replace(term, weight=term.weight * ratio)


def _arrived(objective: Objective) -> Region:
    return union([torch.zeros_like(objective.inside), *(carry.latent.target for carry in _contents(objective))])


def _contents(objective: Objective) -> list[Carry]:
    """The carries that put something in a place."""
    return [carry for carry in objective.carries if carry.paint is None or carry.paint.is_content]


def _check_conflicts(objectives: Sequence[Objective]) -> None:
    for k, one in enumerate(objectives):
        for m, other in enumerate(objectives[:k]):
            names = f"edits {m + 1} and {k + 1}"
            if bool((_destination(one) & _destination(other)).any()):
                raise ValueError(
                    f"{names}: their destinations overlap; move them apart or make the edits one after the other"
                )
            gone = int((one.hole & other.hole).sum())
            if gone and gone > 0.5 * min(int(one.hole.sum()), int(other.hole.sum())):
                raise ValueError(f"{names} both take the same thing away; keep one of them")
            for stays, takes in ((one, other), (other, one)):
                if bool((stays.stays & (takes.hole | _arrived(takes))).any()):
                    raise ValueError(f"{names} change the same place; make them one after the other")


def _destination(objective: Objective) -> Region:
    places = [carry.paint.region if carry.paint else carry.latent.target for carry in _contents(objective)]
    return union(places) if places else torch.zeros(1, 1, dtype=torch.bool)


def _shift(objective: Objective, by: int) -> Objective:
    def index(guide: int) -> int:
        return guide + by if guide > 0 else 0

    return replace(
        objective,
        edit_terms=tuple(replace(e, guide=index(e.guide)) for e in objective.edit_terms),
        content_terms=tuple(replace(e, guide=index(e.guide)) for e in objective.content_terms),
        carries=tuple(
            replace(c, guide=index(c.guide), paint=c.paint and c.paint.renumbered(index)) for c in objective.carries
        ),
        recalls=tuple(
            replace(r, parts=tuple(replace(part, guide=index(part.guide)) for part in r.parts))
            for r in objective.recalls
        ),
    )


def without(term: Energy, region: Region) -> Energy | None:
    """A term without the cells of a region; None if nothing is left of it."""
    if isinstance(term, (LocalSimilarity, Contrast)):
        match = term.match.restrict(~region)
        return replace(term, match=match) if bool(match.target.any()) else None
    if isinstance(term, GlobalSimilarity):
        left = replace(term, region=term.region & ~region)
        return left if bool(left.region.any()) else None
    return term
