"""What an edit will look like, roughly and at once: the proxy of the edit, without a model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from ..core.types import Canvas, Mask, ModelGrids, Pictures
from ..edits.base import Edit, nowhere
from ..edits.order import Order, ordered
from ..edits.settings import Settings
from ..imaging.files import ImageLike, Pixels
from ..imaging.frames import box_of_mask
from ..imaging.photos import Channel, Photo, read_photo
from ..imaging.tensors import from_tensor, pad_picture, to_tensor
from ..proxy.inpainting import Inpaint
from ..proxy.rough import painted
from ..proxy.smooth import smoothly
from .plan import compile_edits, framed
from .request import as_edits


@dataclass(frozen=True, eq=False)
class Preview:
    """A rough image of the part that an edit changes.

    Args:
        pixels: of that part, scaled down where the edit is made at a smaller scale.
        alpha: their weight over the photo, 0 to 255.
        box: the part: left, top, right, bottom in pixels of the photo; whole numbers where nothing is scaled down.
    """

    pixels: Pixels
    alpha: Channel
    box: tuple[float, float, float, float]

    @property
    def image(self) -> Image.Image:
        """The part as an image that is transparent where the photo stays."""
        return Image.fromarray(np.dstack((self.pixels, self.alpha)))


def preview(
    image: ImageLike | Photo,
    edit: Edit | Sequence[Edit],
    settings: Settings | None = None,
    grids: ModelGrids | None = None,
    way: Inpaint = smoothly,
) -> Preview:
    """Paints edits roughly: content transported to its place, the source hole inpainted smoothly from around.

    Args:
        image: the image: PIL image, array, path, or a photo that was read.
        edit: one edit, or several that are made together.
        settings: how; `proxy` is taken for granted. None is `Settings()`.
        grids: those of the model that will make the edit; None is Stable Diffusion's.
        way: how the source hole is inpainted; the usual one is the quickest, which lets what masks leave out stay;
            edits themselves use `inpaint`.

    Raises:
        FileNotFoundError: if the path of an image or mask does not exist.
        ValueError: if an image is unreadable, an edit does not fit it, or edits contradict each other.
    """
    photo = image if isinstance(image, Photo) else read_photo(image)
    settings, edits = settings or Settings(), as_edits(edit)
    grids = grids or ModelGrids()
    frame = framed(photo, edits, settings, grids.working_size).frame
    canvas = grids.canvas(frame.size)
    inner = [one.within(frame, settings) for one in edits]
    pixels = photo.pixels if frame.is_whole else frame.pixels(photo.pixels)
    x = to_tensor(pixels, canvas.padded)
    order = ordered([one.compiled(canvas, settings) for one in inner]) if len(inner) > 1 else Order(((0,),))
    drawn, alpha = x, torch.zeros(canvas.picture)
    for numbers in order.passes:
        upper = _painted([inner[k] for k in numbers], _laid_over(x, drawn, alpha), canvas, settings, way)
        drawn, alpha = _joined((drawn, alpha), upper)
    left, top, right, bottom = box_of_mask(alpha)
    shown = from_tensor(drawn[..., top:bottom, left:right], (bottom - top, right - left))
    weight = np.rint(alpha[top:bottom, left:right].numpy() * 255).astype(np.uint8)
    x0, y0 = frame.box[:2]
    box = (x0 + left / frame.scale, y0 + top / frame.scale, x0 + right / frame.scale, y0 + bottom / frame.scale)
    return Preview(shown, weight, box)


def _painted(
    edits: Sequence[Edit], x: Pictures, canvas: Canvas, settings: Settings, way: Inpaint
) -> tuple[Pictures, Mask]:
    """The edits of one pass on the padded image: its rough version, and the weight of that."""
    # What masks leave out takes longer to be found than all the rest of the quickest preview.
    compiled = compile_edits(edits, canvas, settings, x, nowhere(canvas.padded) if way is smoothly else None)
    others = [pad_picture(g.x, canvas.of(g.size).padded) for one in edits for g in one.guides(canvas, settings)]
    drawn = painted([x, *others], compiled.placed, compiled.hole_pixels, compiled.lit, way)
    return drawn, compiled.alpha(canvas, settings.clamp_margin, max(1, settings.composite_feather)).float()


def _laid_over(x: Pictures, drawn: Pictures, alpha: Mask) -> Pictures:
    """An image with another laid over it; beyond the alpha as it is."""
    rows, columns = alpha.shape
    result = x.clone()
    result[..., :rows, :columns] += alpha * (drawn - x)[..., :rows, :columns]
    return result


def _joined(lower: tuple[Pictures, Mask], upper: tuple[Pictures, Mask]) -> tuple[Pictures, Mask]:
    """Two layers as one, which laid over an image gives the same as both; the upper's own colours where it is alone."""
    (below, under), (above, over) = lower, upper
    rows, columns = over.shape
    alpha, result = over + (1 - over) * under, above.clone()
    inner = result[..., :rows, :columns]
    both = (over * inner + (1 - over) * under * below[..., :rows, :columns]) / alpha.clamp_min(1e-6)
    result[..., :rows, :columns] = torch.where(under > 0, both, inner)
    return result, alpha
