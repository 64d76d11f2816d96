"""SQL of the user in the transaction of the load, which it can neither end nor outlive.

The server sees each text through PL/pgSQL's EXECUTE, which refuses whatever controls transactions
(also among several statements, behind comments, or within a procedure) and whatever speaks to the
client. So what is not understood here cannot do harm there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from chalicelib import database
from chalicelib.config.sql import PLACEHOLDERS, statements
from chalicelib.errors import StatementError

HAND_OVER = "select set_config('elt.statement', :sql, true)"

EXECUTE = "do $$ begin execute current_setting('elt.statement'); end $$"

OPEN = """
    do $$
    declare found refcursor := 'elt_found';
    begin open found for execute current_setting('elt.statement'); end $$
"""
"""A cursor takes a single query, and nothing else."""

READ_ONLY = "savepoint elt_query; set local transaction_read_only to on"
WRITABLE = "rollback to savepoint elt_query; release savepoint elt_query"

TRANSACTION = "select pg_current_xact_id()::text"


@dataclass(frozen=True)
class Found:
    """What a query found: how many rows, and the first of them as `column=value, …`."""

    rows: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class Filled:
    """A statement that is ready to run; `line` is where it begins in what the user wrote."""

    where: str
    sql: str
    line: int


def filled(where: str, sql: str, table: str, run_id: str) -> list[Filled]:
    """The statements of a text of the configuration, with `{table}` and `{run_id}` in it."""
    literal = "'" + run_id.replace("'", "''") + "'"
    values = dict(zip(PLACEHOLDERS, (database.quote_table(table), literal), strict=True))
    return [Filled(where, one.filled(values), one.line) for one in statements(sql)]


def execute(connection: Connection, statement: Filled) -> None:
    """Run a statement. Raises StatementError when it fails, with where in the text that was."""
    with _same_transaction(connection, statement), _named(statement):
        connection.execute(database.sql(HAND_OVER), {"sql": statement.sql})
        connection.exec_driver_sql(EXECUTE)


def query(connection: Connection, statement: Filled, show: int) -> Found:
    """What a query finds, and `show` rows of it; it can change nothing. Raises StatementError."""
    with _same_transaction(connection, statement), _named(statement):
        connection.exec_driver_sql(READ_ONLY)
        connection.execute(database.sql(HAND_OVER), {"sql": statement.sql})
        connection.exec_driver_sql(OPEN)
        rows = connection.exec_driver_sql(f"fetch {show} from elt_found")
        first = [", ".join(f"{k}={v}" for k, v in row._mapping.items()) for row in rows]
        more = connection.exec_driver_sql("move forward all from elt_found").rowcount
        connection.exec_driver_sql(WRITABLE)
        return Found(len(first) + more, tuple(first))


@contextmanager
def _same_transaction(connection: Connection, statement: Filled) -> Iterator[None]:
    before = connection.exec_driver_sql(TRANSACTION).scalar_one()
    yield
    if connection.exec_driver_sql(TRANSACTION).scalar_one() != before:
        raise StatementError(
            "the statement ended the transaction of the load",
            where=_place(statement, statement.line),
            fix="Leave transaction control out of it.",
        )


@contextmanager
def _named(statement: Filled) -> Iterator[None]:
    """Say which statement it was that the server refused; a lost connection is none of its."""
    try:
        yield
    except DBAPIError as error:
        fields = database.server_fields(error)
        if not fields:
            raise
        details = "; ".join(fields[key].rstrip(".") for key in "DH" if fields.get(key))
        raise StatementError(
            f"PostgreSQL says: {fields.get('M')}{f' ({details})' if details else ''} "
            f"[SQLSTATE {fields.get('C')}]",
            where=_place(statement, _line(statement, fields)),
            fix="Nothing was loaded; correct the statement and run again.",
        ) from error


def _line(statement: Filled, fields: dict[str, str]) -> int:
    """Where the server points to, if that is in the statement itself; else where it begins."""
    if fields.get("q") != statement.sql or "p" not in fields:
        return statement.line
    return statement.line + statement.sql.count("\n", 0, int(fields["p"]) - 1)


def _place(statement: Filled, line: int) -> str:
    return f"{statement.where}, line {line} of its SQL"
