"""What runs kept out of the target: row by row, by kind, and what still waits."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from chalicelib.jobs import kept_out
from chalicelib.jobs.common import service
from chalicelib.load import Which
from chalicelib.routes.handler import Call, Model, split
from chalicelib.routes.handlers.jobs import Download


class RejectFilter(Model):
    """Which rejects, by their first problem; without a column: `column=`."""

    column: str | None = Field(None, max_length=100)
    reason: str | None = Field(None, max_length=1_000)


class RejectPage(RejectFilter):
    """The same, and where to go on, after this reject."""

    after: int = Field(0, ge=0, le=2**62)
    limit: int = Field(100, ge=1, le=500)


class Problem(Model):
    """What is wrong with one value, or with the whole row when there is no column."""

    column: str | None
    value: str | None
    reason: str


class Reject(Problem):
    """A row as it was extracted; the first problem stands for all of them.

    `columns` are those of its source when it could not be split into them, and `row` is but its
    text, `_raw`: a correction has these.
    """

    id: int
    source: str
    file: str
    line: int
    problems: list[Problem]
    row: dict[str, str | None]
    columns: list[str]
    status: str
    created_at: datetime


class Rejects(Model):
    """A page of rejects; `next` is the `after` of the next page, null on the last one."""

    rejects: list[Reject]
    next: int | None


class Kind(Model):
    """Rejects whose first problem is the same; `open` are those in quarantine still."""

    column: str | None
    reason: str
    rows: int
    open: int


class Kinds(Model):
    """The kinds of a run's rejects, the most frequent first; 200 at most."""

    kinds: list[Kind]


class Waiting(Model):
    """Rows in quarantine, in all and by run, of the table of the newest configuration."""

    rows: int
    runs: dict[str, int]


def list_rejects(call: Call[RejectPage, None]) -> Rejects:
    """A page of what was kept out."""
    asked = call.query
    which = Which(call.path["run_id"], asked.column, asked.reason)
    found = kept_out.rejects(service(), which, asked.after, asked.limit + 1)
    page, more = split(found, asked.limit)
    rejects = [Reject.model_validate(row) for row in page]
    return Rejects(rejects=rejects, next=rejects[-1].id if more else None)


def list_reject_kinds(call: Call[None, None]) -> Kinds:
    """What there is to filter by."""
    kinds = kept_out.kinds(service(), call.path["run_id"])
    return Kinds(kinds=[Kind.model_validate(kind) for kind in kinds])


def get_rejects_csv(call: Call[RejectFilter, None]) -> Download:
    """One CSV; `problems`, `row` and `columns` are JSON."""
    wanted = call.query
    link = kept_out.csv_of(service(), Which(call.path["run_id"], wanted.column, wanted.reason))
    return Download(**vars(link))


def waiting_rejects(call: Call[None, None]) -> Waiting:  # noqa: ARG001
    """What somebody should look at."""
    by_run = kept_out.waiting(service())
    return Waiting(rows=sum(by_run.values()), runs=by_run)
