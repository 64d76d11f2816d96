from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from chalicelib import history
from chalicelib.history.records import NewRun
from dev.bench.plans import explain

NUMBERS = count(1)


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The service database with its tables, empty."""
    monkeypatch.setenv("ELT_SERVICE_URL", database)
    engine = history.connect()
    history.migrate(engine)
    return engine


@pytest.fixture
def query(engine: Engine) -> Callable[[str], list[tuple[Any, ...]]]:
    """Run SQL in a transaction of its own; the rows, if there are any."""

    def run(sql: str) -> list[tuple[Any, ...]]:
        with engine.begin() as connection:
            result = connection.exec_driver_sql(sql)
            return [tuple(row) for row in result] if result.returns_rows else []

    return run


@pytest.fixture
def lapse(query: Callable[[str], Any]) -> Callable[[], None]:
    """Let the lease of the active run be over."""
    return lambda: query(
        "update elt_service.runs set lease_until = now() - interval '1 second' "
        "where lease_until is not null"
    )


def new_run(**given: Any) -> NewRun:
    """A run with an id of its own."""
    return NewRun(**{"id": f"run-{next(NUMBERS):06}", "trigger": "api", "actor": "ann", **given})


@pytest.fixture
def plans(engine: Engine) -> Callable[[Callable[[], Any]], str]:
    """The plans of all statements that a call executes."""
    return lambda call: explain(engine, call)


@pytest.fixture
def lost_commit(engine: Engine) -> Callable[[], None]:
    """Once called, the connection breaks right after the next COMMIT: nobody hears of it."""

    def arm() -> None:
        def commit_and_break(connection: Connection) -> None:
            event.remove(engine, "commit", commit_and_break)
            connection.connection.driver_connection.commit()
            connection.exec_driver_sql("select pg_terminate_backend(pg_backend_pid())")

        event.listen(engine, "commit", commit_and_break)

    return arm
