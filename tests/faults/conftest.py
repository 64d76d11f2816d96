"""A shop to load, faults on its way, and the table that says what became of its rows."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chalicelib import auth
from tests.faults.harness import SEED, Proxy, Server
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
        (row,) = self.query("select count(*), count(*) - count(distinct id) from orders")
        return row[0], row[1]

    def ledger(self) -> tuple[int, int]:
        """Rows loaded and quarantined, as the ledger has it."""
        total = "coalesce(sum(rows_inserted), 0)::bigint, coalesce(sum(rows_quarantined), 0)::bigint"
        (row,) = self.query(f"select {total} from elt.loads")
        return row[0], row[1]

    def rejects(self) -> int:
        return int(self.query("select count(*) from elt.rejects where status = 'quarantined'")[0][0])


@pytest.fixture
def shop(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
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


@pytest.fixture
def proxy(server: Server, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The shop's way to its database."""
    proxy = Proxy(str(server.folder / ".s.PGSQL.5432"))
    proxy.start()
    database = shop.url.rpartition("?")[0].rpartition("/")[2]
    monkeypatch.setenv(
        "ELT_TARGET_URL", f"postgresql://postgres@127.0.0.1:{proxy.port}/{database}"
    )
    yield proxy
    proxy.stop()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Random moments, the same for the same seed and test."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def proof(shop: Shop, pytestconfig: pytest.Config) -> Callable[..., None]:
    """The invariant: each row is in the target or in quarantine, once, and the ledger knows."""

    def prove(fault: str, state: str, times: int = 1, **expected: int) -> None:
        rows = expected.get("rows", shop.read - shop.quarantined)
        rejects = expected.get("rejects", shop.quarantined)
        found, duplicates = shop.count()
        line = Line(fault, times, rows, found, duplicates, state)
        pytestconfig.stash.setdefault(LINES, []).append(line)
        assert (found, duplicates) == (rows, 0)
        assert (shop.ledger(), shop.rejects()) == ((rows, rejects), rejects)

    return prove


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
