"""Load: COPY the rows of a part into the target, in one transaction with the ledger.

An attempt ends what is left of the one before it, looks in the ledger whether that committed, and
only then loads: a lost answer, a killed connection or a restart loses no row and doubles none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from chalicelib import database
from chalicelib.errors import TargetError
from chalicelib.load import ledger
from chalicelib.load.fence import Fence, take
from chalicelib.load.ledger import (
    LoadRecord,
    Part,
    in_quarantine,
    left_behind,
    purge_rejects,
    recorded,
    rejects,
    replaced_since,
    state,
    store_not_loaded,
)
from chalicelib.load.migrations import migrate
from chalicelib.load.table import TableColumn, existing_columns, prepare, preview
from chalicelib.reports import SourceReport
from chalicelib.retry import load_retry

__all__ = [
    "Fence", "Harvest", "LoadResult", "Part", "TableColumn", "existing_columns", "in_quarantine",
    "left_behind", "load", "migrate", "prepare", "preview", "purge_rejects", "recorded",
    "rejects", "replaced_since", "state", "store_not_loaded", "take",
]  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True)
class Harvest:
    """What the run gathered beside the rows, complete once the rows are exhausted.

    `rows` and `quarantined` were counted by the pipeline; COPY must count the same. `rejects` is
    a CSV file of `ledger.REJECT_COLUMNS` with a header. `allow_empty`: replace may leave an
    empty table. `replayed` is the run whose rejects these rows were.
    """

    rows: int
    reports: Sequence[SourceReport] = ()
    rejects: Path | None = None
    quarantined: int = 0
    allow_empty: bool = False
    replayed: str | None = None


@dataclass(frozen=True)
class LoadResult(LoadRecord):
    """What became of a part. `already_loaded`: an earlier process of the same run had done it."""

    already_loaded: bool = False
    attempts: int = 1
    seconds: float = 0.0


class _RunError(Exception):
    """Carries a failure of the run's own code past the judgement of what is transient."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure


def load(
    engine: Engine,
    fence: Fence,
    part: Part,
    columns: Sequence[str],
    rows: Callable[[], Iterator[bytes]],
    harvest: Callable[[], Harvest],
) -> LoadResult:
    """Load a part exactly once, in up to three attempts.

    `rows()` gives the combined CSV (`database.COPY`) from its start, in chunks of about 1 MB, and
    may block while the file grows; `harvest()` is asked when they are exhausted. Whatever these
    two raise comes out as it is, with nothing loaded. Raises TargetError, and Superseded when a
    newer run has taken the fence.
    """
    started = time.monotonic()
    retrying = load_retry()
    attempt = _Attempt(part, columns, rows, harvest)
    try:
        with database.translated(f"loading {part.table}"):
            found, record = retrying(attempt, engine, fence)
    except _RunError as error:
        failure = error.failure
    else:
        attempts = retrying.statistics["attempt_number"]
        return LoadResult(
            **vars(record),
            already_loaded=found and attempts == 1,
            attempts=attempts,
            seconds=time.monotonic() - started,
        )
    raise failure


@dataclass(frozen=True)
class _Attempt:
    part: Part
    columns: Sequence[str]
    rows: Callable[[], Iterator[bytes]]
    harvest: Callable[[], Harvest]

    def __call__(self, engine: Engine, fence: Fence) -> tuple[bool, LoadRecord]:
        """One transaction: whether the part was found loaded, and its record."""
        with database.transaction(engine) as connection:
            fence.register(connection)
            if record := ledger.loaded(connection, self.part):
                return True, record
            ledger.record_load(connection, self.part)
            record = self._fill(connection)
            ledger.finish_load(connection, self.part, record)
            fence.check(connection)
            return False, record

    def _fill(self, connection: Connection) -> LoadRecord:
        """Everything between the claim in the ledger and its completion."""
        chunks = _own(self.rows)
        first = next(chunks, None)
        kept, deleted = self._make_room(connection, empty=first is None)
        table = database.quote_table(self.part.table)
        some = () if first is None else chain((first,), chunks)
        inserted = database.copy_csv(connection, table, self.columns, some) if some else 0
        harvest = _ask(self.harvest)
        _agree("rows", counted=inserted, written=harvest.rows)
        quarantined = _copy_rejects(connection, harvest)
        if harvest.replayed:
            ledger.close_rejects(connection, harvest.replayed)
        for report in () if kept else harvest.reports:
            ledger.record_source(connection, self.part, report)
        return LoadRecord(inserted, quarantined, deleted, kept)

    def _make_room(self, connection: Connection, *, empty: bool) -> tuple[bool, int]:
        """For replace, delete the old rows unless there are no new ones: (kept, deleted).

        DELETE, as TRUNCATE would make readers wait until COMMIT.
        """
        if self.part.mode != "replace":
            return False, 0
        if empty and not _ask(self.harvest).allow_empty:
            return True, 0
        table = database.quote_table(self.part.table)
        deleted = connection.exec_driver_sql(f"delete from {table}").rowcount
        ledger.forget(connection, self.part.table)
        return False, deleted


def _copy_rejects(connection: Connection, harvest: Harvest) -> int:
    quarantined = 0
    if file := harvest.rejects:
        chunks = _own(lambda: ledger.chunks_of(file))
        quarantined = ledger.copy_rejects(connection, chunks)
    _agree("rejects", counted=quarantined, written=harvest.quarantined)
    return quarantined


def _agree(what: str, *, counted: int, written: int) -> None:
    if counted != written:
        raise TargetError(
            f"PostgreSQL counted {counted} {what}, {written} were sent; nothing was loaded",
            fix="Run again, and report it with the combined CSV if it stays.",
        )


def _own(rows: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    """The chunks that hold something; a failure of their source is marked as such."""
    chunks = _ask(rows)
    while (chunk := _ask(lambda: next(chunks, None))) is not None:
        if chunk:
            yield chunk


def _ask(question: Callable[[], T]) -> T:
    try:
        return question()
    except Exception as error:
        failure = error
    raise _RunError(failure)  # out here without a context, which may look transient
