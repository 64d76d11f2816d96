"""A run as the service remembers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row

from chalicelib.errors import EltError
from chalicelib.history.statements import to_json
from chalicelib.run_id import new_run_id

State = Literal[
    "queued", "running", "succeeded", "failed", "cancelled", "interrupted", "skipped"
]  # fmt: skip
EndState = Literal["succeeded", "failed", "cancelled", "interrupted"]
Trigger = Literal["api", "schedule", "terminal", "replay"]

Corrections = Mapping[str, Mapping[str, str | None]]

ACTIVE = "state in ('queued', 'running')"
"""At most one run is, which a unique index sees to."""

LAPSED = f"({ACTIVE} and lease_until < now())"
"""Nobody has worked on it for too long: it counts as interrupted, even if nobody settled it."""

COUNTS = ("read", "inserted", "updated", "superseded", "deleted", "quarantined")
"""What is counted of a run, in rows."""

STATE = f"case when {LAPSED} then 'interrupted' else state end as state"


@dataclass(frozen=True)
class Failure:
    """Why a run failed or was skipped, as an EltError has it."""

    code: str
    message: str
    where: str = ""
    fix: str = ""

    @classmethod
    def of(cls, error: EltError) -> Failure:
        """The parts of the error."""
        return cls(error.code, error.what, error.where, error.fix)


@dataclass(frozen=True)
class NewRun:
    """A run to be queued. Its `id` is unique and sorts by time.

    The same `idempotency_key`, or the same `event_id` of the schedule, is the same run.
    `corrections` are rows that a replay loads in place of those it was given, by the reject's id.
    """

    trigger: Trigger
    actor: str
    config_version: int | None = None
    parent: str | None = None
    full: bool = False
    idempotency_key: str | None = None
    event_id: str | None = None
    corrections: Corrections | None = None
    id: str = field(default_factory=new_run_id)

    def values(self) -> dict[str, Any]:
        """As parameters of a statement, `corrections` in JSON."""
        return {**vars(self), "corrections": to_json(self.corrections)}


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `result` is its whole report, as JSON has it; the rest counts rows."""

    state: EndState
    read: int = 0
    inserted: int = 0
    updated: int = 0
    superseded: int = 0
    deleted: int = 0
    quarantined: int = 0
    result: dict[str, Any] | None = None
    error: Failure | None = None

    def values(self) -> dict[str, Any]:
        """As parameters of a statement, `result` and `error` in JSON."""
        error = to_json(asdict(self.error)) if self.error else None
        return {**vars(self), "result": to_json(self.result), "error": error}


@dataclass(frozen=True)
class RunSummary:
    """A run in the history. A run whose lease ran out is shown as interrupted."""

    id: str
    state: State
    trigger: Trigger
    actor: str
    config_version: int | None
    parent: str | None
    full: bool
    step: str | None
    read: int
    inserted: int
    updated: int
    superseded: int
    deleted: int
    quarantined: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Run(RunSummary):
    """A run with all that is known of it."""

    progress: dict[str, Any] | None
    result: dict[str, Any] | None
    error: Failure | None
    idempotency_key: str | None
    event_id: str | None
    owner: str | None
    cancel_requested: bool
    resumed_by: str | None
    lease_until: datetime | None
    corrections: Corrections | None
    attempt: int


def to_run(row: Row[Any]) -> Run:
    """From a row of DETAIL."""
    values = dict(row._mapping)
    error = values.pop("error")
    return Run(**values, error=Failure(**error) if error else None)


def _columns(record: type[RunSummary]) -> str:
    names = (field.name for field in fields(record))
    return ", ".join(STATE if name == "state" else f'"{name}"' for name in names)


SUMMARY = _columns(RunSummary)
DETAIL = _columns(Run)
