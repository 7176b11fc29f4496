"""Reasons to doubt a selection: it may be the background, or one click may have added too much."""

from ..core.types import Mask

EDGES = 3
"""Borders of the image that a selection must touch to be doubted."""
SAM2 = "SAM 2 knows things and GrabCut does not: weights of facebook/sam2.1-hiera-small, for example"
"""What is proposed where its weights are not given."""


def doubts(mask: Mask, leap: float | None, boxed: bool, weights: str | None) -> tuple[str, ...]:
    """Sentences of warning about a selection; none if nothing speaks against it.

    Args:
        mask: the selection, inside above one half.
        leap: how many times as large it is as without the last click, if that is implausible.
        boxed: a box was drawn, which may lie on the image's borders.
        weights: those of SAM 2, if it found the selection.
    """
    remedy = "choose a smaller candidate, click beside the object, or draw a box around it"
    if weights is None:
        remedy = f"{remedy}; {SAM2}"
    found: list[str] = []
    inside = mask > 0.5
    touched = sum(bool(side.any()) for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))
    if touched >= EDGES and not boxed:
        found.append(f"the selection touches {touched} borders of the image and may be the background; {remedy}")
    if leap is not None:
        found.append(
            f"the last click made the selection {leap:.1f} times as large and may have added too much; {remedy}"
        )
    return tuple(found)
