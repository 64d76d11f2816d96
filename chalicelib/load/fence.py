"""The fence: of all runs that load a table, only the newest can commit.

A run takes the next token of the table, which ends the backend of the run before it, and notes
the backend that it loads with; as the last act before COMMIT it looks whether the token is still
the newest. This holds for runs that are dead, frozen, or on a network that swallows packets.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from chalicelib import database
from chalicelib.errors import Superseded, TargetError

PATIENCE = 10.0
"""Seconds that an ended backend gets to be gone."""

END_HOLDER = """
    select pg_terminate_backend(backend.pid)
    from {elt}.fence
    join pg_stat_activity backend
      on backend.pid = backend_pid and backend.backend_start = fence.backend_start
    where table_name = :table and token = :token
"""
"""End the backend noted for the table. No row: it is gone, or the token is no longer this one."""

NEWEST = "select coalesce(max(token), 0) from {elt}.fence where table_name = :table"
"""The newest token, 0 for a table that was never loaded."""

TAKE = """
    insert into {elt}.fence (table_name, token) values (:table, 1)
    on conflict (table_name) do update set token = fence.token + 1
    returning token
"""
"""The next token. The backend of the run before stays noted, so that it can be ended."""

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
                raise self._superseded()

    def check(self, connection: Connection) -> None:
        """The last act before COMMIT. Raises Superseded."""
        held = {"table": self.table, "token": self.token}
        if not connection.execute(database.sql(LET_GO), held).rowcount:
            raise self._superseded()

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

    def _superseded(self) -> Superseded:
        return Superseded(
            "a newer run has taken over the table; this one loads nothing more",
            where=self.table,
            fix="The newer run decides what is in the table.",
        )


def take(engine: Engine, table: str) -> Fence:
    """The next token of `schema.table`; the run before it loses its connection.

    Raises TargetError when that connection cannot be ended.
    """
    return database.retried(f"taking over {table}", lambda: _take(engine, table))


def _take(engine: Engine, table: str) -> Fence:
    # A run that froze after its check holds the row until it is ended; one that notes its
    # backend just before the token moves is found the second time.
    Fence(engine, table, _token(engine, table, NEWEST)).end_holder()
    fence = Fence(engine, table, _token(engine, table, TAKE))
    fence.end_holder()
    return fence


def _token(engine: Engine, table: str, statement: str) -> int:
    with database.transaction(engine) as connection:
        return int(connection.execute(database.sql(statement), {"table": table}).scalar_one())
