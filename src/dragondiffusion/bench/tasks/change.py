"""The change of a scene that a task asks for, and the regions in which its results are scored."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ...core.geometry import Affine, Correspondence, warp_mask
from ...core.types import Number, Point, PointList, Size
from .. import scenes as S
from ..kinds import kind_of

SURROUNDINGS = 0.1
"""How far shadows fall from an object, as a fraction of the shorter side. Source: chosen, the longest of `scenes`."""


@dataclass(frozen=True)
class Second:
    """The image that something is taken from."""

    picture: Float[Tensor, "3 h w"]
    mask: Float[Tensor, "h w"]
    """Visible part of the object that is pasted, or whose appearance is taken."""
    caption: str


@dataclass(frozen=True)
class Change:
    """A change of one object of a scene, and the image before and after. Lengths and places are in pixels."""

    kind: str
    """Which edit, a key of `kinds.KINDS`."""
    seed: int
    scenes: S.Scenes
    """The scene before, alone in its batch."""
    after: S.Scenes
    """The scene of the truth."""
    index: int
    """Which object of both; of the truth alone if it is pasted."""
    before: Float[Tensor, "3 h w"]
    truth: Float[Tensor, "3 h w"]
    mask: Float[Tensor, "h w"]
    """Visible part of the object before the edit; empty if it is pasted."""
    placed: Float[Tensor, "h w"]
    """Visible part of the object after the edit; empty if it is removed."""
    centre: Point = (0.0, 0.0)
    """The object's centre (x, y), in the second image if it is pasted: the anchor of scale and rotation."""
    offset: Point = (0.0, 0.0)
    """Displacement (x, y)."""
    scale: Number = 1.0
    angle: Number = 0.0
    editable: Float[Tensor, "h w"] | None = None
    """Where a drag may change the image."""
    points_from: PointList = ()
    """Handle or landmarks before."""
    points_to: PointList = ()
    """The same afterwards."""
    second: Second | None = None

    @property
    def caption(self) -> str:
        """Caption of the scene before."""
        return S.captions(self.scenes)[0]

    @property
    def caption_after(self) -> str:
        """Caption of the truth."""
        return S.captions(self.after)[0]

    @property
    def pasted(self) -> bool:
        """Whether the object comes from the second image: it is not in the scene before."""
        return not bool(self.mask.any())

    @property
    def size(self) -> Size:
        """(height, width)."""
        return self.before.shape[1], self.before.shape[2]

    def regions(self, margin: int = 6) -> dict[str, Float[Tensor, "h w"]]:
        """The regions scored, those without a pixel left out.

        `destination`: the object after the edit; `hole`: before and not after; `edited`: before or after, where it
        stays in place; `rest`: neither; `outside`: `margin` pixels off both and off what may be edited.
        """
        source, placed = (self.mask > 0.5).float(), (self.placed > 0.5).float()
        either = torch.maximum((self.mask > 0.02).float(), (self.placed > 0.02).float())
        every = {
            "destination": placed,
            "hole": source * (1 - placed),
            "edited": torch.maximum(source, placed),
            "rest": 1 - either,
            "outside": 1 - grown(either if self.editable is None else torch.maximum(either, self.editable), margin),
        }
        return {name: every[name] for name in kind_of(self.kind).regions if bool(every[name].any())}

    def surroundings(self, reach: Number = SURROUNDINGS) -> Float[Tensor, "h w"] | None:
        """The ring around the object after the edit, where its shadow falls; None without a pixel.

        Pixels of the object before belong to `hole` and not to it.

        Args:
            reach: How far the ring reaches, as a fraction of the shorter side.
        """
        if not bool((self.placed > 0.5).any()):
            return None
        either = torch.maximum((self.mask > 0.02).float(), (self.placed > 0.02).float())
        ring = grown((self.placed > 0.5).float(), max(1, round(reach * min(self.size)))) * (1 - either)
        return ring if bool(ring.any()) else None

    def transported(self) -> tuple[Float[Tensor, "3 h w"], Float[Tensor, "h w"]] | None:
        """The image that a moved or pasted object comes from, transported by the edit's map, and its coverage there.

        None for edits that move no object as a whole.
        """
        if not kind_of(self.kind).rigid:
            return None
        source = self.before if self.second is None else self.second.picture
        mask = self.mask if self.second is None else self.second.mask
        affine = Affine.about(self.centre, self.offset, (self.scale, self.scale), self.angle)
        everywhere = Correspondence.along(affine, torch.ones(self.size, dtype=torch.bool), self.size)
        return everywhere.carry(source[None], self.before[None])[0], warp_mask(mask, affine, self.size)


def grown(region: Float[Tensor, "h w"], margin: int) -> Float[Tensor, "h w"]:
    """A region and `margin` pixels around it."""
    return F.max_pool2d(region[None, None], 2 * margin + 1, 1, margin)[0, 0]
