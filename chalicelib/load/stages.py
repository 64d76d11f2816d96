"""The tables in which the rows of a run's parts wait: which there are, and how they go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from chalicelib import database, settings
from chalicelib.errors import TargetError
from chalicelib.load.table import columns_of

STAGED = """
    select part as number, rows_inserted as rows, rows_quarantined as quarantined
    from {elt}.loads where run_id = :run_id and staged order by part
"""

REPORTS = "select report::text from {elt}.loads where run_id = :run_id and staged order by part"

BYTES = """
    select coalesce(sum(pg_table_size(cast(name as regclass))), 0)
    from unnest(cast(:tables as text[])) as name
"""

EARLIER = """
    select run_id from {elt}.plans where table_name = :table and run_id <> :run_id
    union select run_id from {elt}.loads
    where table_name = :table and run_id <> :run_id and staged
"""
"""Runs of the table that were planned and never published."""

SOME = "select part from {elt}.loads where run_id = :run_id and staged order by part limit :most"

FORGET = (
    "delete from {elt}.rejects where run_id = :run_id and part = any(:numbers)",
    "delete from {elt}.loads where run_id = :run_id and staged and part = any(:numbers)",
)

CLEAR = (
    "delete from {elt}.loads where run_id = :run_id and staged",
    "delete from {elt}.plans where run_id = :run_id",
    "delete from {elt}.fence where run_id = :run_id and part_of is not null",
)
"""A run that is published, or given up, has no parts any more."""

AT_ONCE = 100
"""Tables that one transaction drops."""


@dataclass(frozen=True)
class StagedPart:
    """A part whose rows wait, as the ledger has counted them."""

    number: int
    rows: int
    quarantined: int


def staged(engine: Engine, run_id: str) -> list[StagedPart]:
    """The parts of a run whose rows wait to be published, in their order."""
    return database.run(
        engine, f"reading the ledger of {run_id}", lambda connection: _staged(connection, run_id)
    )


def reports(engine: Engine, run_id: str) -> list[str]:
    """What each of these parts has told, in JSON: large, and of interest to who publishes alone."""

    def read(connection: Connection) -> list[str]:
        return list(connection.execute(database.sql(REPORTS), {"run_id": run_id}).scalars())

    return database.run(engine, f"reading what the parts of {run_id} told", read)


def staged_bytes(engine: Engine, run_id: str) -> int:
    """Bytes of the tables in which the rows of a run wait."""

    def work(connection: Connection) -> int:
        tables = [quoted(run_id, part.number) for part in _staged(connection, run_id)]
        size = connection.execute(database.sql(BYTES), {"tables": tables}).scalar_one()
        return int(size)

    return database.run(engine, f"measuring what {run_id} has staged", work)


def staged_now(connection: Connection, run_id: str, expected: Sequence[int]) -> list[StagedPart]:
    """All parts of a run. TargetError when they are not those that are expected."""
    parts = _staged(connection, run_id)
    if [part.number for part in parts] != list(expected):
        raise TargetError(
            f"of {len(expected)} parts {len(parts)} are staged; nothing was published",
            where=run_id,
            fix="Resume the run.",
        )
    return parts


def would_round(engine: Engine, run_id: str, column: str, sql_type: str) -> bool:
    """Whether a column of text holds numbers that are others as numbers of this type."""
    name = database.quote(column)
    number = f"nullif({name}, '')::numeric"
    rounded = f"select from {{table}} where {number} <> {number}::{sql_type}::numeric"

    def look(connection: Connection) -> bool:
        for part in _staged(connection, run_id):
            if columns(connection, run_id, part.number).get(column) != "text":
                continue
            with database.patient(connection):
                exists = f"select exists ({rounded.format(table=quoted(run_id, part.number))})"
                if connection.exec_driver_sql(exists).scalar_one():
                    return True
        return False

    return database.run(engine, f"looking at {column} of {run_id}", look)


def give_up(engine: Engine, table: str, run_id: str) -> None:
    """Drop what earlier runs of the table have staged: this run reads all that anew."""

    def earlier(connection: Connection) -> list[str]:
        key = {"table": table, "run_id": run_id}
        return list(connection.execute(database.sql(EARLIER), key).scalars())

    for other in database.run(engine, f"looking for what is staged for {table}", earlier):
        discard(engine, other)


def discard(engine: Engine, run_id: str) -> None:
    """Drop what a run has staged, some of it at a time: each table takes locks."""

    def drop_some(connection: Connection) -> bool:
        return _drop_some(connection, run_id)

    while database.run(engine, f"giving up what {run_id} has staged", drop_some):
        pass


def quoted(run_id: str, number: int) -> str:
    """The table of a part, as SQL."""
    return database.quote_table(_name(run_id, number))


def columns(connection: Connection, run_id: str, number: int) -> dict[str, str]:
    """The columns of a part's table with their types."""
    return columns_of(connection, _name(run_id, number)) or {}


def clear(connection: Connection, run_id: str) -> None:
    """Forget the parts of a run that is published, or given up."""
    for statement in CLEAR:
        connection.execute(database.sql(statement), {"run_id": run_id})


def _name(run_id: str, number: int) -> str:
    return f"{settings.ledger_schema()}.stage_{run_id}_{number}"


def _drop_some(connection: Connection, run_id: str) -> bool:
    """Whether there may be more; with the last of it the plan goes."""
    key = {"run_id": run_id, "most": AT_ONCE}
    numbers = list(connection.execute(database.sql(SOME), key).scalars())
    for number in numbers:
        connection.exec_driver_sql(f"drop table if exists {quoted(run_id, number)}")
    for statement in FORGET:
        connection.execute(database.sql(statement), {"run_id": run_id, "numbers": numbers})
    if not numbers:
        clear(connection, run_id)
    return bool(numbers)


def _staged(connection: Connection, run_id: str) -> list[StagedPart]:
    rows = connection.execute(database.sql(STAGED), {"run_id": run_id})
    return [StagedPart(**row._mapping) for row in rows]
