"""Ablations change one ingredient at a time."""

import pytest

from dragondiffusion import Geometry, Settings
from dragondiffusion.bench.kinds import KINDS
from dragondiffusion.bench.runs.ablation import INGREDIENTS, ablation
from dragondiffusion.bench.tasks import TASKS

TOGETHER = {"default, no proxy", "default, destination not clamped, start not transported"}
"""Rows that have to change two settings."""


@pytest.mark.parametrize("preset", ["default", "reference"])
@pytest.mark.parametrize("kind", TASKS)
def test_every_row_differs_from_the_base(kind: str, preset: str):
    rows = ablation(kind, preset, {"steps": 9})
    base = rows.pop(preset)
    geometry = Geometry.AFFINE if kind == "rotate" else Settings.preset(preset).geometry
    assert base == Settings.preset(preset, steps=9, geometry=geometry)
    for name, row in rows.items():
        changed = [field for field, value in vars(row).items() if value != getattr(base, field)]
        assert changed and (len(changed) == 1 or name in TOGETHER or preset == "reference")
    assert len(set(map(repr, rows.values()))) == len(rows)
    terms = {name.split()[-2] for name in rows if name.endswith(" term")}
    assert terms == set(KINDS[kind].terms)


def test_every_ingredient_is_a_row_of_some_base():
    named = {
        row.partition(", ")[2] for p in ("default", "reference") for kind in TASKS for row in ablation(kind, p)
    } - {""}
    assert set(INGREDIENTS) == named


def test_bases_that_are_none():
    with pytest.raises(ValueError, match="preset 'best' is unknown"):
        ablation("move", "best")
