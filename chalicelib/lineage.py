"""What a row says of where it came from: lineage, and of a replay the reject that it was."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.config import LINEAGE
from chalicelib.reports import origin
from chalicelib.schema.validate import Validated


@dataclass(frozen=True)
class Lineage:
    """What one run writes into the columns. `apis` are the sources that have no files."""

    run_id: str
    loaded_at: str
    apis: Collection[str]

    def mark(self, table: pa.Table, batch: Batch) -> pa.Table:
        """The rows of a batch with the columns added."""
        api = batch.source in self.apis
        values = (
            self.run_id,
            batch.source if api else origin(batch.source, batch.origin),
            self.loaded_at,
        )
        for name, value in zip(LINEAGE, values, strict=True):
            table = table.append_column(name, pa.repeat(pa.scalar(value), table.num_rows))
        return table


def with_ids(table: pa.Table, valid: Validated, batch: Batch) -> pa.Table:
    """The rows of a replay that fit, with the ids of the rejects that they are as a last column."""
    ids = pa.array(batch.ids, pa.int64()).cast(pa.string())
    kept = ids if valid.kept is None else ids.filter(valid.kept)
    return table.append_column("reject", kept)
