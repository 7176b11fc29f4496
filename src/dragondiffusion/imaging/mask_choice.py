"""What is chosen of a mask's file, written behind its name: `labels.png#2`, `mask.png#invert`."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..core.messages import cut, is_file


@dataclass(frozen=True)
class Choice:
    """What of a mask's image marks the object.

    Args:
        value: the one value, or index of a palette, that does; None is the rule of `mask_levels`.
        colour: the one colour (red, green, blue), each 0 to 255, that does.
        colours: colours count where opacity would be the mask.
        invert: what is not marked is the object.
    """

    value: int | None = None
    colour: tuple[int, int, int] | None = None
    colours: bool = False
    invert: bool = False


EVERYTHING = Choice()
"""No choice."""


def split_choice(path: str | os.PathLike[str]) -> tuple[Path, Choice]:
    """The file and the choice of a path; a file whose own name holds the `#` has none.

    Raises:
        ValueError: if what stands behind the `#` is no choice.
    """
    whole = Path(path)
    base, mark, text = whole.name.rpartition("#")
    if not mark or not base or is_file(whole, f"mask {cut(whole)}"):
        return whole, EVERYTHING
    file = whole.with_name(base)
    chosen: dict[str, object] = {}
    for word in text.split(","):
        key, value = _chosen(word)
        if key is None or key in chosen:
            raise ValueError(
                f"mask {cut(whole)} ends in {cut(f'#{text}')!r}, which is no choice; write a value (#2), a colour "
                "(#ff0000), #colours or #invert, or several with commas between them"
            )
        chosen[key] = value
    return file, Choice(**chosen)  # pyright: ignore[reportArgumentType]


def _chosen(word: str) -> tuple[str | None, object]:
    if word in ("invert", "colours"):
        return word, True
    if re.fullmatch(r"[0-9a-fA-F]{6}", word):
        return "colour", tuple(bytes.fromhex(word))
    if re.fullmatch(r"\d{1,5}", word):
        return "value", int(word)
    return None, None
