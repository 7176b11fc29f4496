"""The numbers of the authors' demo for each edit, which settings may override.

Source: docs/method.md, sections 6 and 9.
"""

from ..core.types import Window
from .objective import Strengths

LATE = Window(0.1, 1.0)
"""Moves, drags and landmarks read the bank from step 5 of 50 on."""
EARLY = Window(0.0, 0.72)
"""Pastes and appearances read it up to step 35 of 50."""

MOVE = Strengths(energy_scale=500.0, w_contrast=0.2, w_inpaint=0.8, factor=0.08, recall_window=LATE)
PASTE = Strengths(energy_scale=1500.0, recall_window=EARLY)
APPEARANCE = Strengths(guidance_scale=5.0, w_edit=3.5, w_content=5.0, recall_window=EARLY)
DRAG = Strengths(w_inpaint=0.2, recall_window=LATE)
LANDMARKS = Strengths(
    energy_scale=3000.0, w_edit=12.0, w_content=0.0, noise_inside=0.2, noise_outside=0.2, recall_window=LATE
)
