"""The columns of one file, and how its records become a table of text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.csv

from chalicelib.extract.readers.blocks import Block
from chalicelib.extract.readers.dialect import BACKSLASH, Dialect
from chalicelib.extract.readers.encoding import BOM, is_utf8
from chalicelib.extract.readers.header import UNNAMED
from chalicelib.extract.readers.lenient import Field, Grammar, Record

NULL_OF_MYSQL = r"\N"
"""What a NULL looks like where a backslash escapes: in the exports of MySQL and PostgreSQL."""


@dataclass(frozen=True)
class Layout:
    """What every block of one file shares."""

    names: tuple[str, ...]
    dialect: Dialect
    null_values: tuple[str, ...]

    @cached_property
    def grammar(self) -> Grammar:
        """Splits records one by one."""
        return Grammar(self.dialect, len(self.names))

    def parsed(self, block: Block) -> tuple[pa.Table, list[tuple[int, str]]] | None:
        """The block read by Arrow, and its records of another width by their position.

        None where Arrow would read something else than the records say, or nothing at all.
        """
        data = self._for_arrow(block.data)
        if data is None or not is_utf8(data):
            return None
        if not data.lstrip(b"\r\n"):
            return self.table([]), []
        ragged: list[tuple[int, str]] = []

        def keep_aside(row: pyarrow.csv.InvalidRow) -> str:
            ragged.append((row.number - 1, row.text))
            return "skip"

        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(data),
                read_options=pyarrow.csv.ReadOptions(
                    use_threads=False, column_names=self.names, block_size=len(data) + 1
                ),
                parse_options=self._parse_options(keep_aside, quoted=block.quoted),
                convert_options=self._all_text,
            )
        except pa.ArrowInvalid:
            return None
        changed = self.dialect.padded or self.dialect.escape
        return None if ragged and changed else (table, ragged)

    def _for_arrow(self, data: bytes) -> bytes | None:
        """The same records without what Arrow does not know; None where that cannot be."""
        newline = self.dialect.newline.encode()
        if not data.endswith(newline):
            data += newline  # or Arrow takes an empty last field for an empty string
        if data.startswith(BOM):
            data = BOM + data  # the file's own is gone, and Arrow takes one off all that it reads
        if self.dialect.padded:
            if self.dialect.masked(data) is not data:
                return None
            data = self._without_padding(data)
        if self.dialect.escape == BACKSLASH:
            data = self._mysql_null.sub(b"", data)
            if BACKSLASH.encode() in self.dialect.masked(data):
                return None
        return data

    def _without_padding(self, data: bytes) -> bytes:
        """Without the spaces after delimiters outside quotes."""
        quote, delimiter = self.dialect.quote.encode(), self.dialect.delimiter.encode()
        padding = re.compile(re.escape(delimiter) + rb" +")
        parts = data.split(quote) if quote else [data]
        parts[::2] = [padding.sub(delimiter, part) for part in parts[::2]]
        return quote.join(parts)

    @cached_property
    def _mysql_null(self) -> re.Pattern[bytes]:
        beside = rb"[^\r\n%s]" % re.escape(self.dialect.delimiter).encode()
        return re.compile(rb"(?<!%s)\\N(?!%s)" % (beside, beside))

    def _parse_options(
        self, keep_aside: pyarrow.csv.InvalidRow, *, quoted: bool
    ) -> pyarrow.csv.ParseOptions:
        return pyarrow.csv.ParseOptions(
            delimiter=self.dialect.delimiter,
            quote_char=self.dialect.quote or False,
            double_quote=self.dialect.doubled,
            escape_char=self.dialect.escape or False,
            newlines_in_values=quoted or bool(self.dialect.escape),
            invalid_row_handler=keep_aside,
        )

    @cached_property
    def _all_text(self) -> pyarrow.csv.ConvertOptions:
        return pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(self.names, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=list(self.null_values),
            check_utf8=False,  # it was before, and Arrow cannot show a bad row with other bytes
        )

    def table(self, records: Sequence[Record]) -> pa.Table:
        """Records that are as wide as the table, as Arrow would read them."""
        columns = [
            pa.array([self._value(record.fields[at]) for record in records], pa.string())
            for at in range(len(self.names))
        ]
        return pa.table(columns, names=self.names)

    def without_nameless(self, table: pa.Table) -> pa.Table:
        """Without columns that have neither a name nor a value here."""
        empty = [name for name in self._nameless if table[name].null_count == table.num_rows]
        return table.drop_columns(empty) if empty and len(empty) < len(self.names) else table

    @cached_property
    def _nameless(self) -> list[str]:
        """Columns that are called by their position."""
        called = map(UNNAMED.format, range(1, len(self.names) + 1))
        return [name for name, other in zip(self.names, called, strict=True) if name == other]

    def _value(self, field: Field) -> str | None:
        escaped_null = self.dialect.escape == BACKSLASH and field.text == NULL_OF_MYSQL
        if not field.quoted and (escaped_null or field.text in self.null_values):
            return None
        return self.grammar.value(field)
