"""Cuts a delimited file into blocks of whole records without parsing it.

A newline ends a record when an even number of quotes stands before it. Counting quotes and
newlines runs at the speed of memory, keeps the line of every row known and hands Arrow blocks
that it can parse one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from chalicelib.errors import SourceError
from chalicelib.settings import BATCH_BYTES, MAX_FIELD_BYTES

BOM = b"\xef\xbb\xbf"
QUOTE = b'"'
NEWLINE = b"\n"
BLANK = np.frombuffer(b"\r\n", np.uint8)

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Block:
    """Whole records of a file, and the line its first one stands on."""

    data: bytes
    first_line: int
    quote: bytes = QUOTE

    @property
    def quoted(self) -> bool:
        """Whether any field may be quoted."""
        return bool(self.quote) and self.quote in self.data

    def line_at(self, position: int) -> int:
        """The line in the file of a byte of this block."""
        return self.first_line + self.data.count(NEWLINE, 0, position)

    def record_lines(self, records: int) -> Sequence[int]:
        """The line each of the block's `records` starts on; blank lines are no records."""
        lines = self.data.count(NEWLINE) + (not self.data.endswith(NEWLINE))
        if lines == records:
            return range(self.first_line, self.first_line + records)
        text = np.frombuffer(self.data, np.uint8)
        starts, ends = _record_bounds(self.data, self.quote)
        blank = (ends - starts <= len(b"\r\n")) & np.isin(text[starts], BLANK)
        newlines = np.flatnonzero(text == NEWLINE[0])
        numbers: list[int] = (self.first_line + np.searchsorted(newlines, starts[~blank])).tolist()
        return numbers

    def split_first(self) -> tuple[Block, Block]:
        """The first record that is not blank, and what follows it."""
        for start, end in zip(*_record_bounds(self.data, self.quote), strict=True):
            if self.data[start:end].strip(b"\r\n"):
                return self._slice(start, end), self._slice(end, len(self.data))
        return self._slice(0, 0), self

    def _slice(self, start: int, end: int) -> Block:
        return Block(self.data[start:end], self.line_at(start), self.quote)

    def stray_quote(self, delimiter: str) -> int | None:
        """The line of the first quote that neither opens nor closes a field; None without one.

        Quotes open and close in turns; a doubled one closes the field and opens it again.
        """
        if not self.quoted:
            return None
        text = np.frombuffer(NEWLINE + self.data + NEWLINE, np.uint8)
        quotes = np.flatnonzero(text == self.quote[0])
        beside = np.isin(text, np.frombuffer(b"\r\n" + self.quote + delimiter.encode(), np.uint8))
        opens = np.arange(len(quotes)) % 2 == 0
        stray = quotes[~np.where(opens, beside[quotes - 1], beside[quotes + 1])]
        return self.line_at(int(stray[0]) - 1) if len(stray) else None

    def lone_return(self) -> int | None:
        """The line of the first carriage return outside quotes that no newline follows."""
        if b"\r" not in self.data:
            return None
        text = np.frombuffer(self.data + NEWLINE, np.uint8)
        returns = np.flatnonzero(text[:-1] == ord("\r"))
        lone = returns[text[returns + 1] != NEWLINE[0]]
        if self.quoted:
            quotes = np.flatnonzero(text == self.quote[0])
            lone = lone[np.searchsorted(quotes, lone) % 2 == 0]
        return self.line_at(int(lone[0])) if len(lone) else None


def blocks(stream: BinaryIO, name: str, quote: bytes = QUOTE) -> Iterator[Block]:
    """Blocks of about `BATCH_BYTES`: together the whole file, without its byte order mark.

    Raises SourceError with the line where a record starts that does not end within
    `MAX_FIELD_BYTES`, or in which a quote is still open at the end of the file.
    """
    line = 1
    rest = stream.read(BATCH_BYTES).removeprefix(BOM)
    while rest:
        more = stream.read(BATCH_BYTES)
        cut = _last_record_end(rest, quote)
        _refuse_endless(
            rest[cut:], f"{name} line {line + rest.count(NEWLINE, 0, cut)}", quote, more
        )
        if not more:
            cut = len(rest)
        if cut:
            yield Block(rest[:cut], line, quote)
            line += rest.count(NEWLINE, 0, cut)
        rest = rest[cut:] + more


def _last_record_end(data: bytes, quote: bytes) -> int:
    """The length of the whole records at the start of `data`; 0 when there is none."""
    cut = data.rfind(NEWLINE) + 1
    if not quote or data.count(quote, 0, cut) % 2 == 0:
        return cut
    ends = _record_ends(data, quote)
    return int(ends[-1]) + 1 if len(ends) else 0


def _record_ends(data: bytes, quote: bytes) -> Positions:
    """Positions of the newlines that stand outside quotes."""
    text = np.frombuffer(data, np.uint8)
    newlines: Positions = np.flatnonzero(text == NEWLINE[0])
    if not quote or quote not in data:
        return newlines
    quotes_before = np.searchsorted(np.flatnonzero(text == quote[0]), newlines)
    outside: Positions = newlines[quotes_before % 2 == 0]
    return outside


def _record_bounds(data: bytes, quote: bytes) -> tuple[Positions, Positions]:
    """Where each record starts and ends, blank ones included; the last may lack its newline."""
    ends = _record_ends(data, quote) + 1
    if data and not (len(ends) and ends[-1] == len(data)):
        ends = np.append(ends, len(data))
    return np.concatenate((ends[:0], [0], ends[:-1])).astype(np.intp)[: len(ends)], ends


def _refuse_endless(rest: bytes, where: str, quote: bytes, more: bytes) -> None:
    unclosed = bool(quote) and rest.count(quote) % 2 == 1
    if unclosed and not more:
        raise SourceError(
            "a quote that opens in this record is never closed",
            where=where,
            fix="Close it, or double it if it belongs to the text.",
        )
    if len(rest) > MAX_FIELD_BYTES:
        raise SourceError(
            f"the record that starts here does not end within {MAX_FIELD_BYTES >> 20} MB",
            where=where,
            fix="Most often a quote is not closed: close it. Or a field is too long: shorten it."
            if unclosed
            else "Add line ends, or shorten the field that is too long.",
        )
