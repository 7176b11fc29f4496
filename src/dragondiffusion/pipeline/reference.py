"""Inverted images as users hold them."""

from dataclasses import dataclass

from ..core.types import Canvas, Pictures
from ..imaging.files import Pixels
from ..imaging.photos import Shot
from ..method.inversion import Inversion


@dataclass(frozen=True, kw_only=True)
class Reference(Inversion):
    """An inverted image, which can be edited any number of times.

    Args:
        pixels: the image as given.
        x: the padded image in [-1, 1].
        canvas: its grids.
        prompt: what it shows, in words.
        shot: the photo that the image is a frame of; None for one that was generated.
    """

    pixels: Pixels
    x: Pictures
    canvas: Canvas
    prompt: str = ""
    shot: Shot | None = None

    @staticmethod
    def of(
        inversion: Inversion, pixels: Pixels, x: Pictures, canvas: Canvas, prompt: str, shot: Shot | None = None
    ) -> "Reference":
        """An inversion with the image it belongs to; arguments as in the class."""
        return Reference(
            condition=inversion.condition,
            levels=inversion.levels,
            trajectory=inversion.trajectory,
            bank=inversion.bank,
            features=inversion.features,
            start=inversion.start,
            pixels=pixels,
            x=x,
            canvas=canvas,
            prompt=prompt,
            shot=shot,
        )
