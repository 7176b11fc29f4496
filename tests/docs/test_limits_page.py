"""The tables of docs/limits.md say what the declarations of the fields say.

`python tests/docs/test_limits_page.py` prints them.
"""

import dataclasses
import re
import typing
from pathlib import Path

import pytest

from dragondiffusion import BoxMask, PolygonMask, Recipe, RunLengthMask, Settings, Window
from dragondiffusion.core.bounds import Length, Range, declared, unwrapped, words_of
from dragondiffusion.edits.registry import EDITS
from dragondiffusion.imaging.files import ImageLike
from dragondiffusion.imaging.masks import MaskLike
from dragondiffusion.recipes import edit_class

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"
KINDS = {
    **{f"`{edit_class(name).__name__}`": edit_class(name) for name in EDITS},
    "`Settings`": Settings,
    "`Window`": Window,
    "`Recipe`": Recipe,
    "`BoxMask`": BoxMask,
    "`PolygonMask`": PolygonMask,
    "`RunLengthMask`": RunLengthMask,
}
NAMES = {
    frozenset(typing.get_args(MaskLike)): "a mask",
    frozenset(typing.get_args(ImageLike)): "an image",
}


MEMBER = re.compile(r"\b[A-Z]\w*[a-z]\w*\.([A-Z_]+)\b")
"""A member of an enumeration, in which only its own name counts."""


def stated(hint):
    """Ranges and lengths anywhere in a type hint."""
    bare, found = unwrapped(hint)
    inner = [one for part in typing.get_args(bare) for one in stated(part)]
    return list(dict.fromkeys([*(one for one in found if isinstance(one, (Range, Length))), *inner]))


def kind_in_words(hint):
    """A type hint in words; what stands for images and masks is called so."""
    parts = frozenset(typing.get_args(hint))
    for whole, name in NAMES.items():
        if whole <= parts:
            return name if whole == parts else f"{name} or None"
    return MEMBER.sub(r"`\1`", words_of(hint, ranges=False))


def table(title, kind):
    """The section of a dataclass."""
    hints = declared(kind)
    rows = [
        f"| `{one.name}` | {kind_in_words(hints[one.name])} | {'; '.join(s.words for s in stated(hints[one.name]))} |"
        for one in dataclasses.fields(kind)
    ]
    return "\n".join([f"## {title}", "", "| field | type | range |", "|---|---|---|", *rows, ""])


@pytest.mark.parametrize("title", KINDS)
def test_the_page_states_what_is_declared(title):
    assert table(title, KINDS[title]) in PAGE.read_text(encoding="utf-8")


def test_every_number_and_list_that_users_give_is_bounded():
    for kind in KINDS.values():
        for name, hint in declared(kind).items():
            if "number" in words_of(hint) or "list" in words_of(hint):
                assert stated(hint), f"{kind.__name__}.{name} has no range"


if __name__ == "__main__":
    print("\n".join(table(title, kind) for title, kind in KINDS.items()))
