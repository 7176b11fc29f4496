"""Reasons to doubt a selection: it may be the background, one click may have added too much, another nothing."""

from ..core.types import Mask
from .clicks import Clicks

UNCERTAIN = 0.6
"""Certainty below which it is said that more or less may be meant. Source: four-fold comparison on what the ranking is
fitted on: 15 % of taps are below, half of which select something else than the thing, above 14 % do."""
EDGES = 3
"""Borders of the image that a selection must touch to be doubted."""
SAM2 = "SAM 2 knows things and GrabCut does not: weights of facebook/sam2.1-hiera-small, for example"
"""What is proposed where its weights are not given."""


def doubts(
    mask: Mask, clicks: Clicks, leap: float | None, weights: str | None, certain: float = 1.0
) -> tuple[str, ...]:
    """Sentences of warning about a selection; none if nothing speaks against it.

    Args:
        mask: the selection, inside above one half.
        clicks: what it was found by; a box may lie on the image's borders.
        leap: how many times as large it is as without the last click, if that is implausible.
        weights: those of SAM 2, if it found the selection.
        certain: how certain it is that this much is meant, from 0 to 1.
    """
    remedy = "choose a smaller candidate, click beside the object, or draw a box around it"
    if weights is None:
        remedy = f"{remedy}; {SAM2}"
    found: list[str] = []
    inside = mask > 0.5
    touched = sum(bool(side.any()) for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))
    if touched >= EDGES and clicks.box is None:
        found.append(f"the selection touches {touched} borders of the image and may be the background; {remedy}")
    elif certain < UNCERTAIN:
        found.append("more or less may be meant; choose a smaller or a larger candidate, or draw a box around it")
    if leap is not None:
        found.append(
            f"the last click made the selection {leap:.1f} times as large and may have added too much; {remedy}"
        )
    for points, wanted, word in (
        (clicks.points, True, "does not hold the point"),
        (clicks.outside, False, "still holds"),
    ):
        missed = [f"({x:g}, {y:g})" for x, y in points if bool(inside[int(y), int(x)]) != wanted]
        if missed:
            found.append(f"the selection {word} {', '.join(missed)}; click on another part there or draw a box")
    return tuple(found)
