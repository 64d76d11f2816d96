from __future__ import annotations

import pytest

from chalicelib.errors import SourceError
from tests.extract.readers.support import ReadFile


def test_tabs_make_a_table(read: ReadFile) -> None:
    assert read("a.txt", "id\tname\n1\tAda, Countess\n").rows == [
        {"id": "1", "name": "Ada, Countess"}
    ]


def test_lines_without_a_delimiter_are_a_single_column(read: ReadFile) -> None:
    found = read("a.txt", 'first\r\n\nsecond, with a comma and a "quote\n')
    assert found.rows == [{"line": "first"}, {"line": 'second, with a comma and a "quote'}]
    assert found.lines == [1, 3]
    assert found.detected == {"format": "plain lines"}


def test_bytes_that_are_not_utf8_are_refused_with_their_line(read: ReadFile) -> None:
    with pytest.raises(SourceError, match=r"a\.txt line 2: byte 0xe9"):
        read("a.txt", b"one\ntwo \xe9\n")
