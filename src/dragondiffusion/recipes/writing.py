"""Dataclasses written as JSON: what differs from a default, images where a store keeps them."""

import dataclasses
import functools
import numbers
import os
import typing
from enum import Enum
from typing import Any, cast

import numpy as np
from PIL import Image
from torch import Tensor

from ..core.strict_json import Json
from ..edits.base import Edit
from ..edits.registry import EDITS
from ..edits.settings import PRESETS, Settings
from ..imaging.files import ImageLike, as_array
from ..imaging.mask_choice import EVERYTHING, split_choice
from ..imaging.masks import MaskLike, loaded_shape, stored_values
from ..imaging.png import KEPT_MODES
from ..imaging.shapes import MaskShape
from .hints import alternatives, edit_class
from .store import Embedded, Inline, Store


def written(value: Any, hint: Any, at: str = "", store: Store | None = None) -> Json:
    """The JSON of a value. Of another type than the hint it is written as it stands, for its model to refuse.

    Args:
        value: what to write.
        hint: its type.
        at: where it stands, for messages.
        store: where images go; None writes them into the JSON.

    Raises:
        ValueError: if an image in memory is none, or an edit has no name.
    """
    kinds = alternatives(hint)
    if MaskLike in kinds or ImageLike in kinds:
        return _image(value, MaskLike in kinds, at, store or Inline())
    if isinstance(value, Settings):
        preset, changes = nearest_preset(value)
        return {"preset": preset, **_fields(value, changes, at, store)}
    if isinstance(value, Edit):
        return {"edit": _name_of(value, at), **_changed(value, at, store)}
    if dataclasses.is_dataclass(value):
        return _changed(value, at, store)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (list, tuple, np.ndarray)):
        items = [_item(kinds, k) for k in range(len(value))]
        return [written(one, item, f"{at}[{k}]", store) for k, (one, item) in enumerate(zip(value, items, strict=True))]
    return _plain(value)


def nearest_preset(settings: Settings) -> tuple[str, list[str]]:
    """The preset that settings differ least from, and the fields in which they do."""
    nearest = min(PRESETS, key=lambda name: len(_differences(settings, PRESETS[name])))
    return nearest, _differences(settings, PRESETS[nearest])


def _differences(one: Settings, other: Settings) -> list[str]:
    return [f.name for f in dataclasses.fields(Settings) if getattr(one, f.name) != getattr(other, f.name)]


def _changed(value: Any, at: str, store: Store | None) -> dict[str, Json]:
    changed = [f.name for f in dataclasses.fields(value) if not _is_default(f, getattr(value, f.name))]
    return _fields(value, changed, at, store)


def _fields(value: Any, names: list[str], at: str, store: Store | None) -> dict[str, Json]:
    hints = _hints(type(value))
    return {name: written(getattr(value, name), hints[name], f"{at}.{name}" if at else name, store) for name in names}


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _image(value: Any, is_mask: bool, at: str, store: Store) -> Json:
    if isinstance(value, (str, os.PathLike)) and is_mask:
        value = loaded_shape(value, at)
    if isinstance(value, MaskShape):
        return value.to_json()
    if not isinstance(value, (str, os.PathLike, Image.Image, np.ndarray, Tensor)):
        return value
    try:
        if is_mask:
            return _mask(value, store)
        return store.keep(cast(Any, value))
    except ValueError as error:
        raise ValueError(f"{at}: {error}") from error


def _mask(value: Any, store: Store) -> str:
    """A mask as a store keeps it: a path with what is chosen of it, an image, or values that PNG does not hold."""
    if isinstance(value, Image.Image):
        return store.keep(value if value.mode in KEPT_MODES else stored_values(value))
    if isinstance(value, (np.ndarray, Tensor)):
        held = as_array(value).dtype.kind == "b" or as_array(value).dtype == np.uint8
        return store.keep(value if held else stored_values(value))
    file, choice = split_choice(value)
    if choice == EVERYTHING:
        return store.keep(file)
    kept = store.keep(stored_values(value) if isinstance(store, Embedded) else file)
    return kept if isinstance(store, Embedded) else f"{kept}#{os.fspath(value).rpartition('#')[2]}"


def _name_of(edit: Edit, at: str) -> str:
    names = [name for name in EDITS if edit_class(name) is type(edit)]
    if not names:
        raise ValueError(f"{at} is a {type(edit).__name__}, which has no name; add it to EDITS in registry.py")
    return names[0]


def _item(kinds: tuple[Any, ...], k: int) -> Any:
    """The type of the k-th item of the first list among some types."""
    parts = next((typing.get_args(kind) for kind in kinds if typing.get_args(kind)), (Any,))
    return parts[0] if len(parts) == 1 or parts[-1] is ... else parts[min(k, len(parts) - 1)]


def _plain(value: Any) -> Json:
    """Numbers of NumPy and others as JSON has them."""
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return value
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _is_default(field: "dataclasses.Field[Any]", value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    same_kind = type(value) in (int, float, type(field.default))
    return value is field.default or (same_kind and bool(value == field.default))
