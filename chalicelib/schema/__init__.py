"""The columns of the target, settled: declared ones and, if not strict, inferred ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.config import Column
from chalicelib.schema.columns import ColumnType
from chalicelib.schema.numbers import DecimalNumber, Float, Integer
from chalicelib.schema.times import Date, Timestamp
from chalicelib.schema.words import Boolean, Json, Text

TYPES: dict[str, ColumnType] = {
    "text": Text(),
    "integer": Integer(),
    "decimal": DecimalNumber(),
    "float": Float(),
    "boolean": Boolean(),
    "date": Date(),
    "timestamp": Timestamp(),
    "json": Json(),
}


@dataclass(frozen=True)
class TableSchema:
    """Columns by name, in the order of the target."""

    columns: dict[str, Column]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in the order of the target."""
        return tuple(self.columns)

    def sql_type(self, name: str) -> str:
        """The PostgreSQL type of a column."""
        column = self.columns[name]
        return TYPES[column.type].sql(column)


def unclaimed(names: Iterable[str], columns: dict[str, Column]) -> list[str]:
    """The columns of a source that no column of the target takes."""
    taken = {spelling for name, column in columns.items() for spelling in column.spellings(name)}
    return [name for name in names if name not in taken]
