"""Delimited files: what is read, from which line, what is mended and what is refused where."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.config import CsvOptions
from chalicelib.errors import SourceError
from chalicelib.extract.readers import blocks
from chalicelib.extract.readers.rows import Rows
from tests.extract.readers.support import Read, ReadFile


def test_all_columns_are_text_and_empty_is_null(read: ReadFile) -> None:
    assert read("a.csv", "id,name\n007,\nNA,null\n").rows == [
        {"id": "007", "name": None},
        {"id": "NA", "name": "null"},
    ]


def test_a_quoted_empty_field_is_an_empty_string(read: ReadFile) -> None:
    assert read("a.csv", 'a,b\n"",\n').rows == [{"a": "", "b": None}]


def test_an_empty_last_field_without_a_newline_is_null(read: ReadFile) -> None:
    assert read("a.csv", 'a,b\n"x",').rows == [{"a": "x", "b": None}]


def test_null_values_can_be_given(read: ReadFile) -> None:
    found = read("a.csv", 'a,b\nNULL,"NULL"\n', options=CsvOptions(null_values=("", "NULL")))
    assert found.rows == [{"a": None, "b": "NULL"}]


def test_one_column_needs_no_delimiter_and_its_blank_lines_are_counted(read: ReadFile) -> None:
    found = read("a.csv", "id\n1\n\n2\n\n")
    assert found.rows == [{"id": "1"}, {"id": "2"}]
    assert found.repaired == {"blank line, left out": [3, 5]}


def test_gzip_is_read_whatever_the_name(read: ReadFile) -> None:
    content = gzip.compress(b"id,b\n1,2\n")
    assert read("a.csv.gz", content).rows == read("b.csv", content).rows == [{"id": "1", "b": "2"}]


def test_lines_count_quoted_newlines_blank_lines_and_the_header(read: ReadFile) -> None:
    text = 'id,"no\nte"\n\n1,"two\nlines"\n\r\n2,x\n3,"a\n\nb"\n4,y'
    found = read("a.csv", text)
    assert found.lines == [4, 7, 8, 11]
    assert [row["id"] for row in found.rows] == ["1", "2", "3", "4"]


def test_a_header_alone_is_no_rows(read: ReadFile) -> None:
    found = read("a.csv", "id,name\n")
    assert found.rows == []
    assert found.detected["header"] == "line 1"


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_has_no_batches(read: ReadFile, content: str) -> None:
    assert read("a.csv", content).rows == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04rest", "Excel"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b'[{"a": 1}]', "holds JSON"),
        (b"\x1f\x8b\x08not gzip at all", "gzip"),
    ],
)
def test_what_is_no_delimited_text_is_refused_by_name(
    read: ReadFile, content: bytes, what: str
) -> None:
    with pytest.raises(SourceError, match=what) as refused:
        read("orders.csv", content)
    assert refused.value.where == "orders.csv"
    assert refused.value.fix


def test_an_endless_record_is_refused_before_it_fills_the_memory(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MAX_FIELD_BYTES", 1000)
    monkeypatch.setattr(blocks, "BATCH_BYTES", 100)
    text = "a,b\n1,2\n3," + '"' + "x" * 3000 + '"\n'
    with pytest.raises(SourceError, match="line 3: the record that starts here does not end"):
        read("a.csv", text)


def test_a_byte_order_mark_that_begins_a_value_is_part_of_it(read: ReadFile) -> None:
    found = read("a.csv", "\ufeffid,name\n\ufeffx,Ada\n\ufeffy,Alan\n")
    assert found.rows == [{"id": "\ufeffx", "name": "Ada"}, {"id": "\ufeffy", "name": "Alan"}]


def test_wide_rows_come_in_larger_blocks_and_none_is_lost(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BATCH_BYTES", 1000)

    def sizes(columns: int) -> list[int]:
        names = ",".join(f"c{at}" for at in range(columns))
        rows = "".join(",".join([str(row)] * columns) + "\n" for row in range(100, 200))
        found = read("a.csv", f"{names}\n{rows}")
        assert [row["c0"] for row in found.rows] == [str(row) for row in range(100, 200)]
        return [batch.size for batch in found.batches[:-1]]

    assert max(sizes(blocks.WIDE - 1)) <= 1000 < min(sizes(blocks.WIDE)) <= 2000


# one bad record costs one record

ABOVE, BELOW = "id,name,amount\n1,Ada,1.50\n2,Alan,2.50\n", "8,Grace,3.50\n9,Edsger,4.50\n"


def between(read: ReadFile, dirty: str) -> Read:
    """Reads some text between four good rows, and sees that nothing happens to these."""
    found = read("a.csv", ABOVE + dirty + BELOW)
    end = 4 + dirty.count("\n")
    good = {"1": 2, "2": 3, "8": end, "9": end + 1}
    lines = {str(row["id"]): line for row, line in zip(found.rows, found.lines, strict=True)}
    assert good.items() <= lines.items()
    return found


@pytest.mark.parametrize(
    ("dirty", "row", "note"),
    [
        ("3,Konrad\n", ["3", "Konrad", None], "last field missing, read as NULL"),
        ("3,Konrad,5,,\n", ["3", "Konrad", "5"], "empty fields at the end left out"),
        ("3;Konrad;5\n", ["3", "Konrad", "5"], "another delimiter, semicolon"),
        ("3|Zuse, Konrad|5\n", ["3", "Zuse, Konrad", "5"], "another delimiter, pipe"),
        ('3,5" pipe,5\n', ["3", '5" pipe', "5"], "quote inside a field"),
        ('3,"5" pipe",5\n', ["3", '5" pipe', "5"], "quote inside a field"),
        ('3, "Zuse, Konrad" ,5\n', ["3", "Zuse, Konrad", "5"], "spaces around a quoted field"),
        ("3,Kon\rrad,5\n", ["3", "Kon\rrad", "5"], "carriage return inside a field"),
        ("3,Konrad,5\r", ["3", "Konrad", "5"], "other record end"),
    ],
)
def test_what_is_certain_is_mended_and_told(
    read: ReadFile, dirty: str, row: list[str | None], note: str
) -> None:
    found = between(read, dirty) if dirty.endswith("\n") else read("a.csv", ABOVE + dirty + BELOW)
    assert [list(row.values()) for row in found.rows][2] == row
    assert found.repaired[note][0] == 4
    assert found.rejects == []


@pytest.mark.parametrize(
    ("dirty", "reason"),
    [
        ("3\n", "has 1 fields where the header has 3"),
        ("3,Zuse, Konrad,5\n", "has 4 fields where the header has 3"),
        ("Konrad,5\n", "has 2 fields where the header has 3"),
        ('3,"Konrad,5\n', "a quote that opens here is never closed"),
        ('3,"Kon"rad,5\n', "a quote that opens here is never closed"),
        ('"3,Konrad,5\n', "a quote that opens here is never closed"),
        ("3;Konrad\n", "has 1 fields where the header has 3"),
    ],
)
def test_what_is_not_certain_is_set_aside_as_it_is(read: ReadFile, dirty: str, reason: str) -> None:
    found = between(read, dirty)
    assert [(r.line, r.row, r.problems[0].reason) for r in found.rejects] == [
        (4, {"_raw": dirty.rstrip("\n")}, reason)
    ]
    assert len(found.rows) == 4


def test_of_words_nobody_can_tell_which_one_is_missing(read: ReadFile) -> None:
    found = read("a.csv", "first,middle,last\nA,B,C\nD,E,F\nG,H\nI,J,K\n")
    assert [reject.row["_raw"] for reject in found.rejects] == ["G,H"]


def large(**dirty: str) -> str:
    """More than one block of rows; `row_n` takes the place of row n."""
    rows = [f"{number},somebody number {number},{number}.50" for number in range(80_000)]
    for name, text in dirty.items():
        rows[int(name.removeprefix("row_"))] = text
    return "id,name,amount\n" + "\n".join(rows) + "\n"


def test_a_clean_file_is_never_read_record_by_record(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Rows, "_slow")
    found = read("a.csv", large())
    assert len(found.batches) > 1
    assert found.lines == list(range(2, 80_002))


def test_bad_rows_in_a_large_file_cost_themselves_alone(read: ReadFile) -> None:
    text = large(
        row_1="1,Zoë,1.50",
        row_100='100,"never closed,1',
        row_200='200,5" pipe,2',
        row_70000="70000,a,b,c",
        row_70001="70001,short",
        row_75000="75000,\udcff,1",
    )
    found = read("a.csv", text.encode("utf-8", "surrogateescape"))
    aside = [102, 70002, 75002]
    assert [reject.line for reject in found.rejects] == aside
    assert found.lines == [line for line in range(2, 80_002) if line not in aside]
    assert [int(str(row["id"])) + 2 for row in found.rows] == found.lines


def test_an_unclosed_quote_does_not_take_the_quoted_fields_below_it(read: ReadFile) -> None:
    found = between(read, '3,"Konrad,5\n4,"two\nlines",6\n5,"",7\n')
    assert [row["name"] for row in found.rows] == [
        "Ada", "Alan", "two\nlines", "", "Grace", "Edsger",
    ]  # fmt: skip
    assert [reject.line for reject in found.rejects] == [4]


def test_a_last_row_that_is_cut_off_is_set_aside(read: ReadFile) -> None:
    found = read("a.csv", ABOVE + "3,Kon")
    assert [(reject.line, reject.row["_raw"]) for reject in found.rejects] == [(4, "3,Kon")]


def test_mended_rows_stay_at_their_place_and_rejects_keep_their_lines(read: ReadFile) -> None:
    text = 'id,name,amount\n1,"a\nb",1\n2,x\n3\n4,y,4\n5,z\n'
    found = read("a.csv", text)
    assert [row["id"] for row in found.rows] == ["1", "2", "4", "5"]
    assert found.lines == [2, 4, 6, 7]
    assert [reject.line for reject in found.rejects] == [5]


def test_bytes_of_another_encoding_cost_their_row(read: ReadFile) -> None:
    found = read("a.csv", "id,name\n1,Zoë\n2,Ren".encode() + b"\xe9e\n3,Ada\n")
    assert [row["id"] for row in found.rows] == ["1", "3"]
    (reject,) = found.rejects
    assert (reject.line, reject.row) == (3, {"_raw": r"2,Ren\xe9e"})
    assert reject.problems[0].reason == "holds bytes that are not UTF-8"


def test_a_ragged_row_with_such_bytes_is_set_aside_in_silence(
    read: ReadFile, capfd: pytest.CaptureFixture[str]
) -> None:
    found = read("a.csv", "id,name\n1,Zoë\n2,Ren".encode() + b"\xe9e,x\n3,Ada\n")
    assert [reject.line for reject in found.rejects] == [3]
    assert capfd.readouterr().err == ""


def test_a_row_set_aside_stands_there_as_in_the_file(read: ReadFile) -> None:
    found = read("a.csv", "id, name\n1, Ada\n2, Alan, x\n")
    assert found.rejects[0].row == {"_raw": "2, Alan, x"}


# what stands around rows


def test_footers_are_told_and_are_no_rows(read: ReadFile) -> None:
    found = read("a.csv", ABOVE + "\nTotal: 2 rows\n-- end --\n")
    assert (len(found.rows), found.rejects) == (2, [])
    assert found.detected["footer"] == "2 lines from line 5: Total: 2 rows"
    assert found.warnings == [
        "taken for a footer, not for rows: 2 lines from line 5: 'Total: 2 rows'; '-- end --'"
    ]


@pytest.mark.parametrize("footer", ["Total: 2 rows", "(2 rows)", "# end"])
def test_a_footer_needs_no_line_end_where_no_row_begins_so(read: ReadFile, footer: str) -> None:
    found = read("a.csv", ABOVE + footer)
    assert (len(found.rows), found.rejects) == (2, [])
    assert found.detected["footer"] == f"line 4: {footer}"


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("name,city,amount\nAnn Lee,Rome,1.50\nBob Ray,Oslo,2.50\nCarl Ma", "Carl Ma"),
        ("day,city\n2026-01-31,Rome\n2026-02-01,Oslo\n2026-0", "2026-0"),
        ("id,sku,qty,x\n1,A,2,5\n2,B,3,6\n\n3,C\n", "3,C"),
        ("id,sku,qty,x\n1,A,2,5\n2,B,3,6\n\n3,C", "3,C"),
    ],
)
def test_a_row_that_lacks_its_end_is_no_footer(read: ReadFile, text: str, raw: str) -> None:
    found = read("a.csv", text)
    assert [reject.row["_raw"] for reject in found.rejects] == [raw]
    assert "footer" not in found.detected


def test_many_lines_at_the_end_are_no_footer(read: ReadFile) -> None:
    found = read("a.csv", ABOVE + BELOW * 20 + "".join(f"x {number}\n" for number in range(21)))
    assert len(found.rejects) == 21


def test_what_looks_like_a_footer_between_rows_is_a_bad_row(read: ReadFile) -> None:
    found = between(read, "Subtotal: 2 rows\n")
    assert [reject.line for reject in found.rejects] == [4]
    assert "footer" not in found.detected


def test_empty_rows_and_blank_lines_at_the_end_are_no_rows(read: ReadFile) -> None:
    found = read("a.csv", ABOVE + ",,\n,,\n\n\n")
    assert len(found.rows) == 2
    assert found.repaired == {"empty row at the end, left out": [4, 5]}


def test_empty_rows_at_the_end_are_no_rows_after_a_dirty_one_either(read: ReadFile) -> None:
    found = read("a.csv", "id,name\n1,A\rda\n2,Alan\n, \n,\n")
    assert [row["id"] for row in found.rows] == ["1", "2"]
    assert found.repaired["empty row at the end, left out"] == [4, 5]


def test_empty_rows_between_rows_are_rows(read: ReadFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BATCH_BYTES", 10)
    found = between(read, ",,\n,,\n")
    assert found.lines == [2, 3, 4, 5, 6, 7]


def test_a_header_that_is_repeated_is_left_out(read: ReadFile) -> None:
    found = between(read, "id,name,amount\n3,Konrad,5\n")
    assert [row["id"] for row in found.rows] == ["1", "2", "3", "8", "9"]
    assert found.repaired == {"header repeated, left out": [4]}


@pytest.mark.parametrize(
    "second", ["sku,price\nT-1,8.90\nT-2,9.90\n", "sku,price,stock\nT-1,8.90,5\n"]
)
def test_a_second_table_is_told_and_not_mixed(read: ReadFile, second: str) -> None:
    found = read("a.csv", ABOVE + "\n" + second)
    assert len(found.rows) == 2
    assert found.detected["second table"] == "line 5"
    assert [reject.row["_raw"] for reject in found.rejects] == second.splitlines()
    assert "belongs to a second table, which begins at line 5" in found.rejects[0].describe()


@pytest.mark.parametrize("below", ["S12,4\nS13,5\n", ""])
def test_a_bad_row_after_a_blank_line_begins_no_table(read: ReadFile, below: str) -> None:
    found = read("a.csv", "sku,qty\nS1,1\nS2,2\nS3,3\n\nS11,n/a\n" + below)
    assert found.rows[3] == {"sku": "S11", "qty": "n/a"}
    assert (len(found.rows), found.rejects) == (4 + below.count("\n"), [])


# any text at all

dirty_texts = st.lists(
    st.sampled_from(["a", "b", ",", "\n", '"', '""', "\r\n", "\r", '"x\ny"', "ü", " "]), max_size=30
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(fragments=dirty_texts, block=st.integers(1, 40))
def test_any_text_is_read_and_where_it_is_clean_as_pythons_csv_reads_it(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch, fragments: list[str], block: int
) -> None:
    text = "c0,c1\n" + "".join(fragments)
    options = CsvOptions(delimiter=",", quote='"', escape="doubled", header=1)
    monkeypatch.setattr(blocks, "BATCH_BYTES", 1 << 20)
    whole = read("a.csv", text, options=options)
    monkeypatch.setattr(blocks, "BATCH_BYTES", block)
    found = read("a.csv", text, options=options)
    assert (found.rows, found.lines) == (whole.rows, whole.lines)
    assert found.rejects == whole.rejects
    lines = max(text.count("\n"), text.count("\r")) + 1
    first = 1 if found.detected.get("record end") == "CR" else 2
    assert all(first <= line <= lines for line in [*found.lines, *(r.line for r in found.rejects)])
    if not (found.rejects or found.repaired or "footer" in found.detected):
        expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]
        assert [[value or "" for value in row.values()] for row in found.rows] == expected


@pytest.mark.parametrize(
    "text",
    [
        'c0,c1\n\r "x\ny" ""ü"""x\ny"ü\r""\r\r\n"x\ny"',
        'c0,c1\nüb""\r\n\n,a\r\n\r\nb"\n',
        'c0,c1\n"x\ny"b"x\ny"\n\r\n"""\n',
    ],
    ids=["CRLF where records end with CR", "footer after a blank line", "quotes after one"],
)
def test_what_follows_a_line_end_is_told_alike_wherever_a_block_ends(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    options = CsvOptions(delimiter=",", quote='"', escape="doubled", header=1)
    whole = read("a.csv", text, options=options)
    for block in range(1, 26):
        monkeypatch.setattr(blocks, "BATCH_BYTES", block)
        found = read("a.csv", text, options=options)
        assert (found.rows, found.lines, found.rejects) == (whole.rows, whole.lines, whole.rejects)
