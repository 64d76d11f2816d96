from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine

from chalicelib.config.model.target import Target
from chalicelib.database import connect
from chalicelib.load import Harvest, LoadResult, Part, load, migrate, take

TABLE = "public.orders"


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The target with our own tables in it."""
    monkeypatch.setenv("ELT_TARGET_URL", database)
    engine = connect(Target(table=TABLE))
    migrate(engine)
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
def load_rows(engine: Engine) -> Callable[..., LoadResult]:
    """Load these chunks of CSV into TABLE (id, note), as a run of its own."""

    def run(
        chunks: Sequence[bytes] | Callable[[], Iterator[bytes]],
        run_id: str = "run-1",
        mode: str = "append",
        columns: Sequence[str] = ("id", "note"),
        **harvest: Any,
    ) -> LoadResult:
        rows = chunks if callable(chunks) else lambda: iter(chunks)
        gathered = Harvest(**{"rows": b"".join(rows()).count(b"\n"), **harvest})
        part = Part(run_id, 0, TABLE, mode)
        return load(engine, take(engine, TABLE), part, columns, rows, lambda: gathered)

    return run
