"""Runs: start, watch, stop, go on, replay."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field

from chalicelib import jobs
from chalicelib.history import records, runs
from chalicelib.history.records import State, Trigger
from chalicelib.jobs import outputs
from chalicelib.routes.handler import Call, Model, split
from chalicelib.routes.handlers.report import RunReport


def _iso(value: Any) -> Any:
    """Only ISO 8601: a bare number would be taken for seconds since 1970."""
    if isinstance(value, str) and "T" not in value.upper():
        raise ValueError("not a time such as 2026-01-31T14:30:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_iso)]


class Order(Model):
    """Which configuration, and whether to rebuild the table from everything."""

    version: int | None = Field(None, ge=1, le=10**9)
    full: bool = False


RejectId = Annotated[str, Field(pattern="^[1-9][0-9]{0,17}$")]
"""Keys of JSON are texts."""


class Corrections(Model):
    """Rows that take the place of rejects, by the id of the reject: texts by column of the source.

    Rejects that are not among them are loaded as they were stored.
    """

    corrections: dict[RejectId, dict[str, str | None]] = Field(
        {}, max_length=1_000, json_schema_extra={"additionalProperties": False}
    )


class Started(Model):
    """The run, and where to watch it."""

    run_id: str
    url: str
    state: State


class Filters(Model):
    """Which runs; `before` is the run to go on from."""

    state: State | None = None
    trigger: Trigger | None = None
    since: Moment | None = None
    before: str | None = Field(None, max_length=100)
    limit: int = Field(50, ge=1, le=200)


class RunSummary(Model):
    """A run in the history."""

    id: str
    state: State
    trigger: Trigger
    actor: str
    config_version: int | None
    parent: str | None
    full: bool
    step: str | None
    read: int
    inserted: int
    updated: int
    superseded: int
    deleted: int
    quarantined: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Failure(Model):
    """Why it failed, where, and what to do."""

    code: str
    message: str
    where: str
    fix: str


class Progress(Model):
    """What is done so far. Null: only the end of the sources can tell."""

    files: int
    rows: int
    bytes: int
    total_bytes: int | None
    percent: int | None
    rows_per_second: int | None
    seconds_left: int | None


class Detail(RunSummary):
    """A run with its progress while it works, and its report when it is done."""

    cancel_requested: bool
    resumed_by: str | None
    progress: Progress | None
    result: RunReport | None
    error: Failure | None


class RunHistory(Model):
    """A page of runs; `next` is the `before` of the next page, null on the last one."""

    runs: list[RunSummary]
    next: str | None


class Download(Model):
    """A URL that needs no token, until it expires."""

    url: str
    expires_at: datetime


class PartOf(Model):
    """Which part of a run of several is meant."""

    part: int | None = Field(None, ge=1, le=10**9)


class Output(Download):
    """Of a run of several parts, `url` is the list of their CSVs, and `parts` how many it has."""

    parts: int | None


def get_output(call: Call[PartOf, None]) -> Output:
    """The combined CSV: the rows that were loaded, with a header."""
    run = runs.get(jobs.service(), call.path["run_id"])
    link, parts = outputs.of_run(run.id, call.query.part)
    return Output(**vars(link), parts=parts)


def trigger_job(call: Call[None, Order]) -> Started:
    """Queue a run and let it start."""
    key = call.headers.get("idempotency-key")
    order = call.body
    new = records.NewRun(
        "api", call.actor, config_version=order.version, full=order.full, idempotency_key=key
    )
    return _started(call, jobs.trigger(jobs.service(), new))


def list_runs(call: Call[Filters, None]) -> RunHistory:
    """A page of the history."""
    asked = call.query
    filters = runs.Filter(asked.state, asked.trigger, asked.since)
    found = runs.page(jobs.service(), filters, asked.before, asked.limit + 1)
    page, more = split(found, asked.limit)
    return RunHistory(runs=[_summary(run) for run in page], next=page[-1].id if more else None)


def get_run(call: Call[None, None]) -> Detail:
    """All that is known of a run."""
    run = runs.get(jobs.service(), call.path["run_id"])
    return Detail(
        **_summary(run).model_dump(),
        cancel_requested=run.cancel_requested,
        resumed_by=run.resumed_by,
        progress=Progress(**run.progress) if run.progress else None,
        result=RunReport.model_validate(run.result) if run.result else None,
        error=Failure(**vars(run.error)) if run.error else None,
    )


def cancel_run(call: Call[None, None]) -> Started:
    """Stop it, in mid-COPY too."""
    return _started(call, jobs.cancel(jobs.service(), call.path["run_id"]))


def resume_run(call: Call[None, None]) -> Started:
    """Go on where the ledger says."""
    return _started(call, jobs.resume(jobs.service(), call.path["run_id"], call.actor))


def replay_run(call: Call[None, Corrections]) -> Started:
    """A run of its own, with the other as its parent."""
    corrections = {int(reject): row for reject, row in call.body.corrections.items()}
    run = jobs.replay(jobs.service(), call.path["run_id"], call.actor, corrections)
    return _started(call, run)


def _started(call: Call[Any, Any], run: records.RunSummary) -> Started:
    return Started(run_id=run.id, url=f"{call.base}/runs/{run.id}", state=run.state)


def _summary(run: records.RunSummary) -> RunSummary:
    return RunSummary(**{name: getattr(run, name) for name in RunSummary.model_fields})
