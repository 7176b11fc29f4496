"""What every edit compiles to.

An edit is a frozen dataclass in pixels; `Edit.compiled` turns it into data: the `Objective` that the sampler runs, and
what the rough edit in pixels (`proxy/`) and the composite need. Several edits of one image are compiled into one
(`edits/compose.py`).
"""

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import torch

from ..core.bounds import Bounded
from ..core.geometry import coverage, covered_cells, dilate, feather
from ..core.paint import Placed
from ..core.types import Canvas, Mask, Number, Pictures, Region, Size
from ..imaging.frames import Box, Frame, everything
from ..imaging.masks import MaskLike, ReadMask, loaded_shape, pad_mask, read_mask
from ..imaging.shapes import BoxMask, PolygonMask
from ..method.objective import Objective
from .settings import Settings


@dataclass(frozen=True)
class Guide:
    """A further image that an edit takes something from.

    Args:
        x: the image in [-1, 1], of any size.
        prompt: what it shows.
    """

    x: Pictures
    prompt: str

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        return self.x.shape[-2], self.x.shape[-1]


@dataclass(frozen=True, eq=False)
class Compiled:
    """An edit of one image as data.

    Args:
        objective: what the sampler runs.
        placed: content that comes to a new place, or is changed in its place; later ones lie over earlier ones.
        touched: cells of the energy grid the edit changes.
        changed: pixels the edit changes, 0 to 1.
        stays: latent cells whose present content the edit works on, so that no other edit may take it away.
        hole: latent cells whose content is removed: the source hole.
        hole_pixels: pixels of the source hole, for the proxy.
        lit: what the brightness of every pixel is multiplied by for the proxy, before the source hole is inpainted:
            takes shadows off; None where there is none.
        outright: those of the changed pixels that are wholly the edit's up to their border; at the border of the others
            the edit fades inwards. None is all of them.
        leftovers: those of `hole_pixels` that masks leave out and that still show what is taken away; None is none.
    """

    objective: Objective
    placed: tuple[Placed, ...]
    touched: Region
    changed: Mask
    stays: Region
    hole: Region
    hole_pixels: Region
    lit: Mask | None = None
    outright: Region | None = None
    leftovers: Region | None = None

    @staticmethod
    def in_place(
        objective: Objective,
        mask: Mask,
        canvas: Canvas,
        placed: tuple[Placed, ...] = (),
        touched: Region | None = None,
        fades: bool = True,
    ) -> "Compiled":
        """An edit that changes a region in its place and takes nothing away.

        Args:
            objective: what the sampler runs.
            mask: pixels that may change, on the padded image.
            canvas: grids.
            placed: see the class.
            touched: see the class; None is the cells that the mask covers.
            fades: the mask is a limit, and the edit fades inwards at its border; otherwise it is an object, whose own
                border is the edit's.
        """
        return Compiled(
            objective=objective,
            placed=placed,
            touched=covered_cells(mask, canvas.energy) if touched is None else touched,
            changed=mask,
            stays=objective.inside,
            hole=nowhere(canvas.latent),
            hole_pixels=nowhere(canvas.padded),
            outright=nowhere(canvas.padded) if fades else None,
        )

    @property
    def wholly(self) -> Region:
        """Changed pixels up to whose border the edit does not fade."""
        return self.changed > 0 if self.outright is None else self.outright

    def rest(self, margin: int) -> Region:
        """Latent cells that the edit leaves as they are, `margin` cells around the source hole excluded."""
        size: Size = (self.hole.shape[0], self.hole.shape[1])
        return ~((coverage(self.changed, size) > 0) | dilate(self.hole, margin))

    def alpha(self, canvas: Canvas, margin: int, width: int) -> Mask:
        """Weight of the edited image in the composite, pixel by pixel, of the image's size.

        It is 1 on the places an object leaves, comes to and throws its shadow on, and exactly 0 beyond. Where what may
        change is a limit, it falls to 0 inside of it.

        Args:
            canvas: grids.
            margin: latent cells around the source hole that are the edit's too.
            width: over which it falls, latent cells.
        """
        rows, columns = canvas.picture
        hole = dilate(self.hole_pixels, margin * canvas.factor)
        alpha = (self.wholly | hole)[:rows, :columns].float()
        if self.outright is None:
            return alpha
        soft = 1 - feather(~(self.changed[:rows, :columns] > 0), width * canvas.factor)
        return torch.maximum(alpha, soft / soft.max().clamp_min(1e-6))


