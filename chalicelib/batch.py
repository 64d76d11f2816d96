"""The currency of the pipeline: a bounded number of rows and where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from chalicelib.arrow import put_pandas_off

if TYPE_CHECKING:
    import pandas as pd

put_pandas_off()

RAW = "_raw"
"""The single field of a reject's row that could not be split: its text."""


@dataclass(frozen=True)
class Problem:
    """Why one value, or a whole row (`column` is None), does not fit."""

    column: str | None
    value: str | None
    reason: str

    def __str__(self) -> str:
        value = "" if self.value is None else f"{self.value!r} "
        return f"{self.column}: {value}{self.reason}" if self.column else self.reason


@dataclass(frozen=True)
class Reject:
    """A row that is kept out of the target. `row` holds its values as they were extracted.

    `columns` are those that a row which could not be split should have had, where it is of a
    replay: otherwise its batch tells.
    """

    line: int
    row: dict[str, str | None]
    problems: tuple[Problem, ...]
    columns: tuple[str, ...] = ()

    def describe(self) -> str:
        """The problems in one line, as a person reads them."""
        return "; ".join(map(str, self.problems))


@dataclass(frozen=True)
class Batch:
    """Rows of one file or one page, all columns text (`pa.string()`), null where empty.

    `lines` holds the line of each row in its file; for a JSON array or an API page the
    position of the record, from 1. `size` is the bytes of input it was read from.
    `rejects` are rows that could not even be split into fields. `ids` are those of the rejects
    that the rows of a replay are.
    """

    source: str
    origin: str
    table: pa.Table
    lines: Sequence[int]
    size: int = 0
    rejects: Sequence[Reject] = field(default=())
    ids: Sequence[int] = ()

    @property
    def rows(self) -> int:
        """All rows read, those that could not be split included."""
        return int(self.table.num_rows) + len(self.rejects)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The same columns as a pandas DataFrame, Arrow-backed, without a copy."""
    import pandas as pd

    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame
