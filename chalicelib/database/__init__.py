"""The target and the service database: transactions and the SQL that everything here shares.

Every transaction begins with the same `SET LOCAL`s: nothing depends on a session, so that
connection poolers may stand in between. A connection to the target serves one transaction; one to
the service database is kept for the next request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Engine,
    NullPool,
    QueuePool,
    TextClause,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import DisconnectionError

from chalicelib import settings
from chalicelib.causes import server_fields
from chalicelib.config.model.common import identifier
from chalicelib.config.model.target import Target
from chalicelib.database.address import address, service_address
from chalicelib.database.connection import open_connection, patient
from chalicelib.database.errors import translated
from chalicelib.errors import TargetError
from chalicelib.retry import load_retry

__all__ = [
    "clock", "connect", "connect_service", "copy_csv", "create_schema", "ledger_schema", "once",
    "patient", "quote", "quote_table", "retried", "run", "server_fields", "sql", "storable",
    "take_turns", "transaction", "translated",
]  # fmt: skip

BEGIN = """
    set transaction isolation level read committed;
    set local timezone to 'UTC';
    set local datestyle to 'ISO';
    set local standard_conforming_strings to on;
    set local lock_timeout to '10s'
"""
"""What a transaction relies on, whatever the role, the database or a pooler have set."""

KEPT = 240
"""Seconds for which a connection is kept: firewalls forget a silent one soon after, unannounced."""

COPY = "copy {table} ({columns}) from stdin (format csv, null '', encoding 'UTF8')"
"""CSV without a header; an unquoted empty field is NULL."""

NOW = "select now()::text"

NUL, VISIBLE_NUL = "\x00", "\u2400"
"""PostgreSQL has no place for NUL."""

T = TypeVar("T")


def connect(target: Target, patience: float | None = None) -> Engine:
    """An engine for this target, or for ELT_TARGET_URL when it names no host.

    It connects when it is first used. `patience`: seconds of silence after which a connection is
    given up, for those whom somebody waits for. Raises TargetError when neither says where the
    database is.
    """
    return _engine(address(target), patience, poolclass=NullPool)


def connect_service() -> Engine:
    """The engine for ELT_SERVICE_URL, or ELT_TARGET_URL without it; as `connect` otherwise.

    It is the same each time, and keeps one connection; threads that need more open their own.
    """
    return _kept(service_address())


@lru_cache(maxsize=1)
def _kept(known: Target) -> Engine:
    engine = _engine(
        known, None, poolclass=QueuePool, pool_size=1, max_overflow=-1, pool_recycle=KEPT
    )
    event.listen(engine, "checkout", _replace_dropped)
    return engine


def _replace_dropped(connection: Any, *_: object) -> None:
    """Let the pool connect anew when the server has restarted or closed the connection."""
    if connection.has_unread():
        raise DisconnectionError


def _engine(known: Target, patience: float | None, **pool: Any) -> Engine:
    engine = create_engine(
        "postgresql+pg8000://", creator=lambda: open_connection(known, patience), **pool
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(BEGIN))
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Commit at the end; after any failure close the connection, so that the server rolls back.

    A rollback is not asked for: in mid-COPY or on a silent network it would fail or hang.
    """
    with engine.connect() as connection:
        begun = connection.begin()
        try:
            yield connection
            begun.commit()
        except BaseException:
            connection.invalidate()
            raise


def run(engine: Engine, where: str, work: Callable[[Connection], T]) -> T:
    """`work` in a short transaction of its own, as `retried` does it."""

    def attempt() -> T:
        with transaction(engine) as connection:
            return work(connection)

    return retried(where, attempt)


def once(engine: Engine, where: str, work: Callable[[Connection], T]) -> T:
    """As `run`, but never again: for those who would rather go on without an answer."""
    with translated(where), transaction(engine) as connection:
        return work(connection)


def retried(where: str, attempt: Callable[[], T]) -> T:
    """The attempt, made again when it fails transiently: it must be harmless to repeat.

    A failure that remains is raised as TargetError.
    """
    with translated(where):
        return load_retry()(attempt)


def clock(engine: Engine) -> str:
    """The time by the server's clock, in words that it reads."""
    now = run(engine, "reading the clock", lambda c: c.exec_driver_sql(NOW).scalar_one())
    return str(now)


def sql(statement: str, schema: str | None = None) -> TextClause:
    """The statement with `{elt}` replaced by this schema, that of the ledger if none is given."""
    quoted = quote(schema) if schema else ledger_schema()
    return text(statement.replace("{elt}", quoted.replace(":", "\\:")))


def ledger_schema() -> str:
    """The quoted name of the schema that holds our own tables."""
    return quote(settings.ledger_schema())


def copy_csv(
    connection: Connection, table: str, columns: Sequence[str], chunks: Iterable[bytes]
) -> int:
    """COPY the chunks into a quoted table and return the number of rows the server counted."""
    names = ", ".join(quote(column) for column in columns)
    cursor: Any = connection.connection.cursor()  # `stream` is pg8000's own
    cursor.execute(COPY.format(table=table, columns=names), stream=chunks)
    return int(cursor.rowcount)


def create_schema(connection: Connection, schema: str) -> bool:
    """Make the schema if it is missing; a role that may not is fine when it is there."""
    exists = "select 1 from pg_namespace where nspname = :schema"
    if connection.execute(text(exists), {"schema": schema}).first() is not None:
        return False
    connection.exec_driver_sql(f"create schema {quote(schema)}")
    return True


def storable(text: str) -> str:
    """The text as it can lie in a table: NUL, or half a character, shows as such."""
    return text.encode("utf-8", "replace").decode().replace(NUL, VISIBLE_NUL)


def take_turns(connection: Connection, what: str) -> None:
    """Wait until no other transaction that does the same is open."""
    lock = "select pg_advisory_xact_lock(hashtextextended(:what, 0))"
    connection.execute(text(lock), {"what": f"elt {what}"})


def quote(name: str) -> str:
    """The name as SQL; TargetError for one that PostgreSQL would cut or cannot hold."""
    try:
        return '"' + identifier(name).replace('"', '""') + '"'
    except ValueError:
        raise TargetError(
            f"{name!r} cannot be the name of a table or column",
            fix="A name has 1 to 63 bytes of UTF-8; rename a column of a source with `from`.",
        ) from None


def quote_table(table: str) -> str:
    """`schema.table` as SQL."""
    return ".".join(quote(part) for part in table.split(".", 1))
