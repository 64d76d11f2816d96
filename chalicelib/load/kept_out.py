"""What runs kept out of the target, for people to look at: counted, filtered, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from chalicelib import database
from chalicelib.load.rejected import REJECT_COLUMNS, read_rejects

PAGE = """
    from {elt}.rejects
    where run_id = :run_id and id > :after
        and (cast(:column as text) is null or coalesce("column", '') = :column)
        and (cast(:reason as text) is null or reason = :reason)
    order by id limit :limit
"""
"""Of all that a run kept out, whatever became of it since; '' is no column."""

REJECTS = f"""
    select id, source, file, line, "column", value, reason, problems, "row",
        coalesce(columns, '[]') as columns, status, created_at
    {PAGE}
"""

_TEXTS = ", ".join(f'"{name}"::text' for name in REJECT_COLUMNS)

FIELDS = f"select id, {_TEXTS} {PAGE}"

KINDS = """
    select "column", reason, count(*) as rows,
        count(*) filter (where status in ('quarantined', 'stale')) as open
    from {elt}.rejects where run_id = :run_id
    group by 1, 2 order by 3 desc, 1, 2 limit :limit
"""

WAITING = """
    select run_id, count(*) from {elt}.rejects
    where table_name = :table and status = 'quarantined'
    group by run_id order by run_id desc
"""

MOST_KINDS = 200
MOST_FIELDS = 5_000


@dataclass(frozen=True)
class Which:
    """The rejects of a run; only those whose first problem is of this column, and this reason.

    The column "" is the row as a whole.
    """

    run_id: str
    column: str | None = None
    reason: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether none is left out."""
        return self.column is None and self.reason is None

    def page(self, after: int, limit: int) -> dict[str, Any]:
        """What the statements are told."""
        texts = {"column": _stored(self.column), "reason": _stored(self.reason)}
        return {"run_id": self.run_id, **texts, "after": after, "limit": limit}


def rejects(engine: Engine, which: Which, after: int, limit: int) -> list[dict[str, Any]]:
    """A page of rejects, by the names of their columns, in the order of their ids."""
    return _read(engine, which.run_id, REJECTS, which.page(after, limit))


def fields_of_rejects(engine: Engine, which: Which) -> Iterator[list[tuple[str | None, ...]]]:
    """All such rejects, a page at a time, by the fields of REJECT_COLUMNS."""
    after = 0
    while page := _read(engine, which.run_id, FIELDS, which.page(after, MOST_FIELDS)):
        yield [tuple(row[name] for name in REJECT_COLUMNS) for row in page]
        after = page[-1]["id"]


def kinds(engine: Engine, run_id: str) -> list[dict[str, Any]]:
    """How many rejects of a run have which `column` and `reason`, and how many still wait.

    The first 200 kinds, the most frequent first.
    """
    return _read(engine, run_id, KINDS, {"run_id": run_id, "limit": MOST_KINDS})


def waiting(engine: Engine, table: str) -> dict[str, int]:
    """How many rows of each run wait in quarantine, the newest run first."""
    rows = _read(engine, table, WAITING, {"table": table})
    return {row["run_id"]: row["count"] for row in rows}


def _read(
    engine: Engine, whose: str, statement: str, key: Mapping[str, Any]
) -> list[dict[str, Any]]:
    def read(connection: Connection) -> list[dict[str, Any]]:
        return [dict(row._mapping) for row in connection.execute(database.sql(statement), key)]

    return read_rejects(engine, whose, read) or []


def _stored(text: str | None) -> str | None:
    return None if text is None else database.storable(text)
