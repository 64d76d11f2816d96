"""A file that begins as one before it is read as if nothing were known of that one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.config import Column
from chalicelib.errors import SourceError
from chalicelib.extract.readers.alike import read_alike
from chalicelib.extract.readers.input_file import InputFile, precedents
from tests.extract.readers.support import Read, columns

FIRST = "id,amount,booked on\n1,2.50,2026-01-02\n2,3.75,2026-01-03\n"
HEAD = b"id,amount,booked on\n"
HEADERS = ["id,amount,booked on", "id;amount;note", "id\ttotal", "id, sum, note", "id,2019,2020"]
SCHEMA = columns("id", "booked on", "note", amount={"type": "decimal", "from": ["sum", "total"]})

CELLS = ["1", "2.5", "2026-01-02", "x", "a b", "", '"q"']
ODD = [
    "\n", "\r\n", "\r", "\0", ",", ";", "\t", "|", " ", '"', "'", "\\", "\\N", "é", "\udcff",
    "[kg],(m),()\n", "---,---,---\n", "integer,decimal,date\n", ",,\n", ", ,\n", HEAD.decode(),
    "id;amount;booked on;sum\n", "id amount note sum\n", "Total\n", "# end\n", "1;2,5;3\n",
    '"a\nb",2,3\n', '5" pipe,2,3\n', "'a,b',2,3\n", "'a','b','c'\n", "1,2\n", "1,2,3,4\n",
    "don't,2,3\n", "sep=;\n", '"a ""b""",2,3\n', "a, b, c\n", "1\\,5,2,3\n", '{"a":1}', "<html>",
]  # fmt: skip
"""What may make a file mean something else."""


@st.composite
def pairs(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A clean file, and one with the same first line, mostly with something odd below it."""
    header = draw(st.sampled_from(HEADERS))
    mark, end = draw(st.sampled_from(["", "\ufeff"])), draw(st.sampled_from(["\n", "\r\n"]))
    delimiter = next(sign for sign in ";\t," if sign in header)
    width = header.count(delimiter) + 1
    row = st.lists(st.sampled_from(CELLS), min_size=width, max_size=width).map(delimiter.join)
    rows = [f"{cells}\n" for cells in draw(st.lists(row, min_size=1, max_size=4))]
    odd = st.just("") | st.sampled_from(ODD)
    before, after = (draw(odd).replace(",", draw(st.sampled_from([",", delimiter]))) for _ in "12")
    clean = f"{delimiter.join(CELLS[:width])}\n" * 2
    bodies = (clean, f"{before}{''.join(rows)}{after}")
    first, later = (f"{mark}{header}\n{body}".replace("\n", end) for body in bodies)
    return first.encode(), later.encode("utf-8", "surrogateescape")


def outcome(path: Path, content: bytes, **fields: Any) -> Any:
    path.write_bytes(content)
    try:
        read = Read(InputFile("shop", path.name, path, **fields))
    except SourceError as error:
        return str(error)
    tables = [batch.table for batch in read.batches if batch.table.num_rows]
    names = [table.column_names for table in tables]
    found = (read.rows, read.lines, read.rejects, read.detected, read.warnings, read.repaired)
    return *found, *names


def learnt(folder: Path, first: bytes, **fields: Any) -> dict[str, Any]:
    known = precedents()
    outcome(folder / "first.csv", first, precedents=known, **fields)
    return {**fields, "precedents": known}


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pair=pairs(), schema=st.sampled_from([{}, SCHEMA]), name=st.sampled_from(["a.csv", "a.txt"]))
@example((FIRST.encode(), HEAD + b"a id,b amount,c note\n" * 3), SCHEMA, "a.csv")
@example((FIRST.encode(), HEAD + b"id amount note sum total,2,3\n" * 9), SCHEMA, "a.csv")
@example((FIRST.encode(), HEAD + b"1;2,3;4,5;6\n" * 40), {}, "a.csv")
@example((FIRST.encode(), HEAD + b"1,2,don't\n2,3,'x'\n4,'5,6',7\n"), SCHEMA, "a.csv")
@example((b"a;b\n1;2\n", b"a;b\n" + b"1;2,5\n" * 9), {}, "a.csv")
@example((FIRST.encode(), HEAD + b"[kg],(m),()\n1,2,3\n"), SCHEMA, "a.csv")
@example((FIRST.encode(), HEAD + b"---,---,---\n1,2,3\n"), SCHEMA, "a.csv")
@example((FIRST.encode(), HEAD + b"integer,decimal,date\n1,2,2026-01-02\n"), SCHEMA, "a.csv")
@example((FIRST.encode(), HEAD + b"1,2,3\n,,\n"), SCHEMA, "a.csv")
@example((FIRST.encode(), HEAD + b"1,2,3\n\n1,2,3\n"), SCHEMA, "a.csv")
@example((b"x,2019,2020\na,1,2\nb,2,3\n", b"x,2019,2020\na,b,2\nb,c,3\n"), {}, "a.csv")
@example((b"a\xff,\xc3\xa9b\n1,2\n2,3\n", b"a\xff,\xc3\xa9b\n3,4\n"), {}, "a.csv")
@example((b"{a,b\n1,2\n", b"{a,b\n3,4\n"), {}, "a.csv")
def test_what_is_known_of_an_earlier_file_changes_nothing(
    tmp_path: Path, pair: tuple[bytes, bytes], schema: dict[str, Column], name: str
) -> None:
    first, later = pair
    anew = outcome(tmp_path / name, later, columns=schema)
    known = learnt(tmp_path, first, columns=schema)
    assert outcome(tmp_path / name, later, **known) == anew


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (FIRST, FIRST),
        (FIRST, 'id,amount,booked on\n1,"2,50",x\n'),
        (FIRST, "id,amount,booked on\n1,2,O'Brien's é"),
        ("\ufeff" + FIRST, "\ufeff" + FIRST),
        (FIRST.replace("\n", "\r\n"), FIRST.replace("\n", "\r\n")),
        (FIRST.replace(",", ";"), "id;amount;booked on\n1;2,50;a, b\n"),
    ],
)
def test_a_clean_file_is_read_by_what_is_known(tmp_path: Path, first: str, later: str) -> None:
    fields = learnt(tmp_path, first.encode(), columns=SCHEMA)
    path = tmp_path / "later.csv"
    path.write_text(later)
    assert read_alike(InputFile("shop", path.name, path, **fields))


def test_files_of_two_kinds_in_turns_are_both_known(tmp_path: Path) -> None:
    other = "id,note\n1,a\n"
    fields = learnt(tmp_path, FIRST.encode())
    outcome(tmp_path / "other.csv", other.encode(), **fields)
    for text in (FIRST, other):
        path = tmp_path / "later.csv"
        path.write_text(text)
        assert read_alike(InputFile("shop", path.name, path, **fields))
