"""Who works on a run: a lease that runs out when nobody does, and what ends it.

The lease saves wasted work and frees the place for the next run. That no row is loaded twice is
not its matter: that is decided in the target.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Connection, Engine

from chalicelib.errors import Conflict, LeaseLost
from chalicelib.history.records import ACTIVE, DETAIL, LAPSED, Outcome, Run, to_run
from chalicelib.history.runs import QUEUE_LEASE, fetch, refuse_second
from chalicelib.history.statements import execute, run, take_turns, to_json

LEASE = 60
"""Seconds for which a heartbeat keeps a run."""

BEGIN = f"""
    update {{elt}}.runs mine
    set state = 'running', owner = :owner, lease_until = now() + make_interval(secs => {LEASE}),
        started_at = coalesce(started_at, now()), finished_at = null, error = null
    where id = :id and not cancel_requested
        and (state in ('queued', 'interrupted') or (state = 'running' and owner = :owner))
        and not exists (select from {{elt}}.runs other where {ACTIVE} and other.id <> mine.id)
"""
"""Harmless to repeat, should the answer to COMMIT be lost."""

HEARTBEAT = """
    update {elt}.runs
    set lease_until = now() + make_interval(secs => :lease),
        step = :step, progress = cast(:progress as jsonb)
    where id = :id and owner = :owner and state = 'running'
    returning cancel_requested
"""

END = """
    update {elt}.runs
    set state = :state, lease_until = null,
        finished_at = case when state = :state then finished_at else now() end,
        read = :read, inserted = :inserted, updated = :updated, superseded = :superseded,
        deleted = :deleted, quarantined = :quarantined,
        result = cast(:result as json), error = cast(:error as jsonb)
"""

FINISH = f"""
    {END}
    where id = :id and owner = :owner and state in ('running', 'interrupted', :state)
"""
"""Interrupted is a presumption, which the owner may correct while nobody else has taken the run."""

SETTLE = f"{END} where id = :id and {LAPSED}"

PASS_ON = f"""
    update {{elt}}.runs
    set state = 'queued', lease_until = now() + make_interval(secs => {QUEUE_LEASE})
    where id = :id and not cancel_requested and owner = :owner and state in ('running', 'queued')
"""
"""Harmless to repeat. No row: somebody asked to cancel the run, or has taken it."""

EXPIRED = f"select {DETAIL} from {{elt}}.runs where {LAPSED}"

CANCEL = f"""
    update {{elt}}.runs
    set cancel_requested = true,
        state = case state when 'queued' then 'cancelled' else state end,
        finished_at = case state when 'queued' then now() end,
        lease_until = case state when 'queued' then null else lease_until end
    where id = :id and {ACTIVE}
    returning {DETAIL}
"""

GIVE_UP = f"""
    update {{elt}}.runs set state = 'cancelled', lease_until = null
    where id = :id and (state in ('failed', 'interrupted') or {LAPSED})
    returning {DETAIL}
"""

RESUME = f"""
    update {{elt}}.runs
    set state = 'queued', resumed_by = :actor, owner = :claim, attempt = attempt + 1,
        cancel_requested = false, lease_until = now() + make_interval(secs => {QUEUE_LEASE}),
        step = null, progress = null, result = null, error = null, finished_at = null
    where id = :id and (state in ('failed', 'interrupted') or {LAPSED})
    returning {DETAIL}
