"""An edit that the package does not have: it removes an object, and has a field of every kind."""

import sys
from dataclasses import dataclass, replace

from dragondiffusion.core.types import Point
from dragondiffusion.edits.base import Edit
from dragondiffusion.edits.remove import Remove
from dragondiffusion.edits.settings import Geometry
from dragondiffusion.imaging.files import ImageLike
from dragondiffusion.imaging.masks import MaskLike

LINE = {"tint_all": (__name__.rpartition(".")[2], "TintAll")}
"""The line of the registry."""


@dataclass(frozen=True)
class TintAll(Edit):
    """Tints an object.

    More about it, which nobody needs in a tooltip.

    Args:
        mask: the object.
        image: the second image.
        reference_mask: the object that has the tint.
        amount: how much,
            from 0 to 1.
        hint: a region.
        times: how often.
        softly: with a soft border.
        geometry: which geometry.
        label: its name.
        at: where.
    """

    mask: MaskLike
    image: ImageLike
    reference_mask: MaskLike
    amount: float
    hint: MaskLike | None = None
    times: int = 3
    softly: bool = True
    geometry: Geometry = Geometry.AFFINE
    label: str = ""
    at: Point = (1.0, 2.0)

    def extent(self, size, settings):
        return Remove(self.mask).extent(size, settings)

    def within(self, frame, settings):
        return replace(self, mask=Remove(self.mask).within(frame, settings).mask)

    def compiled(self, canvas, settings):
        return Remove(self.mask).compiled(canvas, settings)


def registered(registry):
    """Adds the edit to a registry as a file in `edits/` and a line would."""
    (name, (module, _)) = next(iter(LINE.items()))
    sys.modules[f"dragondiffusion.edits.{module}"] = sys.modules[__name__]
    registry.update(LINE)
    return name
