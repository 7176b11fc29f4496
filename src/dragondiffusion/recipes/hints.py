"""Types of fields, and the classes of edits by name."""

import types
import typing
from importlib import import_module
from typing import Any

from ..core import bounds
from ..edits.base import Edit
from ..edits.registry import EDITS
from ..imaging.files import ImageLike
from ..imaging.masks import MaskLike


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The types that a hint allows, in which what stands for an image, a mask or a number is one."""
    if hint in (ImageLike, MaskLike):
        return (hint,)
    parts, found = bounds.arms(hint), list[Any]()
    for whole in (MaskLike, ImageLike):
        if all(part in parts for part in typing.get_args(whole)):
            found.append(whole)
            parts = tuple(part for part in parts if part not in typing.get_args(whole))
    # What is typed as "none" is null before it is a text.
    return tuple(sorted((*found, *parts), key=lambda part: part is not types.NoneType))


def edit_class(name: str) -> type[Edit]:
    """The class of an edit in the registry."""
    module, cls = EDITS[name]
    return getattr(import_module(f"..edits.{module}", __package__), cls)


def takes_images(hint: Any) -> bool:
    """Whether a type is that of an image or a mask."""
    return not {ImageLike, MaskLike}.isdisjoint(alternatives(hint))


def takes_masks(hint: Any) -> bool:
    """Whether a type is that of a mask."""
    return MaskLike in alternatives(hint)
