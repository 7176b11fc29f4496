"""Masks of a session: found, painted, corrected. Those of large images are kept as large as the reduced copy.

Such a mask carries a record of the image that it belongs to; where its full size is needed, for an edit or elsewhere,
it is enlarged once, and where it was found by clicks its border is looked for again in the image itself.
"""

import io
import json
import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..core.types import Mask, Size
from ..imaging.files import open_image
from ..imaging.frames import box_of_mask, centre_of_mask
from ..imaging.mask_noise import Values
from ..imaging.masks import MaskLike, ReadMask, image_values, read_mask
from ..imaging.png import from_png, to_png
from ..selection import snap
from .answers import MaskFacts
from .limits import RefusedError
from .pictures import factor_of, photo, reduced, reduced_size, size_of
from .sessions import NAME, Session

RECORD = "dragondiffusion-mask"
"""Keyword of the text that a reduced mask carries."""


@dataclass(frozen=True)
class Record:
    """What is known of a mask that is smaller than its image.

    Args:
        of: name of the image.
        edges: whether its border follows the image's edges, and is looked for again at full size.
    """

    of: str
    edges: bool


@lru_cache(maxsize=1024)
def record_of(path: Path) -> Record | None:
    """The record of a mask; None if it is as large as its image."""
    if path.suffix != ".png":
        return None
    with open_image(path, 2**40, "the mask") as image:
        text = image.info.get(RECORD)
    try:
        found = json.loads(text) if isinstance(text, str) else None
        record = Record(str(found["of"]), bool(found["edges"])) if isinstance(found, dict) else None
    except (ValueError, KeyError):
        return None
    return record if record is not None and NAME.fullmatch(record.of) else None


def size_of_image(path: Path) -> Size:
    """(height, width) of the image that a mask belongs to.

    Raises:
        RefusedError: if that image is gone (404).
    """
    record = record_of(path)
    of = path if record is None else path.parent / record.of
    if not of.is_file():
        raise RefusedError(404, f"there is no image {of.name!r} in this session, which the mask belongs to; send it")
    return size_of(of)


@lru_cache(maxsize=1024)
def mask_facts(path: Path) -> MaskFacts:
    """The description of a mask that clients get.

    Raises:
        RefusedError: if it is empty (422).
    """
    own = size_of(path)
    height, width = size_of_image(path)
    mask = marked(path, own)
    hard, (down, across) = (mask > 0.5).float(), (height / own[0], width / own[1])
    left, top, right, bottom = box_of_mask(hard)
    x, y = centre_of_mask(mask, box_of_mask(mask))
    return MaskFacts(
        name=path.name,
        width=width,
        height=height,
        area=float(hard.mean()),
        box=(math.floor(left * across), math.floor(top * down), math.ceil(right * across), math.ceil(bottom * down)),
        centroid=(x * across, y * down),
    )


def marked(source: MaskLike, size: Size) -> Mask:
    """A mask; a source that is none is refused with its error (422)."""
    try:
        return read_mask(source, size)
    except ValueError as error:
        raise RefusedError(422, str(error)) from error


def keep_mask(session: Session, mask: Mask, of: str, edges: bool = False) -> MaskFacts:
    """Adds a mask to the session, as a grey image.

    Args:
        session: gets it.
        mask: as large as its image, or as the reduced copy of that.
        of: name of the image.
        edges: see `Record`.

    Raises:
        RefusedError: if it is empty (422).
    """
    if not bool((mask > 0.5).any()):
        raise RefusedError(422, "nothing is selected; click on an object or paint over it")
    values = np.rint(mask.numpy() * 255).astype(np.uint8)
    if mask.shape == size_of(session.path(of)):
        return mask_facts(session.path(session.add(to_png(values), "")))
    about, data = PngInfo(), io.BytesIO()
    about.add_text(RECORD, json.dumps(asdict(Record(of, edges))))
    Image.fromarray(values).save(data, format="PNG", pnginfo=about)
    return mask_facts(session.path(session.add(data.getvalue(), "")))


