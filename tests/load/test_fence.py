"""Of all runs that load a table, only the newest commits; the others lose their connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from chalicelib.database import transaction
from chalicelib.errors import Superseded, TargetError
from chalicelib.load import Harvest, Part, load, take, withdraw
from tests.load.conftest import TABLE


@pytest.fixture(autouse=True)
def table(query):
    query(f"create table {TABLE} (id bigint)")


class Frozen:
    """A run whose process stops in mid-COPY, its connection open, until it is thawed."""

    def __init__(self, engine):
        self.in_copy = threading.Event()
        self.thaw = threading.Event()
        self._fence = take(engine, TABLE, "frozen")
        self._engine = engine

    def rows(self) -> Iterator[bytes]:
        yield b"1\n" * 100_000
        self.in_copy.set()
        self.thaw.wait(30)
        yield b"1\n"

    def load(self):
        part = Part("frozen", 0, TABLE, "append")
        harvest = lambda: Harvest(100_001)  # noqa: E731
        return load(self._engine, self._fence, part, ["id"], self.rows, harvest)


@pytest.fixture
def frozen(engine):
    return Frozen(engine)


@pytest.fixture
def running(frozen) -> Iterator[Future]:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(frozen.load)
        assert frozen.in_copy.wait(30)
        yield future
        frozen.thaw.set()


def backends(query):
    return query(
        "select pid from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid() and backend_type = 'client backend'"
    )


def test_tokens_count_up_for_each_table(engine):
    tokens = [take(engine, TABLE).token, take(engine, TABLE).token, take(engine, "public.a").token]
    assert tokens == [1, 2, 1]


def test_a_superseded_run_cannot_commit(engine):
    older = take(engine, TABLE)
    take(engine, TABLE)
    with transaction(engine) as connection, pytest.raises(Superseded):
        older.check(connection)


def test_a_superseded_run_does_not_even_begin(engine):
    older = take(engine, TABLE)
    take(engine, TABLE)
    with pytest.raises(Superseded), transaction(engine) as connection:
        older.register(connection)


def test_a_frozen_run_is_ended_and_its_rows_are_gone(running, frozen, engine, query):
    assert len(backends(query)) == 1
    take(engine, TABLE)
    assert backends(query) == []
    query(f"alter table {TABLE} add note text")  # nothing holds a lock any more
    frozen.thaw.set()
    with pytest.raises(Superseded, match="a newer run has taken over"):
        running.result(30)
    assert query(f"select * from {TABLE}") == []


def test_a_successor_loads_while_the_frozen_run_still_waits(running, engine, load_rows, query):
    load_rows([b"2\n"], run_id="successor", columns=["id"])
    assert query(f"select id from {TABLE}") == [(2,)]


def test_a_run_frozen_between_its_check_and_commit_does_not_hold_up_the_next(engine, query):
    fence = take(engine, TABLE)
    frozen = engine.connect()
    frozen.begin()
    fence.register(frozen)
    frozen.exec_driver_sql(f"insert into {TABLE} values (1)")
    fence.check(frozen)  # holds the row of the fence
    started = time.monotonic()
    take(engine, TABLE)
    assert time.monotonic() - started < 5
    with pytest.raises(Exception, match=r"network error|terminating connection"):
        frozen.commit()
    frozen.invalidate()
    frozen.close()
    assert query(f"select * from {TABLE}") == []


def test_a_backend_that_merely_has_the_same_pid_is_left_alone(engine, query):
    take(engine, TABLE)
    with transaction(engine) as bystander:
        pid = bystander.exec_driver_sql("select pg_backend_pid()").scalar_one()
        query(f"update elt.fence set backend_pid = {pid}, backend_start = now() - interval '1 day'")
        take(engine, TABLE)
        assert bystander.exec_driver_sql("select 1").scalar_one() == 1


def test_a_fence_that_somebody_locks_is_an_error_and_not_a_hang(engine, monkeypatch):
    take(engine, TABLE)
    monkeypatch.setattr("chalicelib.database.BEGIN", "set local lock_timeout to '100ms'")
    with transaction(engine) as stranger:
        stranger.exec_driver_sql("select * from elt.fence for update")
        with pytest.raises(TargetError, match="55P03"):
            take(engine, TABLE)


def test_a_run_that_is_ended_commits_nothing(running, frozen, engine, query):
    withdraw(engine, TABLE, "frozen")
    assert backends(query) == []
    frozen.thaw.set()
    with pytest.raises(Superseded):
        running.result(30)


def test_who_ends_a_run_leaves_the_next_one_alone(running, frozen, engine, query):
    withdraw(engine, TABLE, "the one before")
    assert len(backends(query)) == 1
    frozen.thaw.set()
    assert running.result(30).inserted == 100_001
