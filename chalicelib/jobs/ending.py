"""How a run ends, whoever worked on it: the ledger has the last word, and the history tells it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine

from chalicelib import load, log
from chalicelib.database import connect
from chalicelib.errors import Cancelled, EltError, OutOfMemory, Superseded
from chalicelib.history import leases, runs
from chalicelib.history.records import Failure, Outcome, Run
from chalicelib.jobs.common import configuration, loaded, succeeded
from chalicelib.jobs.deadline import OutOfTime, deadline
from chalicelib.reports import RunResult

Work = Callable[[Run], RunResult | None]
"""Carries a run out; None when it was given away, and is somebody else's to end."""


def conclude(
    engine: Engine,
    run_id: str,
    owner: str,
    work: Work,
    seconds: float | None,
    when_over: Callable[[Run, OutOfTime], Outcome | None],
) -> Outcome | None:
    """Do the work, before these seconds are over, and record how the run ended, however it did.

    None when it has not ended.
    """
    try:
        with deadline(seconds):
            outcome = _outcome(engine, run_id, work)
    except OutOfTime as over:
        outcome = when_over(runs.get(engine, run_id), over)
    except Exception as error:
        outcome = Outcome("failed", error=failure_of(error, f"the run {run_id}"))
    return close(engine, run_id, owner, outcome) if outcome else None


def close(engine: Engine, run_id: str, owner: str, outcome: Outcome) -> Outcome:
    """Record how the run ended, which is as the ledger says if that has its rows; how it did."""
    if outcome.state != "succeeded":  # whatever broke may have done so after COMMIT
        outcome = loaded(engine, runs.get(engine, run_id)) or outcome
    if outcome.state == "cancelled":
        _give_up(engine, runs.get(engine, run_id))
    if leases.finish(engine, run_id, owner, outcome):
        log.event("run ended", run_id=run_id, state=outcome.state)  # dev/aws/alarms.py counts it
    return outcome


def failure_of(error: BaseException, what: str) -> Failure:
    """What is told of an exception; the log has all of one that nobody foresaw."""
    if isinstance(error, EltError):
        return Failure.of(error)
    if isinstance(error, MemoryError):
        return Failure.of(OutOfMemory())
    log.LOGGER.error("%s broke", what, exc_info=error)
    return Failure("internal", f"unforeseen: {type(error).__name__}")


def _give_up(engine: Engine, run: Run) -> None:
    """Drop what the parts of a cancelled run have put aside. If it fails, the next run does it."""
    try:
        target = configuration(engine, run).target
        load.discard(connect(target), run.id)
    except EltError as error:
        log.LOGGER.warning("what run %s put aside is still there: %s", run.id, error)


def _outcome(engine: Engine, run_id: str, work: Work) -> Outcome | None:
    run = runs.get(engine, run_id)
    if done := loaded(engine, run):
        return done
    try:
        result = work(run)
    except Cancelled:
        return Outcome("cancelled")
    except EltError as error:
        wished = isinstance(error, Superseded) and runs.get(engine, run_id).cancel_requested
        return Outcome("cancelled") if wished else Outcome("failed", error=Failure.of(error))
    return succeeded(result, as_json(result)) if result else None


def as_json(result: RunResult) -> dict[str, Any]:
    """As the service tells it: that there is a file, not where it lies on the worker's disk."""

    def plain(value: object) -> object:
        return sorted(value) if isinstance(value, frozenset) else str(value)

    report: dict[str, Any] = json.loads(json.dumps(asdict(result), default=plain))
    return {**report, "output": result.output is not None}
