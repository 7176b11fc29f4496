"""Memory of models whose attention is told positions, rather than its tokens: where each token is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Int
from torch import Tensor

from ...core.geometry import Correspondence, resize_nearest
from ...core.types import Mask, Size, Tokens
from ...method.bank import GridMemory, LayerMemory, inside


@dataclass(frozen=True, eq=False)
class PlacedMemory(GridMemory):
    """Tokens without position, and the place at which each is read.

    Args:
        places: row and column of the grid of the image that is made, for each token.
        patch: latent cells along the side of a token.
    """

    places: Int[Tensor, "tokens 2"]
    patch: int

    @staticmethod
    def whole(tokens: Tokens, grid: Size, patch: int) -> "PlacedMemory":
        """All tokens of an image, where they lie."""
        rows, columns = (torch.arange(side, device=tokens.device) for side in grid)
        places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1).reshape(-1, 2)
        return PlacedMemory(tokens, grid, places, patch)

    def select(self, region: Mask) -> "PlacedMemory":
        if self.grid is None:
            raise ValueError("these tokens were selected before and have no grid; select from the whole memory")
        kept = inside(region, self.grid, self.tokens.device)
        return replace(self, tokens=self.tokens[kept], places=self.places[kept], grid=None)

    def joined(self, others: Sequence[LayerMemory]) -> "PlacedMemory":
        rest = [other for other in others if isinstance(other, PlacedMemory)]
        if not rest:
            return self
        tokens, places = (torch.cat([getattr(m, name) for m in (self, *rest)]) for name in ("tokens", "places"))
        return replace(self, tokens=tokens, places=places, grid=None)

    def to(self, like: LayerMemory) -> "PlacedMemory":
        if not isinstance(like, GridMemory):
            return self
        tokens = self.tokens.to(like.tokens, non_blocking=True)
        return replace(self, tokens=tokens, places=self.places.to(tokens.device))

    def moved(self, match: Correspondence) -> "PlacedMemory":
        if self.grid is None:
            raise ValueError("these tokens were selected before and have no grid; move those of the whole memory")
        index = torch.arange(len(self.tokens), dtype=torch.float32).reshape(1, 1, *self.grid)
        brought = torch.full(match.target.shape, -1.0)
        brought[match.target.cpu()] = match.nearest.sample(index)[0, 0].cpu()
        grid = (brought.shape[0] // self.patch, brought.shape[1] // self.patch)
        source = resize_nearest(brought, grid).long()
        places = (source >= 0).nonzero()
        chosen = source[source >= 0].to(self.tokens.device)
        return replace(self, tokens=self.tokens[chosen], places=places.to(self.places), grid=None)
