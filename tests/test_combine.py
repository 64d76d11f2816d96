"""The combined CSV: quoting, and reading it while it grows."""

from __future__ import annotations

import csv
import io
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import combine
from chalicelib.combine import CombinedCsv, to_csv
from chalicelib.disk import DiskError
from chalicelib.errors import EltError, SourceError


def table(*values: str | None, other: str = "x") -> pa.Table:
    return pa.table({"a": pa.array(values, pa.string()), "b": [other] * len(values)})


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, b""),
        ("", b'""'),
        ("plain", b"plain"),
        ("a,b", b'"a,b"'),
        ('say "no"', b'"say ""no"""'),
        ("two\nlines", b'"two\nlines"'),
        ("\r", b'"\r"'),
        ("\\N", b"\\N"),
        ("\\.", b"\\."),
        (" ü ", b" \xc3\xbc "),
    ],
)
def test_a_field_is_quoted_only_where_it_must_be(value: str | None, field: bytes) -> None:
    assert bytes(to_csv(table(value))) == field + b",x\n"


def test_a_line_that_older_servers_take_for_the_end_of_the_data_is_quoted() -> None:
    assert bytes(to_csv(pa.table({"a": ["1", "\\.", "2"]}))) == b'1\n"\\."\n2\n'


@given(st.lists(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=8)))
def test_every_text_reads_back(values: list[str]) -> None:
    text = bytes(to_csv(table(*values))).decode()
    assert [row[0] for row in csv.reader(io.StringIO(text, newline=""))] == values


@given(st.lists(st.one_of(st.none(), st.text(st.sampled_from('ab,"\n\r\\.'), max_size=3))))
def test_fields_without_quotes_are_written_as_those_beside_quoted_ones(
    values: list[str | None],
) -> None:
    """Where no field needs quotes Arrow writes the rows, otherwise we do."""
    fast, slow = (bytes(to_csv(table(*values, other=other))) for other in ("x", '"x'))
    assert slow.replace(b',"""x"\n', b",x\n") == fast


def test_a_slice_of_a_table_is_just_that_slice() -> None:
    assert bytes(to_csv(table("a", "b", 'c"', None).slice(1, 2))) == b'b,x\n"c""",x\n'


def test_a_header_names_the_columns_and_chunks_leave_it_out(tmp_path: Path) -> None:
    combined = CombinedCsv(tmp_path / "c.csv", ("a", "b,c"))
    combined.append(table("1"))
    combined.close()
    assert (tmp_path / "c.csv").read_bytes() == b'a,"b,c"\n1,x\n'
    assert b"".join(combined.chunks()) == b"1,x\n"
    assert (combined.rows, combined.size) == (1, 4)


def test_a_reader_follows_a_file_that_grows(tmp_path: Path) -> None:
    combined = CombinedCsv(tmp_path / "c.csv", ("a", "b"))
    chunks = combined.chunks()
    combined.append(table("1"))
    assert next(chunks) == b"1,x\n"
    later = threading.Timer(0.05, lambda: (combined.append(table("2")), combined.close()))
    later.start()
    assert b"".join(chunks) == b"2,x\n"
    assert b"".join(combined.chunks()) == b"1,x\n2,x\n", "a retry reads from the start"


def test_the_writer_waits_for_a_reader_at_work_and_for_none_that_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(combine, "LEAD", 20)
    combined = CombinedCsv(tmp_path / "c.csv", ("a", "b"))
    combined.keep_near(reader := Future())
    sizes = []

    def fill() -> None:
        for number in range(10, 40):
            combined.wait_for_reader()
            combined.append(table(str(number)))
            sizes.append(combined.size)

    with ThreadPoolExecutor(1) as thread:
        filling = thread.submit(fill)
        chunks = combined.chunks()
        first = next(chunks)
        while not filling.done() and (not sizes or sizes[-1] < len(first) + 20):
            wait([filling], 0.001)
        assert not wait([filling], 0.05).done, "nobody reads on"
        assert sizes[-1] < len(first) + 20 + len("10,x\n")
        reader.set_result(None)
        filling.result(10)
    combined.close()
    assert first + b"".join(chunks) == b"".join(b"%d,x\n" % number for number in range(10, 40))


def test_a_reader_of_an_aborted_file_gets_the_reason(tmp_path: Path) -> None:
    combined = CombinedCsv(tmp_path / "c.csv", ("a", "b"))
    combined.append(table("1"))
    combined.abort(SourceError("the file is broken"))
    with pytest.raises(SourceError, match="broken"):
        list(combined.chunks())


def test_a_reader_does_not_wait_for_a_writer_that_was_interrupted(tmp_path: Path) -> None:
    combined = CombinedCsv(tmp_path / "c.csv", ("a", "b"))
    combined.abort(KeyboardInterrupt())
    with pytest.raises(EltError, match="stopped"):
        list(combined.chunks())


def test_a_full_disk_is_told_with_the_file_and_what_to_do() -> None:
    said = r"/dev/full.*No space left.*at least 4 bytes.*ELT_WORK_DIR"
    with pytest.raises(DiskError, match=said):
        CombinedCsv(Path("/dev/full"), ("a", "b"))
