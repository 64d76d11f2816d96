"""Rows in quarantine: kept beside what a run loads, read for a replay, purged when they are old."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from chalicelib import database, settings
from chalicelib.database import migrations
from chalicelib.errors import TargetError
from chalicelib.load.ledger import Part
from chalicelib.load.migrations import migrate
from chalicelib.load.statements import (
    CLEAR_REFUSED,
    CLEAR_REJECTS,
    CLOSE_REPLAYED,
    IN_QUARANTINE,
    NOT_LOADED,
    OPEN_REJECTS,
    OPEN_SOURCES,
    PURGE_REJECTS,
)

T = TypeVar("T")

REJECT_COLUMNS = (
    "run_id", "part", "table_name", "source", "file", "line",
    "column", "value", "reason", "problems", "row", "columns",
)  # fmt: skip
"""The fields of a reject in CSV for `copy_rejects`; the last three are JSON."""


@dataclass(frozen=True)
class StoredReject:
    """A row in quarantine, as it was extracted; `columns` if it could not be split into them."""

    id: int
    file: str
    line: int
    reason: str
    row: dict[str, str | None]
    columns: list[str] | None


def copy_rejects(connection: Connection, chunks: Iterable[bytes]) -> int:
    """COPY rejects, CSV rows of REJECT_COLUMNS, and return how many they are."""
    table = f"{database.ledger_schema()}.rejects"
    return database.copy_csv(connection, table, REJECT_COLUMNS, chunks)


def clear_refused(connection: Connection, part: Part) -> None:
    """Forget the rejects for which this run failed before it was resumed."""
    connection.execute(database.sql(CLEAR_REFUSED), vars(part))


def close_rejects(connection: Connection, part: Part) -> None:
    """Mark the rejects of a run as dealt with, in the transaction that loads their replay."""
    connection.execute(database.sql(CLOSE_REPLAYED), vars(part))


def sources_with_rejects(engine: Engine, run_id: str) -> list[str]:
    """The sources of which a run has rows in quarantine."""

    def read(connection: Connection) -> list[str]:
        return list(connection.execute(database.sql(OPEN_SOURCES), {"run_id": run_id}).scalars())

    return database.run(engine, f"reading the rejects of {run_id}", read)


def open_rejects(
    engine: Engine, run_id: str, source: str, after: int, limit: int
) -> list[StoredReject]:
    """A page of a source's rows in quarantine, in the order of their ids."""
    key = {"run_id": run_id, "source": source, "after": after, "limit": limit}

    def read(connection: Connection) -> list[StoredReject]:
        rows = connection.execute(database.sql(OPEN_REJECTS), key)
        return [StoredReject(**row._mapping) for row in rows]

    return database.run(engine, f"reading the rejects of {run_id}", read)


def purge_rejects(engine: Engine, table: str, days: int) -> int:
    """Forget the rejects of a table that are older than this many days; how many they were."""

    def purge(connection: Connection) -> int:
        key = {"table": table, "days": days}
        return connection.execute(database.sql(PURGE_REJECTS), key).rowcount

    return database.run(engine, f"purging old rejects of {table}", purge)


def in_quarantine(engine: Engine, run_id: str, ids: Sequence[int]) -> set[int]:
    """Those of the ids that are rejects of the run and still to be mended."""
    key = {"run_id": run_id, "ids": list(ids)}

    def read(connection: Connection) -> set[int]:
        return set(connection.execute(database.sql(IN_QUARANTINE), key).scalars())

    return read_rejects(engine, run_id, read) or set()


def read_rejects(engine: Engine, run_id: str, read: Callable[[Connection], T]) -> T | None:
    """What `read` finds, None in a database that nothing was ever loaded into."""
    where = f"reading the rejects of {run_id}"
    try:
        return database.run(engine, where, read)
    except TargetError as error:
        match database.server_fields(error).get("C"):
            case migrations.UNDEFINED_TABLE:
                return None
            case migrations.UNDEFINED_COLUMN:  # there was no run since this release
                migrate(engine)
                return database.run(engine, where, read)
        raise


def store_not_loaded(engine: Engine, part: Part, rejects: Path) -> int:
    """Store the rejects of a run that failed because of them, and return how many they are."""

    def store(connection: Connection) -> int:
        key = {"run_id": part.run_id, "number": part.number}
        connection.execute(database.sql(CLEAR_REJECTS), key)
        count = copy_rejects(connection, chunks_of(rejects))
        connection.execute(database.sql(NOT_LOADED), key)
        return count

    return database.run(engine, f"storing the rejects of {part.table}", store)


def chunks_of(file: Path) -> Iterator[bytes]:
    """The bytes of the file's rows, a bounded number at a time."""
    with file.open("rb") as stream:
        stream.readline()  # the header
        while chunk := stream.read(settings.BATCH_BYTES):
            yield chunk
