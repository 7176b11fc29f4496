"""Shadows thrown onto the proxy, and brightness that is multiplied."""

from dataclasses import dataclass

from ..core.paint import Paint
from ..core.types import Mask, Pictures, Region
from .shadows import shaded


@dataclass(frozen=True)
class Shaded(Paint):
    """A shadow thrown onto the proxy.

    Args:
        factor: what brightness is multiplied by.
    """

    factor: Mask

    @property
    def region(self) -> Region:
        return shaded(self.factor)

    @property
    def is_content(self) -> bool:
        return False

    def onto(self, proxy: Pictures, pictures: object) -> Pictures:
        return scaled(proxy, self.factor)


def scaled(x: Pictures, factor: Mask) -> Pictures:
    """A picture in [-1, 1] with its brightness multiplied."""
    return ((x + 1) * factor.to(x) - 1).clamp(-1, 1)
