"""What one load does to the target, between its claim in the ledger and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from chalicelib import database
from chalicelib.load import ledger, rejected
from chalicelib.load.attempt import Harvest, LoadResult, ask
from chalicelib.load.ledger import Part
from chalicelib.load.merge import Merged
from chalicelib.load.table import delete_earlier
from chalicelib.reports import SourceReport, origin


class Rows(Protocol):
    """Rows on their way into the target, from wherever they are."""

    def are_none(self) -> bool:
        """Whether there is no row at all."""

    def bring_in(self, connection: Connection) -> tuple[Merged, tuple[str, ...]]:
        """Put them into the target: what became of them, and the first keys of stale ones."""

    def bring_rejects(self, connection: Connection, harvest: Harvest) -> int:
        """Put the rejects beside them, and return how many they are."""


def fill(
    connection: Connection, part: Part, rows: Rows, harvest: Callable[[], Harvest]
) -> LoadResult:
    """The rows into the target, and into the ledger what is to be known of them."""
    kept, deleted = _make_room(connection, part, harvest, empty=rows.are_none())
    if part.replayed:
        rejected.close_rejects(connection, part)
    merged, stale = rows.bring_in(connection)
    gathered = ask(harvest)
    rejected.clear_refused(connection, part)
    quarantined = rows.bring_rejects(connection, gathered)
    for report in () if kept else gathered.reports:
        deleted += _delete_replaced(connection, part, report)
        ledger.record_source(connection, part, report)
    return LoadResult(
        **vars(merged), quarantined=quarantined, deleted=deleted, kept=kept, stale=stale
    )


def _make_room(
    connection: Connection, part: Part, harvest: Callable[[], Harvest], *, empty: bool
) -> tuple[bool, int]:
    """For replace, delete the old rows unless there are no new ones: (kept, deleted).

    DELETE, as TRUNCATE would make readers wait until COMMIT.
    """
    if part.mode != "replace":
        return False, 0
    if empty and not ask(harvest).allow_empty:
        return True, 0
    table = database.quote_table(part.table)
    with database.patient(connection):
        deleted = connection.exec_driver_sql(f"delete from {table}").rowcount
    ledger.forget(connection, part.table)
    return False, deleted


def _delete_replaced(connection: Connection, part: Part, report: SourceReport) -> int:
    """Delete what earlier runs loaded of the files whose rows are there anew."""
    if not report.replaced:
        return 0
    origins = [origin(report.name, file) for file in report.replaced]
    with database.patient(connection):
        return delete_earlier(connection, part.table, origins, part.run_id)
