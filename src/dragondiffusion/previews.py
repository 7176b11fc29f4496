"""What an edit will look like, roughly and at once: the draft of the edit, without a model."""

from collections.abc import Sequence
from dataclasses import dataclass

from .backbones import Backbone
from .edits.base import Edit
from .frames import Box, box_of_mask, shifted_box
from .images import Pixels, composite, from_tensor, pad_picture, to_tensor
from .photos import Photo
from .planning import as_edits, compile_edits, framed, painted
from .settings import Settings
from .types import Canvas


@dataclass(frozen=True, eq=False)
class Preview:
    """A rough picture of the part that an edit changes.

    Args:
        pixels: of that part, scaled down where the edit is made at a smaller scale.
        box: the part, in pixels of the photo.
    """

    pixels: Pixels
    box: Box


def preview(
    photo: Photo, edit: Edit | Sequence[Edit], settings: Settings | None = None, working: int | None = None
) -> Preview:
    """Paints edits roughly: content carried to its place, what is left behind smoothed over from around.

    Args:
        photo: the picture.
        edit: one edit, or several that are made together.
        settings: how; `draft` is taken for granted. None is `Settings()`.
        working: side in pixels of the pictures that the model was made for; None is Stable Diffusion's.

    Raises:
        FileNotFoundError: if the path of a second picture or mask does not exist.
        ValueError: if an edit does not fit the picture.
    """
    settings, edits = settings or Settings(), as_edits(edit)
    frame = framed(photo, edits, settings, working or Backbone.working_size).frame
    canvas = Canvas(frame.size, 8, 8, 1)
    inner = [one.within(frame, settings) for one in edits]
    pixels = photo.pixels if frame.is_whole else frame.pixels(photo.pixels)
    x = to_tensor(pixels, canvas.padded)
    objective = compile_edits(inner, canvas, settings, x)
    others = [pad_picture(g.x, canvas.of(g.size).padded) for one in inner for g in one.guides(canvas, settings)]
    drawn = from_tensor(painted([x, *others], objective), frame.size)
    alpha = objective.alpha(canvas, settings.hold_margin, max(1, settings.composite_feather)).float()
    left, top, right, bottom = box_of_mask(alpha)
    mixed = composite(drawn, pixels, alpha)[top:bottom, left:right]
    if frame.scale == 1:
        return Preview(mixed, shifted_box((left, top, right, bottom), frame.box[:2]))
    return Preview(mixed, frame.box_of((left, top, right, bottom)))
