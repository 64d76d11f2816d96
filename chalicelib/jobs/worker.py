"""Do what was launched: carry a run out under its lease, or make a preview."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from chalicelib import database, load, log, pipeline, settings
from chalicelib.causes import sqlstate
from chalicelib.config import Config
from chalicelib.errors import (
    Cancelled,
    EltError,
    InvalidRows,
    OutOfMemory,
    Superseded,
    TargetError,
)
from chalicelib.history import leases, runs
from chalicelib.history.records import Failure, Outcome, Run
from chalicelib.jobs import outputs, previews
from chalicelib.jobs.common import configuration, loaded, service, settle, succeeded
from chalicelib.jobs.deadline import OutOfTime, deadline, when_over
from chalicelib.jobs.heartbeat import heartbeat
from chalicelib.jobs.launch import Event, launch
from chalicelib.jobs.parts import WithinTime
from chalicelib.progress import Progress
from chalicelib.publish import OUTPUT
from chalicelib.reports import RunResult
from chalicelib.several import Cut
from chalicelib.start import run_folder

PASSWORD_REFUSED = "28P01"  # noqa: S105 - an SQLSTATE


def handle(event: Event, seconds: float | None = None) -> None:
    """The work that the event names; it stops before these seconds are over."""
    if preview_id := event.get("preview_id"):
        previews.make(service(), preview_id)
    else:
        work(event["run_id"], seconds, int(event.get("invocation", "1")))


def work(run_id: str, seconds: float | None = None, invocation: int = 1) -> None:
    """Carry the run out, unless somebody else has it. However it ends, the history says so.

    A process that died with the run is recorded first: the same event, delivered again, goes on.
    """
    engine = service()
    settle(engine)
    owner = f"{socket.gethostname()}:{os.getpid()}:{run_id}:{time.monotonic_ns()}"
    if not leases.begin(engine, run_id, owner):
        return
    try:
        with deadline(seconds):
            outcome = _outcome(engine, run_id, owner)
    except OutOfTime as over:
        outcome = when_over(over, runs.get(engine, run_id).step, invocation)
    except MemoryError:
        outcome = Outcome("failed", error=Failure.of(OutOfMemory()))
    except Exception as bug:
        log.LOGGER.exception("the run %s broke", run_id)
        outcome = Outcome("failed", error=Failure("internal", f"unforeseen: {type(bug).__name__}"))
    if outcome.state != "succeeded":  # whatever broke may have done so after COMMIT
        outcome = loaded(engine, runs.get(engine, run_id)) or outcome
    leases.finish(engine, run_id, owner, outcome)
    log.event("run ended", run_id=run_id, state=outcome.state)  # dev/aws/alarms.py counts these
    if outcome.state == "interrupted":
        launch({"run_id": run_id, "invocation": str(invocation + 1)})


def _outcome(engine: Engine, run_id: str, owner: str) -> Outcome:
    run = runs.get(engine, run_id)
    if done := loaded(engine, run):
        return done
    try:
        with heartbeat(engine, run_id, owner) as progress:
            result = _carry_out(engine, run, progress)
    except Cancelled:
        return _cancelled(engine, run)
    except EltError as error:
        wished = isinstance(error, Superseded) and runs.get(engine, run_id).cancel_requested
        return _cancelled(engine, run) if wished else Outcome("failed", error=Failure.of(error))
    return succeeded(result, _as_json(result))


def _cancelled(engine: Engine, run: Run) -> Outcome:
    """What the run had put aside nobody resumes; should it stay, the next run gives it up."""
    try:
        target = configuration(engine, run).target
        load.discard(database.connect(target), target.qualified_table, run.id)
    except EltError as error:
        log.LOGGER.warning("what the run had put aside is still there: %s", error)
    return Outcome("cancelled")


def _carry_out(engine: Engine, run: Run, progress: Progress) -> RunResult:
    """As the configuration is, or once more if the password was changed after it was read."""
    try:
        return _load_and_keep(configuration(engine, run), run, progress)
    except TargetError as refused:
        if sqlstate(refused) != PASSWORD_REFUSED:
            raise
        log.LOGGER.warning("the target refused the password; it is read once more")
    return _load_and_keep(configuration(engine, run), run, progress)


def _load_and_keep(config: Config, run: Run, progress: Progress) -> RunResult:
    """Load, and keep the files that the run wrote."""
    base = settings.data_folder()
    folder = run_folder(base, run.id)
    try:
        result = _load(config, base, run, progress)
    except InvalidRows:
        outputs.keep(run.id, folder, [outputs.REJECTS])
        raise
    if result.output:
        result.warnings += outputs.keep(run.id, folder, [outputs.COMBINED, outputs.REJECTS, OUTPUT])
    if settings.on_lambda():
        _make_room(config, base, folder)
    return result


def _make_room(config: Config, base: Path, folder: Path) -> None:
    """Delete what was fetched and written: a function that stays warm keeps its disk."""
    fetched = [s.path for s in config.sources if s.type == "local" and s.s3]
    for path in (folder, *(base / path for path in fetched)):
        shutil.rmtree(path, ignore_errors=True)


def _load(config: Config, base: Path, run: Run, progress: Progress) -> RunResult:
    if run.parent is None:
        return _run(config, base, run, progress)
    corrections = {int(reject): row for reject, row in (run.corrections or {}).items()}
    return pipeline.replay(config, base, run.parent, corrections, progress, run.id)


def _run(config: Config, base: Path, run: Run, progress: Progress) -> RunResult:
    share, work = settings.part_bytes(), WithinTime()
    cut = Cut(share) if share else None
    try:
        return pipeline.run(config, base, progress, run.id, full=run.full, cut=cut, work=work)
    except OutOfTime:
        raise OutOfTime(work.done) from None


def _as_json(result: RunResult) -> dict[str, Any]:
    """As the service tells it: that there is a file, not where it lies on the worker's disk."""

    def plain(value: object) -> object:
        return sorted(value) if isinstance(value, frozenset) else str(value)

    report: dict[str, Any] = json.loads(json.dumps(asdict(result), default=plain))
    return {**report, "output": result.output is not None}
