"""One attempt at a part: its rows and all that is recorded of them, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from chalicelib import database
from chalicelib.errors import TargetError
from chalicelib.load import ledger
from chalicelib.load.fence import Fence
from chalicelib.load.ledger import LoadRecord, Part
from chalicelib.load.merge import Merged, Stage
from chalicelib.load.table import delete_earlier
from chalicelib.reports import CheckResult, SourceReport, origin

T = TypeVar("T")

Then = Callable[[Connection], Sequence[CheckResult]]
"""What runs when the rows are in, before the commit: SQL of the user, and the checks."""


@dataclass(frozen=True)
class Harvest:
    """What the run gathered beside the rows, complete once the rows are exhausted.

    `rows` and `quarantined` were counted by the pipeline; COPY must count the same. `rejects` is
    a CSV file of `ledger.REJECT_COLUMNS` with a header. `allow_empty`: replace may leave an
    empty table.
    """

    rows: int
    reports: Sequence[SourceReport] = ()
    rejects: Path | None = None
    quarantined: int = 0
    allow_empty: bool = False


@dataclass(frozen=True)
class LoadResult(LoadRecord):
    """What became of a part. `already_loaded`: an earlier process of the same run had done it.

    `stale` are the first keys of replayed rows that were left out, as the table has them.
    """

    checks: tuple[CheckResult, ...] = ()
    stale: tuple[str, ...] = ()
    already_loaded: bool = False
    attempts: int = 1
    seconds: float = 0.0


class RunError(Exception):
    """Carries a failure of the run's own code past the judgement of what is transient."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure


@dataclass
class Attempt:
    """Called once or several times, until it returns. The rows are in the table once."""

    part: Part
    columns: Sequence[str]
    rows: Callable[[], Iterator[bytes]]
    harvest: Callable[[], Harvest]
    then: Then | None = None
    _done: LoadResult | None = None

    def __call__(self, engine: Engine, fence: Fence) -> LoadResult:
        """One transaction; none of its own when an earlier one is found to have committed."""
        with database.transaction(engine) as connection:
            fence.register(connection)
            if record := ledger.loaded(connection, self.part):
                return self._done or LoadResult(**vars(record), already_loaded=True)
            ledger.record_load(connection, self.part)
            result = self._fill(connection)
            ledger.finish_load(connection, self.part, result)
            if self.then and not result.kept:
                with database.patient(connection):
                    result = replace(result, checks=tuple(self.then(connection)))
                ledger.still_recorded(connection, self.part)
            fence.check(connection)
            self._done = result
        return result

    def _fill(self, connection: Connection) -> LoadResult:
        """Everything between the claim in the ledger and its completion."""
        chunks = _own(self.rows)
        first = next(chunks, None)
        kept, deleted = self._make_room(connection, empty=first is None)
        if self.part.replayed:
            ledger.close_rejects(connection, self.part)
        merged, stale = self._bring_in(connection, () if first is None else chain((first,), chunks))
        harvest = _ask(self.harvest)
        quarantined = _copy_rejects(connection, harvest)
        for report in () if kept else harvest.reports:
            deleted += self._delete_replaced(connection, report)
            ledger.record_source(connection, self.part, report)
        return LoadResult(
            **vars(merged), quarantined=quarantined, deleted=deleted, kept=kept, stale=stale
        )

    def _bring_in(
        self, connection: Connection, chunks: Iterable[bytes]
    ) -> tuple[Merged, tuple[str, ...]]:
        """COPY, and by way of a temporary table when rows are merged."""
        if not chunks or self.part.mode != "merge":
            table = database.quote_table(self.part.table)
            return Merged(self._copy(connection, table, self.columns, chunks)), ()
        stage = Stage(connection, self.part.table, self.columns, self.part.key)
        columns = [*self.columns, stage.reject] if self.part.replayed else self.columns
        copied = self._copy(connection, stage.table, columns, chunks)
        with database.patient(connection):
            stale = self._leave_out_stale(connection, stage) if self.part.replayed else ()
            return stage.merge(copied), stale

    def _leave_out_stale(self, connection: Connection, stage: Stage) -> tuple[str, ...]:
        return tuple(stage.leave_out_stale(ledger.runs_before(connection, self.part)))

    def _copy(
        self, connection: Connection, table: str, columns: Sequence[str], chunks: Iterable[bytes]
    ) -> int:
        copied = database.copy_csv(connection, table, columns, chunks) if chunks else 0
        _agree("rows", counted=copied, written=_ask(self.harvest).rows)
        return copied

    def _delete_replaced(self, connection: Connection, report: SourceReport) -> int:
        """Delete what earlier runs loaded of the files whose rows are there anew."""
        if not report.replaced:
            return 0
        origins = [origin(report.name, file) for file in report.replaced]
        with database.patient(connection):
            return delete_earlier(connection, self.part.table, origins, self.part.run_id)

    def _make_room(self, connection: Connection, *, empty: bool) -> tuple[bool, int]:
        """For replace, delete the old rows unless there are no new ones: (kept, deleted).

        DELETE, as TRUNCATE would make readers wait until COMMIT.
        """
        if self.part.mode != "replace":
            return False, 0
        if empty and not _ask(self.harvest).allow_empty:
            return True, 0
        table = database.quote_table(self.part.table)
        with database.patient(connection):
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
    raise RunError(failure)  # out here without a context, which may look transient
