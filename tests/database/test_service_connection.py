"""The service keeps one connection: what comes between two requests must not break the second."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event, text

from chalicelib import database as db
from chalicelib import jobs
from chalicelib.config.model.target import Target
from chalicelib.errors import TargetError
from dev.postgres import postgres


@pytest.fixture
def engine(database, monkeypatch):
    monkeypatch.setenv("ELT_SERVICE_URL", database)
    monkeypatch.setenv("ELT_TARGET_URL", database)
    return db.connect_service()


def ask(engine, sql="select pg_backend_pid()"):
    return db.run(engine, "asking", lambda connection: connection.execute(text(sql)).scalar_one())


def test_one_request_after_another_uses_one_connection(engine):
    assert db.connect_service() is engine
    assert ask(engine) == ask(engine)


def test_a_connection_that_the_server_ended_is_replaced_before_it_is_used(engine, caplog):
    lost = ask(engine)
    with db.transaction(db.connect(Target(table="t"))) as other:
        other.execute(text(f"select pg_terminate_backend({lost}, 5000)"))
    assert ask(engine) != lost
    assert caplog.records == [], "nothing failed, so nothing was tried again"


def test_a_restart_of_the_server_goes_unnoticed(monkeypatch, caplog):
    with tempfile.TemporaryDirectory(prefix="elt-test-") as name:
        with postgres(Path(name) / "postgres") as url:
            monkeypatch.setenv("ELT_SERVICE_URL", url)
            ask(db.connect_service(), "create table kept as select 1; select 1")
        with postgres(Path(name) / "postgres"):
            assert ask(db.connect_service(), "select count(*) from kept") == 1
    assert caplog.records == []


def test_a_failure_leaves_nothing_behind_for_the_next_request(engine):
    first = ask(engine)
    with pytest.raises(TargetError):
        ask(engine, "select 1 / 0")
    assert ask(engine) != first


def test_threads_at_once_have_connections_of_their_own_and_one_is_kept(engine):
    with ThreadPoolExecutor(20) as pool:
        at_once = pool.map(
            lambda _: ask(engine, "select pg_backend_pid(), pg_sleep(0.3)"), range(20)
        )
        assert len(set(at_once)) == 20
    others = "select count(*) from pg_stat_activity where datname = current_database()"
    for _ in range(100):  # a server process ends a little after its connection was closed
        if (count := ask(engine, others)) == 1:
            break
        time.sleep(0.1)
    assert count == 1


def test_the_tables_are_looked_at_once_a_process(engine):
    jobs.service()
    seen = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    assert jobs.service() is engine
    assert seen == []
