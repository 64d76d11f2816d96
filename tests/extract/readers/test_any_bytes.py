"""Whatever the bytes of a file are: each of its rows is read, kept out, or an error says why."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.errors import SourceError
from tests.extract.readers.support import ReadFile

SPELLINGS = {
    "json": ['{"a": 1}', "{", "}", "[", "]", '"a"', ":", ",", "1e5", "-0", "NaN", "null", "tru",
             "\\", '"\\ud800"', "\n", " ", "\ufeff", "\x00", "é", "1" * 400, "//"],
    "csv": ["a", ",", ";", "\t", "|", '"', "'", "\\", "\n", "\r\n", "\r", "\x00", "\ufeff", "é",
            "#", "=", "sep=;\n", "  ", "Total", "1.5", "2026-01-02"],
}  # fmt: skip


def soup(kind: str) -> st.SearchStrategy[bytes]:
    """What the format is made of, in any order and in many encodings; or no text at all."""
    texts = st.lists(st.sampled_from(SPELLINGS[kind]), max_size=40).map("".join)
    encodings = st.sampled_from(["utf-8", "utf-16", "utf-16-be", "cp1252", "utf-32"])
    written = st.builds(lambda text, encoding: text.encode(encoding, "replace"), texts, encodings)
    return written | st.binary(max_size=300)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=soup("json"))
@example(content=b'{"a":' * 5_000)
@example(content=b"[" * 100_000)
def test_any_json_is_read_or_refused_in_our_words(read: ReadFile, content: bytes) -> None:
    with suppress(SourceError):
        found = read("a.json", content)
        assert all(line >= 1 for line in found.lines)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=soup("csv"))
@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_any_table_is_read_or_refused_in_our_words(
    read: ReadFile, name: str, content: bytes
) -> None:
    with suppress(SourceError):
        found = read(name, content)
        assert all(line >= 1 for line in found.lines)


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_a_header_that_cannot_be_decoded_is_refused(read: ReadFile, name: str) -> None:
    with pytest.raises(SourceError, match=r"the header has bytes .* does not know: n\ufffd"):
        read(name, b"i\xffd,n\x81\xc3\xbcme\n1,x\n2,y\n")