def reduced_mask(session: Session, name: str, factor: float) -> Mask:
    """A mask of the session on the reduced copy of its image.

    Raises:
        RefusedError: if there is none of that name (404), or it is none (422).
    """
    path = session.path(name)
    try:
        return reduced_values(path, size_of_image(path), factor)
    except ValueError as error:
        raise RefusedError(422, str(error)) from error


def reduced_values(source: MaskLike, size: Size, factor: float) -> Mask:
    """A mask of an image of a size on a copy whose sides are so many times as long.

    Raises:
        ValueError: as `read_mask`.
    """
    if isinstance(source, Path):
        return _reduced_file(source, size, factor)
    return _shrunk(read_mask(source, size), reduced_size(size, factor))


@lru_cache(maxsize=16)
def _reduced_file(path: Path, size: Size, factor: float) -> Mask:
    small = reduced_size(size, factor)
    if path.is_file() and record_of(path) is not None and size_of_image(path) == size:
        return _shrunk(read_mask(path, size_of(path)), small)
    return _shrunk(read_mask(path, size), small)


def _shrunk(mask: Mask, size: Size) -> Mask:
    """A mask at another size, area by area; what is smaller than a pixel still counts."""
    if mask.shape == torch.Size(size):
        return mask
    values = _resized(mask.numpy(), size, Image.Resampling.BOX)
    most = float(values.max())
    return torch.from_numpy(values / most if 0 < most <= 0.5 else values)


def full_mask(session: Session, name: str) -> Path:
    """The file of a mask at the size of its image; made when it is asked for first.

    Raises:
        RefusedError: if there is none of that name, or its image is gone (404), or there is no room (413).
    """
    record = record_of(session.path(name))
    return session.path(name) if record is None else session.derived(name, lambda: _enlarged(session, name, record))


def _enlarged(session: Session, name: str, record: Record) -> bytes:
    """PNG data of a reduced mask at the size of its image."""
    values = marked(session.path(name), size_of(session.path(name))).numpy()
    picture = session.path(record.of)
    if record.edges:
        from ..selection.borders import refined

        alpha = refined(values > 0.5, photo(picture).pixels)
    else:
        alpha = _resized(values, size_of(picture), Image.Resampling.BILINEAR)
    return to_png(np.rint(alpha * 255).astype(np.uint8))


def _resized(values: Values, size: Size, way: Image.Resampling) -> Values:
    image = Image.fromarray(values.astype(np.float32))
    return np.array(image.resize((size[1], size[0]), way)).clip(0, 1)


def painted(session: Session, picture: str, data: bytes, snaps: bool = False) -> MaskFacts:
    """A mask painted on a view of an image, scaled to the image or its reduced copy.

    Args:
        session: whose image it is.
        picture: its name.
        data: PNG, light where it is marked.
        snaps: its border is moved to edges of the image nearby.

    Raises:
        RefusedError: if it is no PNG or has another shape than the image (422).
    """
    size = size_of(session.path(picture))
    height, width = size
    try:
        image = from_png(data, "the mask", session.limits.pixels)
    except ValueError as error:
        raise RefusedError(422, str(error)) from error
    if abs(math.log(image.width / image.height * height / width)) > 1.5 / min(image.size) + 0.01:
        raise RefusedError(
            422,
            f"the mask is {image.width}x{image.height} and the image {width}x{height}; "
            "paint it on a view of the whole image",
        )
    try:
        grey = Image.fromarray(image_values(image, "the mask"))
    except ValueError as error:
        raise RefusedError(422, str(error)) from error
    small = reduced_size(size, factor_of(size)) if max(image.size) < max(size) else size
    values = torch.from_numpy(np.array(grey.resize((small[1], small[0]), Image.Resampling.BILINEAR)))
    mask = marked(ReadMask(values), small)
    if snaps:
        factor = 1.0 if small == size else factor_of(size)
        mask = snap(reduced(session.path(picture), factor).pixels, mask)
    return keep_mask(session, mask, picture, edges=snaps)


def corrected(mask: Mask, found: Mask, before: Mask) -> Mask:
    """A mask with corrections by hand, updated by the change of the mask that was found by clicks."""
    return (mask + (found - before)).clamp(0, 1)
