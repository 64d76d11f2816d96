"""A run whose parts are worked on at once, by as many processes: its lease and progress are theirs.

Step Functions owns such a run, under the name of the execution; whoever works for another one, or
for none any more, has lost it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row

from chalicelib.history import leases
from chalicelib.history.records import Failure
from chalicelib.history.statements import execute, run, to_json
from chalicelib.progress import snapshot

LEASE = 600
"""Seconds for which a heartbeat keeps the run: Step Functions pauses before it tries again."""

STEP = "load"
"""Of the run, while each of its parts is at another."""

HAND_OVER = """
    update {elt}.runs
    set owner = :execution, lease_until = now() + make_interval(secs => :lease)
    where id = :id and state = 'running' and owner in (:owner, :execution)
"""

EXPECT = """
    insert into {elt}.parts (run_id, part, size)
    select :id, part, size
    from unnest(cast(:numbers as integer[]), cast(:sizes as bigint[])) as expected (part, size)
    on conflict (run_id, part) do update set begun = 0, error = null
"""
"""What is done of a part is not forgotten: it may be staged."""

OURS = """
    exists (select from {elt}.runs where id = :id and owner = :execution and state = 'running')
"""

BEGIN = f"""
    update {{elt}}.parts set begun = begun + 1
    where run_id = :id and part = :part and {OURS}
"""

KEEP = f"""
    update {{elt}}.parts set progress = cast(:progress as jsonb)
    where run_id = :id and part = :part and {OURS}
"""

FAIL = f"""
    update {{elt}}.parts set error = cast(:error as jsonb)
    where run_id = :id and part = :part and {OURS}
"""

SUM = """
    select coalesce(sum((parts.progress ->> 'files')::bigint), 0) as files,
        coalesce(sum((parts.progress ->> 'rows')::bigint), 0) as rows,
        coalesce(sum((parts.progress ->> 'bytes')::bigint), 0) as bytes,
        case when count(size) = count(*) then sum(size) end as total,
        coalesce(sum(size * (parts.progress ->> 'percent')::integer), 0) / 100 as done,
        extract(epoch from now() - min(runs.started_at)) as seconds
    from {elt}.parts join {elt}.runs on runs.id = run_id
    where run_id = :id
"""

STATES = "select part, begun, error from {elt}.parts where run_id = :id order by part"


@dataclass(frozen=True)
class PartState:
    """How often a part was begun in this attempt, and why it failed the last time.

    None: it did not fail, or ended without a word, as a process does that is killed.
    """

    begun: int
    error: Failure | None


def hand_over(
    engine: Engine, run_id: str, owner: str, execution: str, sizes: Mapping[int, int | None]
) -> None:
    """Make the run the execution's, with parts of so many bytes by their numbers.

    Raises LeaseLost when it is not the owner's to give.
    """
    numbers = {"numbers": list(sizes), "sizes": list(sizes.values())}

    def work(connection: Connection) -> None:
        given = {"id": run_id, "owner": owner, "execution": execution, "lease": LEASE}
        if not execute(connection, HAND_OVER, **given).rowcount:
            raise leases.lost(run_id)
        execute(connection, EXPECT, id=run_id, **numbers)

    run(engine, f"handing over the run {run_id}", work)


def begin(engine: Engine, run_id: str, execution: str, part: int) -> None:
    """Somebody begins with the part. Raises LeaseLost when the run is not the execution's."""
    known = {"id": run_id, "execution": execution, "part": part}

    def work(connection: Connection) -> None:
        if not execute(connection, BEGIN, **known).rowcount:
            raise leases.lost(run_id, LEASE)

    run(engine, f"beginning part {part} of the run {run_id}", work)


def heartbeat(
    engine: Engine, run_id: str, execution: str, part: int, progress: dict[str, Any]
) -> bool:
    """Store how far the part is, and so the run; whether somebody asked to cancel it.

    Raises LeaseLost when the run is not the execution's.
    """
    known = {"id": run_id, "execution": execution, "part": part}

    def work(connection: Connection) -> bool:
        execute(connection, KEEP, **known, progress=to_json(progress))
        whole = _whole(connection, run_id)
        return leases.beat(connection, run_id, execution, STEP, whole, LEASE)

    return run(engine, f"keeping part {part} of the run {run_id}", work)


def whole(engine: Engine, run_id: str) -> dict[str, Any]:
    """The progress of the run: of all its parts together."""
    return run(
        engine, f"adding up the parts of {run_id}", lambda connection: _whole(connection, run_id)
    )


def fail(engine: Engine, run_id: str, execution: str, part: int, failure: Failure) -> None:
    """Remember why the part failed, unless the run is not the execution's any more."""
    known = {"id": run_id, "execution": execution, "part": part}
    run(
        engine,
        f"storing the failure of part {part} of the run {run_id}",
        lambda connection: execute(connection, FAIL, **known, error=to_json(asdict(failure))),
    )


def states(engine: Engine, run_id: str) -> dict[int, PartState]:
    """What is known of each part, by its number."""

    def work(connection: Connection) -> dict[int, PartState]:
        rows = execute(connection, STATES, id=run_id)
        return {row.part: _state(row) for row in rows}

    return run(engine, f"looking at the parts of the run {run_id}", work)


def _state(row: Row[Any]) -> PartState:
    return PartState(row.begun, Failure(**row.error) if row.error else None)


def _whole(connection: Connection, run_id: str) -> dict[str, Any]:
    """As the progress of a run is that works alone."""
    row = execute(connection, SUM, id=run_id).one()
    total = None if row.total is None else int(row.total)
    return snapshot(
        files=int(row.files),
        rows=int(row.rows),
        size=int(row.bytes),
        total=total,
        share=float(row.done) / total if total else None,
        seconds=float(row.seconds),
    )
