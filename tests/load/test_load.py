"""Rows go into the target once, together with all that is recorded about them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from chalicelib.errors import SourceError, TargetError
from chalicelib.load import Harvest, Part, TableColumn, load, prepare, state, take
from chalicelib.load.rejected import REJECT_COLUMNS
from chalicelib.reports import Cursor, LoadedFile, SourceReport
from tests.load.conftest import TABLE


@pytest.fixture(autouse=True)
def table(query):
    query(f"create table {TABLE} (id bigint, note text)")


def rows_of(query):
    return query(f"select id, note from {TABLE} order by id")


def test_append_adds_to_the_rows_that_are_there(load_rows, query):
    load_rows([b"1,a\n2,b\n"], run_id="first")
    result = load_rows([b"3,c\n", b"4,d\n"], run_id="second")
    assert (result.inserted, result.deleted, result.attempts) == (2, 0, 1)
    assert rows_of(query) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]


def test_an_unquoted_empty_field_is_null_and_a_quoted_one_is_empty(load_rows, query):
    load_rows([b'1,\n2,""\n'])
    assert rows_of(query) == [(1, None), (2, "")]


def test_a_row_may_be_cut_between_two_chunks(load_rows, query):
    load_rows([b'1,"a', b"\xc3", b'\xa9"\n'])
    assert rows_of(query) == [(1, "aé")]


def test_a_quoted_end_of_data_marker_is_a_value_like_any_other(load_rows, query):
    load_rows([b'"\\."\n', b'"b"\n'], columns=["note"])
    assert query(f"select note from {TABLE} order by note") == [("\\.",), ("b",)]


def test_replace_deletes_and_loads_while_readers_keep_the_old_rows(load_rows, query):
    load_rows([b"1,old\n2,old\n"], run_id="first")
    seen = []

    def rows() -> Iterator[bytes]:
        yield b"3,new\n"
        seen.append(rows_of(query))

    result = load_rows(rows, run_id="second", mode="replace", rows=1)
    assert (result.deleted, result.inserted, result.kept) == (2, 1, False)
    assert seen[-1] == [(1, "old"), (2, "old")]
    assert rows_of(query) == [(3, "new")]


def test_replace_without_rows_keeps_the_old_ones_and_says_so_in_the_ledger(load_rows, query):
    load_rows([b"1,old\n"], run_id="first")
    result = load_rows([], run_id="second", mode="replace")
    assert result.kept
    assert rows_of(query) == [(1, "old")]
    assert query("select kept from elt.loads where run_id = 'second'") == [(True,)]


def test_replace_without_rows_empties_the_table_when_that_is_allowed(load_rows, query):
    load_rows([b"1,old\n"], run_id="first")
    result = load_rows([], run_id="second", mode="replace", allow_empty=True)
    assert (result.kept, result.deleted) == (False, 1)
    assert rows_of(query) == []


def test_a_part_that_the_ledger_knows_is_not_loaded_again(load_rows, query):
    load_rows([b"1,a\n"], run_id="same")
    result = load_rows([b"1,a\n"], run_id="same")
    assert result.already_loaded
    assert result.inserted == 1
    assert rows_of(query) == [(1, "a")]


def test_another_count_than_the_pipelines_loads_nothing(load_rows, query):
    with pytest.raises(TargetError, match="counted 2 rows, 3 were sent"):
        load_rows([b"1,a\n2,b\n"], rows=3)
    assert rows_of(query) == []
    assert query("select * from elt.loads") == []


def test_a_value_that_does_not_fit_is_named_with_line_and_column(load_rows, query):
    with pytest.raises(TargetError, match=r"line 2, column id.*\[SQLSTATE 22P02\]") as caught:
        load_rows([b"1,a\nx,b\n"])
    assert "declare the column's type" in caught.value.fix
    assert rows_of(query) == []


@pytest.mark.parametrize("failure", [SourceError("page 3 is HTML"), ConnectionResetError("api")])
def test_a_failure_of_the_source_comes_out_as_it_is_and_is_not_tried_again(failure, engine, query):
    calls = []

    def rows() -> Iterator[bytes]:
        calls.append(1)
        yield b"1,a\n" * 100_000
        raise failure

    with pytest.raises(type(failure)) as caught:
        load(engine, take(engine, TABLE), Part("r", 0, TABLE, "append"), ["id", "note"], rows, None)
    assert caught.value is failure
    assert len(calls) == 1
    assert rows_of(query) == []
    assert query("select * from elt.loads") == []


def test_a_failure_while_the_harvest_is_gathered_comes_out_as_it_is(engine, query):
    def harvest() -> Harvest:
        raise OSError("disk")

    part = Part("r", 0, TABLE, "append")
    with pytest.raises(OSError, match=r"^disk$"):
        load(engine, take(engine, TABLE), part, ["id"], lambda: iter([b"1\n"]), harvest)
    assert rows_of(query) == []


@pytest.mark.parametrize("name", ['say "hi"', "two words", "größe", "UPPER", "100%s", "a:b", "';"])
def test_hostile_identifiers_are_only_names(name, engine, query):
    table = f"{name}.{name}"
    prepare(engine, table, [TableColumn(name, "bigint")], widen=False)
    part = Part("r", 0, table, "replace")
    load(engine, take(engine, table), part, [name], lambda: iter([b"7\n"]), lambda: Harvest(1))
    quoted = '"' + name.replace('"', '""') + '"'
    assert query(f"select {quoted} from {quoted}.{quoted}") == [(7,)]


def reported() -> SourceReport:
    report = SourceReport("shop", "local", cursor=Cursor("2026-01-01", frozenset({"h1", "h2"})))
    report.loaded = [LoadedFile("a.csv", "sha-a", 10, "s3://b/a.csv", "etag")]
    report.file("a.csv").rows = 1
    return report


def test_files_and_cursors_are_recorded_with_the_rows(load_rows, engine):
    load_rows([b"1,a\n"], reports=[reported()])
    known = state(engine, TABLE, "shop")
    assert known.files == tuple(reported().loaded)
    assert known.cursor == reported().cursor
    assert state(engine, TABLE, "other").files == ()


def test_a_load_that_fails_records_no_file_and_moves_no_cursor(load_rows, engine):
    with pytest.raises(TargetError):
        load_rows([b"1,a\n"], rows=2, reports=[reported()])
    assert state(engine, TABLE, "shop").files == ()
    assert state(engine, TABLE, "shop").cursor is None


def test_two_files_with_the_same_content_are_known_each_by_its_name(load_rows, engine):
    report = SourceReport("shop", "local")
    report.loaded = [LoadedFile("a.csv", "same", 1), LoadedFile("b.csv", "same", 1)]
    for run_id in ("first", "second"):
        load_rows([b"1,a\n"], run_id=run_id, reports=[report])
    assert [file.name for file in state(engine, TABLE, "shop").files] == ["a.csv", "b.csv"]


def test_replace_forgets_the_files_whose_rows_it_deletes(load_rows, engine):
    load_rows([b"1,a\n"], run_id="first", reports=[reported()])
    load_rows([b"2,b\n"], run_id="second", mode="replace")
    assert state(engine, TABLE, "shop").files == ()
    assert state(engine, TABLE, "shop").cursor is None


HEADER = ",".join(REJECT_COLUMNS).encode() + b"\n"


def reject(run_id: str) -> bytes:
    fields = [run_id, "0", TABLE, "shop", "a.csv", "3", "id", "x", "is no integer"]
    problems = [{"column": "id", "value": "x", "reason": "is no integer"}]
    documents = [json.dumps(problems), json.dumps({"id": "x", "note": None}), "[]"]
    quoted = ['"' + text.replace('"', '""') + '"' for text in fields + documents]
    return ",".join(quoted).encode() + b"\n"


def test_rejects_are_stored_with_the_rows(load_rows, query, tmp_path):
    file = tmp_path / "rejects.csv"
    file.write_bytes(HEADER + reject("run-1"))
    result = load_rows([b"1,a\n"], rejects=file, quarantined=1)
    assert (result.inserted, result.quarantined) == (1, 1)
    stored = query('select line, "column", value, "row", status from elt.rejects')
    assert stored == [(3, "id", "x", {"id": "x", "note": None}, "quarantined")]
    assert query("select rows_inserted, rows_quarantined from elt.loads") == [(1, 1)]


def test_a_reject_that_is_not_counted_loads_nothing(load_rows, query, tmp_path):
    file = tmp_path / "rejects.csv"
    file.write_bytes(HEADER + reject("run-1"))
    with pytest.raises(TargetError, match="counted 1 rejects, 0 were sent"):
        load_rows([b"1,a\n"], rejects=file)
    assert rows_of(query) == []
    assert query("select * from elt.rejects") == []
