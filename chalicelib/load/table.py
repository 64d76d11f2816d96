"""The target table: made when it is missing, widened when that is wanted, otherwise compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from chalicelib import database
from chalicelib.errors import TargetError

NUMBERS = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}
INEXACT = {"numeric", "real", "double precision"}
TIMES = {"timestamp with time zone", "timestamp without time zone"}
TEXTS = {"text", "character varying", "character", "bpchar"}

FITS = {
    "bigint": NUMBERS,
    "numeric": INEXACT,
    "double precision": INEXACT,
    "boolean": {"boolean"},
    "date": {"date", *TIMES},
    "timestamp with time zone": {"timestamp with time zone"},
    "timestamp without time zone": {"timestamp without time zone"},
    "jsonb": {"json", "jsonb"},
}
"""Type of the data to the column types that take it, beside text. A value that is too large for
the column fails by itself. Text also goes into all types that no data of ours has, as uuid."""

TYPED = NUMBERS | TIMES | {"boolean", "date", "json", "jsonb"}

KIND = """
    select relkind from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = :schema and relname = :name
"""
"""What the name stands for: r table, p partitioned table, v view, f foreign table, …"""

COLUMNS = """
    select attname, format_type(coalesce(nullif(typbasetype, 0), atttypid), atttypmod)
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    join pg_type on pg_type.oid = atttypid
    where nspname = :schema and relname = :name and attnum > 0 and not attisdropped
    order by attnum
"""
"""The columns in order with their types as people write them; of a domain, what it is made of."""


@dataclass(frozen=True)
class TableColumn:
    """A column that is to be loaded, with its PostgreSQL type."""

    name: str
    sql_type: str


@dataclass(frozen=True)
class Preview:
    """A table's columns with their types, and some of its rows as text."""

    columns: dict[str, str]
    rows: list[tuple[str | None, ...]]


def prepare(
    engine: Engine, table: str, columns: Sequence[TableColumn], *, widen: bool
) -> list[str]:
    """Make `schema.table` ready to take the columns and say what was done, in words.

    A short transaction of its own. Raises TargetError when it is no table, lacks columns and must
    not be widened, or has columns of types that do not take the data.
    """

    def work(connection: Connection) -> list[str]:
        database.take_turns(connection, f"table {table}")
        existing = _columns(connection, table)
        if existing is None:
            return _create(connection, table, columns)
        _compare(table, columns, existing)
        return _widen(connection, table, [c for c in columns if c.name not in existing], widen)

    return database.run(engine, f"preparing {table}", work)


def existing_columns(engine: Engine, table: str) -> dict[str, str] | None:
    """The columns of `schema.table` with their types, None when there is no such table."""
    return database.run(engine, f"reading {table}", lambda connection: _columns(connection, table))


def preview(engine: Engine, table: str, limit: int) -> Preview:
    """The columns of `schema.table` and any `limit` rows; nothing while there is no table."""

    def work(connection: Connection) -> Preview:
        columns = _columns(connection, table)
        if not columns:
            return Preview({}, [])
        values = ", ".join(f"{database.quote(name)}::text" for name in columns)
        query = f"select {values} from {database.quote_table(table)} limit {int(limit)}"
        return Preview(columns, [tuple(row) for row in connection.exec_driver_sql(query)])

    return database.run(engine, f"reading {table}", work)


def _columns(connection: Connection, table: str) -> dict[str, str] | None:
    schema, name = table.split(".", 1)
    key = {"schema": schema, "name": name}
    kind = connection.execute(text(KIND), key).scalar_one_or_none()
    if kind is None:
        return None
    if kind not in ("r", "p"):
        raise TargetError(f"{table} is not a table", fix="Name a table in target.table.")
    return {str(column): str(kind) for column, kind in connection.execute(text(COLUMNS), key)}


def _create(connection: Connection, table: str, columns: Sequence[TableColumn]) -> list[str]:
    if not columns:
        return []
    schema = table.split(".", 1)[0]
    done = [f"created schema {schema}"] if database.create_schema(connection, schema) else []
    definitions = ", ".join(f"{database.quote(c.name)} {c.sql_type}" for c in columns)
    connection.exec_driver_sql(f"create table {database.quote_table(table)} ({definitions})")
    return [*done, f"created table {table}"]


def _widen(
    connection: Connection, table: str, missing: Sequence[TableColumn], widen: bool
) -> list[str]:
    if missing and not widen:
        names = ", ".join(column.name for column in missing)
        raise TargetError(
            f"{table} lacks the columns: {names}",
            fix="Add them to the table, or leave out strict_mode so that they are added.",
        )
    if missing:
        added = ", ".join(f"add {database.quote(c.name)} {c.sql_type}" for c in missing)
        connection.exec_driver_sql(f"alter table {database.quote_table(table)} {added}")
    return [f"added column {column.name}" for column in missing]


def _compare(table: str, columns: Sequence[TableColumn], existing: dict[str, str]) -> None:
    misfits = [
        f"column {column.name} is {existing[column.name]}, the data is {column.sql_type}"
        for column in columns
        if column.name in existing and not fits(column.sql_type, existing[column.name])
    ]
    if misfits:
        raise TargetError(
            f"the types of {table} do not take the data: {'; '.join(misfits)}",
            fix="Declare these columns in schema.columns with the table's types, or change the "
            "table (ALTER TABLE … ALTER COLUMN … TYPE …), or load another table.",
        )


def fits(wanted: str, existing: str) -> bool:
    """Whether a column takes data of the wanted type."""
    bare = re.sub(r"\(.*?\)", "", existing)
    if bare in TEXTS:
        return True
    return bare not in TYPED if wanted == "text" else bare in FITS.get(wanted, {wanted})
