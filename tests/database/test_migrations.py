"""Steps are applied in order and once, whoever comes first and wherever a schema stands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from chalicelib import history, load
from chalicelib.config.model.target import Target
from chalicelib.database import connect
from chalicelib.database.migrations import migrate
from chalicelib.errors import TargetError
from chalicelib.history.migrations import MIGRATIONS as HISTORY
from chalicelib.load.migrations import MIGRATIONS as LEDGER

STEPS = (
    "create table {elt}.fruit (name text); insert into {elt}.fruit values ('apple')",
    "alter table {elt}.fruit add column color text default 'red'",
    "insert into {elt}.fruit values ('plum', 'blue')",
)


@pytest.fixture
def engine(database, monkeypatch):
    monkeypatch.setenv("ELT_TARGET_URL", database)
    monkeypatch.delenv("ELT_SERVICE_URL", raising=False)
    return connect(Target(table="orders"))


def rows(engine, sql):
    with engine.begin() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def shape(engine, schema):
    """All columns, constraints and indexes, as the catalog describes them."""
    return rows(
        engine,
        "select table_name::text, column_name::text, data_type::text, column_default::text, "
        f"is_nullable::text from information_schema.columns where table_schema = '{schema}' "
        "union all select conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' "
        f"from pg_constraint where connamespace = '{schema}'::regnamespace "
        "union all select tablename, indexname, indexdef, '', '' "
        f"from pg_indexes where schemaname = '{schema}' order by 1, 2, 3",
    )


@pytest.mark.parametrize("version", range(4))
def test_a_schema_at_any_version_gets_the_steps_that_it_lacks(engine, version):
    migrate(engine, "kitchen", STEPS[:version])
    migrate(engine, "kitchen", STEPS)
    assert rows(engine, "select * from kitchen.fruit") == [("apple", "red"), ("plum", "blue")]
    assert rows(engine, "select version from kitchen.migrations") == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("schema", "steps", "version", "whole"),
    [("elt", LEDGER, n, load.migrate) for n in range(len(LEDGER))]
    + [("elt_service", HISTORY, n, history.migrate) for n in range(len(HISTORY))],
)
def test_our_schemas_come_out_the_same_from_each_earlier_version(
    engine, schema, steps, version, whole
):
    whole(engine)
    expected = shape(engine, schema)
    rows(engine, f'drop schema "{schema}" cascade; select 1')
    migrate(engine, schema, steps[:version])
    whole(engine)
    assert shape(engine, schema) == expected != []


def test_two_schemas_do_not_know_of_each_other(engine):
    migrate(engine, "kitchen", STEPS[:1])
    migrate(engine, "cellar", STEPS)
    assert rows(engine, "select * from kitchen.fruit") == [("apple",)]


def test_twenty_at_once_apply_each_step_once(engine):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: migrate(engine, "kitchen", STEPS), range(20)))
    assert len(rows(engine, "select * from kitchen.fruit")) == 2


def test_a_step_that_fails_leaves_the_version_as_it_was(engine):
    migrate(engine, "kitchen", STEPS[:1])
    with pytest.raises(TargetError, match="preparing the schema kitchen"):
        migrate(engine, "kitchen", (*STEPS[:2], "select 1 / 0"))
    assert rows(engine, "select version from kitchen.migrations") == [(1,)]
    assert rows(engine, "select * from kitchen.fruit") == [("apple",)]


def test_older_code_leaves_a_newer_schema_alone(engine):
    migrate(engine, "kitchen", STEPS)
    migrate(engine, "kitchen", STEPS[:1])
    assert rows(engine, "select count(*) from kitchen.migrations") == [(3,)]


def test_a_schema_that_is_up_to_date_costs_one_query(engine):
    migrate(engine, "kitchen", STEPS)
    seen = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2].strip()))
    migrate(engine, "kitchen", STEPS)
    assert len([sql for sql in seen if not sql.startswith("set ")]) == 1
