"""What an earlier version of the service stored, this one reads."""

from __future__ import annotations

import pytest

from chalicelib import history
from chalicelib.database.migrations import migrate
from chalicelib.history import configs, runs
from chalicelib.history.migrations import MIGRATIONS

STORED = (
    "insert into elt_service.configs (version, yaml, sha256, author, comment, upload_id)"
    " values (1, 'a: 1', 'sha', 'ann', 'first', 'u')",
    "insert into elt_service.runs (id, state, trigger, actor, config_version, inserted, result)"
    " values ('run-1', 'succeeded', 'resume', 'ann', 1, 7, '{}')",
)
"""Rows as the first versions with these tables wrote them: versions, and runs from the second."""


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_versions_and_runs_of_each_earlier_schema_are_kept(database, monkeypatch, version):
    monkeypatch.setenv("ELT_SERVICE_URL", database)
    engine = history.connect()
    for first, statement in enumerate(STORED[:version], 1):
        migrate(engine, "elt_service", MIGRATIONS[:first])
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    migrate(engine, "elt_service", MIGRATIONS[:version])
    history.migrate(engine)
    assert configs.get(engine, 1).comment == "first"
    kept = [runs.get(engine, one.id) for one in runs.page(engine)]
    expected = [("run-1", "succeeded", "api", 7)] if version > 1 else []
    assert [(run.id, run.state, run.trigger, run.inserted) for run in kept] == expected
