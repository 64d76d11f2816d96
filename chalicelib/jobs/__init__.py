"""Runs of the service: queue, settle what was left, cancel, resume, replay, fire on schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine

from chalicelib import database, fanout, load, log, schedule
from chalicelib.errors import (
    Conflict,
    EltError,
    LaunchError,
    NoConfiguration,
    NotFound,
    ScheduleError,
)
from chalicelib.history import configs, leases, runs
from chalicelib.history.records import Failure, NewRun, Outcome, Run
from chalicelib.jobs.common import HURRY, configuration, service, settle
from chalicelib.jobs.ending import close
from chalicelib.jobs.launch import launch
from chalicelib.jobs.retention import purge

__all__ = ["cancel", "replay", "resume", "service", "settle", "tick", "trigger"]


def trigger(engine: Engine, new: NewRun) -> Run:
    """Queue a run and start it, under the newest configuration unless it names another version.

    The same key or event is the same run, which is started again only while it has not begun.
    Raises NoConfiguration, NotFound for the version, RunActive, Conflict when the key belongs to
    a run that was asked for otherwise, and LaunchError when it is queued but nobody can be told.
    """
    settle(engine)
    version = new.config_version
    stored = configs.get(engine, version) if version else configs.latest(engine)
    if stored is None:
        raise NoConfiguration("no configuration was uploaded yet", fix="Upload one first.")
    queued = runs.queue(engine, replace(new, config_version=stored.version))
    _refuse_another_order(new, queued)
    if queued.state == "queued":  # an earlier launch of it may have failed
        launch({"run_id": queued.id})
    return queued


def _refuse_another_order(new: NewRun, found: Run) -> None:
    """The newest version may be another one when a request is repeated: it is not compared."""
    same_version = new.config_version in (None, found.config_version)
    if new.full != found.full or not same_version:
        raise Conflict(
            f"the idempotency key belongs to the run {found.id}, which has full: "
            f"{str(found.full).lower()} and version {found.config_version}",
            fix="Ask for the same as then, or give another key.",
        )


def resume(engine: Engine, run_id: str, actor: str) -> Run:
    """Queue an interrupted or failed run again, under its id, and start it."""
    settle(engine)
    queued = leases.resume(engine, run_id, actor)
    launch({"run_id": run_id})
    return queued


def replay(
    engine: Engine, run_id: str, actor: str, corrections: Mapping[int, Mapping[str, str | None]]
) -> Run:
    """Load what a run left in quarantine, or the corrected rows by the ids of their rejects.

    Raises NotFound for the run, and for a corrected row that is not in its quarantine; Conflict
    for a run that was skipped.
    """
    parent = runs.get(engine, run_id)
    if parent.state == "skipped":
        raise Conflict(
            f"the run {parent.id} was skipped: it has nothing in quarantine",
            fix="Replay a run that kept rows out.",
        )
    if corrections:
        _refuse_unknown(engine, parent, list(corrections))
    stored = {str(reject): dict(row) for reject, row in corrections.items()}
    return trigger(engine, NewRun("replay", actor, parent=parent.id, corrections=stored))


def _refuse_unknown(engine: Engine, parent: Run, corrected: list[int]) -> None:
    target = database.connect(configuration(engine, parent).target)
    if unknown := sorted(set(corrected) - load.in_quarantine(target, parent.id, corrected)):
        replay = runs.replay_of(engine, parent.id)
        raise NotFound(
            f"not in the quarantine of run {parent.id}: {', '.join(map(str, unknown[:10]))}",
            fix=f"It was replayed: what is still kept out are rejects of the run {replay}."
            if replay
            else "The ids are those of its rejects whose status is quarantined or stale.",
        )


def cancel(engine: Engine, run_id: str) -> Run:
    """Ask a run to stop, and end its connection so that it does at once, in mid-COPY too.

    The wish is stored first: a run that takes the table after us reads it before it loads, and
    one whose target cannot be asked hears of it at its next heartbeat. A run that failed and has
    parts aside, which wait to be resumed, gives them up.
    """
    if given_up := _without_what_is_aside(engine, runs.get(engine, run_id)):
        return given_up
    asked = leases.request_cancel(engine, run_id)
    if asked.state == "running":
        try:
            _end_at_once(engine, asked)
        except EltError as error:
            log.LOGGER.warning("the run %s is cancelled, but not ended at once: %s", run_id, error)
    return runs.get(engine, run_id)


def _end_at_once(engine: Engine, run: Run) -> None:
    """A process says itself that its run has ended; of one in Step Functions nobody would."""
    target = configuration(engine, run).target
    load.withdraw(database.connect(target, HURRY), target.qualified_table, run.id)
    if run.owner and fanout.is_execution(run.owner):
        close(engine, run.id, run.owner, Outcome("cancelled"))
        fanout.stop(run.owner)


def _without_what_is_aside(engine: Engine, run: Run) -> Run | None:
    """The run, cancelled, if it has ended and had anything aside."""
    if run.state not in ("failed", "interrupted"):
        return None
    target = configuration(engine, run).target
    asked = database.connect(target, HURRY)
    load.migrate(asked)  # it may have failed before it had a table
    if not load.plan_of(asked, run.id):
        return None
    load.discard(asked, run.id)
    return leases.give_up(engine, run.id)


def tick(event_id: str, event_time: datetime) -> Run:
    """The schedule fires. The same event is the same run; a stale one, or during a run, is skipped.

    Raises LaunchError, so that EventBridge sends the event again.
    """
    engine = service()
    settle(engine)
    purge(engine)
    due = NewRun("schedule", "schedule", event_id=event_id)
    try:
        if schedule.is_stale(event_time, _rate(), datetime.now(event_time.tzinfo)):
            raise EltError("the event came more than a period late")  # noqa: TRY301
        return trigger(engine, due)
    except LaunchError:
        raise
    except EltError as reason:
        return runs.skip(engine, due, Failure.of(reason))


def _rate() -> str | None:
    """The schedule's rate; None when it cannot be asked for, and no event is too late."""
    try:
        return schedule.state().rate
    except ScheduleError as error:
        log.LOGGER.warning("nobody knows how often the schedule fires: %s", error)
        return None
