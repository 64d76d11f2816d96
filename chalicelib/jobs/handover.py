"""A run larger than one Lambda: the job plans it and gives it to Step Functions."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine

from chalicelib import fanout, log, settings
from chalicelib.errors import LaunchError, SourceError
from chalicelib.history import parts
from chalicelib.history.records import Run
from chalicelib.jobs.deadline import MARGIN
from chalicelib.parts import Plan, PlannedPart
from chalicelib.progress import Progress
from chalicelib.several import Work, undone
from chalicelib.start import Start

FINISH_SECONDS = 900 - MARGIN
"""What the function that publishes has, which is all that Lambda gives."""

MERGE = 7
"""How many times as long it takes to merge rows, all of them updates, as to insert them."""

SHRINKS = 2
"""How much larger the sources may be than what of them is put aside."""


class Large(Exception):
    """The run is to be handed over; `todo` are the parts that are not there yet."""

    def __init__(self, plan: Plan, todo: list[int]) -> None:
        super().__init__()
        self.plan = plan
        self.todo = todo


class UnlessLarge:
    """Somebody does the parts of a run, unless it is large."""

    def __init__(self, somebody: Work) -> None:
        self._somebody = somebody

    def do(self, start: Start, plan: Plan, progress: Progress) -> None:
        """All parts. Raises Large when they are to be handed over."""
        files = sum(len(names or ()) for part in plan.parts for names in part.names.values())
        if not fanout.is_large(plan.size, files):
            self._somebody.do(start, plan, progress)
            return
        _refuse_too_large(plan.parts)
        _refuse_too_much(start, plan)
        raise Large(plan, [part.number for part in undone(start, plan)])


def _refuse_too_large(planned: Collection[PlannedPart]) -> None:
    limit = settings.part_limit()
    if too_large := [part for part in planned if part.size > limit]:
        first = max(too_large, key=lambda part: part.size)
        raise SourceError(
            f"{first} has {first.size:,} bytes, which are read in one part, and a part may have "
            f"{limit:,}",
            fix="Split it, raise ELT_PART_LIMIT if the function's disk, memory and time allow it, "
            "or run it from a terminal.",
        )


def _refuse_too_much(start: Start, plan: Plan) -> None:
    """What nobody could publish is not read."""
    limit = SHRINKS * publishable(start.part.mode, FINISH_SECONDS)
    if plan.size > limit:
        raise SourceError(
            f"there are {plan.size:,} bytes to load, and of more than {limit:,.0f} the rows could "
            f"hardly be published in the {FINISH_SECONDS:.0f} s that a function has",
            fix="If the target is faster, say so in ELT_PUBLISH_BYTES_PER_SECOND; otherwise load "
            "less at a time (`pattern`, a longer prefix), or from a terminal.",
        )


def publishable(mode: str, seconds: float) -> float:
    """About how many bytes that are aside can be published in so many seconds."""
    return seconds * settings.publish_bytes_per_second() / (MERGE if mode == "merge" else 1)


def hand_over(engine: Engine, run: Run, owner: str, large: Large) -> None:
    """Give the run to Step Functions. Raises LeaseLost, and LaunchError: then it is still ours."""
    execution = fanout.execution(run.id, run.attempt)
    sizes = {part.number: _bytes(part) for part in large.plan.parts}
    parts.hand_over(engine, run.id, owner, execution, sizes)
    try:
        fanout.start(run.id, run.attempt, large.todo)
    except LaunchError:
        parts.hand_over(engine, run.id, execution, owner, {})
        raise
    log.event("run handed over", run_id=run.id, parts=len(sizes), execution=execution)


def _bytes(part: PlannedPart) -> int | None:
    return None if None in part.names.values() else part.size
