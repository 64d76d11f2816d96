"""The one boundary where errors of the database and the network become TargetError."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pg8000
from sqlalchemy.exc import DBAPIError

from chalicelib.causes import chain, server_fields
from chalicelib.errors import TargetError

FIXES = {
    "08": "The connection was lost; run again.",
    "22001": "A value is too long for its column: widen the column, or limit it in schema.columns.",
    "22003": "A number is too large for its column: widen the column, or set min and max for it "
    "in schema.columns.",
    "22021": "The text is not valid UTF-8 or holds a NUL byte: correct the source.",
    "22": "A value does not fit its column: declare the column's type in schema.columns.",
    "23502": "The column takes no NULL: load it, make it `required`, or give it a default.",
    "23503": "Load the table it refers to first.",
    "23505": "The table has such a row already: the rows were loaded before by other means, or "
    "the source holds them twice.",
    "23514": "Say the same as the table's constraint in schema.columns, so that such rows are "
    "found before the load.",
    "25006": "The server only reads (a replica): set target.host to the primary.",
    "28P01": "Check target.user and target.password.",
    "28": "Check target.user, target.password and target.sslmode, and the server's pg_hba.conf.",
    "3D000": "Create the database, or correct target.database.",
    "40": "Another transaction was in the way; run again.",
    "42501": "Grant the right to target.user, or use another user.",
    "42P01": "Create the table, or correct target.table.",
    "53100": "The server's disk is full: make room there, then run again.",
    "53300": "The server has no free connection: close some, or raise max_connections.",
    "54011": "A PostgreSQL table holds at most 1600 columns: name the ones to keep in "
    "schema.columns with strict_mode.",
    "55P03": "Another session locks the table: wait for it or end it, then run again.",
    "57014": "A time limit of the server ended it: raise statement_timeout for target.user.",
    "57P03": "The server is starting or stopping; run again in a moment.",
    "57": "The server ended the connection; run again.",
}
"""SQLSTATE, or its class of two characters, to what a person can do about it."""

NETWORK_FIXES: tuple[tuple[type[BaseException], str], ...] = (
    (
        ssl.SSLCertVerificationError,
        "The server's certificate does not prove that it is target.host: use the name it was "
        "made for, and name its authority's file in sslrootcert if the system does not know it.",
    ),
    (ssl.SSLError, "Check target.sslmode."),
    (socket.gaierror, "No such host: correct target.host."),
    (
        TimeoutError,
        "Nobody answered: check target.host and target.port, firewalls and security groups; for "
        "a slow server raise ELT_DATABASE_TIMEOUT (seconds).",
    ),
    (ConnectionRefusedError, "Start PostgreSQL there, or correct target.host and target.port."),
    (FileNotFoundError, "Start PostgreSQL (`make run`), or correct the socket's folder."),
)
"""The first that matches is said, for failures without an answer from the server."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise TargetError in place of SQLAlchemy's, pg8000's and the network's errors.

    The original stays its `__cause__`. Nothing that was sent to the server is repeated but what
    the server itself quotes of it, so no password can be in the message.
    """
    try:
        yield
    except (DBAPIError, pg8000.Error, OSError) as error:
        raise _in_our_words(error, where) from error


def _in_our_words(error: BaseException, where: str) -> TargetError:
    if fields := server_fields(error):
        code = fields.get("C", "")
        fix = FIXES.get(code) or FIXES.get(code[:2], "")
        return TargetError(_said(fields), where=where, fix=fix)
    return TargetError(_network(error), where=where, fix=_network_fix(error))


def _said(fields: dict[str, str]) -> str:
    """`message (detail; hint; COPY orders, line 3, column amount: "x") [SQLSTATE 22P02]`."""
    more = [fields[key].rstrip(".").replace("\n", "; ") for key in "DHW" if fields.get(key)]
    details = f" ({'; '.join(more)})" if more else ""
    return f"PostgreSQL says: {fields.get('M')}{details} [SQLSTATE {fields.get('C')}]"


def _network(error: BaseException) -> str:
    innermost = list(chain(error))[-1]
    notes = "".join(f" ({note})" for note in getattr(innermost, "__notes__", ()))
    return f"no connection to PostgreSQL{notes}: {str(innermost).rstrip('.')}"


def _network_fix(error: BaseException) -> str:
    errors = list(chain(error))
    for kind, fix in NETWORK_FIXES:
        if any(isinstance(one, kind) for one in errors):
            return fix
    if "refuses SSL" in str(errors[-1]):
        return "The server has no TLS: set sslmode: disable, if the network can be trusted."
    return "The connection was lost; run again."
