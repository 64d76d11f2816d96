"""Tables of our own, made and changed in order, each step once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from chalicelib import database
from chalicelib.errors import TargetError

UNDEFINED_TABLE, UNDEFINED_COLUMN = "42P01", "42703"

RECORDS = """
    create table if not exists {elt}.migrations (
        version integer primary key,
        applied_at timestamptz not null default now()
    )
"""

APPLIED = "select coalesce(max(version), 0) from {elt}.migrations"

RECORD = "insert into {elt}.migrations (version) values (:version)"


def migrate(engine: Engine, schema: str, steps: Sequence[str]) -> None:
    """Apply the steps that the schema has not seen yet, in order and in one transaction.

    A step is one or several statements; `{elt}` stands for the schema. Any number of processes
    may do so at once. One query when there is nothing to do.
    """
    if _seen(engine, schema) < len(steps):
        database.run(
            engine,
            f"preparing the schema {schema}",
            lambda connection: _apply_missing(connection, schema, steps),
        )


def _seen(engine: Engine, schema: str) -> int:
    try:
        return database.run(
            engine, f"reading {schema}.migrations", lambda connection: _applied(connection, schema)
        )
    except TargetError as error:
        if database.server_fields(error).get("C") == UNDEFINED_TABLE:
            return 0
        raise


def _applied(connection: Connection, schema: str) -> int:
    return int(connection.execute(database.sql(APPLIED, schema)).scalar_one())


def _apply_missing(connection: Connection, schema: str, steps: Sequence[str]) -> None:
    quoted = database.quote(schema)
    database.take_turns(connection, f"migrations {quoted}")
    database.create_schema(connection, schema)
    connection.execute(database.sql(RECORDS, schema))
    done = _applied(connection, schema)
    for version, statements in enumerate(steps[done:], start=done + 1):
        connection.exec_driver_sql(statements.replace("{elt}", quoted))
        connection.execute(database.sql(RECORD, schema), {"version": version})
