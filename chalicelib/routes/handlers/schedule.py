"""The schedule. EventBridge is the one truth: what was changed there shows here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from chalicelib import schedule
from chalicelib.history import runs
from chalicelib.jobs.common import service
from chalicelib.routes.handler import Call, Model

Rate = Annotated[str, Field(max_length=100, json_schema_extra={"pattern": schedule.PATTERN})]
"""Only described by its pattern, as `schedule` says better than a pattern what is wrong."""


class Change(Model):
    """On unless it says otherwise; with a rate, that replaces the one there is."""

    enabled: bool | None = None
    rate: Rate | None = None


class Schedule(Model):
    """`next_run` is an estimate, null before the first tick and while it is off."""

    enabled: bool
    rate: str | None
    next_run: datetime | None


def schedule_job(call: Call[None, Change]) -> Schedule:
    """Turn it on or off, or replace the rate and leave it as it is."""
    change = call.body
    if change.rate is not None:
        return _answer(schedule.replace(change.rate, enabled=change.enabled))
    return _answer(schedule.disable() if change.enabled is False else schedule.enable())


def get_schedule(call: Call[None, None]) -> Schedule:  # noqa: ARG001
    """As EventBridge has it now."""
    return _answer(schedule.state())


def _answer(state: schedule.Schedule) -> Schedule:
    ticks = runs.page(service(), runs.Filter(trigger="schedule"), limit=1)
    last = ticks[0].created_at if ticks else None
    return Schedule(
        enabled=state.enabled,
        rate=state.rate,
        next_run=schedule.next_run(last, state, datetime.now(UTC)),
    )
