"""Values that are cut out of JSON are written as when they are decoded, or refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.extract.decoding import Decoder
from chalicelib.extract.readers.json_values import texts_of
from chalicelib.extract.records import text_of

NUMBER = r"-?(0|[1-9][0-9]{0,20})(\.0{0,8}[0-9]{1,8})?([eE][+-]?[0-9]{1,3})?"
TEXTS = ["", "a", "é😀", '"', "\\", 'a"b', "\\u0041", "\n", "null", "1e5", "[", "\x7f"]


def written(*values: str) -> list[str | None] | None:
    """What comes of the values, each followed by a comma."""
    data = [value.encode() for value in values]
    ends = np.cumsum([len(value) + 1 for value in data]) - 1
    starts = ends - [len(value) for value in data]
    found = texts_of(b",".join([*data, b""]), starts, ends)
    return None if found is None else found.to_pylist()


def decoded(*values: str) -> list[str | None]:
    return [text_of(Decoder().whole(value)) for value in values]


@given(values=st.lists(st.from_regex(NUMBER, fullmatch=True), min_size=1))
@example(values=["0", "-0", "0.0", "-0.0", "0.000001", "0.0000001", "0.000000", "10", "1.0e5"])
def test_numbers_are_written_as_python_writes_them(values: list[str]) -> None:
    assert written(*values) == decoded(*values)


@pytest.mark.parametrize("more", [[], ["1"], ['"a"', "null"]])
@pytest.mark.parametrize("value", ["true", "false", "null", "[]", '[1e5, "a"]'])
def test_words_and_lists_are_written(value: str, more: list[str]) -> None:
    assert written(value, *more) == decoded(value, *more)


@given(text=st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8")), more=st.booleans())
def test_texts_are_what_they_say(text: str, more: bool) -> None:
    values = [json.dumps(text, ensure_ascii=False), '"b"'][: 1 + more]
    assert written(*values) == [text, "b"][: 1 + more]


@pytest.mark.parametrize(
    "value",
    ["01", "1.", ".5", "+1", "-", "1e", "tru", "nul", "True", "NaN", "-Infinity", "x", "1 2",
     "[1,]", "[NaN]", '"', '"a', 'a"', '"a"b"', '"a" "b"', '"\x01"', r'"\x"', r'"a\"', r'"\ud800"'],
)  # fmt: skip
def test_what_is_no_value_is_refused(value: str) -> None:
    assert written(value) is None
    assert written('"a"', value, "1") is None


def test_nothing_is_null() -> None:
    assert written("1", "", '""') == ["1", None, ""]
