"""What Step Functions invokes: a function for each part of a large run, and one for its end.

A part is tried three times if it must, and the end comes whatever became of them: what did is in
the ledger, and told from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from chalicelib import load, log, settings
from chalicelib.errors import Cancelled, EltError, LeaseLost, Superseded
from chalicelib.history import parts, runs
from chalicelib.history.records import Failure, Outcome, Run
from chalicelib.jobs import outputs
from chalicelib.jobs.common import configuration, service
from chalicelib.jobs.deadline import OutOfTime, deadline, left
from chalicelib.jobs.ending import conclude, failure_of
from chalicelib.jobs.handover import publishable
from chalicelib.jobs.heartbeat import heartbeat_of_all, heartbeat_of_part
from chalicelib.jobs.parts import keep
from chalicelib.parts import Plan, PlannedPart
from chalicelib.progress import Progress
from chalicelib.publish import publish
from chalicelib.reports import RunResult
from chalicelib.several import joined, put_aside, undone
from chalicelib.start import OUTPUT, Start, run_folder

Event = Mapping[str, Any]
"""`run_id` and `execution`; of a part its number, of the end why the map failed, if it did."""

SHOWN = 10
"""Parts that an error names."""


class PublishRefused(EltError):
    """What is aside could not be published in time."""

    code = "publish_refused"


class PartFailed(EltError):
    """A part could not be loaded, or not all are there."""

    code = "part_failed"


def load_part(event: Event, seconds: float | None = None) -> None:
    """Put one part aside, before these seconds are over. Raises PartFailed, to be tried again.

    A run that is somebody else's by now, or cancelled, needs no other attempt.
    """
    engine, run_id, number = service(), event["run_id"], int(event["part"])
    try:
        with deadline(seconds):
            _load_part(engine, run_id, event["execution"], number)
    except (Cancelled, LeaseLost, Superseded) as reason:
        log.LOGGER.warning("part %s of run %s stops: %s", number, run_id, reason)
    except (Exception, OutOfTime) as error:
        failure = _why(error, f"part {number} of run {run_id}")
        parts.fail(engine, run_id, event["execution"], number, failure)
        raise PartFailed(f"part {number}: {failure.message}", where=failure.where) from error


def _why(error: BaseException, what: str) -> Failure:
    if isinstance(error, OutOfTime):
        fix = "Give parts less (ELT_PART_BYTES), or their function more memory."
        return Failure("out_of_time", "the time of the function was over", fix=fix)
    return failure_of(error, what)


def _load_part(engine: Engine, run_id: str, execution: str, number: int) -> None:
    parts.begin(engine, run_id, execution, number)
    config = configuration(engine, runs.get(engine, run_id))
    start, plan = joined(config, settings.data_folder(), run_id)
    for planned in undone(start, plan):
        if planned.number == number:
            with heartbeat_of_part(engine, run_id, execution, number) as progress:
                progress.begin("extract", planned.size, "bytes")
                keep(start, put_aside(start, planned, progress))
                progress.end("load")


def end(event: Event, seconds: float | None = None) -> None:
    """Publish what the parts put aside, before these seconds are over, and record the run's end."""
    engine, execution = service(), event["execution"]

    def carry_out(run: Run) -> RunResult:
        with heartbeat_of_all(engine, run.id, execution) as progress:
            return _publish(engine, run, event.get("failure"), progress)

    conclude(engine, event["run_id"], execution, carry_out, seconds, _not_in_time)


def _not_in_time(_run: Run, _over: OutOfTime) -> Outcome:
    return Outcome(
        "failed",
        error=Failure(
            "out_of_time",
            "the time of the function was over before the parts were published; nothing was",
            fix="Resume the run when the target has less to do, raise its power, or load less "
            "at a time.",
        ),
    )


def _publish(
    engine: Engine, run: Run, failure: Mapping[str, str] | None, progress: Progress
) -> RunResult:
    config, base = configuration(engine, run), settings.data_folder()
    start, plan = joined(config, base, run.id)
    if missing := undone(start, plan):
        raise _not_all_there(plan, missing, parts.states(engine, run.id), failure)
    _refuse_too_much(start)
    result = publish(start, plan, progress)
    result.warnings += outputs.keep(run.id, run_folder(base, run.id), [OUTPUT])
    return result


def _refuse_too_much(start: Start) -> None:
    """Half a publication is none, and keeps the table busy: what would take too long is refused."""
    aside, seconds = load.staged_bytes(start.engine, start.part.run_id), left()
    if aside > (limit := publishable(start.part.mode, seconds)):
        raise PublishRefused(
            f"the parts have put {aside:,} bytes aside, and in the {seconds:,.0f} s that are left "
            f"about {limit:,.0f} can be published",
            where=start.part.table,
            fix="If the target is faster, say so in ELT_PUBLISH_BYTES_PER_SECOND and resume the "
            "run; otherwise load less at a time (`pattern`, a longer prefix), or from a terminal.",
        )


def _not_all_there(
    plan: Plan,
    missing: list[PlannedPart],
    states: Mapping[int, parts.PartState],
    failure: Mapping[str, str] | None,
) -> PartFailed:
    """Those that failed first, with what they read and why."""
    missing.sort(key=lambda part: -states[part.number].begun)
    told = [_told(part, states[part.number]) for part in missing[:SHOWN]]
    more = [f"and {len(missing) - SHOWN} more"] if len(missing) > SHOWN else []
    why = [f"Step Functions says {failure['Error']}: {failure['Cause']}"] if failure else []
    return PartFailed(
        f"{len(missing)} of {len(plan.parts)} parts are not there, nothing was published. "
        + "; ".join([*told, *more, *why]),
        fix="Mend that and resume the run: the parts that are there are not read again. "
        "Cancelled, or followed by another run, it gives them up.",
    )


def _told(part: PlannedPart, state: parts.PartState) -> str:
    name = f"part {part.number} ({part})"
    if not state.begun:
        return f"{name} was not begun"
    if state.error is None:
        return f"{name} ended {state.begun} times without a word: out of memory, or killed"
    where = f"{state.error.where}: " if state.error.where else ""
    return f"{name} failed {state.begun} times: {where}{state.error.message}"
