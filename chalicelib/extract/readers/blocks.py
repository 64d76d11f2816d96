"""Cuts a delimited file into blocks of whole records, without parsing where it is clean.

Counting quotes and newlines keeps the line of every row known and hands Arrow blocks that it can
parse one by one. Where counting leads astray records are split one by one, until all is well again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chalicelib.errors import SourceError
from chalicelib.extract.readers.dialect import Dialect
from chalicelib.extract.readers.lenient import Grammar, Record
from chalicelib.extract.readers.marks import Marks, Positions, count
from chalicelib.settings import BATCH_BYTES, MAX_FIELD_BYTES

WINDOW = 1 << 16
"""Bytes split record by record before another look whether the rest is clean."""

WIDE = 100
"""Columns from which on a block is twice as large: each costs some calls, however few its rows."""


class Bytes(Protocol):
    """What blocks are read from."""

    def read(self, size: int, /) -> bytes:
        """About `size` bytes; none at the end only."""


@dataclass(frozen=True)
class Block:
    """Whole records of a file, and the line its first one stands on.

    `records` are set where they could not be told by counting.
    """

    data: bytes
    first_line: int
    dialect: Dialect
    records: Sequence[Record] | None = None

    @property
    def quoted(self) -> bool:
        """Whether any field may be quoted."""
        return bool(self.dialect.quote) and self.dialect.quote.encode() in self.data

    @cached_property
    def newlines(self) -> int:
        """How many lines end in it."""
        return count(self.data, self.dialect.newline.encode())

    def record_lines(self, records: int) -> Sequence[int]:
        """The line each of the block's `records` starts on; blank lines are no records."""
        lines = self.newlines + (not self.data.endswith(self.dialect.newline.encode()))
        if lines == records:
            return range(self.first_line, self.first_line + records)
        starts, blank = self._bounds
        return self._lines_at(starts[~blank])

    @property
    def has_gap(self) -> bool:
        """Whether a blank line stands before one of its records: another table may follow."""
        _, blank = self._bounds
        return not blank.all() and bool(blank[: np.flatnonzero(~blank)[-1]].any())

    def blank_lines(self) -> list[int]:
        """The lines that hold nothing; of records that could not be told, the last of several."""
        if self.records is not None:
            return [record.line - 1 for record in self.records if record.after_blank]
        starts, blank = self._bounds
        return self._lines_at(starts[blank])

    def _lines_at(self, positions: Positions) -> list[int]:
        newline = self.dialect.newline.encode()
        newlines = np.flatnonzero(np.frombuffer(self.data, np.uint8) == newline[0])
        numbers: list[int] = (self.first_line + np.searchsorted(newlines, positions)).tolist()
        return numbers

    def pieces(self) -> Iterator[Block]:
        """The block in smaller ones, of about `WINDOW`; a blank line goes with what follows it."""
        starts, blank = self._bounds
        ends = np.append(starts[1:], len(self.data))[~blank]
        begin = 0
        while begin < len(self.data):
            at = np.searchsorted(ends, begin + WINDOW)
            end = int(ends[at]) if at + 1 < len(ends) else len(self.data)
            yield Block(self.data[begin:end], self.line_at(begin), self.dialect)
            begin = end

    def line_at(self, position: int) -> int:
        """The line in the file of a byte of this block."""
        return self.first_line + self.data.count(self.dialect.newline.encode(), 0, position)

    @cached_property
    def _bounds(self) -> tuple[Positions, npt.NDArray[np.bool_]]:
        """Where each record starts, and which of them are blank lines."""
        marks = Marks(self.data, self.dialect)
        ends = marks.record_ends
        if not (len(ends) and ends[-1] == len(self.data)):
            ends = np.append(ends, len(self.data))
        starts = np.concatenate(([0], ends[:-1]))
        text = np.frombuffer(self.data, np.uint8)
        blank = (ends - starts <= len(b"\r\n")) & np.isin(text[starts], list(b"\r\n"))
        return starts, blank

    def split(self, width: int) -> list[Record]:
        """Its records, one by one."""
        text = self.data.decode("utf-8", "surrogateescape")
        return [record for record, _ in Grammar(self.dialect, width).records(text, self.first_line)]


