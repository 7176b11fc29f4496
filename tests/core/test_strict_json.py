"""JSON as the standard has it."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragondiffusion.core.strict_json import json_line, parse_json, read_json, shown, write_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_what_is_written_is_read(value):
    assert parse_json(write_json(value), "it") == json.loads(write_json(value)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": NaN}', "NaN is not a number"),
        ("[-Infinity]", "-Infinity is not a number"),
        ("[1e400]", "1e400 is too large"),
        ('{"a": 1, "a": 2}', "'a' stands there twice"),
        ("{'a': 1}", "line 1 column 2"),
        ("", "Expecting value"),
        ("[" * 100_000, "nested too deeply"),
        (f"[{'9' * 5000}]", "5000 digits"),
    ],
)
def test_what_is_not_json(text, message):
    with pytest.raises(ValueError, match=f"^it is .*{message}"):
        parse_json(text, "it")


def test_files(tmp_path):
    (tmp_path / "bom.json").write_bytes(b'\xef\xbb\xbf{"a": "\xc3\xbc"}')
    assert read_json(tmp_path / "bom.json", 100, "it") == {"a": "ü"}
    with pytest.raises(ValueError, match="it has more than 5 bytes"):
        read_json(tmp_path / "bom.json", 5, "it")
    (tmp_path / "latin.json").write_bytes(b'"\xfc"')
    with pytest.raises(ValueError, match="it is not a text in UTF-8"):
        read_json(tmp_path / "latin.json", 100, "it")
    with pytest.raises(FileNotFoundError, match="it does not exist"):
        read_json(tmp_path / "none.json", 100, "it")
    with pytest.raises(ValueError, match="it is a folder"):
        read_json(tmp_path, 100, "it")


def test_messages_stay_short():
    assert shown([1, None, "ü"]) == '[1, null, "ü"]'
    assert len(shown("x" * 10**6)) == 60
    assert shown(object()) == '"object"'


def test_lines_are_broken_where_they_are_long():
    assert write_json({"a": [1, 2], "b": ["x" * 60, "y" * 60]}).splitlines() == [
        "{",
        '  "a": [1, 2],',
        '  "b": [',
        f'    "{"x" * 60}",',
        f'    "{"y" * 60}"',
        "  ]",
        "}",
    ]


def test_names_of_files_that_are_no_utf8_are_written_and_read_as_they_were():
    name = os.fsdecode(b"c\xffp.png")
    for text in (json_line({name: [name, "\U0001f600 ä"]}), write_json({name: [name, "\U0001f600 ä"]})):
        assert text.encode("utf-8") and "\\udcff" in text and "ä" in text
        assert parse_json(text, "it") == {name: [name, "\U0001f600 ä"]}
