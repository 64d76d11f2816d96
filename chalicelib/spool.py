"""Batches on disk, for as long as the columns and types of the target are not known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from chalicelib.batch import Batch, Problem, Reject
from chalicelib.disk import writing

WHAT = "what was extracted"


class Spool:
    """Keeps batches in the order they came; memory holds one at a time.

    Each batch is an Arrow stream of its own, since each may have other columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(WHAT, path, 0):
            self._file = path.open("wb")

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # a write that failed has said so
            self._file.close()
        self._path.unlink(missing_ok=True)

    def append(self, batch: Batch) -> None:
        """Write one batch, with where its rows came from."""
        table = batch.table.append_column(_LINES, pa.array(batch.lines, pa.int64()))
        table = table.replace_schema_metadata({_ORIGIN: json.dumps(_described(batch))})
        with (
            writing(WHAT, self._path, self._file.tell() + table.nbytes),
            pa.ipc.new_stream(self._file, table.schema) as stream,
        ):
            stream.write_table(table)

    def batches(self) -> Iterator[Batch]:
        """All batches, from the first one."""
        with writing(WHAT, self._path, self._file.tell()):
            self._file.flush()
        with pa.OSFile(str(self._path)) as file:  # what is mapped counts as the process's memory
            while file.tell() < file.size():
                yield _restored(pa.ipc.open_stream(file).read_all())


_LINES = "\x00line"
_ORIGIN = b"origin"


def _described(batch: Batch) -> dict[str, object]:
    rejects = [asdict(reject) for reject in batch.rejects]
    ids = list(batch.ids)
    return {"source": batch.source, "origin": batch.origin, "rejects": rejects, "ids": ids}


def _restored(table: pa.Table) -> Batch:
    origin = json.loads(table.schema.metadata[_ORIGIN])
    rejects = [_reject(**described) for described in origin["rejects"]]
    lines = table[_LINES].to_numpy()
    rows = table.drop_columns(_LINES).replace_schema_metadata(None)
    ids = origin["ids"]
    return Batch(origin["source"], origin["origin"], rows, lines, rejects=rejects, ids=ids)


def _reject(
    line: int, row: dict[str, str | None], problems: list[dict[str, Any]], columns: list[str]
) -> Reject:
    return Reject(line, row, tuple(Problem(**problem) for problem in problems), tuple(columns))
