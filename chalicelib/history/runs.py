"""Runs: queued one at a time, remembered, and found again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from chalicelib.errors import NotFound, RunActive
from chalicelib.history.records import (
    ACTIVE,
    DETAIL,
    LAPSED,
    SUMMARY,
    Failure,
    NewRun,
    Run,
    RunSummary,
    State,
    Trigger,
    to_run,
)
from chalicelib.history.statements import execute, run, take_turns, to_json

QUEUE_LEASE = 120
"""Seconds in which a queued run must begin, or the next may."""

FIND = f"""
    select {DETAIL} from {{elt}}.runs
    where id = :id or idempotency_key = :idempotency_key or event_id = :event_id
    order by created_at limit 1
"""

OTHER = f"select id from {{elt}}.runs where {ACTIVE} and id <> :id"

QUEUE = f"""
    insert into {{elt}}.runs (
        id, state, trigger, actor, config_version, parent, "full", idempotency_key, event_id,
        corrections, lease_until
    ) values (
        :id, 'queued', :trigger, :actor, :config_version, :parent, :full, :idempotency_key,
        :event_id, cast(:corrections as jsonb), now() + make_interval(secs => {QUEUE_LEASE})
    ) returning {DETAIL}
"""

SKIP = f"""
    insert into {{elt}}.runs (
        id, state, trigger, actor, config_version, event_id, error, finished_at
    ) values (
        :id, 'skipped', :trigger, :actor, :config_version, :event_id, cast(:error as jsonb), now()
    ) returning {DETAIL}
"""

GET = f"select {DETAIL} from {{elt}}.runs where id = :id"

REPLAY_OF = """
    select id from {elt}.runs where parent = :id and state = 'succeeded'
    order by created_at desc limit 1
"""

WHEN = "select created_at from {elt}.runs where id = :id"

IN_STATE = f"state = :state and {LAPSED} is not true"
INTERRUPTED = f"(state = :state or {LAPSED})"

PURGE = f"""
    delete from {{elt}}.runs
    where not {ACTIVE} and finished_at < now() - make_interval(days => :days)
"""


@dataclass(frozen=True)
class Filter:
    """Which runs a page shows; None leaves all in. `since` is when a run was queued."""

    state: State | None = None
    trigger: Trigger | None = None
    since: datetime | None = None


def queue(engine: Engine, new: NewRun) -> Run:
    """Queue the run, for 120 seconds; whoever begins it in that time may run it.

    With an idempotency key or event id that was seen before it is the earlier run that comes
    back, whatever its state: the run is new when it has the id of `new`. Raises RunActive with
    the id of the run that is queued or running.
    """

    def work(connection: Connection) -> Run:
        take_turns(connection, "runs")
        if found := _find(connection, new):
            return found
        refuse_second(connection, new.id)
        return to_run(execute(connection, QUEUE, **new.values()).one())

    return run(engine, f"queueing the run {new.id}", work)


def skip(engine: Engine, new: NewRun, reason: Failure) -> Run:
    """Remember that this run was not even queued; once for an event id."""

    def work(connection: Connection) -> Run:
        take_turns(connection, "runs")
        if found := _find(connection, new):
            return found
        values = {**new.values(), "error": to_json(asdict(reason))}
        return to_run(execute(connection, SKIP, **values).one())

    return run(engine, f"skipping the run {new.id}", work)


def get(engine: Engine, run_id: str) -> Run:
    """The run, as interrupted if its lease ran out. Raises NotFound."""
    return run(engine, f"reading the run {run_id}", lambda connection: fetch(connection, run_id))


def replay_of(engine: Engine, run_id: str) -> str | None:
    """The latest run that loaded what this one left in quarantine."""
    return run(
        engine,
        f"looking for replays of {run_id}",
        lambda connection: execute(connection, REPLAY_OF, id=run_id).scalar_one_or_none(),
    )


def page(
    engine: Engine, filters: Filter | None = None, before: str | None = None, limit: int = 50
) -> list[RunSummary]:
    """The newest runs that pass, or the newest of those queued before the run `before`.

    Raises NotFound when there is no such run.
    """

    def work(connection: Connection) -> list[RunSummary]:
        values: dict[str, Any] = {**vars(filters or Filter()), "before": before, "limit": limit}
        if before is not None:
            values["moment"] = _moment(connection, before)
        rows = execute(connection, _page(values), **values)
        return [RunSummary(**row._mapping) for row in rows]

    return run(engine, "reading the history of runs", work)


def purge(engine: Engine, days: int) -> int:
    """Forget runs that ended more than this many days ago; how many they were."""
    return run(
        engine,
        "purging old runs",
        lambda connection: execute(connection, PURGE, days=days).rowcount,
    )


def fetch(connection: Connection, run_id: str) -> Run:
    """The run. Raises NotFound."""
    if row := execute(connection, GET, id=run_id).one_or_none():
        return to_run(row)
    raise _missing(run_id)


def refuse_second(connection: Connection, run_id: str) -> None:
    """Raise RunActive when a run other than this one is queued or running.

    It stays so to the end of the transaction if that has taken turns.
    """
    if other := execute(connection, OTHER, id=run_id).scalar_one_or_none():
        raise RunActive(other)


def _find(connection: Connection, new: NewRun) -> Run | None:
    row = execute(connection, FIND, **new.values()).one_or_none()
    return to_run(row) if row else None


def _page(values: dict[str, Any]) -> str:
    """The statement with the conditions for those values that are set."""
    conditions = {
        "state": INTERRUPTED if values["state"] == "interrupted" else IN_STATE,
        "trigger": "trigger = :trigger",
        "since": "created_at >= :since",
        "before": "(created_at, id) < (:moment, :before)",
    }
    chosen = [condition for name, condition in conditions.items() if values[name] is not None]
    where = f"where {' and '.join(chosen)}" if chosen else ""
    return f"""
        select {SUMMARY} from {{elt}}.runs {where}
        order by created_at desc, id desc limit :limit
    """


def _moment(connection: Connection, run_id: str) -> datetime:
    if moment := execute(connection, WHEN, id=run_id).scalar_one_or_none():
        return moment  # type: ignore[no-any-return]
    raise _missing(run_id)


def _missing(run_id: str) -> NotFound:
    return NotFound(f"there is no run {run_id}", fix="The history of runs lists those there are.")
