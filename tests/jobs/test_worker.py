"""How a run ends, and what the job function says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from chalicelib import jobs, load, log, uploads
from chalicelib.errors import Superseded
from chalicelib.history import leases, runs
from chalicelib.history.records import NewRun, Outcome, Run
from chalicelib.jobs import worker
from dev.aws.alarms import COUNTED
from tests.pipelines import Pipeline

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


@pytest.fixture
def queued(shop: Pipeline) -> Run:
    shop.write("a.csv", "id\n1\n")
    stored = uploads.add(jobs.service(), CONFIG % "data", "test").version
    return runs.queue(jobs.service(), NewRun("api", "test", config_version=stored.version))


def test_a_run_that_is_cancelled_just_after_its_commit_has_succeeded(
    queued: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = load.load

    def lose_the_fence(*args: Any, **options: Any) -> None:
        loading(*args, **options)
        leases.request_cancel(jobs.service(), queued.id)
        raise Superseded("a newer run has taken over the table")

    monkeypatch.setattr(load, "load", lose_the_fence)
    worker.work(queued.id)
    ended = runs.get(jobs.service(), queued.id)
    assert (ended.state, ended.inserted, ended.error) == ("succeeded", 1, None)


def test_a_run_that_was_given_up_while_it_worked_was_not_cancelled_and_can_be_resumed(
    queued: Run, shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking = load.take

    def freeze(*args: Any) -> load.Fence:
        shop.query("update elt_service.runs set lease_until = now() - interval '1 s'")
        leases.settle(jobs.service(), queued.id, Outcome("interrupted"))
        return taking(*args)

    with monkeypatch.context() as frozen:
        frozen.setattr(load, "take", freeze)
        worker.work(queued.id)
    ended = runs.get(jobs.service(), queued.id)
    assert ended.error is not None
    assert (ended.state, ended.error.code) == ("failed", "lease_lost")
    leases.resume(jobs.service(), queued.id, "ann")
    worker.work(queued.id)
    assert shop.query("select id from orders") == [(1,)]
