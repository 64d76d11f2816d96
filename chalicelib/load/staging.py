"""Runs of several parts: each part's rows wait in a table of its own until all are published.

A part's table is made in the transaction that fills it and adds it to the ledger: one that fails
leaves nothing. The tables are logged, so that a run goes on after a crash of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from chalicelib import database, settings
from chalicelib.errors import TargetError
from chalicelib.load.attempt import Harvest, LoadResult, agree, ask
from chalicelib.load.copying import CsvRows, copy_rejects
from chalicelib.load.ledger import Part
from chalicelib.load.merge import Merge, Merged, free_name
from chalicelib.load.statements import CLEAR_REJECTS, NOT_LOADED
from chalicelib.load.table import TableColumn, columns_of
from chalicelib.load.types import is_text

STAGED = """
    select part as number, rows_inserted as rows, rows_quarantined as quarantined, report::text
    from {elt}.loads where run_id = :run_id and staged order by part
"""

BYTES = """
    select coalesce(sum(pg_table_size(cast(name as regclass))), 0)
    from unnest(cast(:tables as text[])) as name
"""

STAGE = """
    update {elt}.loads set staged = true, report = cast(:report as json)
    where run_id = :run_id and part = :number
"""

RELEASE = """
    update {elt}.rejects set status = 'quarantined'
    where run_id = :run_id and status = 'not_loaded'
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

ORDER_BITS = 40
"""Rows of a part are fewer than 2^40: its number above them makes one order of all rows."""


@dataclass(frozen=True)
class StagedPart:
    """A part whose rows wait. `report` is what its run said of it, in JSON."""

    number: int
    rows: int
    quarantined: int
    report: str


@dataclass(frozen=True)
class Aside:
    """Puts the rows of a part aside, in place of the target.

    `report` is asked for what is to be remembered of the part, when its rows are exhausted.
    """

    part: Part
    columns: Sequence[TableColumn]
    report: Callable[[], str]

    def fill(
        self, connection: Connection, rows: CsvRows, harvest: Callable[[], Harvest]
    ) -> LoadResult:
        """Everything of the part between its claim in the ledger and its end."""
        table = database.quote_table(table_of(self.part))
        connection.exec_driver_sql(f"create table {table} ({self._definition()})")
        copied = rows.copy(connection, table, [column.name for column in self.columns])
        key = {"run_id": self.part.run_id, "number": self.part.number}
        connection.execute(database.sql(CLEAR_REJECTS), key)
        quarantined = copy_rejects(connection, ask(harvest))
        connection.execute(database.sql(NOT_LOADED), key)
        connection.execute(database.sql(STAGE), {**key, "report": ask(self.report)})
        return LoadResult(copied, quarantined=quarantined)

    def _definition(self) -> str:
        """Merge needs to know which of two rows came last; its last column says so."""
        parts = [f"{database.quote(c.name)} {c.sql_type}" for c in self.columns]
        if self.part.mode == "merge":
            row = database.quote(_row_name(self.columns))
            parts.append(f"{row} bigint generated always as identity")
        return ", ".join(parts)


class StagedRows:
    """The rows of all parts of a run, on their way into the target."""

    def __init__(
        self, whole: Part, columns: Sequence[TableColumn], parts: Sequence[StagedPart]
    ) -> None:
        self._whole = whole
        self._columns = columns
        self._names = [column.name for column in columns]
        self._parts = parts
        self._rows = sum(part.rows for part in parts)

    def are_none(self) -> bool:
        """As the ledger has counted them."""
        return not self._rows

    def bring_in(self, connection: Connection) -> tuple[Merged, tuple[str, ...]]:
        """Insert, or merge, what the parts put aside; then their tables go."""
        with database.patient(connection):
            if self._whole.mode == "merge" and self._parts:
                merged = self._merge(connection)
            else:
                merged = Merged(sum(self._insert(connection, part) for part in self._parts))
        agree("rows", counted=merged.inserted + merged.updated + merged.superseded,
              written=self._rows)  # fmt: skip
        for part in self._parts:
            connection.exec_driver_sql(f"drop table {self._stage(part)}")
        return merged, ()

    def bring_rejects(self, connection: Connection, _: Harvest) -> int:
        """They are there; from now on they wait to be mended."""
        key = {"run_id": self._whole.run_id}
        released = connection.execute(database.sql(RELEASE), key).rowcount
        agree("rejects", counted=released, written=sum(p.quarantined for p in self._parts))
        _clear(connection, self._whole.run_id)
        return released

    def _insert(self, connection: Connection, part: StagedPart) -> int:
        names = ", ".join(map(database.quote, self._names))
        insert = (
            f"insert into {database.quote_table(self._whole.table)} ({names}) "
            f"select {self._values(self._there(connection, part))} from {self._stage(part)}"
        )
        return connection.exec_driver_sql(insert).rowcount if names else 0

    def _merge(self, connection: Connection) -> Merged:
        row = _row_name(self._columns)
        parts = " union all ".join(self._ordered(connection, part, row) for part in self._parts)
        return Merge(
            connection, self._whole.table, self._names, self._whole.key, f"({parts}) as parts", row
        ).merge(self._rows)

    def _ordered(self, connection: Connection, part: StagedPart, row: str) -> str:
        there = self._there(connection, part)
        number, _ = there.popitem()
        order = f"({part.number}::bigint << {ORDER_BITS}) + {database.quote(number)}"
        values = f"{self._values(there)}, {order} as {database.quote(row)}"
        return f"select {values} from {self._stage(part)}"

    def _there(self, connection: Connection, part: StagedPart) -> dict[str, str]:
        return columns_of(connection, self._name(part)) or {}

    def _values(self, there: Mapping[str, str]) -> str:
        """The columns of the target, from a table that may lack some, or have them as text."""
        return ", ".join(_value(column, there.get(column.name)) for column in self._columns)

    def _stage(self, part: StagedPart) -> str:
        return database.quote_table(self._name(part))

    def _name(self, part: StagedPart) -> str:
        return table_of(replace(self._whole, number=part.number))


