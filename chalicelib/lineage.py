"""Lineage: three columns that say of each row which run loaded it, from where, and when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.config import LINEAGE
from chalicelib.reports import origin


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
