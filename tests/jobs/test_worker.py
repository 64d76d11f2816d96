"""What the job function says at the end of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from chalicelib import jobs, log, uploads
from chalicelib.history import runs
from chalicelib.history.records import NewRun
from chalicelib.jobs import worker
from dev.aws.alarms import COUNTED

CONFIG = "sources: [{type: local, path: %s}]\ntarget: {table: orders}\n"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """The log, as it is on AWS."""
    before, stream = log.LOGGER.handlers, StringIO()
    with monkeypatch.context() as on_aws:
        on_aws.setenv("AWS_LAMBDA_FUNCTION_NAME", "elt-pipeline-dev-job")
        log.configure(verbose=True, stream=stream)
    yield stream
    log.LOGGER.handlers = before


@pytest.mark.parametrize(("folder", "state"), [("data", "succeeded"), ("missing", "failed")])
def test_alarms_can_count_how_runs_end(
    folder: str,
    state: str,
    lines: StringIO,
    tmp_path: Path,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ELT_TARGET_URL", database)
    monkeypatch.setenv("ELT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("id\n1\n")
    engine = jobs.service()
    stored = uploads.add(engine, CONFIG % folder, "test").version
    run = runs.queue(engine, NewRun("api", "test", config_version=stored.version))
    worker.work(run.id)
    ended: list[Any] = [json.loads(line) for line in lines.getvalue().splitlines()]
    last = ended[-1]
    assert (last["message"], last["state"], last["run_id"]) == ("run ended", state, run.id)
    assert state in COUNTED
