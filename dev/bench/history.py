"""A history as long as years of use make it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

RUNS = """
    insert into elt_service.runs (id, state, trigger, actor, config_version, created_at, result)
    select 'run-' || n, case when n %% 1000 = 7 then 'interrupted'
        when n %% 10 = 0 then 'failed' else 'succeeded' end,
        case when n %% 5 = 0 then 'schedule' else 'api' end, 'ann', %s,
        timestamptz '2026-01-01' + n * interval '1 minute', '{}'
    from generate_series(1, %s) n
"""
"""One a minute, of which one in ten failed and one in a thousand was cut off."""

VERSIONS = """
    insert into elt_service.configs (version, yaml, sha256, author, comment, upload_id)
    select n, %s, 'sha', 'ann', '', n from generate_series(1, %s) n
"""


def add_versions(engine: Engine, count: int, yaml: str) -> None:
    """Fill the empty table of versions."""
    with engine.begin() as connection:
        connection.exec_driver_sql(VERSIONS, (yaml, count))
    vacuum(engine)


def add_runs(engine: Engine, count: int, config_version: int | None = None) -> None:
    """Fill the empty table of runs."""
    with engine.begin() as connection:
        connection.exec_driver_sql(RUNS, (config_version, count))
    vacuum(engine)


def vacuum(engine: Engine) -> None:
    """What autovacuum does in time: statistics, and a map of what every transaction sees."""
    with engine.connect() as connection:
        wire: Any = connection.connection.driver_connection
        wire.autocommit = True
        wire.cursor().execute("vacuum (analyze) elt_service.configs, elt_service.runs")
        wire.autocommit = False
