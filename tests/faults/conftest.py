"""A shop to load, faults on its way, and the table that says what became of its rows."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chalicelib import auth, jobs
from chalicelib.secrets import user_store
from tests.faults.harness import SEED, Child, Proxy, Server, Service
from tests.pipelines import Pipeline

NUMBERS = count(1)
BAD = 1_000
"""One row of so many does not fit, and is quarantined."""


@dataclass(frozen=True)
class Line:
    """What one fault did to the rows."""

    fault: str
    times: int
    expected: int
    found: int
    duplicates: int
    state: str


LINES = pytest.StashKey[list[Line]]()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="elt-f-"))
    server = Server(folder / "pg")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


class Shop(Pipeline):
    """A pipeline into a database of the test's own, whose rows are counted."""

    read = 0

    def deliver(self, name: str, rows: int) -> None:
        """A file of so many more orders; the last of every thousand is broken."""
        lines = (
            f"{n if (n + 1) % BAD else 'x'},order {n}\n" for n in range(self.read, self.read + rows)
        )
        self.write(name, "id,name\n" + "".join(lines))
        self.read += rows

    @property
    def quarantined(self) -> int:
        return self.read // BAD

    @property
    def database(self) -> str:
        return self.url.rpartition("?")[0].rpartition("/")[2]

    @property
    def loadable(self) -> int:
        return self.read - self.quarantined

    def empty(self) -> None:
        """As before the first run, but for the tables."""
        self.query("truncate orders, elt.loads, elt.files, elt.rejects")

    def saved(self, name: str = "config.yaml") -> Path:
        """The configuration as a file."""
        path = self.folder / name
        path.write_text(self.text)
        return path

    @property
    def text(self) -> str:
        return json.dumps({"sources": [self.source], "target": self.target, "schema": self.schema})

    def count(self) -> tuple[int, int]:
        """Rows in the target, and how many of them are there more than once."""
        if self.query("select to_regclass('orders')") == [(None,)]:
            return 0, 0
        (row,) = self.query("select count(*), count(*) - count(distinct id) from orders")
        return row[0], row[1]

    def ledger(self) -> tuple[int, int]:
        """Rows loaded and quarantined, as the ledger has it."""
        (row,) = self.query("select sum(rows_inserted), sum(rows_quarantined) from elt.loads")
        return int(row[0] or 0), int(row[1] or 0)

    def rejects(self) -> int:
        kept_out = "select count(*) from elt.rejects where status = 'quarantined'"
        return int(self.query(kept_out)[0][0])


@pytest.fixture
def shop(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Its configuration names no host: the environment does."""
    name = f"shop_{next(NUMBERS)}"
    with server.admin() as admin:
        admin.run(f"create database {name}")
    monkeypatch.setenv("ELT_TARGET_URL", server.url(name))
    monkeypatch.setenv("ELT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    auth.forget()
    yield Shop(tmp_path, server.url(name))
    with server.admin() as admin:
        admin.run(f"drop database {name} with (force)")


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    yield
    while Child.born:
        Child.born.pop().kill()


@pytest.fixture
def proxy(server: Server, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The shop's way to its database."""
    proxy = Proxy(server.folder / ".s.PGSQL.5432")
    proxy.start()
    url = f"postgresql://postgres@127.0.0.1:{proxy.port}/{shop.database}"
    monkeypatch.setenv("ELT_TARGET_URL", url)
    yield proxy
    proxy.stop()


@pytest.fixture
def service(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Service]:
    """Once called, the service with the shop's configuration; no run is begun by itself."""
    monkeypatch.setattr(jobs, "launch", lambda _: None)
    return lambda: Service().upload(shop.text)


@pytest.fixture
def loader(server: Server, shop: Shop) -> Iterator[str]:
    """The target's user, who has the rights that the README lists, and a password: `first`."""
    rules = server.folder / "pg_hba.conf"
    before = rules.read_text()
    with server.admin(shop.database) as admin:
        admin.run("create role loader login password 'first'")
        admin.run(f"grant create on database {shop.database} to loader")
        admin.run("grant create on schema public to loader")
        rules.write_text(f"local all loader scram-sha-256\n{before}")
        admin.run("select pg_reload_conf(), pg_sleep(0.1)")
    shop.target |= {"host": str(server.folder), "user": "loader", "database": shop.database}
    user_store().put("warehouse", "first")
    shop.target["password"] = "${secret:warehouse}"
    yield "loader"
    rules.write_text(before)
    with server.admin(shop.database) as admin:
        admin.run("select pg_reload_conf(), pg_sleep(0.1)")
        admin.run("drop owned by loader cascade")
        admin.run("drop role loader")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB of its own, which `mount -o remount` makes larger."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be made here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Random moments, the same for the same seed and test."""
    return random.Random(f"{SEED} {request.node.name}")


class Proof:
    """The invariant: each row is in the target or in quarantine, once, and the ledger knows."""

    def __init__(self, shop: Shop, lines: list[Line]) -> None:
        self._shop = shop
        self._lines = lines
        self._expected = self._found = self._duplicates = 0

    def check(self, rows: int | None = None, rejects: int | None = None) -> None:
        """All rows that were delivered, or so many."""
        rows = self._shop.loadable if rows is None else rows
        rejects = self._shop.quarantined if rejects is None else rejects
        found, duplicates = self._shop.count()
        self._expected += rows
        self._found += found
        self._duplicates += duplicates
        assert (found, duplicates) == (rows, 0)
        assert self._shop.ledger() == (rows, rejects)
        assert self._shop.rejects() == rejects

    def __call__(self, fault: str, state: str, times: int = 1, **expected: int) -> None:
        """Write a line of the table: the sums of what was checked, or else of a check now.

        The state tells the truth when it is `succeeded` for rows that are there, and only then.
        """
        try:
            if not self._expected:
                self.check(**expected)
        finally:
            sums = self._expected, self._found, self._duplicates
            self._lines.append(Line(fault, times, *sums, state))
            self._expected = self._found = self._duplicates = 0
        assert (state == "succeeded") == (sums[1] > 0)


@pytest.fixture
def proof(shop: Shop, pytestconfig: pytest.Config) -> Proof:
    return Proof(shop, pytestconfig.stash.setdefault(LINES, []))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not (lines := config.stash.get(LINES, [])):
        return
    head = ("fault", "times", "expected", "found", "duplicates", "state")
    table = [head, *(tuple(str(value) for value in astuple(line)) for line in lines)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    terminalreporter.section(f"faults provoked (seed {SEED})")
    for fault, *numbers, state in table:
        cells = [value.rjust(width) for value, width in zip(numbers, widths[1:], strict=False)]
        terminalreporter.line("  ".join([fault.ljust(widths[0]), *cells, state]))
