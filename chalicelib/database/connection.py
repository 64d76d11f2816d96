"""A connection to PostgreSQL: its socket, its encryption, and how it is given up."""

from __future__ import annotations

import errno
import ipaddress
import re
import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pg8000
from sqlalchemy import Connection

from chalicelib import settings
from chalicelib.causes import chain
from chalicelib.config.model.target import Target
from chalicelib.errors import TargetError

CONNECT_TIMEOUT = 10.0
OLDEST_SERVER = 13

LONGEST_STATEMENT = 4 * 3600.0
KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}
"""Seconds of silence before the first probe, between two, and how many may stay unanswered."""


class _Connection(pg8000.Connection):  # type: ignore[misc]
    def has_unread(self) -> bool:
        """Whether the server said something unasked: between transactions that is its farewell."""
        poll = select.poll()
        poll.register(self._usock, select.POLLIN)
        return bool(poll.poll(0))

    def _send_message(self, code: bytes, data: bytes) -> None:
        """As pg8000 does it, but without copying the data twice."""
        try:
            self._sock.write(code + (len(data) + 4).to_bytes(4))
            self._sock.write(data)
        except OSError as error:
            raise pg8000.InterfaceError("network error") from error
        except (AttributeError, ValueError) as error:  # there is no socket, or it was closed
            raise pg8000.InterfaceError("connection is closed") from error

    def close(self) -> None:
        """Never wait for a server that is gone: the last words and the rollback are its own."""
        if self._usock is not None:
            self._usock.settimeout(0.2)
        with suppress(pg8000.Error, OSError):
            super().close()


def open_connection(target: Target, patience: float | None = None) -> _Connection:
    """Connect to a target that names its host. Raises what pg8000 and the network raise.

    `patience`: seconds of silence after which it is given up, in place of the usual ones.
    Raises TargetError for a server that is too old.
    """
    host = str(target.host)
    wire = _dial(host, target.port, patience or CONNECT_TIMEOUT)
    try:
        connection = _log_in(target, host, wire)
        refuse_old(connection.parameter_statuses["server_version"])
        connection._usock.settimeout(patience or settings.database_timeout())
    except BaseException:
        wire.close()
        raise
    return connection


def _log_in(target: Target, host: str, wire: socket.socket) -> _Connection:
    """Behind a proxy or a load balancer a server that is down hangs up: that is a refusal, too."""
    try:
        return _Connection(
            target.user,
            host=host,
            database=target.database,
            password=target.password.get_secret_value() if target.password else "",
            sock=wire,
            ssl_context=encryption(host, target.sslmode, target.sslrootcert),
            application_name="elt",
        )
    except (pg8000.InterfaceError, ConnectionError) as error:
        if _hung_up(error):
            raise _refusal(host, target.port) from error
        raise


def _hung_up(error: BaseException) -> bool:
    causes = list(chain(error))
    lost = isinstance(causes[0], ConnectionError) or str(causes[0]) == "network error"
    return lost and not any(isinstance(one, TimeoutError) for one in causes)


def _refusal(host: str, port: int) -> ConnectionRefusedError:
    closed = "the connection was closed before the server answered"
    refused = ConnectionRefusedError(errno.ECONNREFUSED, closed)
    refused.add_note(f"{host}:{port}")
    return refused


def _dial(host: str, port: int, patience: float) -> socket.socket:
    """A socket that gives up soon: whoever is there answers at once."""
    try:
        if host.startswith("/"):
            wire = _unix_socket(f"{host}/.s.PGSQL.{port}", patience)
        else:
            wire = socket.create_connection((host, port), patience)
            _keep_alive(wire)
    except ConnectionResetError as error:  # so soon that there was no connection yet
        raise _refusal(host, port) from error
    except OSError as error:
        error.add_note(f"{host}:{port}")
        raise
    return wire


@contextmanager
def patient(connection: Connection) -> Iterator[None]:
    """While the server works on one long statement nothing is heard of it, and nothing is wrong.

    Should it be gone, the kernel's keepalive finds out.
    """
    wire: Any = connection.connection.driver_connection
    wire._usock.settimeout(LONGEST_STATEMENT)
    try:
        yield
    finally:
        if wire._usock is not None:
            wire._usock.settimeout(settings.database_timeout())


def _keep_alive(wire: socket.socket) -> None:
    """Notice within two minutes of silence that nobody is at the other end any more."""
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if option := getattr(socket, name, None):  # not every system has them
            wire.setsockopt(socket.IPPROTO_TCP, option, value)


def _unix_socket(path: str, patience: float) -> socket.socket:
    wire = socket.socket(socket.AF_UNIX)
    wire.settimeout(patience)
    try:
        wire.connect(path)
    except OSError:
        wire.close()
        raise
    return wire


def encryption(
    host: str, sslmode: str | None, sslrootcert: str | None = None
) -> ssl.SSLContext | bool:
    """What pg8000 takes: False for none, True for encryption alone, or a context that verifies.

    Raises TargetError when the file of authorities, `sslrootcert`, cannot be read.
    """
    if sslmode == "verify-full":
        return _verifying(sslrootcert)
    if sslmode is None:
        return not _on_this_machine(host)
    return sslmode == "require"


def _verifying(sslrootcert: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=sslrootcert)
    except OSError as error:  # what is no certificate, too
        raise TargetError(
            f"the certificates cannot be read ({error.strerror or error})",
            where=f"sslrootcert {sslrootcert}",
            fix="Name a file that is there, with certificates in PEM.",
        ) from None


def _on_this_machine(host: str) -> bool:
    try:
        return host.startswith("/") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_old(version: str) -> None:
    """TargetError when the server, as in `15.4 (Debian)` or `18beta1`, is older than we support."""
    major = re.match(r"\d+", version)
    if major is None or int(major[0]) < OLDEST_SERVER:
        raise TargetError(
            f"the server is PostgreSQL {version}",
            where="target",
            fix=f"PostgreSQL {OLDEST_SERVER} or newer is needed.",
        )
