"""Which channel of an image is the mask: opacity, grey, or the brightness of one colour; labels are listed."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from .files import to_rgb
from .mask_choice import Choice
from .notes import note

Array: TypeAlias = npt.NDArray[Any]

GREY = 24
"""Difference of channels, of 255, up to which a colour is grey: JPEG leaves as much. Source: chosen."""
CLEAR = 0.01
"""Share of an image that must be clear, its opacity below half of the highest, for opacity to be the mask. Source:
chosen; rounded corners of a window are less."""
ONE_HUE = 0.95
"""Share of the bright pixels that must have one hue for an image to be a mask in a colour. Source: chosen."""
PHOTOGRAPH = (
    "{name} looks like a photograph, not like a mask; give an image that is white on the object and black elsewhere"
)
MOST_LISTED = 8
"""Values that a message lists at most."""


def channel_of(image: Image.Image, name: str, choice: Choice) -> Array:
    """The channel (height, width) of an image that is the mask, in its own values.

    Raises:
        ValueError: if it is wholly transparent, a photograph, holds several colours, or not the one that is chosen.
    """
    image = ImageOps.exif_transpose(image)
    if choice.value is not None and image.mode in ("P", "PA"):
        return np.array(image if image.mode == "P" else image.getchannel("P"))
    if choice.colour is not None:
        return _of_colour(to_rgb(image), choice.colour, name)
    if image.has_transparency_data:
        rgba = np.array(image.convert("RGBA"))
        return _of_opacity(rgba[..., :3], rgba[..., 3], name, choice)
    if image.mode in ("1", "L", "F") or image.mode.startswith("I"):
        return np.array(image)
    return _of_colours(to_rgb(image), name, np.array(image) if image.mode == "P" else None)


def channel_of_array(values: Array, name: str) -> Array:
    """The same of an array (height, width), (height, width, 1 to 4) or (1, height, width).

    Raises:
        ValueError: also if it has another shape.
    """
    if values.ndim == 3 and values.shape[0] == 1 and values.shape[2] > 4:
        values = values[0]
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim == 2:
        return values
    if values.ndim != 3 or values.shape[2] not in (2, 3, 4):
        raise ValueError(f"{name} has shape {values.shape}; give an array (height, width)")
    if values.shape[2] == 3 and bool((values == values[..., :1]).all()):
        return values[..., 0]
    eight = _eight_bits(values, name)
    if values.shape[2] == 3:
        return _of_colours(eight, name, None)
    colours = eight[..., :3] if values.shape[2] == 4 else np.repeat(eight[..., :1], 3, axis=2)
    return _of_opacity(colours, eight[..., -1], name, Choice())


def listed(values: Sequence[tuple[str, float]]) -> str:
    """Values with their shares of an image, as a message lists them."""
    shown = [f"{value} ({share:.1%})" for value, share in values[:MOST_LISTED]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _eight_bits(values: Array, name: str) -> npt.NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    top = 1.0 if values.dtype == np.bool_ or float(values.max(initial=0)) <= 1 else 255.0
    scaled = values.astype(np.float64) * (255 / top)
    if not bool(((scaled >= 0) & (scaled <= 255)).all()):
        raise ValueError(f"{name} has colours outside of 0 to 255; give one channel, (height, width)")
    return np.rint(scaled).astype(np.uint8)


def _of_opacity(colours: Array, alpha: Array, name: str, choice: Choice) -> Array:
    """Opacity, where part of the image is clear; colours, where it is opaque; both, where colours are chosen."""
    if int(alpha.max(initial=0)) == 0:
        raise ValueError(f"{name} is wholly transparent; paint the object, or save it without transparency")
    clear = alpha < alpha.max() / 2
    if choice.colours:
        grey = _of_colours(np.where(alpha[..., None] > 0, colours, 0), name, None)
        return np.rint(grey * (alpha / np.float32(alpha.max()))).astype(np.uint8)
    if clear.mean() < CLEAR:
        return _of_colours(colours, name, None)
    shown = colours[alpha > 0.95 * alpha.max()].max(1)
    if int(shown.max()) - int(shown.min()) > GREY:
        note(f"{name}: its opacity is the mask; its colours do not count (#colours behind its name makes them count)")
    return alpha


def _of_colour(colours: Array, colour: tuple[int, int, int], name: str) -> Array:
    chosen = (colours == np.array(colour, np.uint8)).all(2)
    if not chosen.any():
        found = listed(_colours(colours))
        raise ValueError(f"{name} has no pixel of the colour #{bytes(colour).hex()}; it holds {found}")
    return chosen


def _of_colours(colours: Array, name: str, index: Array | None) -> Array:
    """The brightness of an image in grey or in one hue on black: its largest channel."""
    high = colours.max(2)
    if int((high - colours.min(2)).max(initial=0)) <= GREY:
        return high
    bright = colours[high > int(high.max()) / 2].astype(np.float32)
    hues = bright / bright.max(1, keepdims=True)
    one = float((np.abs(hues - np.median(hues, axis=0)).max(1) < 0.25).mean()) >= ONE_HUE
    if one and int(high.min()) <= int(high.max()) / 2:
        return high
    raise ValueError(_several(colours, name, index))


def _several(colours: Array, name: str, index: Array | None) -> str:
    """What is said of an image in several colours."""
    found = _colours(colours)
    if sum(share for _, share in found[:16]) < 0.9:
        return PHOTOGRAPH.format(name=name)
    if index is not None:
        values, counts = np.unique(index, return_counts=True)
        order = np.argsort(-counts)
        found = [(str(values[k]), float(counts[k] / index.size)) for k in order]
    example = next((value for value, _ in found[1:]), found[0][0])
    behind = example if example.startswith("#") else f"#{example}"
    return f"{name} holds several colours: {listed(found)}; choose one behind its name, such as {behind}"


def _colours(colours: Array) -> list[tuple[str, float]]:
    """Colours by frequency, with their shares."""
    red, green, blue = (colours[..., k].astype(np.uint32) for k in range(3))
    values, counts = np.unique((red << 16) | (green << 8) | blue, return_counts=True)
    order = np.argsort(-counts)[:64]
    return [(f"#{int(values[k]):06x}", float(counts[k] / counts.sum())) for k in order]
