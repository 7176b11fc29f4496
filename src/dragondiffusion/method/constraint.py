"""What keeps parts of an image as they are while it is sampled."""

from abc import ABC, abstractmethod

from ..core.types import Latents


class Constraint(ABC):
    """Clamps latents of one image to known ones, cell by cell, until each cell is released."""

    @property
    @abstractmethod
    def first(self) -> int:
        """The last level at which every cell is clamped, with which a run can begin; 0 if there is none."""

    @abstractmethod
    def clamp(self, z_t: Latents, i: int) -> Latents:
        """Latents at level `i` with clamped cells set to what is known there.

        Args:
            z_t: latents of the image.
            i: their level; the number of steps is the clean end.
        """


class Unconstrained(Constraint):
    """Nothing is clamped, as in the paper."""

    @property
    def first(self) -> int:
        return 0

    def clamp(self, z_t: Latents, i: int) -> Latents:
        return z_t
