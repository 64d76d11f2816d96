"""Blocks of a delimited file → batches: by Arrow where clean, record by record where not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile, zip_longest

import numpy as np
import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.extract.readers.blocks import Block
from chalicelib.extract.readers.dialect import NO_DELIMITER
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.layout import Layout
from chalicelib.extract.readers.lenient import Record
from chalicelib.extract.readers.mend import Mender, visible
from chalicelib.extract.readers.table import Table
from chalicelib.extract.readers.tail import BLANK

MAX_FOOTER = 20
"""Records at the end of a file that may be remarks on it; more of them are bad rows."""

SHOWN = 200
"""Characters of each of them that a warning has."""

HEADER_AGAIN = "header repeated, left out"


class Rows:
    """Reads the blocks of one file in their order.

    Remarks at the end of the file are told from bad rows by what follows: nothing. Until then they
    are held back. What follows a second table's header is all that table's.
    """

    def __init__(self, file: InputFile, layout: Layout, table: Table, record_end: str) -> None:
        self._file = file
        self._layout = layout
        self._mender = Mender(layout.dialect, table.kinds)
        self._header = table.header
        header = f"{table.header}{record_end}".encode("utf-8", "surrogateescape")
        self._header_line = header if table.header and len(table.names) > 1 else b""
        self._second_table = 0
        self._remarks: list[Record] = []

    def batches(self, block: Block) -> Iterator[Batch]:
        """The rows of a block, in its order; what is no row without doubt is a reject."""
        self._note_blank_lines(block)
        whole = self._fast(block)
        if whole:
            yield whole
        elif block.records is not None or self._second_table:
            yield self._slow(block)
        else:
            yield from (self._fast(piece) or self._slow(piece) for piece in block.pieces())

    def end(self) -> None:
        """After the last block: remarks on the table are a footer, not rows."""
        if self._remarks:
            first = self._remarks[0]
            count = f"{len(self._remarks)} lines from " if len(self._remarks) > 1 else ""
            self._file.detected["footer"] = f"{count}line {first.line}: {first.raw.strip()[:60]}"
            texts = "; ".join(repr(visible(record.raw)[:SHOWN]) for record in self._remarks)
            self._file.warn(f"taken for a footer, not for rows: {count}line {first.line}: {texts}")

    def _note_blank_lines(self, block: Block) -> None:
        """In a single column a blank line may be meant as a row: an empty one."""
        if self._layout.dialect.delimiter == NO_DELIMITER:
            for line in block.blank_lines():
                self._file.note(BLANK, line)

    # Arrow

    def _fast(self, block: Block) -> Batch | None:
        """None where Arrow cannot read the block, or something in it is no row of this table."""
        if block.records is not None or self._second_table or self._repeats_header(block):
            return None
        parsed = self._layout.parsed(block)
        if parsed is None:
            return None
        table, ragged = parsed
        lines = block.record_lines(table.num_rows + len(ragged))
        if len(lines) != table.num_rows + len(ragged):
            return None
        if not isinstance(lines, range) and block.has_gap:
            return None
        if ragged:
            return self._with_ragged(block, table, ragged, lines)
        return self._done(block, table, lines, [])

    def _repeats_header(self, block: Block) -> bool:
        line = self._header_line
        if not line or line not in block.data:
            return False
        newline = self._layout.dialect.newline.encode()
        return block.data.startswith(line) or newline + line in block.data

    def _with_ragged(
        self, block: Block, table: pa.Table, ragged: list[tuple[int, str]], lines: Sequence[int]
    ) -> Batch:
        """The table with the mended records at their places."""
        mended, places, others = [], [], []
        for at, raw in ragged:
            record = self._record(block, lines, at, raw)
            if row := self._mended(record):
                mended.append(row)
                places.append(at)
            else:
                others.append(record)
        aside = [at for at, _ in ragged]
        whole = np.delete(np.arange(len(lines)), aside)
        positions = np.concatenate((whole, np.array(places, np.intp)))
        order = np.argsort(positions)
        table = pa.concat_tables([table, self._layout.table(mended)]).take(order)
        numbers = np.asarray(lines)[positions[order]].tolist()
        return self._done(block, table.combine_chunks(), numbers, others)

    def _record(self, block: Block, lines: Sequence[int], at: int, raw: str) -> Record:
        raw = raw.rstrip("\r\n")
        last = at == len(lines) - 1
        newline = self._layout.dialect.newline.encode()
        whole = not last or block.data.endswith(newline)
        return Record(lines[at], raw, tuple(self._layout.grammar.split(raw)), whole=whole)

    # record by record

    def _slow(self, block: Block) -> Batch:
        records = block.split(len(self._layout.names)) if block.records is None else block.records
        rows: list[Record] = []
        others: list[Record] = []
        for record, following in zip_longest(records, records[1:]):
            if self._is_of_second_table(record, following):
                fault = f"belongs to a second table, which begins at line {self._second_table}"
                others.append(replace(record, fault=fault))
            elif record.raw == self._header and len(self._layout.names) > 1:
                self._file.note(HEADER_AGAIN, record.line)
            elif row := self._mended(record):
                rows.append(row)
            else:
                others.append(record)
        lines = [row.line for row in rows]
        return self._done(block, self._layout.table(rows), lines, others)

    def _is_of_second_table(self, record: Record, following: Record | None) -> bool:
        begins = record.after_blank and record.raw != self._header
        if not self._second_table and begins and self._mender.is_other_table(record, following):
            self._second_table = record.line
            self._file.detected["second table"] = f"line {record.line}"
        return bool(self._second_table)

    def _mended(self, record: Record) -> Record | None:
        row = self._mender.mended(record)
        for note in row.notes if row else ():
            self._file.note(note, record.line)
        return row

    # both

    def _done(
        self, block: Block, table: pa.Table, lines: Sequence[int], others: Sequence[Record]
    ) -> Batch:
        others = [*self._remarks, *others]
        self._remarks = self._trailing_remarks(others, lines[-1] if len(lines) else 0)
        rejects = [
            self._mender.reject(record, self._file.detected["encoding"])
            for record in others[: len(others) - len(self._remarks)]
        ]
        table = self._layout.without_nameless(table)
        size = len(block.data)
        return Batch(self._file.source, self._file.name, table, lines, size, rejects)

    def _trailing_remarks(self, others: Sequence[Record], last_row: int) -> list[Record]:
        def is_remark(record: Record) -> bool:
            return record.line > last_row and not record.fault and self._mender.is_remark(record)

        found = list(takewhile(is_remark, reversed(others)))
        return found[::-1] if len(found) <= MAX_FOOTER else []
