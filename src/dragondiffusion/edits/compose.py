"""Several edits of one image as one."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..core.geometry import union
from ..core.types import Mask
from ..method.energies import Energy
from ..method.objective import Objective
from .base import Compiled
from .order import arrived


def compose(edits: Sequence[Compiled], guides: Sequence[int]) -> Compiled:
    """Several edits of one image as one.

    Energies and placed content are collected; content energies leave out what other edits touch and the energy
    over the rest is counted once; the bank is read as every edit asks; strengths of guidance and noise are the largest
    of the edits'.

    Args:
        edits: compiled, one or more, of one pass (see `order.ordered`).
        guides: how many further images each edit has; they are numbered one after the other.
    """
    if len(edits) == 1:
        return edits[0]
    shifted = [_shift(edit, sum(guides[:k])) for k, edit in enumerate(edits)]
    return Compiled(
        objective=_objective(shifted),
        placed=tuple(placed for e in shifted for placed in e.placed),
        touched=union([e.touched for e in shifted]),
        changed=torch.stack([e.changed for e in shifted]).amax(0),
        stays=union([e.stays for e in shifted]),
        hole=union([e.hole for e in shifted]) & ~union([arrived(e) for e in shifted]),
        hole_pixels=union([e.hole_pixels for e in shifted]),
        lit=_product([e.lit for e in shifted]),
        outright=None if all(e.outright is None for e in shifted) else union([e.wholly for e in shifted]),
    )


def _objective(shifted: Sequence[Compiled]) -> Objective:
    objectives = [edit.objective for edit in shifted]
    # One factor serves all; the terms of edits with a smaller one are weighed down to it.
    first = max((o.strengths for o in objectives), key=lambda s: s.factor * s.energy_scale)
    strength = first.factor * first.energy_scale
    ratios = [o.strengths.factor * o.strengths.energy_scale / strength if strength else 1.0 for o in objectives]
    return Objective(
        edit_terms=tuple(_weighed(e, r) for o, r in zip(objectives, ratios, strict=True) for e in o.edit_terms),
        content_terms=_content_terms(shifted, ratios),
        inside=union([o.inside for o in objectives]),
        recalls=tuple(recall for o in objectives for recall in o.recalls),
        transports=tuple(transport for o in objectives for transport in o.transports),
        noise_region=union([o.noise_region for o in objectives]),
        strengths=replace(
            first,
            guidance_scale=max(o.strengths.guidance_scale for o in objectives),
            noise_inside=max(o.strengths.noise_inside for o in objectives),
            noise_outside=max(o.strengths.noise_outside for o in objectives),
        ),
    )


def _content_terms(shifted: Sequence[Compiled], ratios: Sequence[float]) -> tuple[Energy, ...]:
    content: dict[object, Energy] = {}
    for k, edit in enumerate(shifted):
        others = union([other.touched for m, other in enumerate(shifted) if m != k])
        for number, term in enumerate(edit.objective.content_terms):
            kept = term.without(others)
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


def _shift(edit: Compiled, by: int) -> Compiled:
    """The same edit with the numbers of its further images raised."""

    def index(guide: int) -> int:
        return guide + by if guide > 0 else 0

    o = edit.objective
    objective = replace(
        o,
        edit_terms=tuple(replace(e, guide=index(e.guide)) for e in o.edit_terms),
        content_terms=tuple(replace(e, guide=index(e.guide)) for e in o.content_terms),
        transports=tuple(replace(t, guide=index(t.guide)) for t in o.transports),
        recalls=tuple(
            replace(r, excerpts=tuple(replace(part, guide=index(part.guide)) for part in r.excerpts)) for r in o.recalls
        ),
    )
    placed = tuple(replace(p, guide=index(p.guide), paint=p.paint and p.paint.renumbered(index)) for p in edit.placed)
    return replace(edit, objective=objective, placed=placed)
