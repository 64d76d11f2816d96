"""A connection to PostgreSQL: its socket, its encryption, and how it is given up."""

from __future__ import annotations

import ipaddress
import re
import select
import socket
import ssl
from contextlib import suppress

import pg8000

from chalicelib import settings
from chalicelib.config.model.target import Target
from chalicelib.errors import TargetError

CONNECT_TIMEOUT = 10.0
OLDEST_SERVER = 13


class _Connection(pg8000.Connection):  # type: ignore[misc]
    def has_unread(self) -> bool:
        """Whether the server said something unasked: between transactions that is its farewell."""
        poll = select.poll()
        poll.register(self._usock, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Never wait for a server that is gone: the last words and the rollback are its own."""
        if self._usock is not None:
            self._usock.settimeout(0.2)
        with suppress(pg8000.Error, OSError):
            super().close()


def open_connection(target: Target) -> _Connection:
    """Connect to a target that names its host. Raises what pg8000 and the network raise.

    Raises TargetError for a server that is too old.
    """
    host = str(target.host)
    wire = _dial(host, target.port)
    try:
        connection = _Connection(
            target.user,
            host=host,
            database=target.database,
            password=target.password.get_secret_value() if target.password else "",
            sock=wire,
            ssl_context=encryption(host, target.sslmode),
            application_name="elt",
        )
        refuse_old(connection.parameter_statuses["server_version"])
        connection._usock.settimeout(settings.database_timeout())
    except BaseException:
        wire.close()
        raise
    return connection


def _dial(host: str, port: int) -> socket.socket:
    """A socket that gives up soon: whoever is there answers at once."""
    try:
        if host.startswith("/"):
            wire = _unix_socket(f"{host}/.s.PGSQL.{port}")
        else:
            wire = socket.create_connection((host, port), CONNECT_TIMEOUT)
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError as error:
        error.add_note(f"{host}:{port}")
        raise
    return wire


def _unix_socket(path: str) -> socket.socket:
    wire = socket.socket(socket.AF_UNIX)
    wire.settimeout(CONNECT_TIMEOUT)
    try:
        wire.connect(path)
    except OSError:
        wire.close()
        raise
    return wire


def encryption(host: str, sslmode: str | None) -> ssl.SSLContext | bool:
    """What pg8000 takes: False for none, True for encryption alone, or a context that verifies."""
    if sslmode == "verify-full":
        return ssl.create_default_context()
    if sslmode is None:
        return not _on_this_machine(host)
    return sslmode == "require"


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
