"""One attempt at a part: its rows and all that is recorded of them, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from chalicelib import database
from chalicelib.errors import TargetError
from chalicelib.load import ledger
from chalicelib.load.fence import Fence
from chalicelib.load.ledger import LoadRecord, Part
from chalicelib.reports import CheckResult, SourceReport

T = TypeVar("T")

Then = Callable[[Connection], Sequence[CheckResult]]
"""What runs when the rows are in, before the commit: SQL of the user, and the checks."""


@dataclass(frozen=True)
class Harvest:
    """What the run gathered beside the rows, complete once the rows are exhausted.

    `rows` and `quarantined` were counted by the pipeline; COPY must count the same. `rejects` is
    a CSV file of `rejected.REJECT_COLUMNS` with a header. `allow_empty`: replace may leave an
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
    """Called once or several times, until it returns. What `fill` does is done once."""

    part: Part
    fill: Callable[[Connection], LoadResult]
    then: Then | None = None
    _done: LoadResult | None = None

    def __call__(self, engine: Engine, fence: Fence) -> LoadResult:
        """One transaction; none of its own when an earlier one is found to have committed."""
        with database.transaction(engine) as connection:
            fence.register(connection)
            if record := ledger.loaded(connection, self.part):
                return self._done or LoadResult(**vars(record), already_loaded=True)
            ledger.record_load(connection, self.part)
            result = self.fill(connection)
            ledger.finish_load(connection, self.part, result)
            if self.then and not result.kept:
                with database.patient(connection):
                    result = replace(result, checks=tuple(self.then(connection)))
                ledger.still_recorded(connection, self.part)
            fence.check(connection)
            self._done = result
        return result


def agree(what: str, *, counted: int, written: int) -> None:
    """TargetError when PostgreSQL has not what was sent."""
    if counted != written:
        raise TargetError(
            f"PostgreSQL counted {counted} {what}, {written} were sent; nothing was loaded",
            fix="Run again, and report it with the combined CSV if it stays.",
        )


def own(rows: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    """The chunks that hold something; a failure of their source is marked as such."""
    chunks = ask(rows)
    while (chunk := ask(lambda: next(chunks, None))) is not None:
        if chunk:
            yield chunk


def ask(question: Callable[[], T]) -> T:
    """What the run's own code answers. Raises RunError for whatever that raises."""
    try:
        return question()
    except Exception as error:
        failure = error
    raise RunError(failure)  # out here without a context, which may look transient
