"""Runs of several parts: each part's rows wait in a table of its own until all are published.

A part's table is made in the transaction that fills it and adds it to the ledger: one that fails
leaves nothing. The tables are logged, so that a run goes on after a crash of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from chalicelib import database
from chalicelib.load import stages
from chalicelib.load.attempt import Harvest, LoadResult, agree, ask
from chalicelib.load.copying import CsvRows, copy_rejects
from chalicelib.load.ledger import Part
from chalicelib.load.merge import Merge, Merged, free_name
from chalicelib.load.stages import StagedPart
from chalicelib.load.statements import CLEAR_REJECTS, NOT_LOADED
from chalicelib.load.table import TableColumn
from chalicelib.load.types import is_text

STAGE = """
    update {elt}.loads set staged = true, report = cast(:report as json)
    where run_id = :run_id and part = :number
"""

RELEASE = """
    update {elt}.rejects set status = 'quarantined'
    where run_id = :run_id and status = 'not_loaded'
"""

ORDER_BITS = 40
"""Rows of a part are fewer than 2^40: its number above them makes one order of all rows."""


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
        table = stages.quoted(self.part.run_id, self.part.number)
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
        stages.clear(connection, self._whole.run_id)
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
        return stages.columns(connection, self._whole.run_id, part.number)

    def _values(self, there: Mapping[str, str]) -> str:
        """The columns of the target, from a table that may lack some, or have them as text."""
        return ", ".join(_value(column, there.get(column.name)) for column in self._columns)

    def _stage(self, part: StagedPart) -> str:
        return stages.quoted(self._whole.run_id, part.number)


def _row_name(columns: Sequence[TableColumn]) -> str:
    return free_name("row", [column.name for column in columns])


def _value(column: TableColumn, stored: str | None) -> str:
    name = database.quote(column.name)
    if stored is None:
        return f"null::{column.sql_type} as {name}"
    if stored == "text" and not is_text(column.sql_type):
        return f"nullif({name}, '')::{column.sql_type} as {name}"
    return name
