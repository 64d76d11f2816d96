"""Our tables appear once, whoever comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from chalicelib.config.model.target import Target
from chalicelib.database import connect
from chalicelib.load import migrate
from chalicelib.load.migrations import MIGRATIONS


@pytest.fixture
def fresh(database, monkeypatch):
    monkeypatch.setenv("ELT_TARGET_URL", database)
    return connect(Target(table="orders"))


def tables_in(engine, schema):
    with engine.begin() as connection:
        found = connection.exec_driver_sql(
            "select table_name::text from information_schema.tables where table_schema = %s",
            (schema,),
        )
        return set(found.scalars())


def test_twenty_first_runs_at_once_all_succeed(fresh):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: migrate(fresh), range(20)))
    with fresh.begin() as connection:
        applied = connection.exec_driver_sql("select version from elt.migrations").scalars().all()
    assert applied == list(range(1, len(MIGRATIONS) + 1))
    names = {"migrations", "loads", "fence", "files", "cursors", "rejects", "plans", "claims"}
    assert tables_in(fresh, "elt") == names


def test_a_schema_that_is_up_to_date_costs_one_query(fresh):
    migrate(fresh)
    seen = []
    event.listen(fresh, "before_cursor_execute", lambda *args: seen.append(args[2].strip()))
    migrate(fresh)
    assert len([sql for sql in seen if not sql.startswith("set ")]) == 1


def test_two_stages_share_a_database(fresh, monkeypatch):
    migrate(fresh)
    monkeypatch.setenv("ELT_SCHEMA", 'elt "prod": %s')
    migrate(fresh)
    assert tables_in(fresh, "elt") == tables_in(fresh, 'elt "prod": %s') != set()


def test_a_schema_made_by_the_administrator_needs_no_right_to_make_one(
    fresh, database, monkeypatch
):
    with fresh.begin() as connection:
        connection.exec_driver_sql(
            "drop role if exists migrating; create role migrating login;"
            "create schema elt authorization migrating"
        )
    monkeypatch.setenv("ELT_TARGET_URL", database.replace("postgres@", "migrating@"))
    migrate(connect(Target(table="orders")))
    assert "loads" in tables_in(fresh, "elt")
