"""Writes a table as a delimited file in any dialect, to be read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.extract.readers.dialect import Dialect

Cell = str | None
Rows = Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Writing:
    """A dialect with what only a writer chooses. Without quotes, an escape must do."""

    dialect: Dialect
    end: str = "\n"
    encoding: str = "utf-8"
    all_quoted: bool = False
    last_end: bool = True

    def file(self, rows: Rows) -> bytes:
        """The rows, one a record; None is an empty field without quotes."""
        separator = self.dialect.delimiter + " " * self.dialect.padded
        records = [separator.join(map(self._field, row)) for row in rows]
        text = self.end.join(records) + self.end * self.last_end
        return text.encode(self.encoding)

    @property
    def options(self) -> dict[str, object]:
        """The keys of `csv:` that say how it is written."""
        dialect = self.dialect
        return {
            "delimiter": dialect.delimiter + " " * dialect.padded,
            "quote": dialect.quote or "none",
            "escape": dialect.escape or ("doubled" if dialect.quote else "none"),
            "encoding": self.encoding,
            "header": 1,
        }

    def _field(self, cell: Cell) -> str:
        if cell is None:
            return ""
        dialect = self.dialect
        if dialect.quote and (self.all_quoted or self._must_quote(cell)):
            return f"{dialect.quote}{self._within_quotes(cell)}{dialect.quote}"
        return self._escaped(cell, dialect.delimiter)

    def _must_quote(self, cell: str) -> bool:
        dialect = self.dialect
        special = {dialect.delimiter, dialect.quote, "\r", "\n"}
        spaced = cell != cell.strip(" ")
        return not cell or spaced or bool(special & set(cell)) or cell == r"\N"

    def _within_quotes(self, cell: str) -> str:
        if self.dialect.escape:
            return self._escaped(cell, self.dialect.quote)
        return cell.replace(self.dialect.quote, self.dialect.quote * 2)

    def _escaped(self, cell: str, special: str) -> str:
        escape = self.dialect.escape
        if not escape:
            return cell
        cell = cell.replace(escape, escape * 2).replace(special, escape + special)
        return cell if self.dialect.quote else cell.replace("\n", f"{escape}\n")


def without(dialect: Dialect, **changes: object) -> Dialect:
    """The dialect with other values."""
    return replace(dialect, **changes)
