"""Requests of users, and the plans that are made of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..core.bounds import Bounded
from ..core.levels import Levels
from ..core.types import Canvas, Pictures, Seed, Text
from ..edits.base import Compiled, Edit, Guide
from ..edits.settings import Settings
from ..imaging.files import ImageLike, Pixels
from ..imaging.photos import Photo, Shot
from ..imaging.tensors import from_tensor, pad_picture, to_tensor
from ..proxy.change_map import ChangeMap
from ..proxy.foretelling import Foretold
from .reference import Reference


@dataclass(frozen=True)
class Request(Bounded):
    """What is to be done to one image.

    Args:
        image: the image (PIL image, array, path, or a photo that was read), or an inverted one.
        edit: one edit, or several that are made together.
        prompt: what the image shows; that of the inversion, if it is inverted already.
        negative_prompt: what it should not show; counts at guidance scales other than 1.
        seed: of all noise.
        settings: how; None is `Settings()`.

    Raises:
        TypeError: if a field has a value of another type.
        ValueError: if one lies outside of its range.
    """

    image: ImageLike | Photo | Reference
    edit: Edit | Sequence[Edit]
    prompt: Text = ""
    negative_prompt: Text = ""
    seed: Seed = 42
    settings: Settings | None = None

    def edits(self) -> Sequence[Edit]:
        """The edits, one or more.

        Raises:
            ValueError: if there is none.
        """
        return as_edits(self.edit)


def as_edits(edit: Edit | Sequence[Edit]) -> Sequence[Edit]:
    """One edit or several as a sequence.

    Raises:
        ValueError: if there is none.
    """
    edits = [edit] if isinstance(edit, Edit) else list(edit)
    if not edits:
        raise ValueError("edit is empty; give at least one edit")
    return edits


@dataclass(frozen=True, eq=False)
class InversionRequest:
    """An image that has to be inverted.

    Args:
        pixels: the image.
        x: the padded image in [-1, 1].
        canvas: its grids.
        prompt: what it shows.
        shot: the photo that it is a frame of; None for further images of an edit.
    """

    pixels: Pixels
    x: Pictures
    canvas: Canvas
    prompt: str
    shot: Shot | None = None

    @staticmethod
    def of_shot(shot: Shot, prompt: str, canvas: Canvas) -> "InversionRequest":
        """The frame of a photo."""
        return InversionRequest(shot.pixels, to_tensor(shot.pixels, canvas.padded), canvas, prompt, shot)

    @staticmethod
    def of_guide(guide: Guide, canvas: Canvas) -> "InversionRequest":
        """A further image of an edit.

        Args:
            guide: the image.
            canvas: grids of the edited image.
        """
        own = canvas.of(guide.size)
        return InversionRequest(from_tensor(guide.x, guide.size), pad_picture(guide.x, own.padded), own, guide.prompt)

    def same(self, other: "InversionRequest") -> bool:
        """Whether both are the same image with the same prompt."""
        return self.prompt == other.prompt and self.x.shape == other.x.shape and torch.equal(self.x, other.x)


@dataclass(frozen=True)
class Plan:
    """A request that was found to be in order.

    Args:
        request: what was asked for.
        settings: how.
        shot: the photo, and the part of it that is edited.
        canvas: grids of that part.
        edits: the edits in pixels of that part, in the geometry of the settings.
        compiled: the edits as data.
        pictures: the image, then those its edits take something from; what is inverted already is a reference.
        levels: noise levels of the run.
        hole: how well the source hole can be inpainted.
        map: when every latent cell is released.
        start: noise level at which its run can begin.
        notes: what a user should know of how its images, masks and prompts were read.
    """

    request: Request
    settings: Settings
    shot: Shot
    canvas: Canvas
    edits: tuple[Edit, ...]
    compiled: Compiled
    pictures: tuple[InversionRequest | Reference, ...]
    levels: Levels
    hole: Foretold
    map: ChangeMap
    start: int
    notes: tuple[str, ...] = ()