"""


def begin(engine: Engine, run_id: str, owner: str) -> bool:
    """Take a queued or interrupted run and its lease of 60 seconds; False if that cannot be.

    `owner` is one attempt of one process, and no other's. The run cannot be had when somebody
    else has it, when it was cancelled or has ended, and when another run is active.
    """

    def work(connection: Connection) -> bool:
        take_turns(connection, "runs")
        return execute(connection, BEGIN, id=run_id, owner=owner).rowcount == 1

    return run(engine, f"beginning the run {run_id}", work)


def heartbeat(
    engine: Engine,
    run_id: str,
    owner: str,
    step: str,
    progress: dict[str, Any],
    lease: int = LEASE,
) -> bool:
    """Extend the lease and store the progress; whether somebody asked to cancel the run.

    Raises LeaseLost when it is no longer the owner's.
    """

    def work(connection: Connection) -> bool:
        return beat(connection, run_id, owner, step, progress, lease)

    return run(engine, f"keeping the run {run_id}", work)


def beat(
    connection: Connection,
    run_id: str,
    owner: str,
    step: str,
    progress: dict[str, Any],
    lease: int,
) -> bool:
    """The same, in a transaction of more."""
    values = {"id": run_id, "owner": owner, "step": step, "lease": lease}
    row = execute(connection, HEARTBEAT, **values, progress=to_json(progress))
    if (asked := row.scalar_one_or_none()) is None:
        raise lost(run_id, lease)
    return bool(asked)


def lost(run_id: str, lease: int = LEASE) -> LeaseLost:
    """The run is somebody else's, or nobody's."""
    return LeaseLost(
        f"nothing was heard of the run for {lease} s and it was given up",
        where=run_id,
        fix="Resume it: what is loaded is not loaded again.",
    )


def finish(engine: Engine, run_id: str, owner: str, outcome: Outcome) -> bool:
    """Store how the run ended; whether it was the owner's to say. The same twice is fine."""
    values = {**outcome.values(), "id": run_id, "owner": owner}
    return run(
        engine,
        f"finishing the run {run_id}",
        lambda connection: execute(connection, FINISH, **values).rowcount == 1,
    )


def pass_on(engine: Engine, run_id: str, owner: str) -> bool:
    """Queue a running run for its next worker; no other run can begin until then.

    False when it is to be cancelled, or is the owner's no more.
    """
    return run(
        engine,
        f"passing on the run {run_id}",
        lambda connection: execute(connection, PASS_ON, id=run_id, owner=owner).rowcount == 1,
    )


def request_cancel(engine: Engine, run_id: str) -> Run:
    """Cancel a queued run at once, and ask a running one to stop at its next heartbeat.

    Raises NotFound, and Conflict when the run has ended.
    """

    def work(connection: Connection) -> Run:
        if row := execute(connection, CANCEL, id=run_id).one_or_none():
            return to_run(row)
        raise _not_now(fetch(connection, run_id), "cancelled", "queued or running")

    return run(engine, f"cancelling the run {run_id}", work)


def give_up(engine: Engine, run_id: str) -> Run:
    """Cancel a run that has failed or was interrupted, so that nobody resumes it.

    Raises NotFound, and Conflict when somebody has resumed it meanwhile.
    """

    def work(connection: Connection) -> Run:
        if row := execute(connection, GIVE_UP, id=run_id).one_or_none():
            return to_run(row)
        raise _not_now(fetch(connection, run_id), "given up", "failed or interrupted")

    return run(engine, f"giving up the run {run_id}", work)


def expired(engine: Engine) -> list[Run]:
    """Runs that nobody has settled since their lease ran out."""
    return run(
        engine,
        "looking for runs whose lease ran out",
        lambda connection: [to_run(row) for row in execute(connection, EXPIRED)],
    )


def settle(engine: Engine, run_id: str, outcome: Outcome) -> Run:
    """Store what the ledger said of an expired run, unless it came to life meanwhile.

    The run as it is now. Raises NotFound.
    """

    def work(connection: Connection) -> Run:
        execute(connection, SETTLE, id=run_id, **outcome.values())
        return fetch(connection, run_id)

    return run(engine, f"settling the run {run_id}", work)


def resume(engine: Engine, run_id: str, actor: str) -> Run:
    """Queue an interrupted or failed run again, under its id: what is loaded is not done again.

    Raises NotFound, RunActive while another run is active, and Conflict for other states.
    """
    claim = secrets.token_hex(8)

    def work(connection: Connection) -> Run:
        take_turns(connection, "runs")
        known = fetch(connection, run_id)
        if known.owner == claim:  # the answer to an earlier COMMIT was lost
            return known
        refuse_second(connection, run_id)
        if row := execute(connection, RESUME, id=run_id, actor=actor, claim=claim).one_or_none():
            return to_run(row)
        raise _not_now(known, "resumed", "interrupted or failed")

    return run(engine, f"resuming the run {run_id}", work)


def _not_now(known: Run, what: str, states: str) -> Conflict:
    return Conflict(
        f"the run {known.id} is {known.state} and cannot be {what}",
        fix=f"Only a run that is {states} can be.",
    )
