"""The target table: made when it is missing, widened when that is wanted, otherwise compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from chalicelib import database
from chalicelib.errors import TargetError
from chalicelib.load.types import fits, wider

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

DOMAINS = """
    select attname from pg_attribute join pg_type on pg_type.oid = atttypid
    where attrelid = cast(:table as regclass) and typtype = 'd' and not attisdropped
"""
"""Columns whose type carries rules that another type would not."""

UNIQUE = r"""
    select 1 from (
        select (
            select array_agg(attname::text) from pg_attribute
            where attrelid = indrelid and attnum = any((indkey::int2[])[0 \: indnkeyatts - 1])
        ) as columns
        from pg_index
        where indrelid = cast(:table as regclass) and indisunique and indisvalid
          and indimmediate and indpred is null and indexprs is null
    ) as indexes
    where columns @> cast(:key as text[]) and columns <@ cast(:key as text[])
"""
"""A row for each index that PostgreSQL accepts for ON CONFLICT with these columns."""

DELETE_EARLIER = """
    delete from {table} where "_source" = any(:origins) and "_run_id" is distinct from :run_id
"""


@dataclass(frozen=True)
class TableColumn:
    """A column that is to be loaded, with its PostgreSQL type.

    `lineage`: it is one of ours, which is added to a table that is not widened otherwise.
    """

    name: str
    sql_type: str
    lineage: bool = False


@dataclass(frozen=True)
class Preview:
    """A table's columns with their types, and some of its rows as text."""

    columns: dict[str, str]
    rows: list[tuple[str | None, ...]]


def prepare(
    engine: Engine,
    table: str,
    columns: Sequence[TableColumn],
    *,
    widen: bool,
    key: Sequence[str] = (),
    evolve: bool = False,
) -> list[str]:
    """Make `schema.table` ready to take the columns and say what was done, in words.

    A short transaction of its own. `widen`: columns that are missing are added. `key`: rows are
    merged by these columns. `evolve`: a column whose type does not take the data becomes text.
    Raises TargetError when it is no table, lacks columns and must not be widened, has columns of
    types that do not take the data, or has no unique index on the key.
    """

    def work(connection: Connection) -> list[str]:
        database.take_turns(connection, f"table {table}")
        existing = columns_of(connection, table)
        if existing is None:
            return _create(connection, table, columns, key)
        if key:
            _require_unique(connection, table, key)
        misfits = [c for c in columns if not fits(c.sql_type, existing.get(c.name, c.sql_type))]
        missing = [c for c in columns if c.name not in existing]
        done = _retype(connection, table, misfits, existing, evolve=evolve)
        return done + _add(connection, table, missing, widen=widen)

    return database.run(engine, f"preparing {table}", work)


def existing_columns(engine: Engine, table: str) -> dict[str, str] | None:
    """The columns of `schema.table` with their types, None when there is no such table."""
    return database.run(
        engine, f"reading {table}", lambda connection: columns_of(connection, table)
    )


def preview(engine: Engine, table: str, limit: int) -> Preview:
    """The columns of `schema.table` and any `limit` rows; nothing while there is no table."""

    def work(connection: Connection) -> Preview:
        columns = columns_of(connection, table)
        if not columns:
            return Preview({}, [])
        values = ", ".join(f"{database.quote(name)}::text" for name in columns)
        query = f"select {values} from {database.quote_table(table)} limit {int(limit)}"
        return Preview(columns, [tuple(row) for row in connection.exec_driver_sql(query)])

    return database.run(engine, f"reading {table}", work)


def delete_earlier(connection: Connection, table: str, origins: Sequence[str], run_id: str) -> int:
    """Delete the rows that earlier runs loaded from these files, and return how many they were.

    `origins` are values of the lineage column `_source`.
    """
    delete = DELETE_EARLIER.replace("{table}", database.quote_table(table).replace(":", "\\:"))
    return connection.execute(text(delete), {"origins": list(origins), "run_id": run_id}).rowcount


