"""What provokes a fault for real: a server to kill, a network to break, processes to end."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pg8000.native

from chalicelib.errors import EltError
from dev.postgres import database_url, postgres

ROWS = int(os.environ.get("FAULTS_ROWS") or 60_000)
"""Rows of a run that is killed; the long form has 1,000,000."""

KILLS = int(os.environ.get("FAULTS_KILLS") or 4)
"""Random moments at which one is killed; the long form has 20, the longest 200."""

SEED = os.environ.get("FAULTS_SEED") or str(time.time_ns())
"""Printed with the table: the same seed chooses the same moments."""

PATIENCE = 60.0
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: a close that throws away what is under way and sends RST."""


def wait_until(holds: Callable[[], object]) -> None:
    """Until it is true; a minute at most."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.01)


class Server:
    """A PostgreSQL of these tests alone, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running = ExitStack()
        self.start()

    def start(self) -> None:
        """Start; what a kill has left may be in the way for a moment."""

        def started() -> bool:
            with suppress(EltError):
                self._running.enter_context(postgres(self.folder))
                return True
            return False

        wait_until(started)

    def kill(self) -> None:
        """The postmaster gets SIGKILL; what it had started notices, and ends."""
        os.kill(int((self.folder / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def stop(self) -> None:
        self._running.close()

    def url(self, database: str) -> str:
        return database_url(self.folder, database)

    @contextmanager
    def admin(self, database: str = "postgres") -> Iterator[pg8000.native.Connection]:
        """A connection of the superuser, in autocommit."""
        socket_file = str(self.folder / ".s.PGSQL.5432")
        connection = pg8000.native.Connection("postgres", unix_sock=socket_file, database=database)
        try:
            yield connection
        finally:
            connection.close()


class Proxy(threading.Thread):
    """A port of 127.0.0.1 that passes on what comes, until a fault is armed.

    Each fault meets one connection, once: `at_copy` is called in mid-COPY, before more is passed
    on; `reset` breaks the connection there; `swallow` passes nothing from there on, and breaks
    nothing; `lose_commit` breaks it in place of the answer to COMMIT. `reset_after` bytes, of
    all connections, it is broken wherever that is.
    """

    def __init__(self, target: str | tuple[str, int]) -> None:
        super().__init__(daemon=True)
        self.fault = ""
        self.at_copy: Callable[[], object] | None = None
        self.reset_after: int | None = None
        self.passed = 0
        self.provoked = 0
        self._target = target
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def stop(self) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        unix = isinstance(self._target, str)
        with client, socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as server:
            try:
                server.connect(self._target)
                self._pass_on(client, server)
            except OSError:
                _reset(client)  # as an address behind which nobody is

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        copied = 0
        copies = False
        while True:
            for end in select.select([client, server], [], [])[0]:
                if not (data := end.recv(1 << 16)):
                    return
                copies = copies or (end is client and b'copy "public"' in data)
                copied += len(data) if copies else 0
                if self._breaks(in_copy=copied > 100_000, answer=data if end is server else b""):
                    _reset(client)
                    return
                self.passed += len(data)
                (server if end is client else client).sendall(data)

    def _breaks(self, *, in_copy: bool, answer: bytes) -> bool:
        """Whether to break the connection now."""
        if self.reset_after is not None and self.passed >= self.reset_after:
            self.reset_after = None
            return self._provoke()
        if in_copy and self.at_copy:
            act, self.at_copy = self.at_copy, None
            self._provoke()
            act()
        if in_copy and self.fault == "swallow" and self._provoke():
            self._over.wait(PATIENCE)
        if in_copy and self.fault == "reset":
            return self._provoke()
        return self.fault == "lose_commit" and b"COMMIT\0" in answer and self._provoke()

    def _provoke(self) -> bool:
        self.fault = ""
        self.provoked += 1
        return True


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


class Child:
    """A process of ours that works on a run, and can be ended in every way."""

    def __init__(self, *command: str, limit: Callable[[], None] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limit,  # noqa: PLW1509 - sets limits, no more
        )
        self.said = ""

    def begun(self) -> Child:
        """Once the run has begun."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.said += line
            if "run started" in line:
                return self
        raise AssertionError(f"the run did not begin: {self.said}")

    def end(self, number: signal.Signals = signal.SIGKILL) -> Child:
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> Child:
        """Once it has ended, by itself or not; `said` is all it has said."""
        answer, errors = self.process.communicate(timeout=600)
        self.answer, self.said = answer, self.said + errors
        return self


def run(config: Path, *, limit: Callable[[], None] | None = None) -> Child:
    """`python -m chalicelib run`."""
    command = ("-m", "chalicelib", "run", "--verbose", "--json", "--config", str(config))
    return Child(*command, limit=limit)


WORKER = """
import json, sys
from chalicelib import log
from chalicelib.jobs import launch, worker
log.configure(verbose=True)
worker.launch = lambda event: print(json.dumps(event))
worker.handle(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
"""
"""The job function; what it invokes, it prints."""


def work(event: dict[str, Any], seconds: float | None = None) -> Child:
    """An invocation of the job function that may take so many seconds."""
    return Child("-c", WORKER, json.dumps(event), json.dumps(seconds))
