"""Checks: what must hold of the table before the load commits. Each is a query that finds nothing.

They see the whole table with the new rows in it, and can change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from chalicelib import database, user_sql
from chalicelib.config import Check, RowCount
from chalicelib.errors import CheckFailed
from chalicelib.progress import Progress
from chalicelib.reports import CheckResult

SHOWN = 3
"""Rows of a failed check that a message names."""

MAX_TEXT = 200


def check(
    connection: Connection, checks: Sequence[Check], table: str, run_id: str, progress: Progress
) -> list[CheckResult]:
    """The result of each. Raises CheckFailed, and StatementError for a query that cannot run."""
    if not checks:
        return []
    progress.begin("check", len(checks), "checks")
    results = []
    with progress.timed("check"):
        for one in checks:
            results.append(_result(connection, one, table, run_id))
            progress.advance("check", 1)
    progress.end("check")
    _refuse([r for one, r in zip(checks, results, strict=True) if one.on_failure == "fail"])
    return results


def _result(connection: Connection, one: Check, table: str, run_id: str) -> CheckResult:
    (statement,) = user_sql.filled(f"check {one.label!r}", _query(one), table, run_id)
    found = user_sql.query(connection, statement, SHOWN)
    if not found.rows:
        return CheckResult(one.label, passed=True)
    shown = "; ".join(row[:MAX_TEXT] for row in found.first)
    return CheckResult(one.label, passed=False, detail=f"{found.rows:,} found: {shown}")


def _query(one: Check) -> str:
    names = [database.quote(name) for name in one.unique or one.not_null]
    if one.unique:
        there = " and ".join(f"{name} is not null" for name in names)
        columns = ", ".join(names)
        return (
            f"select {columns}, count(*) from {{table}} where {there} "
            f"group by {columns} having count(*) > 1"
        )
    if one.not_null:
        return f"select * from {{table}} where {' or '.join(f'{name} is null' for name in names)}"
    return _beyond(one.row_count) if one.row_count else str(one.sql)


def _beyond(limits: RowCount) -> str:
    outside = [
        f"count(*) {sign} {limit}"
        for sign, limit in (("<", limits.min), (">", limits.max))
        if limit is not None
    ]
    return f"select count(*) from {{table}} having {' or '.join(outside)}"


def _refuse(binding: list[CheckResult]) -> None:
    failed = [f"{result.name}: {result.detail}" for result in binding if not result.passed]
    if failed:
        what = "a check fails" if len(failed) == 1 else f"{len(failed)} checks fail"
        raise CheckFailed(
            "\n  ".join([f"{what}, so nothing was loaded", *failed]),
            fix="Correct the data or the check; with on_failure: warn it is only reported.",
        )