class Edit(Bounded, ABC):
    """What a user wants done to an image, in pixels of that image.

    Fields are checked when an edit is made, see `core.bounds`; one that checks more calls `super().__post_init__()`
    first.

    Raises:
        TypeError: if a field has a value of another type.
        ValueError: if one lies outside of its range (docs/limits.md), or the edit would change nothing (`no_effect`).
    """

    CLAMP: ClassVar[Number] = 1.0
    """Share of the steps for which destinations are clamped to the proxy, unless settings say otherwise."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if reason := self.no_effect():
            raise ValueError(reason)

    def no_effect(self) -> str:
        """Why the edit would change nothing, and what to do instead; empty where it changes something."""
        return ""

    @abstractmethod
    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        """The edit as data.

        Args:
            canvas: grids of the image.
            settings: strengths and geometry.

        Raises:
            ValueError: if the edit does not fit the image, before any model work.
        """

    def refine(self, compiled: Compiled, x: Pictures, canvas: Canvas, settings: Settings) -> Compiled:
        """The compiled edit with what can only be read off the image; as it is, where an edit looks for nothing.

        Args:
            compiled: this edit.
            x: the padded image in [-1, 1].
            canvas: its grids.
            settings: strengths and geometry.
        """
        return compiled

    def extent(self, size: Size, settings: Settings) -> Box:
        """The part of an image that the edit is about: what it takes, changes, or looks at.

        Large images are edited in a frame around it. All of the image, where an edit does not say.

        Args:
            size: of the image, pixels.
            settings: strengths and geometry.

        Raises:
            ValueError: if the edit does not fit the image.
        """
        return everything(size)

    def within(self, frame: Frame, settings: Settings) -> "Edit":
        """The same edit in pixels of a frame of the image, second images scaled down where they are too large.

        Args:
            frame: the part of the image that is edited.
            settings: strengths and geometry.

        Raises:
            ValueError: if a mask cannot be read, or the edit only knows images that are edited whole.
        """
        if frame.is_whole:
            return self
        raise ValueError(
            f"{type(self).__name__} cannot be made in a part of a {frame.picture[1]}x{frame.picture[0]} image; "
            "scale the image down, or set working_size to its longer side"
        )

    def clamp(self, settings: Settings) -> Number:
        """Share of the steps for which destinations are clamped to the proxy."""
        return self.CLAMP if settings.clamp_destination is None else settings.clamp_destination

    def guides(self, canvas: Canvas, settings: Settings) -> tuple[Guide, ...]:
        """Further images the edit takes something from; compiled edits number them from 1."""
        return ()


LARGEST = 0.9
"""Share of an image that an object covers at most, unless settings allow more. Source: chosen."""


def read_object(mask: MaskLike, size: Size, settings: Settings, name: str = "mask") -> Mask:
    """The mask of an object in an image of a size, which is asked about if it may be inverted.

    Boxes and polygons are drawn by hand, and a mask of everything has nothing to invert; these are taken as they are.

    Raises:
        ValueError: if it cannot be read, does not fit, is empty, or marks more than `LARGEST` and settings do not allow
            it.
    """
    source = loaded_shape(mask, name)
    values = read_mask(source, size, name)
    if settings.large_mask or isinstance(source, (ReadMask, BoxMask, PolygonMask)):
        return values
    share = float((values > 0.5).float().mean())
    if LARGEST < share < 1:
        raise ValueError(
            f"{name} marks {share:.1%} of its image; if it is inverted, write #invert behind its name or "
            "give 1 - mask; if the object is that large, set large_mask (--set large_mask=true)"
        )
    return values


AnyEdit = TypeVar("AnyEdit", bound=Edit)


def with_fields(edit: AnyEdit, /, **fields: Any) -> AnyEdit:
    """A copy with fields that are computed, not given: those of a frame may lie outside of what users may give.

    Args:
        edit: any.
        **fields: by name; they are not checked.
    """
    found = copy.copy(edit)
    for name, value in fields.items():
        object.__setattr__(found, name, value)
    return found


def object_mask(mask: MaskLike, canvas: Canvas, name: str = "mask", settings: Settings | None = None) -> Mask:
    """The mask of an object on the padded image.

    Args:
        mask: as it is given.
        canvas: grids of the image.
        name: what it is called in messages.
        settings: of the edit, for `read_object`; None is for masks that are no objects and may mark nearly everything.

    Raises:
        ValueError: if it cannot be read, does not fit, is empty, or leaves nothing of the image to preserve.
    """
    if settings is None:
        values = read_mask(mask, canvas.picture, name=name)
    else:
        values = read_object(mask, canvas.picture, settings, name)
    if not bool((values <= 0.5).any()):
        raise ValueError(f"{name} covers the whole image and leaves nothing to preserve; mark only the object")
    return pad_mask(values, canvas.padded)


def nowhere(grid: Size) -> Region:
    """No cell of a grid."""
    return torch.zeros(grid, dtype=torch.bool)
