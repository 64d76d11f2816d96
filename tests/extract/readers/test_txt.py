"""Text files: tables where a delimiter shows, otherwise lines."""

from __future__ import annotations

from chalicelib.config import CsvOptions
from tests.extract.readers.support import ReadFile, columns


def test_tabs_make_a_table(read: ReadFile) -> None:
    assert read("a.txt", "id\tname\n1\tAda, Countess\n").rows == [
        {"id": "1", "name": "Ada, Countess"}
    ]


def test_lines_without_a_delimiter_are_a_single_column(read: ReadFile) -> None:
    found = read("a.txt", 'first\r\n\nsecond, with a comma and a "quote\n')
    assert found.rows == [{"line": "first"}, {"line": 'second, with a comma and a "quote'}]
    assert found.lines == [1, 3]
    assert found.detected == {"format": "plain lines", "encoding": "UTF-8"}


def test_lines_may_be_in_any_encoding(read: ReadFile) -> None:
    found = read("a.txt", b"one\ntwo \xe9\n")
    assert found.rows == [{"line": "one"}, {"line": "two é"}]
    found = read("a.txt", "two é\n".encode() + b"three \xff\nfour\n")
    assert [row["line"] for row in found.rows] == ["two é", "four"]
    assert [(reject.line, reject.row["_raw"]) for reject in found.rejects] == [(2, r"three \xff")]


def test_lines_end_with_a_carriage_return_alone(read: ReadFile) -> None:
    assert [row["line"] for row in read("a.txt", "one\rtwo\r").rows] == ["one", "two"]


def test_the_keys_of_csv_hold_for_text(read: ReadFile) -> None:
    found = read("a.txt", "x\n1,2\n3,4\n", options=CsvOptions(skip_lines=1, delimiter="none"))
    assert (found.rows, found.lines) == ([{"line": "1,2"}, {"line": "3,4"}], [2, 3])
    found = read("a.txt", "1;2\n", options=CsvOptions(delimiter=";", header="none"))
    assert found.rows == [{"column_1": "1", "column_2": "2"}]


def test_a_single_column_may_have_a_name_that_the_schema_knows(read: ReadFile) -> None:
    assert read("a.txt", "word\nAda\n", columns=columns("word")).rows == [{"word": "Ada"}]
