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
from typing import Any, ClassVar

import pg8000.native

from chalicelib import jobs, uploads
from chalicelib.errors import EltError
from chalicelib.history import runs
from chalicelib.history.records import NewRun, Run
from dev.postgres import database_url, postgres

ROWS = int(os.environ.get("FAULTS_ROWS") or 60_000)
"""Rows of a run that is killed; the long form has 1,000,000."""

KILLS = int(os.environ.get("FAULTS_KILLS") or 2)
"""Random moments at which one is killed; the long form has 20, the longest 200."""

SEED = os.environ.get("FAULTS_SEED") or str(time.time_ns())
"""Printed with the table: the same seed chooses the same moments."""

PATIENCE = 60.0
ROOT = Path(__file__).resolve().parents[2]
IN_COPY = 100_000
"""Bytes of a COPY that are under way when a fault meets it."""

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
    """A port of 127.0.0.1 before a server's socket, that passes on what comes, or does not.

    Each fault meets one connection, once: `at_copy` is called in mid-COPY, before more is passed
    on; `reset` breaks the connection there; `swallow` passes nothing from there on, and breaks
    nothing; `lose_commit` breaks it in place of the answer to a COMMIT that follows COPY.
    `reset_after` bytes, of all connections, it is broken wherever that is. While it is `cut`, all
    connections are.
    """

    def __init__(self, target: Path) -> None:
        super().__init__(daemon=True)
        self.fault = ""
        self.cut = False
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
        with client, socket.socket(socket.AF_UNIX) as server:
            try:
                server.connect(str(self._target))
                self._pass_on(client, server)
            except OSError:
                _reset(client)  # as an address behind which nobody is

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        copied, copies, met = 0, False, False
        while True:
            for end in select.select([client, server], [], [])[0]:
                if not (data := end.recv(1 << 16)):
                    return
                copies = copies or (end is client and b" from stdin " in data)
                copied += len(data) if copies else 0
                in_copy = copied > IN_COPY and not met
                met = met or in_copy
                answer = data if copies and end is server else b""
                if self._breaks(in_copy=in_copy, answer=answer):
                    _reset(client)
                    return
                self.passed += len(data)
                (server if end is client else client).sendall(data)

    def _breaks(self, *, in_copy: bool, answer: bytes) -> bool:
        """Whether to break the connection now."""
        if self.cut:
            return self._provoke()
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

    born: ClassVar[list[subprocess.Popen[str]]] = []
    """All there were, so that none outlives the test that made it."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        self.born.append(self.process)
        self.said = ""

    def until(self, words: str) -> Child:
        """Once it has said so."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.said += line
            if words in line:
                return self
        raise AssertionError(f"it never said {words!r}, but {self.said}")

    def end(self, number: signal.Signals = signal.SIGKILL) -> Child:
        self.process.send_signal(number)
        return self.ended()

    @property
    def children(self) -> list[int]:
        """Processes that it has started."""
        started = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in started.read_text().split()]

    def ended(self) -> Child:
        """Once it has ended, by itself or not; `said` is all it has said."""
        answer, errors = self.process.communicate(timeout=600)
        self.answer, self.said = answer, self.said + errors
        return self


def run(config: Path, *more: str) -> Child:
    """`python -m chalicelib run`."""
    return Child("-m", "chalicelib", "run", "--verbose", "--json", "--config", str(config), *more)


class Service:
    """Runs as the service has them, each carried out by processes of its own."""

    def __init__(self) -> None:
        self.engine = jobs.service()

    def upload(self, text: str) -> Service:
        uploads.add(self.engine, text, "ann")
        return self

    def trigger(self, **given: Any) -> str:
        return jobs.trigger(self.engine, NewRun("api", "ann", **given)).id

    def lapse(self) -> None:
        """Time goes by until the leases of dead processes are over."""
        over = "update elt_service.runs set lease_until = now() where lease_until is not null"
        with self.engine.begin() as connection:
            connection.exec_driver_sql(over)

    def settle(self) -> None:
        self.lapse()
        jobs.settle(self.engine)

    def run(self, run_id: str) -> Run:
        return runs.get(self.engine, run_id)

    def state(self, run_id: str) -> str:
        return self.run(run_id).state


WORKER = """
import json, resource, sys
from chalicelib import log
from chalicelib.jobs import deadline, worker
log.configure(verbose=True)
worker.launch = lambda event: print(json.dumps(event))
deadline.INVOCATIONS = 3
event, seconds, spare = map(json.loads, sys.argv[1:])
if spare:
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (spare << 20),) * 2)
worker.handle(event, seconds)
"""
"""The job function; what it invokes, it prints, three times at most."""


def work(run_id: str, seconds: float | None = None, spare: int | None = None) -> Child:
    """An invocation of the job function that may take so many seconds, and MB of memory more."""
    return invoke({"run_id": run_id}, seconds, spare)


def invoke(event: dict[str, str], *limits: float | None) -> Child:
    seconds, spare = (*limits, None, None)[:2]
    return Child("-c", WORKER, *map(json.dumps, (event, seconds, spare)))
