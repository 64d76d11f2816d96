"""Runs of the service: queue, work on one under a lease, settle what was left, cancel, resume."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from chalicelib import database, history, load, log, pipeline, secrets, settings
from chalicelib.config import Config, parse_config
from chalicelib.errors import Cancelled, EltError, NoConfiguration, Superseded
from chalicelib.history import configs, leases, runs
from chalicelib.history.records import Failure, NewRun, Outcome, Run, Trigger
from chalicelib.progress import Progress
from chalicelib.reports import RunResult

HEARTBEAT = 1.0
"""Seconds between two: the lease is renewed, the progress stored, a wish to cancel heard."""


def service() -> Engine:
    """The service database, its tables up to date."""
    engine = history.connect()
    history.migrate(engine)
    return engine


def trigger(  # noqa: PLR0913
    engine: Engine,
    actor: str,
    *,
    kind: Trigger = "api",
    version: int | None = None,
    full: bool = False,
    parent: str | None = None,
    idempotency_key: str | None = None,
    event_id: str | None = None,
) -> Run:
    """Queue a run and start it; the same key or event is the same run, and starts nothing.

    Raises NoConfiguration, NotFound for the version, and RunActive.
    """
    settle(engine)
    stored = configs.get(engine, version) if version else configs.latest(engine)
    if stored is None:
        raise NoConfiguration("no configuration was uploaded yet", fix="Upload one first.")
    new = NewRun(
        pipeline.new_run_id(), kind, actor, stored.version, parent, full, idempotency_key, event_id
    )
    queued = runs.queue(engine, new)
    if queued.id == new.id:
        start(queued.id)
    return queued


def start(run_id: str) -> None:
    """Let somebody work on a queued run: the job function on AWS, a thread on a laptop."""
    if function := settings.job_function():
        import boto3

        payload = json.dumps({"run_id": run_id}).encode()
        boto3.client("lambda").invoke(
            FunctionName=function, InvocationType="Event", Payload=payload
        )
    else:
        threading.Thread(target=work, args=(run_id,), name=run_id, daemon=True).start()


def work(run_id: str) -> None:
    """Carry the run out, unless somebody else has it. However it ends, the history says so."""
    engine = service()
    owner = f"{socket.gethostname()}:{os.getpid()}:{run_id}:{time.monotonic_ns()}"
    if not leases.begin(engine, run_id, owner):
        return
    try:
        outcome = _outcome(engine, run_id, owner)
    except Exception as bug:
        log.LOGGER.exception("the run %s broke", run_id)
        outcome = Outcome("failed", error=Failure("internal", f"unforeseen: {type(bug).__name__}"))
    leases.finish(engine, run_id, owner, outcome)


def resume(engine: Engine, run_id: str, actor: str) -> Run:
    """Queue an interrupted or failed run again, under its id, and start it."""
    settle(engine)
    queued = leases.resume(engine, run_id, actor)
    start(run_id)
    return queued


def cancel(engine: Engine, run_id: str) -> Run:
    """Ask a run to stop, and end its connection so that it does at once, in mid-COPY too.

    The wish is stored first: a run that takes the table after us reads it before it loads.
    """
    asked = leases.request_cancel(engine, run_id)
    if asked.state == "running":
        config = configuration(engine, asked)
        load.take(database.connect(config.target), config.target.qualified_table)
    return runs.get(engine, run_id)


def settle(engine: Engine) -> None:
    """Say of each run that nobody works on any more what its ledger says: loaded, or not."""
    for lapsed in leases.expired(engine):
        leases.settle(engine, lapsed.id, _loaded(engine, lapsed) or Outcome("interrupted"))


def tick(event_id: str, event_time: datetime) -> Run:
    """The schedule fires. The same event is the same run; during a run it is skipped."""
    from chalicelib import schedule

    engine = service()
    settle(engine)
    if schedule.is_stale(event_time, schedule.state().rate, datetime.now(event_time.tzinfo)):
        return _skip(engine, event_id, EltError("the event came more than a period late"))
    try:
        return trigger(engine, "schedule", kind="schedule", event_id=event_id)
    except EltError as reason:
        return _skip(engine, event_id, reason)


def _skip(engine: Engine, event_id: str, reason: EltError) -> Run:
    new = NewRun(pipeline.new_run_id(), "schedule", "schedule", event_id=event_id)
    return runs.skip(engine, new, Failure.of(reason))


def rejects(engine: Engine, run_id: str, after: int, limit: int) -> list[dict[str, Any]]:
    """A page of what a run kept out of the target. Raises NotFound."""
    target = configuration(engine, runs.get(engine, run_id)).target
    return load.rejects(database.connect(target), run_id, after, limit)


def configuration(engine: Engine, run: Run) -> Config:
    """The configuration of a run, with what its references stand for now."""
    assert run.config_version is not None  # noqa: S101 - only skipped runs have none
    version = configs.get(engine, run.config_version)
    where = f"version {version.version}"
    return parse_config(version.yaml, os.environ, where, secrets.lookup)


def _outcome(engine: Engine, run_id: str, owner: str) -> Outcome:
    run = runs.get(engine, run_id)
    if done := _loaded(engine, run):
        return done
    try:
        config = configuration(engine, run)
        with _reporting(engine, run_id, owner) as progress:
            result = _carry_out(config, run, progress)
    except Cancelled:
        return Outcome("cancelled")
    except EltError as error:
        wished = isinstance(error, Superseded) and runs.get(engine, run_id).cancel_requested
        return Outcome("cancelled") if wished else Outcome("failed", error=Failure.of(error))
    return Outcome(
        "succeeded",
        result.read,
        result.inserted,
        result.deleted,
        result.quarantined,
        _as_json(result),
    )


def _carry_out(config: Config, run: Run, progress: Progress) -> RunResult:
    base = settings.data_folder()
    if run.trigger == "replay":
        assert run.parent is not None  # noqa: S101 - the trigger of a replay sets it
        return pipeline.replay(config, base, run.parent, {}, progress, run.id)
    return pipeline.run(config, base, progress, run.id, full=run.full)


def _loaded(engine: Engine, run: Run) -> Outcome | None:
    """What the ledger says of a run that may have loaded its rows already."""
    try:
        target = configuration(engine, run).target
        record = load.recorded(database.connect(target), run.id)
    except EltError:
        return None  # whoever resumes it asks again
    if record is None:
        return None
    read = record.inserted + record.quarantined
    return Outcome("succeeded", read, record.inserted, record.deleted, record.quarantined)


def _as_json(result: RunResult) -> dict[str, Any]:
    text = json.dumps(asdict(result), default=str)
    report: dict[str, Any] = json.loads(text)
    return report


class _StoredProgress(Progress):
    """Counts what is done, for the heartbeat to store; stops the run when that was asked for."""

    def __init__(self, beat: Callable[[_StoredProgress], bool]) -> None:
        super().__init__()
        self._beat = beat
        self.step = "plan"
        self.totals: dict[str, int | None] = {}
        self.done: dict[str, int] = {}
        self.cancelled = threading.Event()

    def begin(self, step: str, total: int | None, unit: str) -> None:  # noqa: ARG002
        """A step starts: ask now, so that nothing is loaded after a wish to cancel."""
        self.step, self.totals[step] = step, total
        self.beat()
        self.advance(step, 0)

    def beat(self) -> None:
        """Store what is done, and hear whether to stop."""
        try:
            if self._beat(self):
                self.cancelled.set()
        except EltError as error:
            log.LOGGER.warning("no heartbeat: %s", error)

    def advance(self, step: str, by: int) -> None:
        """Count, and stop where it is safe to."""
        self.done[step] = self.done.get(step, 0) + by
        if self.cancelled.is_set():
            raise Cancelled("the run was cancelled")

    def snapshot(self) -> dict[str, Any]:
        """Rows, bytes and percent so far."""
        total, read = self.totals.get("extract"), self.done.get("extract", 0)
        percent = min(100, round(100 * read / total)) if total else None
        rows = self.done.get("validate", 0)
        return {"rows": rows, "bytes": read, "total_bytes": total, "percent": percent}


@contextmanager
def _reporting(engine: Engine, run_id: str, owner: str) -> Iterator[_StoredProgress]:
    """Progress that a second thread stores while the run works."""

    def beat(now: _StoredProgress) -> bool:
        return leases.heartbeat(engine, run_id, owner, now.step, now.snapshot())

    progress, over = _StoredProgress(beat), threading.Event()

    def keep_beating() -> None:
        while not over.wait(HEARTBEAT):
            progress.beat()

    thread = threading.Thread(target=keep_beating, name=f"heartbeat {run_id}", daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        over.set()
        thread.join()
        progress.beat()
