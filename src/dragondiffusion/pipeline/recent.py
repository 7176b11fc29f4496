"""The inverted images that are kept in memory, for batches and the page alike: the next edit of one starts at once."""

import math
from collections import OrderedDict
from collections.abc import Hashable

from ..core.types import Number
from .reference import Reference


class RecentInversions:
    """The inverted images that were used last.

    Args:
        count: how many at most.
        most: bytes that they may take together.
    """

    def __init__(self, count: int, most: Number = math.inf) -> None:
        self.count, self.most = count, most
        self._entries: OrderedDict[Hashable, tuple[Reference, int]] = OrderedDict()

    def get(self, key: Hashable) -> Reference | None:
        """The inverted image under a key."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: Hashable, reference: Reference) -> None:
        """Adds an inverted image; the longest unused ones are dropped where there is no more room."""
        self._entries.pop(key, None)
        self._entries[key] = reference, nbytes(reference)
        while len(self._entries) > self.count or (self._entries and self.nbytes > self.most):
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Drops all of them."""
        self._entries.clear()

    @property
    def nbytes(self) -> int:
        """Memory that all of them take."""
        return sum(size for _, size in self._entries.values())


def nbytes(reference: Reference) -> int:
    """Memory that an inverted image takes, bytes."""
    tensors = [reference.x, *reference.trajectory, *(f for maps in reference.features.values() for f in maps)]
    photo = 0 if reference.shot is None else reference.shot.photo.pixels.nbytes
    held = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return held + reference.bank.nbytes + reference.pixels.nbytes + photo
