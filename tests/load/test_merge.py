"""Merge: rows take the place of those with their key, once, and each of them is counted."""

from __future__ import annotations

import pytest

from chalicelib.load import Harvest, Part, load, take
from tests.load.conftest import TABLE


@pytest.fixture
def merge(engine, query):
    """Merge CSV rows into TABLE (id, place, note) by (id, place)."""
    query(f"create table {TABLE} (id bigint, place text, note text, primary key (place, id))")

    def run(csv: bytes, run_id="run-1", columns=("id", "place", "note"), replayed=None):
        part = Part(run_id, 0, TABLE, "merge", ("id", "place"), replayed=replayed)
        gathered = Harvest(csv.count(b"\n"))
        return load(
            engine, take(engine, TABLE), part, columns, lambda: iter([csv]), lambda: gathered
        )

    return run


def counts(result):
    return result.inserted, result.updated, result.superseded


def rows_of(query):
    return query(f"select id, place, note from {TABLE} order by id, place")


def test_rows_are_inserted_or_take_the_place_of_those_with_their_key(merge, query):
    assert counts(merge(b"1,a,old\n2,a,old\n")) == (2, 0, 0)
    assert counts(merge(b"2,a,new\n2,b,new\n", run_id="second")) == (1, 1, 0)
    assert rows_of(query) == [(1, "a", "old"), (2, "a", "new"), (2, "b", "new")]
    ledger = "select rows_inserted, rows_updated, rows_superseded from elt.loads order by run_id"
    assert query(ledger) == [(2, 0, 0), (1, 1, 0)]


def test_the_last_occurrence_in_the_run_wins(merge, query):
    """Of long and short rows, which a page does not hold in the order they came."""
    long = b"x" * 3000
    csv = b"".join(b"%d,a,%s%d\n" % (n % 7, long if n % 3 else b"", n) for n in range(500))
    assert counts(merge(csv)) == (7, 0, 493)
    last = {n % 7: n for n in range(500)}
    assert {i: int(note.lstrip("x")) for i, _, note in rows_of(query)} == last


def test_of_a_key_that_is_there_and_comes_twice_one_is_updated_and_one_superseded(merge, query):
    merge(b"1,a,old\n")
    assert counts(merge(b"1,a,new\n1,a,newest\n", run_id="second")) == (0, 1, 1)
    assert rows_of(query) == [(1, "a", "newest")]


def test_columns_that_are_not_loaded_keep_their_values(merge, query):
    merge(b"1,a,note\n")
    query(f"alter table {TABLE} add own text; update {TABLE} set own = 'mine'")
    merge(b"1,a,new\n", run_id="second")
    assert query(f"select note, own from {TABLE}") == [("new", "mine")]


def test_a_table_of_keys_alone_counts_what_was_there(merge, query):
    columns = ("id", "place")
    merge(b"1,a\n", columns=columns)
    assert counts(merge(b"1,a\n2,a\n2,a\n", run_id="second", columns=columns)) == (1, 1, 1)


def test_the_targets_own_equality_tells_keys_apart(engine, query):
    query(f"create table {TABLE} (price numeric(6, 1) primary key, note text)")
    part = Part("run", 0, TABLE, "merge", ("price",))
    rows = lambda: iter([b"1.0,a\n1.00,b\n"])  # noqa: E731
    result = load(engine, take(engine, TABLE), part, ["price", "note"], rows, lambda: Harvest(2))
    assert counts(result) == (1, 0, 1)
    assert query(f"select note from {TABLE}") == [("b",)]


def test_a_partitioned_table_is_merged_into_like_any_other(engine, query):
    query(f"create table {TABLE} (id bigint primary key, note text) partition by range (id)")
    query(f"create table low partition of {TABLE} for values from (0) to (10)")
    query(f"create table high partition of {TABLE} for values from (10) to (100)")
    for run, expected in (("first", (2, 0, 0)), ("second", (0, 2, 0))):
        part = Part(run, 0, TABLE, "merge", ("id",))
        rows = lambda: iter([b"1,a\n50,b\n"])  # noqa: E731
        result = load(engine, take(engine, TABLE), part, ["id", "note"], rows, lambda: Harvest(2))
        assert counts(result) == expected


@pytest.mark.parametrize("name", ['say "hi"', "row", "row_", "100%s", "a:b", "{table}", "excluded"])
def test_hostile_identifiers_are_only_names(name, engine, query):
    quoted = '"' + name.replace('"', '""') + '"'
    columns = f"{quoted} text primary key, x text"
    query(f"create schema {quoted}; create table {quoted}.{quoted} ({columns})")
    for run in ("first", "second"):
        part = Part(run, 0, f"{name}.{name}", "merge", (name,))
        rows = lambda: iter([b"k,x\n"])  # noqa: E731
        load(engine, take(engine, part.table), part, [name, "x"], rows, lambda: Harvest(1))
    assert query(f"select * from {quoted}.{quoted}") == [("k", "x")]


def test_replayed_rows_leave_the_keys_alone_that_are_there(merge, query):
    merge(b"1,a,newer\n")
    result = merge(b"1,a,older,7\n2,a,b,8\n", run_id="replay", replayed="parent")
    assert counts(result) == (1, 0, 1)
    assert result.stale == ("1, a",)
    assert rows_of(query) == [(1, "a", "newer"), (2, "a", "b")]


def test_nothing_to_merge_is_nothing_done(merge, query):
    assert counts(merge(b"")) == (0, 0, 0)


def test_a_part_that_the_ledger_knows_is_not_merged_again(merge, query):
    merge(b"1,a,x\n")
    query(f"update {TABLE} set note = 'changed since'")
    again = merge(b"1,a,x\n")
    assert again.already_loaded
    assert counts(again) == (1, 0, 0)
    assert rows_of(query) == [(1, "a", "changed since")]
