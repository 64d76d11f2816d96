"""The ledger: what was loaded, recorded in the very transaction that loads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from chalicelib import database, settings
from chalicelib.errors import TargetError
from chalicelib.load.statements import (
    CLOSE_SUPERSEDED,
    CURSOR,
    FILES,
    FINISH_LOAD,
    FORGET,
    LEFT_BEHIND,
    LOADED,
    LOADED_INTO,
    MOVE_CURSOR,
    RECORD_FILES,
    RECORD_LOAD,
    REPLACED_SINCE,
    RUNS_BEFORE,
)
from chalicelib.reports import Cursor, LoadedFile, SourceReport, SourceState


@dataclass(frozen=True)
class Part:
    """One transaction's share of a run; most runs are one part, number 0.

    `table` is `schema.table`; `mode` is append, replace or merge, by the columns of `key`.
    `lineage`: its rows name the run. `replayed` is the run whose rejects they were.
    """

    run_id: str
    number: int
    table: str
    mode: str
    key: tuple[str, ...] = ()
    lineage: bool = False
    replayed: str | None = None


@dataclass(frozen=True)
class LoadRecord:
    """What the ledger says of a part. `kept`: replace found no rows and left the old ones.

    Of merged rows those are `updated` that took the place of a row, and those `superseded` that
    a later one with the same key took the place of.
    """

    inserted: int = 0
    updated: int = 0
    superseded: int = 0
    quarantined: int = 0
    deleted: int = 0
    kept: bool = False

    @property
    def read(self) -> int:
        """All rows of the part, whatever became of them."""
        return self.inserted + self.updated + self.superseded + self.quarantined


def state(engine: Engine, table: str, source: str) -> SourceState:
    """The files of this source that are in the table, and how far its API was read."""
    key = {"table": table, "source": source}

    def read(connection: Connection) -> SourceState:
        files = connection.execute(database.sql(FILES), key)
        cursor = connection.execute(database.sql(CURSOR), key).one_or_none()
        return SourceState(
            files=tuple(LoadedFile(**row._mapping) for row in files),
            cursor=Cursor(cursor.value, frozenset(cursor.hashes)) if cursor else None,
        )

    return database.run(engine, f"reading what was loaded into {table}", read)


def left_behind(engine: Engine, table: str, sources: Sequence[str]) -> dict[str, str]:
    """By the hash of each file loaded under a name that is not among `sources`, that name."""

    def read(connection: Connection) -> dict[str, str]:
        key = {"table": table, "sources": list(sources)}
        return {
            row.sha256: row.source for row in connection.execute(database.sql(LEFT_BEHIND), key)
        }

    return database.run(engine, f"reading what was loaded into {table}", read)


def loaded(connection: Connection, part: Part) -> LoadRecord | None:
    """The record of this part if its transaction has committed."""
    key = {"run_id": part.run_id, "number": part.number}
    row = connection.execute(database.sql(LOADED), key).one_or_none()
    return LoadRecord(**row._mapping) if row else None


def recorded(engine: Engine, run_id: str, *, hurried: bool = False) -> LoadRecord | None:
    """What the ledger says of a run of one part; None when nothing of it was committed.

    `hurried`: ask but once, even where the failure may pass.
    """
    part, ask = Part(run_id, 0, "", ""), database.once if hurried else database.run
    return ask(
        engine, f"reading the ledger of {run_id}", lambda connection: loaded(connection, part)
    )


def record_load(connection: Connection, part: Part) -> None:
    """The first write of a load's transaction."""
    connection.execute(database.sql(RECORD_LOAD), vars(part))


def finish_load(connection: Connection, part: Part, record: LoadRecord) -> None:
    """Complete the record with what the load did. TargetError when there is none any more."""
    done = connection.execute(database.sql(FINISH_LOAD), {**vars(part), **vars(record)})
    if done.rowcount != 1:
        raise _lost(part)


def still_recorded(connection: Connection, part: Part) -> None:
    """TargetError when SQL of the user has removed what the ledger says of this load."""
    if not loaded(connection, part):
        raise _lost(part)


def _lost(part: Part) -> TargetError:
    return TargetError(
        "the ledger's row of this load is gone, without which it may be loaded twice; "
        "nothing was loaded",
        where=f"{settings.ledger_schema()}.loads",
        fix=f"Something in the load's transaction removed it, a transform or a trigger on "
        f"{part.table}: leave the tables of that schema alone.",
    )


def forget(connection: Connection, table: str) -> None:
    """Forget the files and cursors of a table whose rows were deleted."""
    for statement in FORGET:
        connection.execute(database.sql(statement), {"table": table})


def record_source(connection: Connection, part: Part, report: SourceReport) -> None:
    """Remember the files of one source and move its cursor."""
    shared = {"table": part.table, "source": report.name, "run_id": part.run_id}
    if report.loaded:
        files = [{**vars(file), "rows": report.file(file.name).rows} for file in report.loaded]
        connection.execute(database.sql(RECORD_FILES), {**shared, "files": json.dumps(files)})
        names = [file.name for file in report.loaded]
        connection.execute(database.sql(CLOSE_SUPERSEDED), {**shared, "names": names})
    if cursor := report.cursor:
        moved = {**shared, "value": cursor.value, "hashes": sorted(cursor.hashes)}
        connection.execute(database.sql(MOVE_CURSOR), moved)


def runs_before(connection: Connection, part: Part) -> list[str]:
    """The runs whose rows in the table are surely older than the rejects that are replayed."""
    if not part.lineage:
        return []
    return list(connection.execute(database.sql(RUNS_BEFORE), vars(part)).scalars())


def loaded_into(engine: Engine, run_id: str) -> str | None:
    """The table that the run loaded, `schema.table`; None when the ledger does not know it."""

    def read(connection: Connection) -> str | None:
        return connection.execute(database.sql(LOADED_INTO), {"run_id": run_id}).scalar()

    return database.run(engine, f"reading the ledger of {run_id}", read)


def replaced_since(engine: Engine, run_id: str) -> bool:
    """Whether a later run has put other rows in place of this one's."""

    def read(connection: Connection) -> bool:
        found = connection.execute(database.sql(REPLACED_SINCE), {"run_id": run_id})
        return bool(found.scalar_one())

    return database.run(engine, f"reading what became of {run_id}", read)
