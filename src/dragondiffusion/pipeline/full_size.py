"""From the edited frame to the whole photo: detail restored at the photo's own scale, opacity, compositing.

A frame that was scaled down has lost the photo's detail. Where the edit only transported pixels, the photo itself still
has it: the edit is made once more in pixels at the photo's scale, and the detail that the frame's proxy lacks is added.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from ..core.geometry import dilate
from ..core.paint import Placed
from ..core.types import Canvas, Mask, Number, Pictures, Region
from ..edits.base import Compiled, nowhere
from ..edits.hole import FRINGE
from ..edits.settings import Geometry
from ..imaging.compositing import agreement, mixed
from ..imaging.files import Pixels
from ..imaging.frames import Box, Frame, box_of_mask, intersection, joined, shifted_box, shrunk
from ..imaging.photos import Channel, Photo, Shot
from ..imaging.tensors import from_tensor, pad_picture, to_tensor, to_unpadded
from ..proxy.light import UNLIT
from ..proxy.rough import Copied, painted
from .plan import compile_edits, extent
from .request import Plan
from .wider import inpaint_within

ROWS = 256
"""Rows of a photo that are blended at once, so that few of its pixels are floats. Source: chosen."""


@dataclass(frozen=True, eq=False)
class Finer:
    """An edit made roughly in pixels at the photo's own scale.

    Args:
        pixels: the rough edit, of a box of the photo; None where settings want none.
        alpha: its opacity; None if the photo is opaque, or there is no rough edit.
        weight: of what is edited in the composite, in [0, 1], pixel by pixel of the photo.
    """

    pixels: Pixels | None
    alpha: Channel | None
    weight: Mask


@dataclass(frozen=True, eq=False)
class LostDetail:
    r"""What a frame lacks of a box of the photo, $w\,(d - d')$.

    Args:
        proxy: $d$, the rough edit at the photo's scale.
        coarse: $d'$, the frame's rough edit, enlarged.
        weight: $w$, how far the result agrees with the proxy.
    """

    proxy: Pixels
    coarse: Pixels
    weight: npt.NDArray[np.float32]

    def of_rows(self, rows: slice) -> npt.NDArray[np.float32]:
        """The detail of some rows."""
        difference = self.proxy[rows].astype(np.float32) - self.coarse[rows].astype(np.float32)
        return difference * self.weight[rows, :, None]


def onto_photo(one: Plan, edited: Pixels, alpha: Mask, rough: Pixels | None = None) -> tuple[Image.Image, Mask]:
    """The photo with its edited frame composited onto it.

    Args:
        one: what was asked for.
        edited: the frame's pixels.
        alpha: their weight on the frame, 0 to 1.
        rough: the frame's rough edit; None without one.

    Returns:
        The photo, with what its file carried, and the weight of what was edited, of the photo's size. Where the weight
        is 0 the pixels are the photo's.
    """
    photo, frame = one.shot.photo, one.shot.frame
    weight = torch.zeros(photo.size)
    if not bool((alpha > 0).any()):
        return photo.image(photo.pixels, photo.alpha), weight
    box = frame.box_of(box_of_mask(alpha))
    finer = finer_proxy(one, box) if frame.scale < 1 or photo.alpha is not None else None
    if frame.scale == 1:
        part = _cut(alpha, frame, box)
    elif finer is None or not one.settings.composite or one.settings.geometry is Geometry.REFERENCE:
        part = frame.enlarged_mask(alpha, box)
    else:
        part = finer.weight * frame.enlarged_mask(fading(one), box)
    left, top, right, bottom = box
    weight[top:bottom, left:right] = part
    pixels = photo.pixels.copy()
    place = pixels[top:bottom, left:right]
    if frame.scale < 1:
        large = frame.enlarged(edited, box)
        known = None if finer is None or rough is None else finer.pixels
        coarse = large if rough is None else frame.enlarged(rough, box)
        detail = None if known is None else found_detail(large, known, coarse, frame.scale)
        blend(place, large, part, detail)
    else:
        x, y = frame.box[:2]
        blend(place, edited[top - y : bottom - y, left - x : right - x], part)
    return photo.image(pixels, _opacity(photo, box, part, finer)), weight


def fading(one: Plan) -> Mask:
    """Weight of the edit towards those borders of its frame beyond which the photo goes on, on the frame."""
    return one.shot.frame.fading(max(1, one.settings.composite_feather) * one.canvas.factor)


def blend(photo: Pixels, edited: Pixels, alpha: Mask, detail: LostDetail | None = None) -> None:
    """Lays edited pixels over those of a photo, in place; where `alpha` is 0 they stay, bit for bit."""
    weight = alpha.numpy()[..., None]
    for top in range(0, len(photo), ROWS):
        rows = slice(top, top + ROWS)
        a, new = weight[rows], edited[rows].astype(np.float32)
        if detail is not None:
            new = (new + detail.of_rows(rows)).clip(0, 255)
        photo[rows] = mixed(new, photo[rows], a)


def found_detail(edited: Pixels, proxy: Pixels, coarse: Pixels, scale: Number) -> LostDetail:
    """What an edited frame lacks of a rough edit, weighed by where it agrees with its own rough edit.

    Where it equals its own, the result is the rough edit of the photo: what was copied is copied from full-size pixels.

    Args:
        edited: the frame's pixels, enlarged to the photo's scale.
        proxy: the rough edit of the same place, at the photo's scale.
        coarse: the frame's rough edit, enlarged.
        scale: of the frame.
    """
    weight = agreement(to_unpadded(shrunk(edited, scale)), to_unpadded(shrunk(coarse, scale)))[0, 0]
    size = (proxy.shape[0], proxy.shape[1])
    shown = Frame(size, (0, 0, size[1], size[0]), float(scale), None)
    return LostDetail(proxy, coarse, shown.enlarged_mask(weight, shown.box).numpy())


def finer_proxy(one: Plan, box: Box) -> Finer:
    """The edits made roughly in pixels at the photo's own scale.

    Args:
        one: what was asked for.
        box: the place in the photo.
    """
    edits, photo, shaded = one.request.edits(), one.shot.photo, one.compiled.lit is not None
    wide = _with_ground(joined([box, extent(edits, photo, one.settings)])) if shaded else box
    frame = Frame.tight(intersection(wide, one.shot.frame.box), photo.size)
    settings = replace(one.settings, shadows=shaded, light=False)
    factor = max(1, round(one.canvas.factor / one.shot.frame.scale))
    canvas = Canvas(frame.size, factor, factor, one.settings.energy_grid)
    inner = [edit.within(frame, settings) for edit in edits]
    x = to_tensor(frame.pixels(photo.pixels), canvas.padded)
    fine = compile_edits(inner, canvas, settings, x, _leftovers(one, frame, canvas))
    others = [pad_picture(g.x, canvas.of(g.size).padded) for edit in inner for g in edit.guides(canvas, settings)]
    left, top, right, bottom = shifted_box(box, (-frame.box[0], -frame.box[1]))
    alpha = fine.alpha(canvas, one.settings.clamp_margin, one.settings.composite_feather)
    weight = alpha[top:bottom, left:right].float()
    if not one.settings.proxy:
        return Finer(None, None, weight)
    way = partial(inpaint_within, Shot(photo, frame))
    placed = lit_alike(fine.placed, one.compiled.placed)
    drawn = from_tensor(painted([x, *others], placed, fine.hole_pixels, fine.lit, way), frame.size)
    drawn = drawn[top:bottom, left:right]
    if photo.alpha is None:
        return Finer(drawn, None, weight)
    opacity = painted_opacity(to_tensor(frame.pixels(_as_picture(photo.alpha)), canvas.padded), others, fine)
    return Finer(drawn, from_tensor(opacity, frame.size)[top:bottom, left:right, 0].copy(), weight)


def _with_ground(box: Box) -> Box:
    """A box and half as much around it, for a shadow is told from the ground beyond it."""
    left, top, right, bottom = box
    across, down = (right - left) // 2, (bottom - top) // 2
    return left - across, top - down, right + across, bottom + down


def _leftovers(one: Plan, frame: Frame, canvas: Canvas) -> Region:
    """What masks leave out of what is taken away, found in the edited frame, on a frame of the photo's own scale."""
    left = nowhere(canvas.padded)
    if one.compiled.leftovers is not None:
        # The fringe of a hole is pixels of its frame wide: here it is narrower, and the gap belongs to what was found.
        found = dilate(one.compiled.leftovers, FRINGE + 1) & one.compiled.hole_pixels
        left[: frame.size[0], : frame.size[1]] = one.shot.frame.enlarged_mask(found.float(), frame.box) > 0
    return left


def lit_alike(placed: Sequence[Placed], like: Sequence[Placed]) -> tuple[Placed, ...]:
    """Content in the light that was fitted for the same content at another scale.

    Args:
        placed: content of edits.
        like: content of the same edits, in the same order; light and shade, which may lie between, do not count.
    """
    gains = iter([one.paint.gain for one in like if isinstance(one.paint, Copied)])
    return tuple(
        replace(one, paint=replace(one.paint, gain=next(gains, UNLIT))) if isinstance(one.paint, Copied) else one
        for one in placed
    )


def painted_opacity(alpha: Pictures, others: Sequence[Pictures], compiled: Compiled) -> Pictures:
    """The opacity of a rough edit: moved along with content; light and colour leave it as it is.

    Args:
        alpha: of the image, in [-1, 1].
        others: images that edits take something from, which are opaque.
        compiled: the edits as data.
    """
    placed = tuple(one for one in compiled.placed if isinstance(one.paint, Copied))
    return painted([alpha, *(torch.ones_like(x) for x in others)], placed, compiled.hole_pixels)


def _opacity(photo: Photo, box: Box, weight: Mask, finer: Finer | None) -> Channel | None:
    """Opacity of the result: opaque where the model made it and there is no proxy."""
    if photo.alpha is None:
        return None
    left, top, right, bottom = box
    alpha = photo.alpha.copy()
    place = alpha[top:bottom, left:right]
    new = np.full_like(place, 255) if finer is None or finer.alpha is None else finer.alpha
    alpha[top:bottom, left:right] = mixed(new, place, weight.numpy())
    return alpha


def _cut(mask: Mask, frame: Frame, box: Box) -> Mask:
    left, top, right, bottom = shifted_box(box, (-frame.box[0], -frame.box[1]))
    return mask[top:bottom, left:right]


def _as_picture(alpha: Channel) -> Pixels:
    return np.repeat(alpha[..., None], 3, axis=2)
