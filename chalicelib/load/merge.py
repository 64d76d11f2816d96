"""Merge: rows that lie in another relation come into the target by their key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from chalicelib import database

CREATE = """
    create temporary table {incoming} on commit drop as select {columns} from {table} with no data;
    alter table {incoming} add {row} bigint generated always as identity, add {reject} bigint
"""
"""The types are the target's, so that its own equality decides what is one key. Rows of a replay
bring the id of the reject that they were."""

MERGE = """
    with written as (
        insert into {table} as present ({columns})
        select distinct on ({key}) {columns} from {incoming} order by {key}, {row} desc
        on conflict ({key}) do {conflict}
        returning {was_there} as updated
    )
    select count(*), count(*) filter (where updated) from written
"""
"""The last row of each key."""

WAS_THERE = "xmax <> 0"
"""A row that was updated carries who locked it; one that is new does not."""

PARTITIONED = "select relkind = 'p' from pg_class where oid = '{literal}'::regclass"

PRESENT = """
    select count(*) from (select distinct {key} from {incoming}) as incoming
    where exists (select from {table} as present where {same})
"""
"""How many keys are there. A partitioned table does not tell it of each row."""

STALE = """
    with stale as (
        delete from {incoming} as incoming using {table} as present
        where {same} and {newer} returning incoming.{reject}, concat_ws(', ', {texts}) as key
    ), open as (
        update {elt}.rejects set status = 'stale' where id in (select {reject} from stale)
    )
    select distinct key from stale order by 1 limit {limit}
"""

SHOWN = 10
"""Keys that a message names."""


@dataclass(frozen=True)
class Merged:
    """What became of the rows: inserted, in place of a row, or neither."""

    inserted: int
    updated: int = 0
    superseded: int = 0


class Merge:
    """Upserts into `schema.table` what lies in a relation: `incoming` is SQL for a `from`.

    It has the columns and one called `row`, which orders the rows.
    """

    def __init__(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        key: Sequence[str],
        incoming: str,
        row: str,
    ) -> None:
        quoted = [database.quote(name) for name in key]
        self._connection = connection
        self._columns = columns
        self._key = key
        self._names = {
            "incoming": incoming,
            "table": database.quote_table(table),
            "columns": ", ".join(map(database.quote, columns)),
            "key": ", ".join(quoted),
            "literal": database.quote_table(table).replace("'", "''"),
            "same": " and ".join(f"present.{name} = incoming.{name}" for name in quoted),
            "row": database.quote(row),
        }

    def merge(self, rows: int) -> Merged:
        """Upsert the `rows` that came: of several with one key the last one wins."""
        ((partitioned,),) = self._run(PARTITIONED)
        present = self._run(PRESENT)[0][0] if partitioned else 0
        was_there = "false" if partitioned else WAS_THERE
        conflict = f"update set {self._changes()}"
        ((written, updated),) = self._run(MERGE, conflict=conflict, was_there=was_there)
        updated += present
        return Merged(written - updated, updated, rows - written)

    def _changes(self) -> str:
        """All columns but the key; a key alone is set to itself, so that the row is counted."""
        others = [name for name in self._columns if name not in self._key] or self._key[:1]
        return ", ".join(f"{name} = excluded.{name}" for name in map(database.quote, others))

    def _run(self, statement: str, **names: str) -> list[tuple[Any, ...]]:
        result = self._connection.exec_driver_sql(statement.format(**self._names, **names))
        return [tuple(row) for row in result] if result.returns_rows else []


class Incoming(Merge):
    """A temporary table for the rows of one merge. It is gone with the transaction."""

    def __init__(
        self, connection: Connection, table: str, columns: Sequence[str], key: Sequence[str]
    ) -> None:
        self.table = "pg_temp.elt_incoming"
        self.reject = free_name("reject", columns)
        row = free_name("row", columns)
        super().__init__(connection, table, columns, key, self.table, row)
        self._names["reject"] = database.quote(self.reject)
        self._run(CREATE)

    def leave_out_stale(self, runs_before: Sequence[str]) -> list[str]:
        """Take out the rows whose keys are in the table, unless one of these runs wrote them there.

        Their rejects are marked as stale. Returns the first keys, as text.
        """
        texts = ", ".join(f"incoming.{database.quote(name)}::text" for name in self._key)
        older = f"present._run_id = any(array[{', '.join(map(_literal, runs_before))}])"
        newer = f"({older}) is not true" if runs_before else "true"
        found = self._run(
            STALE, elt=database.ledger_schema(), texts=texts, newer=newer, limit=str(SHOWN)
        )
        return [str(row[0]) for row in found]


def free_name(name: str, columns: Sequence[str]) -> str:
    """A name like this one that no column has."""
    while name in columns:
        name += "_"
    return name


def _literal(text: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted}'"