def columns_of(connection: Connection, table: str) -> dict[str, str] | None:
    """The columns of `schema.table` with their types, None when there is no such table."""
    schema, name = table.split(".", 1)
    key = {"schema": schema, "name": name}
    kind = connection.execute(text(KIND), key).scalar_one_or_none()
    if kind is None:
        return None
    if kind not in ("r", "p"):
        raise TargetError(f"{table} is not a table", fix="Name a table in target.table.")
    return {str(column): str(kind) for column, kind in connection.execute(text(COLUMNS), key)}


def _create(
    connection: Connection, table: str, columns: Sequence[TableColumn], key: Sequence[str]
) -> list[str]:
    if not columns:
        return []
    schema = table.split(".", 1)[0]
    done = [f"created schema {schema}"] if database.create_schema(connection, schema) else []
    parts = [f"{database.quote(c.name)} {c.sql_type}" for c in columns]
    if key:
        parts.append(f"primary key ({', '.join(map(database.quote, key))})")
    connection.exec_driver_sql(f"create table {database.quote_table(table)} ({', '.join(parts)})")
    return [*done, f"created table {table}"]


def _require_unique(connection: Connection, table: str, key: Sequence[str]) -> None:
    wanted = {"table": database.quote_table(table), "key": list(key)}
    if connection.execute(text(UNIQUE), wanted).first() is None:
        names = ", ".join(map(database.quote, key))
        raise TargetError(
            f"{table} has no unique index on ({', '.join(key)}), which mode merge needs",
            fix="Make one: CREATE UNIQUE INDEX ON "
            f"{database.quote_table(table)} ({names}); or correct target.primary_key.",
        )


def _retype(
    connection: Connection,
    table: str,
    misfits: Sequence[TableColumn],
    existing: dict[str, str],
    *,
    evolve: bool,
) -> list[str]:
    """Give columns a type that takes the data too, if each of them has one."""
    if not misfits:
        return []
    named = {"table": database.quote_table(table)}
    ruled = set(connection.execute(text(DOMAINS), named).scalars())
    wanted = {c.name: wider(c.sql_type, existing[c.name], evolve=evolve) for c in misfits}
    if stuck := [c for c in misfits if c.name in ruled or not wanted[c.name]]:
        raise _conflict(table, stuck, existing)
    changes = ", ".join(
        f"alter {database.quote(name)} type {kind} using {database.quote(name)}::{kind}"
        for name, kind in wanted.items()
    )
    with database.patient(connection):
        connection.exec_driver_sql(f"alter table {database.quote_table(table)} {changes}")
    return [f"column {name}: {existing[name]} → {kind}" for name, kind in wanted.items()]


def _conflict(table: str, stuck: Sequence[TableColumn], existing: dict[str, str]) -> TargetError:
    misfits = [f"column {c.name} is {existing[c.name]}, the data is {c.sql_type}" for c in stuck]
    return TargetError(
        f"the types of {table} do not take the data: {'; '.join(misfits)}",
        fix="Declare these columns in schema.columns with the table's types, or change the "
        "table (ALTER TABLE … ALTER COLUMN … TYPE …), or set target.evolve: true to make them "
        "text, or load another table.",
    )


def _add(
    connection: Connection, table: str, missing: Sequence[TableColumn], *, widen: bool
) -> list[str]:
    if unwanted := [column.name for column in missing if not widen and not column.lineage]:
        raise TargetError(
            f"{table} lacks the columns: {', '.join(unwanted)}",
            fix="Add them to the table, or leave out strict_mode so that they are added.",
        )
    if missing:
        added = ", ".join(f"add {database.quote(c.name)} {c.sql_type}" for c in missing)
        connection.exec_driver_sql(f"alter table {database.quote_table(table)} {added}")
    return [f"added column {column.name}" for column in missing]
