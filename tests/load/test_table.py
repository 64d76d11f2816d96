"""The table is made, widened, or refused with the reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import DBAPIError

from chalicelib.errors import TargetError
from chalicelib.load import TableColumn, existing_columns, prepare, preview

TABLE = "sales.orders"
ID = TableColumn("id", "bigint")
NOTE = TableColumn("note", "text")


def test_a_missing_table_is_made_with_its_schema(engine):
    assert prepare(engine, TABLE, [ID, NOTE], widen=False) == [
        "created schema sales",
        "created table sales.orders",
    ]
    assert existing_columns(engine, TABLE) == {"id": "bigint", "note": "text"}


def test_a_table_that_fits_is_left_alone(engine):
    prepare(engine, TABLE, [ID, NOTE], widen=False)
    assert prepare(engine, TABLE, [NOTE], widen=False) == []


def test_there_is_nothing_to_make_without_columns(engine):
    assert prepare(engine, TABLE, [], widen=True) == []
    assert existing_columns(engine, TABLE) is None


def test_missing_columns_are_added(engine):
    prepare(engine, TABLE, [ID], widen=False)
    assert prepare(engine, TABLE, [ID, NOTE], widen=True) == ["added column note"]
    assert existing_columns(engine, TABLE) == {"id": "bigint", "note": "text"}


def test_missing_columns_are_named_when_the_table_must_not_grow(engine):
    prepare(engine, TABLE, [ID], widen=False)
    with pytest.raises(TargetError, match=r"sales\.orders lacks the columns: note"):
        prepare(engine, TABLE, [ID, NOTE], widen=False)


def test_many_runs_may_make_the_table_at_once(engine):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: prepare(engine, TABLE, [ID], widen=True), range(8)))
    assert sorted(len(words) for words in done) == [0, 0, 0, 0, 0, 0, 0, 2]


@pytest.mark.parametrize(
    ("existing", "data"),
    [
        ("integer", "bigint"),
        ("numeric(10,2)", "numeric"),
        ("numeric", "bigint"),
        ("real", "double precision"),
        ("varchar(20)", "text"),
        ("char(3)", "text"),
        ("text", "jsonb"),
        ("uuid", "text"),
        ("json", "jsonb"),
        ("timestamptz(3)", "timestamp with time zone"),
        ("timestamp", "date"),
        ("quantity", "bigint"),
        ("text[]", "text"),
    ],
)
def test_types_that_take_the_data(existing, data, engine, query):
    query("create schema sales; create domain quantity as integer check (value > 0)")
    query(f"create table {TABLE} (x {existing})")
    assert prepare(engine, TABLE, [TableColumn("x", data)], widen=False) == []


@pytest.mark.parametrize(
    ("existing", "data", "shown"),
    [
        ("integer", "text", "integer"),
        ("boolean", "bigint", "boolean"),
        ("date", "timestamp with time zone", "date"),
        ("timestamptz", "timestamp without time zone", "timestamp with time zone"),
        ("jsonb", "text", "jsonb"),
        ("numeric(10,2)", "boolean", r"numeric\(10,2\)"),
    ],
)
def test_types_that_do_not_are_named_with_what_to_do(existing, data, shown, engine, query):
    query(f"create schema sales; create table {TABLE} (x {existing}, y {existing})")
    columns = [TableColumn("x", data), TableColumn("y", data)]
    with pytest.raises(TargetError, match=f"x is {shown}, the data is {data}; column y") as caught:
        prepare(engine, TABLE, columns, widen=True)
    assert "schema.columns" in caught.value.fix


@pytest.mark.parametrize("existing", ["smallint", "integer", "bigint"])
@pytest.mark.parametrize("data", ["numeric", "double precision"])
def test_whole_numbers_become_numeric_when_the_data_has_fractions(existing, data, engine, query):
    query(
        f"create schema sales; create table {TABLE} (x {existing}); insert into {TABLE} values (7)"
    )
    done = prepare(engine, TABLE, [TableColumn("x", data)], widen=False)
    assert done == [f"column x: {existing} → numeric"]
    assert existing_columns(engine, TABLE) == {"x": "numeric"}
    assert query(f"select x from {TABLE}") == [(7,)]


@pytest.mark.parametrize(
    ("existing", "value", "data", "kept"),
    [
        ("boolean", "true", "bigint", "true"),
        ("timestamptz", "'2026-01-02 03:04+02'", "text", "2026-01-02 01:04:00+00"),
        ("jsonb", """'{"a": 1}'""", "text", '{"a": 1}'),
        ("date", "'2026-01-02'", "timestamp with time zone", "2026-01-02"),
    ],
)
def test_only_with_evolve_a_column_becomes_text(existing, value, data, kept, engine, query):
    query(f"create schema sales; create table {TABLE} (x {existing});")
    query(f"insert into {TABLE} values ({value})")
    with pytest.raises(TargetError, match=r"the data is .*evolve: true"):
        prepare(engine, TABLE, [TableColumn("x", data)], widen=True)
    (done,) = prepare(engine, TABLE, [TableColumn("x", data)], widen=True, evolve=True)
    assert done.endswith("→ text")
    assert query(f"select x from {TABLE}") == [(kept,)]


def test_a_domain_keeps_its_rules_rather_than_turn_numeric(engine, query):
    query("create schema sales; create domain quantity as integer check (value > 0)")
    query(f"create table {TABLE} (x quantity)")
    with pytest.raises(TargetError, match="x is integer, the data is numeric"):
        prepare(engine, TABLE, [TableColumn("x", "numeric")], widen=True, evolve=True)


def test_one_column_without_a_way_leaves_the_others_as_they_are(engine, query):
    query(f"create schema sales; create table {TABLE} (x bigint, y date)")
    columns = [TableColumn("x", "numeric"), TableColumn("y", "bigint")]
    with pytest.raises(TargetError, match="column y is date"):
        prepare(engine, TABLE, columns, widen=True)
    assert existing_columns(engine, TABLE) == {"x": "bigint", "y": "date"}


def test_lineage_is_added_to_a_table_that_is_not_widened_otherwise(engine):
    prepare(engine, TABLE, [ID], widen=False)
    ours = TableColumn("_run_id", "text", lineage=True)
    assert prepare(engine, TABLE, [ID, ours], widen=False) == ["added column _run_id"]


def test_a_table_to_merge_into_is_made_with_its_key(engine, query):
    prepare(engine, TABLE, [ID, NOTE], widen=False, key=["note", "id"])
    assert prepare(engine, TABLE, [ID, NOTE], widen=False, key=["id", "note"]) == []
    with pytest.raises(DBAPIError, match="orders_pkey"):
        query(f"insert into {TABLE} values (1, 'a'), (1, 'a')")


@pytest.mark.parametrize(
    "index",
    [
        "create index on {} (id)",
        "create unique index on {} (id, note)",
        "create unique index on {} (id) where note is null",
        "create unique index on {} ((id + 1))",
        "alter table {} add unique (id) deferrable",
        "create unique index on {} (note) include (id)",
    ],
)
def test_an_index_that_does_not_tell_rows_apart_is_no_key_to_merge_by(index, engine, query):
    prepare(engine, TABLE, [ID, NOTE], widen=False)
    query(index.format(TABLE))
    with pytest.raises(TargetError, match=r"no unique index on \(id\)") as caught:
        prepare(engine, TABLE, [ID, NOTE], widen=False, key=["id"])
    assert 'CREATE UNIQUE INDEX ON "sales"."orders" ("id")' in caught.value.fix


@pytest.mark.parametrize(
    "index", ["create unique index on {} (id) include (note)", "alter table {} add unique (id)"]
)
def test_any_unique_index_on_just_the_key_will_do(index, engine, query):
    prepare(engine, TABLE, [ID, NOTE], widen=False)
    query(index.format(TABLE))
    assert prepare(engine, TABLE, [ID, NOTE], widen=False, key=["id"]) == []


def test_a_view_is_refused(engine, query):
    query(f"create schema sales; create view {TABLE} as select 1::bigint as id")
    with pytest.raises(TargetError, match=r"sales\.orders is not a table"):
        prepare(engine, TABLE, [ID], widen=False)


def test_a_partitioned_table_is_a_table(engine, query):
    query(f"create schema sales; create table {TABLE} (id bigint) partition by range (id)")
    assert prepare(engine, TABLE, [ID], widen=False) == []


def test_a_system_columns_name_is_refused_in_words(engine):
    with pytest.raises(TargetError, match="conflicts with a system column"):
        prepare(engine, TABLE, [TableColumn("ctid", "text")], widen=False)


def test_a_name_that_postgresql_would_cut_is_refused(engine):
    with pytest.raises(TargetError, match="cannot be the name"):
        prepare(engine, TABLE, [TableColumn("ü" * 32, "text")], widen=False)


def test_the_preview_shows_columns_and_rows_as_text(engine, query):
    prepare(engine, TABLE, [ID, TableColumn("at", "timestamp with time zone")], widen=False)
    query(f"insert into {TABLE} values (1, '2026-01-02 03:04+02'), (2, null), (3, null)")
    shown = preview(engine, TABLE, 2)
    assert shown.columns == {"id": "bigint", "at": "timestamp with time zone"}
    assert shown.rows == [("1", "2026-01-02 01:04:00+00"), ("2", None)]
