"""Results into which the input was painted back by hand: what they are made of, and what their files say of it."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from jaxtyping import Float32
from PIL import Image

from ..core.messages import cut
from ..core.strict_json import parse_json, write_json
from ..imaging.compositing import mixed
from ..imaging.photos import Photo
from ..imaging.png import read_texts
from ..imaging.writing import write_picture
from ..recipes.recipe import RECIPE_TEXT, VERSIONS_TEXT
from .limits import RefusedError
from .masks import full_mask, marked, size_of_image
from .pictures import photo, size_of
from .queue import EditJob

Weight: TypeAlias = Float32[np.ndarray, "height width"]

PAINTED = "the input painted back"
"""Name in a result's provenance; its value says over how much of the image."""


def painted_back(job: EditJob, mask: str) -> str:
    """A job's result in which the input comes back where a mask is light, as an image of the session.

    Where the mask is white the pixels are those of the input bit for bit, where it is black those of the result. The
    PNG carries the recipe of the result, and says that the input was painted back, which no recipe does.

    Args:
        job: it is done.
        mask: name of a mask of the image that was edited.

    Returns:
        The image's name.

    Raises:
        RefusedError: if there is no result, image or mask (404), the mask is one of another image (422), or there is no
            room (413).
    """
    session = job.session
    if job.result is None:
        raise RefusedError(404, f"the job has no result: it is {job.state}")
    known = job.painted.get(mask)
    if known is not None and (session.pictures / known).is_file():
        return known
    result, before = session.path(job.result), session.path(str(job.recipe["image"]))
    size = size_of(before)
    if size_of_image(session.path(mask)) != size:
        raise RefusedError(422, "the mask belongs to another image than the one that was edited; paint it on that one")
    session.check_room(result.stat().st_size)
    weight = marked(full_mask(session, mask), size).numpy()
    texts = {name: text for name, text in read_texts(result).items() if name in (RECIPE_TEXT, VERSIONS_TEXT)}
    made = parse_json(texts.get(VERSIONS_TEXT, "{}"), "versions")
    texts[VERSIONS_TEXT] = write_json({PAINTED: f"over {_share(float(weight.mean()))} of the image", **made})
    path = session.pictures / f".{job.id}-painted.png"
    write_picture(mixed_photo(photo(before), photo(result), weight), path, texts)
    name = session.take(path, session.title(job.result))
    if session.is_drawn(job.result):
        session.mark_drawn(name)
    job.change(painted={**job.painted, mask: name})
    job.save()
    return name


def said_of(texts: Mapping[str, str]) -> list[str]:
    """Notes on the recipe that a PNG carries in these texts, where the input was painted back into its image."""
    made = parse_json(texts.get(VERSIONS_TEXT, "{}"), "versions")
    where = made.get(PAINTED) if isinstance(made, dict) else None
    if not isinstance(where, str):
        return []
    return [f"in that image the input was painted back {cut(where)}; the recipe alone does not do it"]


def mixed_photo(before: Photo, result: Photo, weight: Weight) -> Image.Image:
    """A result in which the input comes back, with what the input's file carried.

    Args:
        before: the input.
        result: of the same size.
        weight: how much of the input each pixel has, 0 to 1.
    """
    pixels = mixed(before.pixels, result.pixels, weight[..., None])
    if before.alpha is None and result.alpha is None:
        return before.image(pixels, None)
    opaque = np.full(before.size, 255, np.uint8)
    first, second = (opaque if one.alpha is None else one.alpha for one in (before, result))
    return before.image(pixels, mixed(first, second, weight))


def _share(value: float) -> str:
    return f"{100 * value:.0f} %" if value >= 0.01 else "less than 1 %"
