"""A rough edit as data: what is changed in pixels, and where; how it is done belongs to each `Paint`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .geometry import Correspondence
from .types import Number, Pictures, Region


class Paint(ABC):
    """One change of the proxy, the rough edit in pixels."""

    @property
    @abstractmethod
    def region(self) -> Region:
        """Pixels of the proxy it changes for the most part."""

    @property
    def reach(self) -> Region:
        """Pixels it changes at all."""
        return self.region

    @property
    def is_content(self) -> bool:
        """Whether it puts something in a place, which no other edit may then do; light and shade may overlap."""
        return True

    def renumbered(self, number: Callable[[int], int]) -> "Paint":
        """The same with other numbers of images; as it is, where it takes nothing from one."""
        return self

    @abstractmethod
    def onto(self, proxy: Pictures, pictures: Sequence[Pictures]) -> Pictures:
        """The proxy with the change made.

        Args:
            proxy: the proxy so far, in [-1, 1].
            pictures: the edited image and its guides, padded.
        """


@dataclass(frozen=True)
class Placed:
    """Content that comes to a new place, or is changed in its place, in pixels and on the latent grid.

    Args:
        guide: image it comes from: 0 is the edited one, 1 and on the edit's others.
        match: where every latent cell of the destination comes from.
        paint: the same in pixels; None without a proxy.
        clamp: share of the steps for which the destination is clamped to it, in [0, 1].
    """

    guide: int
    match: Correspondence
    paint: Paint | None
    clamp: Number

    @property
    def is_content(self) -> bool:
        """Whether something is put in a place, rather than light or shade thrown on it."""
        return self.paint is None or self.paint.is_content
