"""The rejects of a run as sources: their stored rows, or corrected ones, for a run of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

import pyarrow as pa
from sqlalchemy import Engine

from chalicelib.batch import RAW, Batch, Problem, Reject
from chalicelib.load.rejected import StoredReject, open_rejects, sources_with_rejects
from chalicelib.reports import SourceReport

PAGE = 5_000

Row = Mapping[str, str | None]
Corrections = Mapping[int, Row]
"""Rows by the id of the reject that they replace."""


def rejected(engine: Engine, run_id: str, corrections: Corrections) -> list[RejectedRows]:
    """A source for each source of which the run has rows in quarantine."""
    names = sources_with_rejects(engine, run_id)
    return [RejectedRows(engine, run_id, name, corrections) for name in names]


class RejectedRows:
    """Reads what a run left in quarantine of one source.

    A row that could not even be split into fields stays a reject unless it is corrected.
    """

    pending = True
    at_hand = False

    def __init__(self, engine: Engine, run_id: str, source: str, corrections: Corrections) -> None:
        self.report = SourceReport(source, "replay")
        self._engine = engine
        self._run_id = run_id
        self._corrections = corrections

    def plan(self) -> int | None:
        """Nobody knows the bytes of rows in a database."""
        return None

    def batches(self) -> Iterator[Batch]:
        """The rows by the files they came from, with the lines they had there."""
        after = 0
        while page := open_rejects(self._engine, self._run_id, self.report.name, after, PAGE):
            for file, rejects in groupby(page, key=lambda reject: reject.file):
                batch = self._batch(file, list(rejects))
                self.report.file(file).rows += batch.rows
                yield batch
            after = page[-1].id

    def _batch(self, file: str, rejects: list[StoredReject]) -> Batch:
        rows = [(reject, self._corrections.get(reject.id, reject.row)) for reject in rejects]
        whole = [(reject, row) for reject, row in rows if RAW not in row]
        names = dict.fromkeys(name for _, row in whole for name in row)
        table = pa.table(
            {name: pa.array([row.get(name) for _, row in whole], pa.string()) for name in names}
        )
        lines, ids = [r.line for r, _ in whole], [r.id for r, _ in whole]
        broken = [_still_broken(reject, row) for reject, row in rows if RAW in row]
        return Batch(self.report.name, file, table, lines, rejects=broken, ids=ids)


def _still_broken(reject: StoredReject, row: Row) -> Reject:
    problem = Problem(None, row[RAW], reject.reason)
    return Reject(reject.line, dict(row), (problem,), tuple(reject.columns or ()))
