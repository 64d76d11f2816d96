"""Rejects on their way to the target: a CSV file that COPY reads after the rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from chalicelib import database
from chalicelib.batch import RAW, Batch, Problem, Reject
from chalicelib.combine import header, to_csv
from chalicelib.disk import writing
from chalicelib.load.ledger import Part
from chalicelib.load.rejected import REJECT_COLUMNS
from chalicelib.schema.validate import SHOWN

HEADER = header(REJECT_COLUMNS) + b"\n"

Fields = tuple[str | None, ...]
"""Of a reject, in the order of REJECT_COLUMNS."""


def in_lines(rejects: Sequence[Fields]) -> bytes:
    """Rejects as lines of CSV."""
    columns = zip(REJECT_COLUMNS, zip(*rejects, strict=True), strict=True)
    return bytes(to_csv(pa.table({name: pa.array(of, pa.string()) for name, of in columns})))


class Quarantine:
    """Writes rejects as they come; counts them and remembers the first ones for messages."""

    def __init__(self, path: Path, part: Part) -> None:
        self.path = path
        self.count = 0
        self.first: list[tuple[str, Reject]] = []
        self._part = part

    def add(self, batch: Batch, rejects: Sequence[Reject]) -> None:
        """Keep the rejects of one batch."""
        if not rejects:
            return
        rows = [self._record(batch, reject) for reject in rejects]
        lines = b"" if self.count else HEADER
        self._append(lines + in_lines(rows))
        self.count += len(rejects)
        self.first += [(batch.origin, reject) for reject in rejects[: SHOWN - len(self.first)]]

    def _append(self, lines: bytes) -> None:
        written = self.path.stat().st_size if self.count else 0
        with (
            writing("the file of rejects", self.path, written + len(lines)),
            self.path.open("ab") as file,
        ):
            file.write(lines)

    def _record(self, batch: Batch, reject: Reject) -> Fields:
        first = reject.problems[0]
        return (
            self._part.run_id,
            str(self._part.number),
            self._part.table,
            batch.source,
            batch.origin,
            str(reject.line),
            first.column,
            _storable(first.value),
            first.reason,
            json.dumps([_storable_problem(problem) for problem in reject.problems]),
            json.dumps({name: _storable(value) for name, value in reject.row.items()}),
            _columns(batch, reject),
        )


def _columns(batch: Batch, reject: Reject) -> str | None:
    """Which values a row needs that could not be split; one that was names them itself."""
    if RAW not in reject.row:
        return None
    return json.dumps([_storable(name) for name in reject.columns or batch.table.column_names])


def _storable_problem(problem: Problem) -> dict[str, str | None]:
    return {name: _storable(value) for name, value in asdict(problem).items()}


def _storable(text: str | None) -> str | None:
    """A reject must be kept whatever it holds."""
    return database.storable(text) if text else text
