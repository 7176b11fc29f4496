"""A session's recipe on the reduced copies of its images: what is checked and previewed at once.

All of it is scaled by the one factor of the edited image: pixels, masks, and every number that is declared in pixels
(`core/bounds.py`). So a new kind of edit needs nothing of its own. A second image that is small enough itself keeps its
pixels where the edit takes all of its masks from it: enlarged, it would be seen blurred otherwise.
"""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

from PIL import Image

from ..core.bounds import declared, multiplied
from ..core.types import Size
from ..edits.base import Edit, with_fields
from ..edits.settings import Settings
from ..imaging.files import ImageLike, Pixels, read_picture
from ..imaging.frames import Frame, everything
from ..imaging.masks import MaskLike, ReadMask
from ..imaging.photos import Photo
from ..imaging.shapes import BoxMask, PolygonMask
from ..recipes import Recipe
from .kinds import image_names, mask_images
from .masks import reduced_values
from .pictures import factor_of, reduced, shrunk, size_of


@dataclass(frozen=True)
class Reduced:
    """A recipe on the reduced copy of its image.

    Args:
        photo: the copy.
        edits: in its pixels.
        factor: its sides, as a share of those of the image.
    """

    photo: Photo
    edits: tuple[Edit, ...]
    factor: float


def reduced_recipe(recipe: Recipe) -> Reduced:
    """A recipe, whose images and masks are files of a session, on reduced copies.

    Raises:
        ValueError: if an image or a mask cannot be read or does not fit.
    """
    image = cast(Path, recipe.image)
    size = size_of(image)
    factor = factor_of(size)
    edits = (
        recipe.edits if factor == 1 else tuple(_scaled(edit, size, factor, recipe.settings) for edit in recipe.edits)
    )
    return Reduced(reduced(image, factor), edits, factor)


def _scaled(edit: Edit, size: Size, factor: float, settings: Settings) -> Edit:
    kind, changed = type(edit), dict[str, Any]()
    images, masks, hints = image_names(kind), mask_images(kind), declared(kind)
    seconds = [getattr(edit, name) for name in images]
    if seconds and None not in masks.values() and all(factor_of(_size(second)) == 1 for second in seconds):
        whole = {name: _pixels(second, 1) for name, second in zip(images, seconds, strict=True)}
        return with_fields(edit, **whole).within(Frame(size, everything(size), factor, None), settings)
    for name in (field.name for field in fields(cast(Any, edit))):
        value = getattr(edit, name)
        if value is None:
            continue
        if name in images:
            changed[name] = _pixels(value, factor)
        elif name in masks:
            of = masks[name]
            changed[name] = _mask(value, size if of is None else _size(getattr(edit, of)), factor)
        else:
            changed[name] = multiplied(value, hints[name], "pixels", factor)
    return with_fields(edit, **changed)


def _mask(source: MaskLike, size: Size, factor: float) -> MaskLike:
    if isinstance(source, (BoxMask, PolygonMask)):
        hints = declared(type(source))
        named = {field.name: getattr(source, field.name) for field in fields(source)}
        return replace(source, **{k: multiplied(v, hints[k], "pixels", factor) for k, v in named.items()})
    return ReadMask(reduced_values(source, size, factor))


def _pixels(source: ImageLike, factor: float) -> Pixels:
    return reduced(source, factor).pixels if isinstance(source, Path) else shrunk(read_picture(source), factor)


def _size(source: ImageLike) -> Size:
    if isinstance(source, Path):
        return size_of(source)
    return (source.height, source.width) if isinstance(source, Image.Image) else read_picture(source).shape[:2]
