"""Edits in the released code's geometry, one class for each edit that has one.

`in_geometry` is the one place that knows that there are two geometries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.geometry import resize_nearest
from ...core.types import Canvas, Mask, Region, Size
from ...imaging.files import Pixels, read_picture
from ...imaging.frames import Frame
from ...imaging.masks import MaskLike, ReadMask, marked, pad_mask, read_mask
from ...imaging.tensors import resized, to_unpadded
from ..appearance import ReplaceAppearance
from ..base import Compiled, Edit, Guide, nowhere, object_mask, read_object, with_fields
from ..drag import Drag
from ..landmarks import Landmarks
from ..move import Move
from ..paste import Paste
from ..placement import picture_area
from ..settings import Geometry, Settings
from .appearance import appearance, cells
from .drag import drag, landmarks
from .move import move, paste
from .placement import CellPlacement, scaled_about_centre


def in_geometry(edits: Sequence[Edit], settings: Settings) -> list[Edit]:
    """Edits in the geometry that settings ask for; those without a form of their own there stay as they are.

    Raises:
        ValueError: if an edit asks for what the released code cannot do.
    """
    if settings.geometry is not Geometry.REFERENCE:
        return list(edits)
    return [RELEASED[type(edit)](edit) if type(edit) in RELEASED else edit for edit in edits]


@dataclass(frozen=True)
class ReleasedMove(Edit):
    """Moving and resizing about the image's centre by whole cells.

    Args:
        edit: the move.

    Raises:
        ValueError: if it turns, mirrors, has an anchor or two scales.
    """

    edit: Move

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_simple(self.edit, "move")

    def within(self, frame: Frame, settings: Settings) -> "ReleasedMove":
        inner = self.edit.within(frame, settings)
        return with_fields(self, edit=with_fields(inner, anchor=None))

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        edit, mask = self.edit, object_mask(self.edit.mask, canvas, settings=settings)
        w, hint = edit.STRENGTHS.under(settings), _hint(edit.hint, canvas)
        made = move(mask, edit.offset, edit.scales[0], canvas, w, raw=settings.raw_cosine, hint=hint)
        if made is None:
            raise ValueError(edit.gone(canvas.picture))
        objective, placement = made
        hole = resize_nearest(placement.hole.float(), canvas.padded) > 0.5
        touched = placement.source | placement.match.target
        return _placed(objective, placement, touched, (mask > 0) | hole)


@dataclass(frozen=True)
class ReleasedPaste(Edit):
    """Pasting by whole pixels from a second image that is given the size of the first.

    Args:
        edit: the paste.

    Raises:
        ValueError: if it turns, mirrors, has an anchor or two scales.
    """

    edit: Paste

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_simple(self.edit, "paste")

    def within(self, frame: Frame, settings: Settings) -> "ReleasedPaste":
        if frame.is_whole:
            return self
        return with_fields(self, edit=with_fields(self.edit, offset=frame.offset(self.edit.offset)))

    def guides(self, canvas: Canvas, settings: Settings) -> tuple[Guide, ...]:
        pixels = resized(read_picture(self.edit.image), canvas.padded)
        return (Guide(scaled_about_centre(to_unpadded(pixels), self.edit.scales[0]), self.edit.prompt),)

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        edit, picture = self.edit, read_picture(self.edit.image)
        mask = marked(read_object(edit.mask, _size(picture), settings), canvas.padded)
        solid = scaled_about_centre(mask[None, None], edit.scales[0])[0, 0]
        made = paste(solid, edit.offset, canvas, edit.STRENGTHS.under(settings))
        if made is None:
            raise ValueError(edit.outside(canvas.picture))
        objective, placement = made
        return _placed(objective, placement, placement.match.target, nowhere(canvas.padded))


@dataclass(frozen=True)
class ReleasedAppearance(Edit):
    """Appearance replacement with both images of one size.

    Args:
        edit: the replacement.
    """

    edit: ReplaceAppearance

    def within(self, frame: Frame, settings: Settings) -> "ReleasedAppearance":
        if frame.is_whole:
            return self
        return with_fields(self, edit=with_fields(self.edit, mask=ReadMask(frame.mask(self.edit.mask))))

    def guides(self, canvas: Canvas, settings: Settings) -> tuple[Guide, ...]:
        pixels = resized(read_picture(self.edit.image), canvas.padded)
        return (Guide(to_unpadded(pixels), self.edit.prompt),)

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        edit, picture = self.edit, read_picture(self.edit.image)
        mask = marked(object_mask(edit.mask, canvas, settings=settings), canvas.padded)
        like = marked(read_object(edit.reference_mask, _size(picture), settings, "reference_mask"), canvas.padded)
        objective = appearance(mask, like, canvas, edit.STRENGTHS.under(settings))
        return Compiled.in_place(objective, mask, canvas, touched=cells(mask, canvas))


@dataclass(frozen=True)
class ReleasedDrag(Edit):
    """Dragging patches of whole cells.

    Args:
        edit: the drag.
    """

    edit: Drag

    def within(self, frame: Frame, settings: Settings) -> "ReleasedDrag":
        return with_fields(self, edit=self.edit.within(frame, settings))

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        mask = self.edit.editable(canvas)
        objective = drag(self.edit.points, mask, canvas, self.edit.STRENGTHS.under(settings))
        touched = resize_nearest((mask > 0).float(), canvas.energy) > 0.5
        return Compiled.in_place(objective, mask, canvas, touched=touched)


@dataclass(frozen=True)
class ReleasedLandmarks(Edit):
    """Moving landmarks with nothing kept as it is.

    Args:
        edit: the landmarks.
    """

    edit: Landmarks

    def within(self, frame: Frame, settings: Settings) -> "ReleasedLandmarks":
        return with_fields(self, edit=self.edit.within(frame, settings))

    def compiled(self, canvas: Canvas, settings: Settings) -> Compiled:
        pairs, area = self.edit.pairs(canvas.picture), picture_area(canvas)
        return Compiled.in_place(landmarks(pairs, area, canvas, self.edit.STRENGTHS.under(settings)), area, canvas)


RELEASED: dict[type[Edit], Callable[[Any], Edit]] = {
    Move: ReleasedMove,
    Paste: ReleasedPaste,
    ReplaceAppearance: ReleasedAppearance,
    Drag: ReleasedDrag,
    Landmarks: ReleasedLandmarks,
}
"""The form of each edit in the released code's geometry."""


def _check_simple(edit: Move | Paste, name: str) -> None:
    if edit.angle or edit.flip or edit.anchor is not None or edit.scales[0] != edit.scales[1]:
        raise ValueError(f"geometry REFERENCE knows only offset and one scale; use Geometry.AFFINE for this {name}")


def _hint(hint: MaskLike | None, canvas: Canvas) -> Region | None:
    if hint is None:
        return None
    mask = pad_mask(read_mask(hint, canvas.picture, name="hint"), canvas.padded)
    return resize_nearest((mask > 0).float(), canvas.energy) > 0.5


def _placed(objective: Any, placement: CellPlacement, touched: Region, hole_pixels: Region) -> Compiled:
    return Compiled(
        objective=objective,
        placed=(),
        touched=touched,
        changed=placement.changed,
        stays=nowhere(_size(placement.hole)),
        hole=placement.hole,
        hole_pixels=hole_pixels,
    )


def _size(x: Pixels | Mask | Region) -> Size:
    return int(x.shape[0]), int(x.shape[1])
