"""The kinds of edits: which inputs each has in ComfyUI, and which edit of dragondiffusion they make."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from comfy_api.latest import io
from torch import Tensor

from dragondiffusion import Drag, Edit, Landmarks, Move, Paste, Remove, ReplaceAppearance

from .conversion import mask_of, one_of, pairs_of, pixels_of, placing, points_of
from .running import Place, Step

WAY = 8192.0
"""Largest displacement that a widget offers, pixels."""


class Kind(ABC):
    """A kind of edit.

    Args of `step` are the ids of `inputs`.
    """

    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    DESCRIPTION: ClassVar[str]
    ALIASES: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    @abstractmethod
    def inputs() -> list[io.Input]:
        """Inputs of the node, beside those that all have."""

    step: ClassVar[Any]


def mask_at(mask: Tensor, place: Place, name: str = "mask") -> Any:
    """The mask of an image of a batch."""
    return mask_of(one_of(mask, place.number, place.count, name), place.size, name)


def maybe_at(mask: Tensor | None, place: Place, name: str) -> Any:
    """The same of a mask that may be left out."""
    return None if mask is None else mask_at(mask, place, name)


def placing_inputs() -> list[io.Input]:
    """Inputs that say where something goes."""
    return [
        io.Float.Input("offset_x", default=0.0, min=-WAY, max=WAY, step=1.0, tooltip="Pixels to the right."),
        io.Float.Input("offset_y", default=0.0, min=-WAY, max=WAY, step=1.0, tooltip="Pixels down."),
        io.Float.Input("scale", default=1.0, min=0.05, max=20.0, step=0.01, tooltip="Factor of its size."),
        io.Float.Input("angle", default=0.0, min=-360.0, max=360.0, step=1.0, tooltip="Degrees, counter-clockwise."),
        io.Boolean.Input("flip", default=False, tooltip="Mirror left and right."),
        io.BoundingBox.Input(
            "box_to",
            optional=True,
            socketless=False,
            force_input=True,
            tooltip="Where it shall be, in place of offset and scale. Two boxes are where it is and where it shall be.",
        ),
        io.BoundingBox.Input(
            "box_from",
            optional=True,
            socketless=False,
            force_input=True,
            tooltip="Where it is; without it the box around its mask.",
        ),
    ]


class MoveKind(Kind):
    """Moving, resizing, turning and mirroring."""

    NAME, TITLE = "Move", "Move, Resize, Rotate, Flip"
    DESCRIPTION = (
        "Moves the masked object, resizes, turns or mirrors it; what it leaves behind is inpainted. Pixels away from "
        "the edit stay as they are, to the bit."
    )
    ALIASES = ("drag object", "transform", "scale object", "mirror", "layer")

    @staticmethod
    def inputs() -> list[io.Input]:
        hint = "What the place it leaves should look like; without it everything the edit does not touch."
        return [
            io.Mask.Input("mask", tooltip="The object: a little more is better than a little less."),
            *placing_inputs(),
            io.Mask.Input("hint", optional=True, tooltip=hint),
        ]

    @staticmethod
    def step(
        mask: Tensor,
        offset_x: float = 0.0,
        offset_y: float = 0.0,
        scale: float = 1.0,
        angle: float = 0.0,
        flip: bool = False,
        box_to: Any = None,
        box_from: Any = None,
        hint: Tensor | None = None,
    ) -> Step:
        """The edit."""

        def made(place: Place) -> Edit:
            thing = mask_at(mask, place)
            way = placing((offset_x, offset_y), scale, (box_from, box_to), thing)
            look = maybe_at(hint, place, "hint")
            return Move(thing, way.offset, way.scale, angle, flip, way.anchor, look)

        return made


class RemoveKind(Kind):
    """Removing."""

    NAME, TITLE = "Remove", "Remove"
    DESCRIPTION = "Removes the masked object; what was behind it is inpainted."
    ALIASES = ("erase", "inpaint", "object removal", "delete object")

    @staticmethod
    def inputs() -> list[io.Input]:
        return [
            io.Mask.Input("mask", tooltip="The object: a little more is better than a little less."),
            io.Mask.Input("hint", optional=True, tooltip="What its place should look like."),
        ]

    @staticmethod
    def step(mask: Tensor, hint: Tensor | None = None) -> Step:
        """The edit."""
        return lambda place: Remove(mask_at(mask, place), maybe_at(hint, place, "hint"))


class PasteKind(Kind):
    """Pasting from a second image."""

    NAME, TITLE = "Paste", "Paste"
    DESCRIPTION = "Pastes the masked object of a second image and blends it in."
    ALIASES = ("composite", "insert object", "harmonize", "blend")

    @staticmethod
    def inputs() -> list[io.Input]:
        return [
            io.Image.Input("source", tooltip="The second image, of any size."),
            io.Mask.Input("source_mask", tooltip="The object in the second image."),
            *placing_inputs(),
            io.String.Input("source_prompt", default="", advanced=True, tooltip="What the second image shows."),
        ]

    @staticmethod
    def step(
        source: Tensor,
        source_mask: Tensor,
        offset_x: float = 0.0,
        offset_y: float = 0.0,
        scale: float = 1.0,
        angle: float = 0.0,
        flip: bool = False,
        box_to: Any = None,
        box_from: Any = None,
        source_prompt: str = "",
    ) -> Step:
        """The edit."""

        def made(place: Place) -> Edit:
            pixels, thing = second(source, source_mask, place)
            way = placing((offset_x, offset_y), scale, (box_from, box_to), thing)
            return Paste(pixels, thing, way.offset, way.scale, angle, flip, way.anchor, source_prompt)

        return made


class AppearanceKind(Kind):
    """Another appearance."""

    NAME, TITLE = "Appearance", "Replace Appearance"
    DESCRIPTION = "Gives the masked object the colours and the pattern of an object of a second image; its shape stays."
    ALIASES = ("recolor", "style of object", "texture transfer")

    @staticmethod
    def inputs() -> list[io.Input]:
        return [
            io.Mask.Input("mask", tooltip="The object that changes."),
            io.Image.Input("source", tooltip="The second image, of any size."),
            io.Mask.Input("source_mask", tooltip="The object in it whose appearance is taken."),
            io.Boolean.Input("pattern", default=True, tooltip="Take over the pattern too; otherwise colours alone."),
            io.String.Input("source_prompt", default="", advanced=True, tooltip="What the second image shows."),
        ]

    @staticmethod
    def step(mask: Tensor, source: Tensor, source_mask: Tensor, pattern: bool = True, source_prompt: str = "") -> Step:
        """The edit."""

        def made(place: Place) -> Edit:
            pixels, like = second(source, source_mask, place)
            return ReplaceAppearance(mask_at(mask, place), pixels, like, source_prompt, pattern)

        return made


class DragKind(Kind):
    """Dragging points."""

    NAME, TITLE = "Drag", "Drag Points"
    DESCRIPTION = "Drags the content at some points to others, and bends what lies between."
    ALIASES = ("draggan", "dragdiffusion", "warp", "liquify")

    @staticmethod
    def inputs() -> list[io.Input]:
        points = "JSON in pixels: [[[x, y], [x, y]], ...], each from where and to where. Twice the same point stays."
        return [
            io.String.Input("points", default="[[[100, 100], [120, 100]]]", multiline=True, tooltip=points),
            io.Mask.Input("mask", optional=True, tooltip="What may change; without it all near the displacements."),
        ]

    @staticmethod
    def step(points: str, mask: Tensor | None = None) -> Step:
        """The edit."""
        pairs = pairs_of(points, "points")
        return lambda place: Drag(pairs, maybe_at(mask, place, "mask"))


class LandmarksKind(Kind):
    """Another layout of landmarks."""

    NAME, TITLE = "Landmarks", "Move Landmarks"
    DESCRIPTION = "Moves landmarks of a face, or of anything, to another layout."
    ALIASES = ("face expression", "pose of face", "keypoints")

    @staticmethod
    def inputs() -> list[io.Input]:
        here = "JSON in pixels, [[x, y], ...]: where the landmarks are; those that stay belong in both lists."
        return [
            io.String.Input("points_from", default="[[100, 100], [140, 100]]", multiline=True, tooltip=here),
            io.String.Input(
                "points_to",
                default="[[100, 96], [140, 96]]",
                multiline=True,
                tooltip="Where they go, in the same order.",
            ),
        ]

    @staticmethod
    def step(points_from: str, points_to: str) -> Step:
        """The edit."""
        edit = Landmarks(points_of(points_from, "points_from"), points_of(points_to, "points_to"))
        return lambda _: edit


def second(source: Tensor, source_mask: Tensor, place: Place) -> tuple[Any, Any]:
    """The second image of an edit, and the mask of its object."""
    image = one_of(source, place.number, place.count, "source")
    mask = one_of(source_mask, place.number, place.count, "source_mask")
    size = (int(image.shape[0]), int(image.shape[1]))
    return pixels_of(image, "source"), mask_of(mask, size, "source_mask")


KINDS: tuple[type[Kind], ...] = (MoveKind, RemoveKind, PasteKind, AppearanceKind, DragKind, LandmarksKind)
"""All kinds."""
