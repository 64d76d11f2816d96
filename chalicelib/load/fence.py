"""The fence: of all runs that load a table, only the newest can commit.

A run takes the next token of the table, which ends the backend of the run before it, and notes
the backend that it loads with; as the last act before COMMIT it looks whether the token is still
the newest. This holds for runs that are dead, frozen, or on a network that swallows packets.

Each part of a run of several has a fence of its own as well: of all attempts at the part, only
the newest can commit, and only while the run has the table.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from chalicelib import database
from chalicelib.errors import Superseded, TargetError
from chalicelib.load.ledger import Part

PATIENCE = 10.0
"""Seconds that an ended backend gets to be gone."""

END_HOLDER = """
    select pg_terminate_backend(backend.pid)
    from {elt}.fence mine
    join {elt}.fence held
      on held.table_name = mine.table_name or held.part_of = mine.table_name
    join pg_stat_activity backend
      on backend.pid = held.backend_pid and backend.backend_start = held.backend_start
    where mine.table_name = :table and mine.token = :token
"""
"""End the backends noted for the table and for parts of runs of it. No row: they are
gone, or the token is no longer this one, and they are those of a newer run."""

NEWEST = "select coalesce(max(token), 0) from {elt}.fence where table_name = :table"
"""The newest token, 0 for a table that was never loaded."""

TAKE = """
    insert into {elt}.fence (table_name, token, run_id, part_of)
    values (:table, 1, :run_id, :part_of)
    on conflict (table_name) do update set token = fence.token + 1, run_id = excluded.run_id
    returning token
"""
"""The next token. The backend of the run before stays noted, so that it can be ended."""

HELD_BY_RUN = "select token from {elt}.fence where table_name = :table and run_id = :run_id"
"""The newest token if it is this run's."""

STILL_HELD = HELD_BY_RUN + " for share"
"""The same, and nobody takes the table over before COMMIT; parts of the run do not wait for it."""

WITHDRAW = """
    update {elt}.fence set token = token + 1, run_id = null
    where table_name = :table and run_id = :run_id
    returning token
"""
"""Make the token of this run an old one. No row: a newer run has taken the next token."""

BACKEND = "select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()"
"""Who a connection is to the server."""

REGISTER = """
    update {elt}.fence set backend_pid = :pid, backend_start = :start
    where table_name = :table and token = :token
"""
"""Note the backend that loads. No row: a newer run has taken the next token."""

LET_GO = """
    update {elt}.fence set backend_pid = null, backend_start = null
    where table_name = :table and token = :token
"""
"""Lock the token, which nobody can change from here to COMMIT; then the backend holds nothing, and
may serve somebody else behind a pooler. No row: a newer run has taken the next token."""


@dataclass(frozen=True)
class Fence:
    """The right to commit to a table, until a newer run takes it."""

    engine: Engine
    table: str
    token: int

    def register(self, connection: Connection) -> None:
        """Note the backend of this connection's open transaction as the one that loads.

        It is noted through another connection, so that a successor sees it at once. An earlier
        attempt of this run is ended first: afterwards the ledger says whether it committed.
        Raises Superseded.
        """
        self.end_holder()
        pid, start = connection.execute(database.sql(BACKEND)).one()
        noted = {"pid": pid, "start": start, "table": self.table, "token": self.token}
        with database.transaction(self.engine) as other:
            if not other.execute(database.sql(REGISTER), noted).rowcount:
                raise self.superseded()

    def check(self, connection: Connection) -> None:
        """The last act before COMMIT. Raises Superseded."""
        held = {"table": self.table, "token": self.token}
        if not connection.execute(database.sql(LET_GO), held).rowcount:
            raise self.superseded()

    def end_holder(self) -> None:
        """End the backend that is noted under this token and wait until it is gone."""
        deadline = time.monotonic() + PATIENCE
        while self._terminate():
            if time.monotonic() > deadline:
                raise TargetError(
                    "the connection of an earlier run cannot be ended",
                    where=self.table,
                    fix="End it on the server (pg_stat_activity, application_name elt).",
                )
            time.sleep(0.02)

    def _terminate(self) -> bool:
        held = {"table": self.table, "token": self.token}
        with database.transaction(self.engine) as connection:
            return connection.execute(database.sql(END_HOLDER), held).first() is not None

    def superseded(self) -> Superseded:
        """The failure of a run whose token is an old one."""
        return Superseded(
            "a newer run has taken over the table; this one loads nothing more",
            where=self.table,
            fix="The newer run decides what is in the table.",
        )


@dataclass(frozen=True)
class PartFence(Fence):
    """The right to put a part aside, until a newer attempt takes it or the run loses its table."""

    run_id: str
    run_table: str

    def check(self, connection: Connection) -> None:
        """The last acts before COMMIT. Raises Superseded."""
        key = {"table": self.run_table, "run_id": self.run_id}
        if connection.execute(database.sql(STILL_HELD), key).first() is None:
            raise self.superseded()
        super().check(connection)


def take(engine: Engine, table: str, run_id: str | None = None) -> Fence:
    """The next token of `schema.table` for this run; the run before it loses its connection.

    Raises TargetError when that connection cannot be ended.
    """

    def attempt() -> Fence:
        return _move(engine, table, run_id, NEWEST, TAKE) or Fence(engine, table, 0)

    return database.retried(f"taking over {table}", attempt)


def take_part(engine: Engine, part: Part) -> PartFence:
    """The next token of a part of a run; an earlier attempt at it loses its connection.

    Raises Superseded when the run has lost its table.
    """
    key = f"{part.table} {part.run_id}/{part.number}"

    def attempt() -> Fence:
        token = _move(engine, key, part.run_id, NEWEST, TAKE, part_of=part.table)
        return token or Fence(engine, key, 0)

    held(engine, part.table, part.run_id)
    token = database.retried(f"taking over part {part.number} of {part.run_id}", attempt).token
    return PartFence(engine, key, token, part.run_id, part.table)


def held(engine: Engine, table: str, run_id: str) -> Fence:
    """The token that the run has taken of the table. Raises Superseded when it is an old one."""

    def read(connection: Connection) -> int | None:
        key = {"table": table, "run_id": run_id}
        return connection.execute(database.sql(HELD_BY_RUN), key).scalar()

    token = database.run(engine, f"reading who loads {table}", read)
    fence = Fence(engine, table, token or 0)
    if token is None:
        raise fence.superseded()
    return fence


def withdraw(engine: Engine, table: str, run_id: str) -> None:
    """End the connection of this run, which commits nothing from here on.

    Nothing happens when the table is another run's by now. Tried once. Raises TargetError.
    """
    with database.translated(f"ending the run {run_id}"):
        _move(engine, table, run_id, HELD_BY_RUN, WITHDRAW)


def _move(
    engine: Engine, table: str, run_id: str | None, *statements: str, part_of: str | None = None
) -> Fence | None:
    """The token that the last statement tells; None when a statement tells of none."""
    # A run that froze after its check holds the row until it is ended; one that notes its
    # backend just before the token moves is found the second time.
    fence = None
    for statement in statements:
        key = {"table": table, "run_id": run_id, "part_of": part_of}
        with database.transaction(engine) as connection:
            token = connection.execute(database.sql(statement), key).scalar()
        if token is None:
            return None
        fence = Fence(engine, table, int(token))
        fence.end_holder()
    return fence
