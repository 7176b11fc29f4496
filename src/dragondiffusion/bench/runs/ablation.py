"""The ingredients of the method, each switched off, or on, in turn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...core.types import NEVER, Window
from ...edits.settings import Geometry, Settings
from ..kinds import KINDS
from .rows import Rows

FIFTH, EVERY_STEP = (Window(0.0, 0.2),), (Window(0.0, 0.6),)
TRAVEL = Window(0.42, 0.6, every=2)

INGREDIENTS: dict[str, dict[str, Any]] = {
    "coarse features only": {"feature_scales": (0,)},
    "fine features only": {"feature_scales": (1,)},
    "no memory bank": {"recall": False},
    "start not transported": {"transported_start": False},
    "destination not clamped, start not transported": {"transported_start": False, "clamp_destination": 0.0},
    "no edit term": {"w_edit": 0.0},
    "no content term": {"w_content": 0.0},
    "no contrast term": {"w_contrast": 0.0},
    "no inpaint term": {"w_inpaint": 0.0},
    "no energies": {"energy_scale": 0.0},
    "guidance in the first fifth only": {"guidance": FIFTH},
    "guidance in every step to 0.6": {"guidance": EVERY_STEP},
    "guidance never": {"guidance": ()},
    "rest not clamped": {"clamp_rest": 0.0},
    "rest clamped": {"clamp_rest": 1.0},
    "destination not clamped": {"clamp_destination": 0.0},
    "destination clamped throughout": {"clamp_destination": 1.0},
    "no fresh noise": {"fresh_noise": False},
    "fresh noise": {"fresh_noise": True},
    "no proxy": {"proxy": False, "restore_detail": False},
    "detail not restored": {"restore_detail": False},
    "no time travel": {"time_travel": NEVER},
    "time travel": {"time_travel": TRAVEL},
    "regional noise": {"noise_inside": 0.4},
    "merged backward": {"merged_backward": True},
    "separate backward": {"merged_backward": False},
    "cached features": {"cached_features": True},
    "features of their own": {"cached_features": False},
    "our geometry": {"geometry": Geometry.AFFINE},
}
"""The changes of each row to the base; rows that would equal the base or another row are left out.

Source of the numbers that are switched on: DiffEditor (time travel on even steps from 0.42 to 0.6, regional noise 0.4).
Where destinations are clamped from the first step on, what they start from is overwritten, so "start not transported"
changes something only where they are not. "Guidance never" differs from "no energies" by the time travel that energies
bring.
"""


def ablation(kind: str, preset: str, changes: dict[str, Any] | None = None) -> Rows:
    """The rows of an ablation: a preset, then the preset with one ingredient changed at a time.

    Args:
        kind: A key of `kinds.KINDS`; terms that the kind does not have are left out.
        preset: The base, a key of `settings.PRESETS`.
        changes: Settings that differ in every row, such as the number of steps.

    Raises:
        ValueError: There is no such preset.
    """
    base = Settings.preset(preset, **(changes or {}))
    if KINDS[kind].turns:
        base = replace(base, geometry=Geometry.AFFINE)
    found: Rows = {preset: base}
    for name, change in INGREDIENTS.items():
        row = replace(base, **change)
        if row not in found.values() and _has(kind, name):
            found[f"{preset}, {name}"] = row
    return found


def _has(kind: str, name: str) -> bool:
    """Whether a kind of edit has the term that a row switches off."""
    words = name.split()
    return words[-1] != "term" or words[1] in KINDS[kind].terms