def blocks(
    stream: Bytes, name: str, dialect: Dialect, *, width: int = 0, start: int = 0, line: int = 1
) -> Iterator[Block]:
    """Blocks of about `BATCH_BYTES`: together all of the file from the byte `start` on.

    Those of wide rows are twice as large. `start` is on line `line`; records should have `width`
    fields. Raises SourceError with the line where a record starts that does not end within
    `MAX_FIELD_BYTES`.
    """
    window = _Window(stream, start, BATCH_BYTES * (2 if width >= WIDE else 1))
    grammar = Grammar(dialect, width)
    while data := window.part():
        last, too_long = window.ended, len(data) > MAX_FIELD_BYTES
        marks = Marks(data, dialect)
        block = _clean(data, line, marks, dialect, last=last)
        if block is None and (marks.trouble is not None or last or too_long):
            block = _dirty(data, line, grammar, last=last or too_long)
        if block:
            yield block
            line += block.newlines
            window.drop(len(block.data))
        elif too_long:
            raise SourceError(
                f"the record that starts here does not end within {MAX_FIELD_BYTES >> 20} MB",
                where=f"{name} line {line}",
                fix="Add line ends, or shorten the field that is too long.",
            )
        else:
            window.widen(marks.awaited)


class _Window:
    """The part of the stream that is not in a block yet."""

    def __init__(self, stream: Bytes, start: int, enough: int) -> None:
        self._stream = stream
        self._enough = enough
        self._data = b""
        self._size = start + 1
        self._exhausted = False
        self.part()
        self.drop(start)

    @property
    def ended(self) -> bool:
        """Whether the part reaches the end of the stream."""
        return self._exhausted and len(self._data) <= self._size

    def part(self) -> bytes:
        """Enough for a block, unless the stream has ended."""
        while (missing := self._size - len(self._data)) > 0 and not self._exhausted:
            self._read(missing)
        return self._data[: self._size]

    def _read(self, size: int) -> bytes:
        more = self._stream.read(size)
        self._exhausted = not more
        self._data += more
        return more

    def drop(self, size: int) -> None:
        """Take so many bytes off the front."""
        self._data = self._data[size:]
        self._size = self._enough

    def widen(self, awaited: bytes) -> None:
        """No record ends in the part: have more next time, with one of the awaited bytes in it."""
        more = self._data[self._size :] or self._read(BATCH_BYTES)
        while more and awaited not in more and len(self._data) <= MAX_FIELD_BYTES:
            more = self._read(BATCH_BYTES)
        self._size = max(len(self._data), self._size + 1)


def _clean(data: bytes, line: int, marks: Marks, dialect: Dialect, *, last: bool) -> Block | None:
    """The records up to where counting leads astray, or to the last that ends; None without one."""
    if last and marks.trouble is None and not len(marks.quotes) % 2:
        return Block(data, line, dialect)
    before = len(data) if marks.trouble is None else marks.trouble
    before -= dialect.newline == "\r"  # a newline may follow, and belong to the carriage return
    cut = marks.last_filled_end(before)
    if not cut and len(data) > WINDOW:  # so many blank lines that they may be forgotten
        cut = marks.last_record_end(before)
    return Block(data[:cut], line, dialect) if cut else None


def _dirty(data: bytes, line: int, grammar: Grammar, *, last: bool) -> Block | None:
    """The first records, split one by one; None when not one of them ends.

    The `last` data may hold a quote that is never closed, which costs its line.
    """
    for size in (WINDOW, len(data)):
        whole = size >= len(data)
        text = data[:size].decode("utf-8", "surrogateescape")
        some = grammar.records(text, line, final=whole and last)
        found = list(islice(some, None if size == WINDOW else 1))
        if found and (len(data) <= MAX_FIELD_BYTES or found[-1][1] < len(text)):
            taken = text[: found[-1][1]].encode("utf-8", "surrogateescape")
            return Block(taken, line, grammar.dialect, [record for record, _ in found])
    # without a record only blank lines can be left
    return Block(data, line, grammar.dialect, []) if last and not found else None
