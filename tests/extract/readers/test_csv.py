"""Delimited files: what is read, from which line, and what is refused where."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.config import Column, CsvOptions
from chalicelib.errors import SourceError
from chalicelib.extract.readers import blocks
from tests.extract.readers.support import ReadFile


def test_all_columns_are_text_and_empty_is_null(read: ReadFile) -> None:
    assert read("a.csv", "id,name\n007,\nNA,null\n").rows == [
        {"id": "007", "name": None},
        {"id": "NA", "name": "null"},
    ]


def test_a_quoted_empty_field_is_an_empty_string(read: ReadFile) -> None:
    assert read("a.csv", 'a,b\n"",\n').rows == [{"a": "", "b": None}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read: ReadFile, delimiter: str) -> None:
    text = "id,name,city\n1,Ada,London\n2,Alan,Wilmslow\n".replace(",", delimiter)
    assert read("a.csv", text).rows[1] == {"id": "2", "name": "Alan", "city": "Wilmslow"}


def test_the_delimiter_can_be_given(read: ReadFile) -> None:
    found = read("a.csv", "a,b;c\n1,2;3\n", options=CsvOptions(delimiter=";"))
    assert found.rows == [{"a,b": "1,2", "c": "3"}]


def test_null_values_can_be_given(read: ReadFile) -> None:
    found = read("a.csv", 'a,b\nNULL,"NULL"\n', options=CsvOptions(null_values=("", "NULL")))
    assert found.rows == [{"a": None, "b": "NULL"}]


def test_one_column_needs_no_delimiter(read: ReadFile) -> None:
    assert read("a.csv", "id\n1\n\n2\n").rows == [{"id": "1"}, {"id": "2"}]


def test_a_byte_order_mark_is_not_part_of_the_first_name(read: ReadFile) -> None:
    assert read("a.csv", b"\xef\xbb\xbfid,b\n1,2\n").rows == [{"id": "1", "b": "2"}]


def test_gzip_is_read_whatever_the_name(read: ReadFile) -> None:
    content = gzip.compress(b"id,b\n1,2\n")
    assert read("a.csv.gz", content).rows == read("b.csv", content).rows == [{"id": "1", "b": "2"}]


def test_lines_count_quoted_newlines_blank_lines_and_the_header(read: ReadFile) -> None:
    text = 'id,"no\nte"\n\n1,"two\nlines"\n\r\n2,x\n3,"a\n\nb"\n4,y'
    found = read("a.csv", text)
    assert found.lines == [4, 7, 8, 11]
    assert [row["id"] for row in found.rows] == ["1", "2", "3", "4"]


def test_a_row_with_a_field_too_few_or_many_is_a_reject_with_its_line(read: ReadFile) -> None:
    found = read("a.csv", 'a,b\n1,"x\ny"\n2\n3,4\n5,6,7\n')
    assert [row["a"] for row in found.rows] == ["1", "3"]
    assert found.lines == [2, 5]
    assert [(r.line, r.row, r.problems[0].reason) for r in found.rejects] == [
        (4, {"_raw": "2"}, "has 1 fields where the header has 2"),
        (6, {"_raw": "5,6,7"}, "has 3 fields where the header has 2"),
    ]


def test_a_header_alone_is_no_rows_but_its_columns(read: ReadFile) -> None:
    found = read("a.csv", "id,name\n")
    assert found.rows == []
    assert found.batches[0].table.column_names == ["id", "name"]


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_has_no_batches(read: ReadFile, content: str) -> None:
    assert read("a.csv", content).rows == []


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        (b"a,a\n1,2\n", "line 1", "two columns are called 'a'"),
        (b"\n\na,,c\n1,2,3\n", "line 3", "column 2 of 3 has no name"),
        (b"a,b\n1,2\n3,\xff\n", "line 3", "byte 0xff is not UTF-8"),
        (b"a,\xe9\n1,2\n", "line 1", "byte 0xe9 is not UTF-8"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "line 3", "never closed"),
        (b'a,b\n1,2\n3,5"6"7\n', "line 3", "quote stands in the middle"),
        (b'a,b\n1,2\n3,5"\n4,6"\n', "line 3", "quote stands in the middle"),
        (b'a,b\n1,"2"x\n', "line 2", "quote stands in the middle"),
        (b"a,b\r1,2\r3,4\r", "line 1", "carriage return"),
        (b"a,b\n1,x\ry\n2,z\n", "line 2", "carriage return"),
        (b"\xff\xfea\x00", "", "UTF-16"),
        (b"PK\x03\x04rest", "", "Excel"),
        (b"<!DOCTYPE html><html>", "", "HTML"),
        (b'[{"a": 1}]', "", "holds JSON"),
        (b"\x1f\x8b\x08not gzip at all", "", "gzip"),
    ],
)
def test_a_broken_file_is_refused_by_name_and_line(
    read: ReadFile, content: bytes, where: str, what: str
) -> None:
    with pytest.raises(SourceError) as refused:
        read("orders.csv", content)
    assert what in str(refused.value)
    assert refused.value.where.startswith("orders.csv")
    assert refused.value.where.endswith(where)
    assert refused.value.fix


def test_a_header_without_a_required_column_is_refused_with_a_guess(read: ReadFile) -> None:
    columns = {"order_id": Column.model_validate({"type": "text", "required": True, "from": "id"})}
    with pytest.raises(SourceError, match=r"no column 'id' or 'order_id'.*is it 'order id'"):
        read("a.csv", "order id,b\n1,2\n", columns=columns)


def test_an_endless_field_is_refused_before_it_fills_the_memory(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MAX_FIELD_BYTES", 1000)
    monkeypatch.setattr(blocks, "BATCH_BYTES", 100)
    text = "a,b\n1,2\n3," + '"' + "x" * 3000 + '"\n'
    with pytest.raises(SourceError, match="line 3: the record that starts here does not end"):
        read("a.csv", text)


cells = st.text(alphabet=st.sampled_from('ab,;"\n\r ü'), max_size=6)
tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=tables, block=st.integers(1, 40), delimiter=st.sampled_from(",;"))
def test_any_well_formed_table_is_read_as_pythons_csv_reads_it(
    read: ReadFile,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[list[str]],
    block: int,
    delimiter: str,
) -> None:
    """Whatever the size of the blocks it is cut into."""
    monkeypatch.setattr(blocks, "BATCH_BYTES", block)
    names = [f"c{position}" for position in range(len(rows[0]))]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([names, *rows])
    found = read("a.csv", text.getvalue(), options=CsvOptions(delimiter=delimiter))
    assert [list(row.values()) for row in found.rows] == rows
    lines = text.getvalue().split("\n")
    assert all(lines[line - 1].startswith('"') for line in found.lines)
    assert len(set(found.lines)) == len(rows)


dirty = st.lists(
    st.sampled_from(["a", "b", ",", "\n", '"', '""', "\r\n", "\r", '"x\ny"', "ü", " "]), max_size=30
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(fragments=dirty, block=st.integers(1, 40))
def test_any_text_is_read_as_pythons_csv_reads_it_or_refused(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch, fragments: list[str], block: int
) -> None:
    monkeypatch.setattr(blocks, "BATCH_BYTES", block)
    text = "c0,c1\n" + "".join(fragments)
    try:
        found = read("a.csv", text, options=CsvOptions(delimiter=","))
    except SourceError:
        return
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]
    assert [[value or "" for value in row.values()] for row in found.rows] == [
        row for row in expected if len(row) == 2
    ]
    assert len(found.rejects) == sum(len(row) != 2 for row in expected)
    assert len(found.lines) == len(found.rows)
