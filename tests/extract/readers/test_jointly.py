"""Files that begin as one before them, read together, are read as if each were alone."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.csv
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.config import Column
from chalicelib.extract.readers.input_file import InputFile, precedents
from chalicelib.extract.readers.jointly import read_jointly
from chalicelib.settings import BATCH_BYTES
from tests.extract.readers.support import Read, columns, outcomes

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
def sources(draw: st.DrawFn) -> list[bytes]:
    """A clean file, and some with the same first line, in a few of which something is odd."""
    header = draw(st.sampled_from(HEADERS))
    mark, end = draw(st.sampled_from(["", "\ufeff"])), draw(st.sampled_from(["\n", "\r\n"]))
    delimiter = next(sign for sign in ";\t," if sign in header)
    width = header.count(delimiter) + 1
    clean = f"{delimiter.join(CELLS[:width])}\n" * 2
    row = st.lists(st.sampled_from(CELLS), min_size=width, max_size=width).map(delimiter.join)
    bodies = [clean]
    for _ in range(draw(st.integers(1, 5))):
        rows = [f"{cells}\n" for cells in draw(st.lists(row, min_size=1, max_size=4))]
        odd = st.just("") | st.just("") | st.sampled_from(ODD)
        sign = draw(st.sampled_from([",", delimiter]))
        before, after = (draw(odd).replace(",", sign) for _ in "12")
        whole = f"{before}{''.join(rows)}{after}"
        bodies.append(draw(st.sampled_from([whole, clean, whole.removesuffix("\n"), ""])))
    texts = [f"{mark}{header}\n{body}".replace("\n", end) for body in bodies]
    return [text.encode("utf-8", "surrogateescape") for text in texts]


def written(folder: Path, contents: Sequence[bytes], suffix: str = "csv") -> Iterator[Path]:
    for number, content in enumerate(contents):
        path = folder / f"{number}.{suffix}"
        path.write_bytes(content)
        yield path


def of_source(paths: Sequence[Path], **fields: Any) -> Iterator[InputFile]:
    known = precedents()
    for path in paths:
        yield InputFile("shop", path.name, path, precedents=known, **fields)


@settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    contents=sources(), schema=st.sampled_from([{}, SCHEMA]), suffix=st.sampled_from(["csv", "txt"])
)
@example([FIRST.encode(), HEAD + b"a id,b amount,c note\n" * 3], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b"id amount note sum total,2,3\n" * 9], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b"1;2,3;4,5;6\n" * 40], {}, "csv")
@example([FIRST.encode(), HEAD + b"1,2,don't\n2,3,'x'\n4,'5,6',7\n"], SCHEMA, "csv")
@example([b"a;b\n1;2\n", b"a;b\n" + b"1;2,5\n" * 9], {}, "csv")
@example([FIRST.encode(), HEAD + b"[kg],(m),()\n1,2,3\n"], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b"---,---,---\n1,2,3\n"], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b"integer,decimal,date\n1,2,2026-01-02\n"], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b"1,2,3\n,,\n"], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b"1,2,3\n\n1,2,3\n"], SCHEMA, "csv")
@example([b"x,2019,2020\na,1,2\nb,2,3\n", b"x,2019,2020\na,b,2\nb,c,3\n"], {}, "csv")
@example([b"a\xff,\xc3\xa9b\n1,2\n2,3\n", b"a\xff,\xc3\xa9b\n3,4\n"], {}, "csv")
@example([b"{a,b\n1,2\n", b"{a,b\n3,4\n"], {}, "csv")
@example([FIRST.encode(), HEAD + b"1\0,\0002\0,\0003\0\n\0" * 20 + b"1,2,3\n"], {}, "csv")
@example([FIRST.encode(), HEAD + b"1,2,3\r\n2,3,4\r\n"], {}, "csv")
@example([FIRST.encode(), HEAD + b"1,2,3\n" + HEAD + b"2,3,4\n"], {}, "csv")
@example([FIRST.encode(), HEAD + b'1,5" x,3\n2,6" y,3\n'], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b'1,2,"x\n', HEAD + b'"\n1,2,3\n'], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b'1,2,"x\n', HEAD + b"1,2,3\n"], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b"1,\\N,3\n2,\\N,x\n"], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b"1,'a','b'\n2,'c','d'\n"], SCHEMA, "csv")
@example([FIRST.encode(), HEAD + b"1,2\n2,3,x\n"], SCHEMA, "csv")
@example([b"id,column_2\n1,a\n", b"id,column_2\n2,\n", b"id,column_2\n2,b\n"], {}, "csv")
def test_files_read_together_hold_what_each_holds_alone(
    tmp_path: Path, contents: list[bytes], schema: dict[str, Column], suffix: str
) -> None:
    paths = list(written(tmp_path, contents, suffix))
    alone = [next(outcomes(of_source([path], columns=schema))) for path in paths]
    assert list(outcomes(of_source(paths, columns=schema))) == alone


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
    paths = list(written(tmp_path, [first.encode(), later.encode()]))
    assert read_together(paths, columns=SCHEMA) == ["1.csv"]


def test_files_of_two_kinds_in_turns_are_both_known(tmp_path: Path) -> None:
    paths = list(written(tmp_path, [FIRST.encode(), b"id,note\n1,a\n"] * 2))
    assert read_together(paths) == ["2.csv", "3.csv"]


def test_files_are_parsed_in_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = list(written(tmp_path, [FIRST.encode()] * 9))
    known = of_source(paths)
    assert next(outcomes([next(known)]))
    calls = counted(monkeypatch)
    assert len(list(outcomes(known))) == 8
    assert calls == [8 * (len(FIRST) - len(HEAD))]


def test_a_file_with_something_amiss_goes_alone(tmp_path: Path) -> None:
    contents = [FIRST.encode()] * 9
    contents[4] += b"1,2,3,4\n"
    contents[6] = HEAD
    paths = list(written(tmp_path, contents))
    assert read_together(paths) == [f"{number}.csv" for number in (1, 2, 3, 5, 7, 8)]


def test_rows_of_another_width_cost_the_other_files_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = [FIRST.encode()] * 9
    contents[4] += b"1,2,3,4\n"
    known = of_source(list(written(tmp_path, contents)))
    assert next(outcomes([next(known)]))
    calls = counted(monkeypatch)
    alone = [file.name for file, whole in read_jointly(known, lambda _: True) if not whole]
    assert (alone, len(calls)) == (["4.csv"], 1)


def test_a_gzipped_file_is_read_with_others(tmp_path: Path) -> None:
    paths = list(written(tmp_path, [FIRST.encode(), gzip.compress(FIRST.encode())]))
    assert read_together(paths) == ["1.csv"]


def test_a_file_that_has_changed_or_is_gone_is_left_to_who_says_so(tmp_path: Path) -> None:
    paths = list(written(tmp_path, [FIRST.encode()] * 4))
    paths[2].unlink()
    assert read_together(paths, changed=["3.csv"]) == ["1.csv"]


def test_no_more_files_are_held_than_a_batch_may_have(tmp_path: Path) -> None:
    content = HEAD + b"1,2.50,2026-01-02\n" * 3_000
    paths = list(written(tmp_path, [content] * 60))
    asked: list[str] = []

    def is_unchanged(file: InputFile) -> bool:
        asked.append(file.name)
        return True

    files = read_jointly(of_source(paths), is_unchanged)
    Read(next(files)[0])
    assert next(files)[1]
    assert len(asked) * len(content) < 2 * BATCH_BYTES


def read_together(paths: Sequence[Path], changed: Sequence[str] = (), **fields: Any) -> list[str]:
    """The names of the files that need not be read by themselves."""
    found = []
    for file, whole in read_jointly(of_source(paths, **fields), lambda f: f.name not in changed):
        if whole:
            found.append(file.name)
        elif file.path.exists():
            Read(file)
    return found


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of each call of Arrow's parser from now on."""
    calls: list[int] = []
    parse = pyarrow.csv.read_csv

    def read_csv(data: Any, **options: Any) -> Any:
        calls.append(data.size())
        return parse(data, **options)

    monkeypatch.setattr(pyarrow.csv, "read_csv", read_csv)
    return calls
