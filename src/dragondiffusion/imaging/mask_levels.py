"""The one rule that turns what is given as the image of a mask into values in [0, 1].

1. One channel is the mask, see `mask_channels`.
2. If it holds two values, the higher one is the object.
3. Several areas of different values below white are labels: they are listed, and one has to be chosen.
4. Anything else is a grey mask: 0 is the level of its background, 1 that inside of the object, see `mask_noise`.
5. What looks like a photograph is refused.

The rule leaves its own results as they are.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from .mask_channels import PHOTOGRAPH, channel_of, channel_of_array, listed
from .mask_choice import EVERYTHING, Choice
from .mask_noise import FAINT, LEAST, Values, stretched, without_dust
from .notes import note

Array: TypeAlias = npt.NDArray[Any]

LABELS = 256
"""Frequent values up to which a mask may be one of labels. Source: chosen."""
MANY = 32
"""Different values from which on a mask of whole numbers may be a photograph. Source: chosen."""
SMALL = 0.0005
"""Share of an image from which on a value may be a label. Source: chosen; a border has fewer pixels of each value."""
AREA = 0.1
"""Share of the pixels of a value that have only equal neighbours, from which on they are an area. Source: chosen."""
MIDDLE = 0.25
"""Share of an image that is neither dark nor bright, from which on it may be a photograph. Source: of 150 photographs
all have 0.26 and more, the median 0.92."""
TEXTURE = 0.004
"""Mean difference there from a mean of 3x3, from which on it is one. Source: as `MIDDLE`; all have 0.005 and more,
masks that fall smoothly 0.002."""
SIXTEEN_BITS = 65535
"""White of 16 bits."""
SMALLEST = 32
"""Pixels of a side below which images are not compared with photographs. Source: chosen."""


def mask_values(source: Image.Image | Array, name: str = "mask", choice: Choice = EVERYTHING) -> Values:
    """The values (height, width) in [0, 1] of the image of a mask.

    Args:
        source: PIL image of any mode, or array (height, width[, channels]) of any type of numbers.
        name: what it is called in messages.
        choice: what of it marks the object.

    Raises:
        ValueError: if it is no mask, or it has to be chosen what of it is one.
    """
    is_image = isinstance(source, Image.Image)
    channel = channel_of(source, name, choice) if is_image else channel_of_array(source, name)
    values = _levels(channel, name) if choice.value is None else _chosen(channel, choice.value, name)
    return 1 - values if choice.invert else values


def _chosen(channel: Array, value: int, name: str) -> Values:
    chosen = channel == value
    if not chosen.any():
        raise ValueError(f"{name} has no pixel of the value {value}; it holds {listed(_shares(channel))}")
    return chosen.astype(np.float32)


def _levels(channel: Array, name: str) -> Values:
    if channel.dtype == np.bool_:
        return channel.astype(np.float32)
    if np.issubdtype(channel.dtype, np.floating):
        whole = _checked(channel, name)
        if whole is None:
            return _grey(channel.astype(np.float32), name, 1.0)
        channel = whole
    elif not np.issubdtype(channel.dtype, np.integer):
        raise ValueError(f"{name} has dtype {channel.dtype}; use bool, whole numbers, or floats in [0, 1]")
    if channel.size == 0:
        return channel.astype(np.float32)
    least, most = int(channel.min()), int(channel.max())
    if least < 0:
        raise ValueError(f"{name} holds negative values: {listed(_shares(channel))}; give 0 where nothing is marked")
    if np.issubdtype(channel.dtype, np.integer):
        two = (channel == least) | (channel == most)
        if bool(two.all()):
            return _two(channel, least, most, name)
        _check_labels(channel, most, name)
    top = _top(most)
    if most < top:
        note(f"{name}: its highest value, {most:g}, is taken for wholly inside")
    return _grey(channel.astype(np.float32) / np.float32(most), name, float(most))


def _checked(values: Array, name: str) -> Array | None:
    """Floats above 1 as what they stand for: whole numbers, or levels of 8 bits; None if they lie in [0, 1]."""
    if not bool(np.isfinite(values).all()):
        raise ValueError(f"{name} holds NaN or infinite values; replace them")
    least, most = float(values.min(initial=0)), float(values.max(initial=0))
    if least >= 0 and most <= 1:
        return None
    if least >= 0 and most < 2**31 and bool((values == np.rint(values)).all()):
        return values.astype(np.int64)
    if least < 0 or not 16 < most <= 255:
        raise ValueError(
            f"{name} holds values in [{least:g}, {most:g}]; floats must lie in [0, 1], or be levels up to 255"
        )
    return values


def _top(most: int) -> int:
    """White, where the highest value is that."""
    return next((top for top in (1, 255, SIXTEEN_BITS) if most <= top), most)


def _two(channel: Array, least: int, most: int, name: str) -> Values:
    """A channel that holds one value or two."""
    if least == most:
        if most not in (0, 1, 255, SIXTEEN_BITS):
            raise ValueError(
                f"{name} holds nothing but the value {most}; mark the object with a higher value than the rest"
            )
        return np.full(channel.shape, min(most, 1), np.float32)
    if least > 0 and most - least < FAINT * most:
        raise ValueError(f"{name} holds the values {least} and {most}, which are too much alike; make the object white")
    if least > 0 or most != _top(most):
        note(f"{name} holds the values {least} and {most}: {most} is taken for the object")
    return (channel == most).astype(np.float32)


def _check_labels(channel: Array, most: int, name: str) -> None:
    """Refuses labels, which say what is where instead of how much."""
    values, counts = _counted(channel)
    if len(values) > MANY and _is_photograph(channel.astype(np.float32) / np.float32(most)):
        raise ValueError(PHOTOGRAPH.format(name=name))
    common = values[counts >= SMALL * channel.size]
    common = common if len(common) <= LABELS else common[:0]
    areas = [int(v) for v in sorted(common.tolist()) if _is_area(channel == v)]
    if len(areas) < 2:
        return
    middle = [v for v in areas[1:] if v < most * (1 - FAINT)]
    if most < _top(most) and (len(areas) > 2 or middle):
        raise ValueError(_choose(channel, areas[1:], name))
    if most == SIXTEEN_BITS:  # values between are meant
        return
    several = [v for v in middle if v > most * FAINT]
    if sum(float((channel == v).mean()) for v in several) > MIDDLE or (middle and len(values) <= 8 and not several):
        raise ValueError(_choose(channel, areas[1:], name))
    if several:
        note(
            f"{name}: areas of the value {', '.join(map(str, several))} are partly inside; "
            f"#{several[0]} behind its name chooses one of them"
        )


def _is_area(region: Array) -> bool:
    """Whether most of a region is not just a line: of its pixels enough have four neighbours inside."""
    inner = region[1:-1, 1:-1] & region[:-2, 1:-1] & region[2:, 1:-1] & region[1:-1, :-2] & region[1:-1, 2:]
    return int(inner.sum()) >= max(4, AREA * int(region.sum()))


def _choose(channel: Array, areas: list[int], name: str) -> str:
    found = listed(_shares(channel, areas))
    return f"{name} holds labels: {found}; choose one behind its name, such as #{areas[-1]} (an array: == {areas[-1]})"


def _counted(channel: Array) -> tuple[Array, Array]:
    """Different values in their order, and how often each is there."""
    if channel.dtype.kind != "u" or channel.dtype.itemsize > 2:
        return np.unique(channel, return_counts=True)
    counts = np.bincount(channel.ravel())
    values = np.flatnonzero(counts)
    return values, counts[values]


def _shares(channel: Array, only: list[int] | None = None) -> list[tuple[str, float]]:
    values, counts = _counted(channel)
    order = np.argsort(-counts)
    return [
        (f"{values[k]:g}", float(counts[k] / channel.size)) for k in order if only is None or int(values[k]) in only
    ]


def _grey(values: Values, name: str, scale: float) -> Values:
    """A grey mask: noise taken off both ends; a photograph is refused."""
    most = float(values.max(initial=0))
    if most < LEAST:
        return np.zeros_like(values)
    if most < 1:
        note(f"{name}: its highest value, {most * scale:g}, is taken for wholly inside")
        values = values / np.float32(most)
    if _is_photograph(values):
        raise ValueError(PHOTOGRAPH.format(name=name))
    values, low, high = stretched(values)
    ends = [f"values up to {low * scale:.3g} are taken for black"] if low >= LEAST else list[str]()
    ends += [f"values from {high * scale:.3g} on are taken for white"] if high <= 1 - LEAST else []
    if ends:
        note(f"{name}: {', '.join(ends)}")
    values, dusty = without_dust(values)
    if dusty:
        note(f"{name}: faint values beyond the border of the object are taken for noise")
    return values


def _is_photograph(values: Values) -> bool:
    """Whether much of it is neither dark nor bright, and rough there."""
    if min(values.shape) < SMALLEST:
        return False
    by = max(1, round(max(values.shape) / 256))
    rows, columns = (side // by * by for side in values.shape)
    small = values[:rows, :columns].reshape(rows // by, by, columns // by, by).mean((1, 3))
    least = float(small.min())
    small = (small - least) / max(float(small.max()) - least, 1e-6)
    middle = (small > 0.1) & (small < 0.9)
    if float(middle.mean()) < MIDDLE:
        return False
    padded = np.pad(small, 1, mode="edge")
    height, width = small.shape
    mean = sum(padded[i : i + height, j : j + width] for i in range(3) for j in range(3)) / 9
    return float(np.abs(small - mean)[middle].mean()) > TEXTURE
