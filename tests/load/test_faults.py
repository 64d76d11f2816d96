"""Connections that break in mid-load, lost answers, silent networks: the rows are there once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from chalicelib.config.model.target import Target
from chalicelib.database import connect
from chalicelib.errors import TargetError
from chalicelib.load import Harvest, Part, load, take
from chalicelib.reports import CheckResult
from tests.faults.harness import Proxy
from tests.load.conftest import TABLE

ROWS = 200_000


@pytest.fixture(params=["append", "replace", "merge"])
def mode(request):
    """Each fault in each mode of loading."""
    return request.param


@pytest.fixture(autouse=True)
def table(query):
    query(f"create table {TABLE} (id bigint primary key, note text)")
    query("create table public.seen (run text, rows bigint)")


@pytest.fixture
def proxy(database, engine) -> Iterator[Proxy]:
    proxy = Proxy(Path(str(make_url(database).query["host"])) / ".s.PGSQL.5432")
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
def far(database, proxy, monkeypatch):
    """An engine whose connections go through the proxy."""
    url = make_url(database)
    at_proxy = f"postgresql://{url.username}@127.0.0.1:{proxy.port}/{url.database}"
    monkeypatch.setenv("ELT_TARGET_URL", at_proxy)
    return connect(Target(table=TABLE))


def many_rows() -> Iterator[bytes]:
    for first in range(0, ROWS, 20_000):
        yield b"".join(b"%d,note\n" % number for number in range(first, first + 20_000))


def transformed(connection: Connection) -> list[CheckResult]:
    """What a transform and a check do: write, and give a result."""
    connection.exec_driver_sql(f"insert into seen select 'run', count(*) from {TABLE}")
    return [CheckResult("all there", passed=True)]


def load_many(engine, mode, rows=many_rows):
    part = Part("run", 0, TABLE, mode, ("id",))
    columns, harvest = ["id", "note"], lambda: Harvest(ROWS)
    return load(engine, take(engine, TABLE), part, columns, rows, harvest, then=transformed)


def counted(query):
    """Rows, runs in the ledger, and rows that the transform wrote."""
    statements = (TABLE, "elt.loads", "public.seen")
    return tuple(query(f"select count(*) from {table}")[0][0] for table in statements)


def test_a_backend_that_is_terminated_in_mid_copy_costs_one_attempt(engine, query, mode):
    killed = []

    def rows() -> Iterator[bytes]:
        for chunk in many_rows():
            yield chunk
            if not killed:
                killed.append(query("select pg_terminate_backend(backend_pid) from elt.fence"))

    result = load_many(engine, mode, rows)
    assert killed == [[(True,)]]
    assert result.attempts == 2
    assert counted(query) == (ROWS, 1, 1)


def test_a_backend_that_is_always_terminated_ends_in_a_clear_error(engine, query, mode):
    def rows() -> Iterator[bytes]:
        for chunk in many_rows():
            yield chunk
            query("select pg_terminate_backend(backend_pid) from elt.fence")

    with pytest.raises(TargetError, match=r"loading public\.orders: no connection"):
        load_many(engine, mode, rows)
    assert counted(query) == (0, 0, 0)


def test_a_commit_whose_answer_is_lost_is_found_in_the_ledger(far, proxy, query, mode):
    proxy.fault = "lose_commit"
    result = load_many(far, mode)
    assert proxy.provoked
    assert (result.attempts, result.already_loaded, result.inserted) == (2, False, ROWS)
    assert result.checks == (CheckResult("all there", passed=True),)
    assert counted(query) == (ROWS, 1, 1)


@pytest.mark.parametrize("mode", ["merge"], indirect=True)
def test_a_merge_whose_answer_is_lost_is_not_done_over_newer_rows(far, proxy, query, mode):
    """All rows are updates: a second merge would put them over what somebody wrote since."""
    query(f"insert into {TABLE} select n, 'old' from generate_series(0, {ROWS - 1}) n")
    proxy.fault = "lose_commit"
    result = load_many(far, mode)
    assert proxy.provoked
    assert (result.inserted, result.updated, result.attempts) == (0, ROWS, 2)
    assert counted(query) == (ROWS, 1, 1)


def test_a_backend_that_is_terminated_in_a_transform_costs_one_attempt(engine, query, mode):
    killed = []

    def then(connection: Connection) -> list[CheckResult]:
        checks = transformed(connection)
        if not killed:
            killed.append(query("select pg_terminate_backend(backend_pid) from elt.fence"))
        return checks

    part = Part("run", 0, TABLE, mode, ("id",))
    columns, harvest = ["id", "note"], lambda: Harvest(ROWS)
    result = load(engine, take(engine, TABLE), part, columns, many_rows, harvest, then=then)
    assert (killed, result.attempts) == ([[(True,)]], 2)
    assert counted(query) == (ROWS, 1, 1)


def test_a_network_that_swallows_packets_is_given_up_and_the_rest_ended(
    far, proxy, query, mode, monkeypatch
):
    monkeypatch.setenv("ELT_DATABASE_TIMEOUT", "3")
    proxy.fault = "swallow"
    result = load_many(far, mode)
    assert proxy.provoked
    assert result.attempts == 2
    assert counted(query) == (ROWS, 1, 1)


KILLED_IN_MID_COPY = f"""
import os
import sys
from chalicelib.config.model.target import Target
from chalicelib.database import connect
from chalicelib.load import Part, load, take

def rows():
    yield b"".join(b"%d,a\\n" % number for number in range(100_000))
    os.kill(os.getpid(), 9)

engine = connect(Target(table="{TABLE}"))
part = Part("run", 0, "{TABLE}", sys.argv[1], ("id",))
load(engine, take(engine, "{TABLE}"), part, ["id", "note"], rows, None)
"""


def test_a_process_that_is_killed_in_mid_copy_leaves_nothing(engine, query, mode):
    killed = subprocess.run([sys.executable, "-c", KILLED_IN_MID_COPY, mode], check=False)
    assert killed.returncode == -9
    assert counted(query) == (0, 0, 0)
    assert load_many(engine, mode).attempts == 1
    assert counted(query) == (ROWS, 1, 1)