def staged(engine: Engine, run_id: str) -> list[StagedPart]:
    """The parts of a run whose rows wait to be published, in their order."""
    return database.run(
        engine, f"reading the ledger of {run_id}", lambda connection: _staged(connection, run_id)
    )


def staged_bytes(engine: Engine, run_id: str) -> int:
    """Bytes of the tables in which the rows of a run wait."""

    def work(connection: Connection) -> int:
        tables = [
            database.quote_table(table_of(Part(run_id, part.number, "", "")))
            for part in _staged(connection, run_id)
        ]
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


def would_round(engine: Engine, whole: Part, column: str, sql_type: str) -> bool:
    """Whether a column of text holds numbers that are others as numbers of this type."""
    name = database.quote(column)
    number = f"nullif({name}, '')::numeric"
    rounded = f"select from {{table}} where {number} <> {number}::{sql_type}::numeric"

    def look(connection: Connection) -> bool:
        for part in _staged(connection, whole.run_id):
            table = table_of(replace(whole, number=part.number))
            if (columns_of(connection, table) or {}).get(column) != "text":
                continue
            with database.patient(connection):
                exists = f"select exists ({rounded.format(table=database.quote_table(table))})"
                if connection.exec_driver_sql(exists).scalar_one():
                    return True
        return False

    return database.run(engine, f"looking at {column} of {whole.table}", look)


def give_up(engine: Engine, table: str, run_id: str) -> None:
    """Drop what earlier runs of the table have staged: this run reads all that anew."""

    def earlier(connection: Connection) -> list[str]:
        key = {"table": table, "run_id": run_id}
        return list(connection.execute(database.sql(EARLIER), key).scalars())

    for other in database.run(engine, f"looking for what is staged for {table}", earlier):
        discard(engine, table, other)


def discard(engine: Engine, table: str, run_id: str) -> None:
    """Drop what a run of the table has staged, some of it at a time: each table takes locks."""
    whole = Part(run_id, 0, table, "")

    def drop_some(connection: Connection) -> bool:
        return _drop_some(connection, whole)

    while database.run(engine, f"giving up what {run_id} has staged", drop_some):
        pass


def table_of(part: Part) -> str:
    """`schema.table` in which the rows of a part wait."""
    return f"{settings.ledger_schema()}.stage_{part.run_id}_{part.number}"


def _drop_some(connection: Connection, whole: Part) -> bool:
    """Whether there may be more; with the last of it the plan goes."""
    key = {"run_id": whole.run_id, "most": AT_ONCE}
    numbers = list(connection.execute(database.sql(SOME), key).scalars())
    for number in numbers:
        table = database.quote_table(table_of(replace(whole, number=number)))
        connection.exec_driver_sql(f"drop table if exists {table}")
    for statement in FORGET:
        key = {"run_id": whole.run_id, "numbers": numbers}
        connection.execute(database.sql(statement), key)
    if not numbers:
        _clear(connection, whole.run_id)
    return bool(numbers)


def _clear(connection: Connection, run_id: str) -> None:
    for statement in CLEAR:
        connection.execute(database.sql(statement), {"run_id": run_id})


def _staged(connection: Connection, run_id: str) -> list[StagedPart]:
    rows = connection.execute(database.sql(STAGED), {"run_id": run_id})
    return [StagedPart(**row._mapping) for row in rows]


def _row_name(columns: Sequence[TableColumn]) -> str:
    return free_name("row", [column.name for column in columns])


def _value(column: TableColumn, stored: str | None) -> str:
    name = database.quote(column.name)
    if stored is None:
        return f"null::{column.sql_type} as {name}"
    if stored == "text" and not is_text(column.sql_type):
        return f"nullif({name}, '')::{column.sql_type} as {name}"
    return name
