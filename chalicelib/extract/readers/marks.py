"""Quotes and record ends, found by counting at the speed of memory.

A newline ends a record when an even number of quotes stands before it, as long as each quote opens
or closes a field. Where one does neither, counting leads astray.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from chalicelib.extract.readers.dialect import Dialect

Positions = npt.NDArray[np.intp]

NEAR = 1 << 16
"""Bytes at the end in which the last record most often ends."""


def count(data: bytes, sign: bytes) -> int:
    """How often a byte is there; `bytes.count` takes much longer where that is often."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == sign[0]))


class Marks:
    """The quotes and record ends of bytes that start with a record."""

    def __init__(self, data: bytes, dialect: Dialect) -> None:
        self._data = dialect.masked(data)
        self._dialect = dialect
        self._newline = dialect.newline.encode()
        self._quote = dialect.quote.encode()

    @cached_property
    def _bytes(self) -> npt.NDArray[np.uint8]:
        return np.frombuffer(self._data, np.uint8)

    @cached_property
    def quotes(self) -> Positions:
        """Where quotes stand."""
        if not self._quote or self._quote not in self._data:
            return np.empty(0, np.intp)
        return np.flatnonzero(self._bytes == self._quote[0])

    @cached_property
    def record_ends(self) -> Positions:
        """The positions after newlines outside quotes."""
        return self._ends_from(0)

    def _ends_from(self, start: int) -> Positions:
        newlines = np.flatnonzero(self._bytes[start:] == self._newline[0]) + start
        return self._outside(newlines) + 1

    def _outside(self, positions: Positions) -> Positions:
        if not len(self.quotes):
            return positions
        outside: Positions = positions[np.searchsorted(self.quotes, positions) % 2 == 0]
        return outside

    def last_record_end(self, before: int) -> int:
        """The length of the whole records that end before a position."""
        if not len(self.quotes):
            return self._data.rfind(self._newline, 0, before) + 1
        end = self._data.rfind(self._newline, 0, before) + 1
        if np.searchsorted(self.quotes, end) % 2 == 0:
            return end
        for start in (max(0, before - NEAR), 0):
            ends = self._ends_from(start)
            if last := np.searchsorted(ends, before, side="right"):
                return int(ends[last - 1])
        return 0

    def last_filled_end(self, before: int) -> int:
        """The same without the blank lines at its end, which belong to what follows them."""
        end = self.last_record_end(before)
        filled = self._filled(end, NEAR) or self._filled(end, end)
        if not filled:
            return 0
        line_end = self._data.index(self._newline, filled) + 1
        return line_end + self._data.startswith(b"\r\n", line_end - 1) * (self._newline == b"\r")

    def _filled(self, end: int, near: int) -> int:
        """Up to where there is more than blank lines, if that is so near the end; else 0."""
        start = max(0, end - near)
        text = self._data[start:end].rstrip(b"\r\n")
        return start + len(text) if text else 0

    @property
    def awaited(self) -> bytes:
        """What must come before the last record can end."""
        return self._quote if len(self.quotes) % 2 else self._newline

    @cached_property
    def trouble(self) -> int | None:
        """Where counting first leads astray: a stray quote, or the other kind of record end."""
        found = [at for at in (self._stray_quote(), self._other_end()) if at is not None]
        return min(found, default=None)

    def _stray_quote(self) -> int | None:
        """The first quote that neither opens nor closes a field.

        Quotes open and close in turns; a doubled one closes the field and opens it again.
        """
        if not len(self.quotes):
            return None
        beside = b"\r\n" + self._dialect.delimiter.encode() + self._quote * self._dialect.doubled
        before = beside + b" " * self._dialect.padded
        text = np.frombuffer(self._newline + self._data + self._newline, np.uint8)
        opening, closing = self.quotes[::2], self.quotes[1::2]
        stray = [
            *opening[~_is_in(text[opening], before)][:1],
            *closing[~_is_in(text[closing + 2], beside)][:1],
        ]
        return int(min(stray)) if stray else None

    def _other_end(self) -> int | None:
        """The first carriage return outside quotes that no newline follows, or the reverse."""
        data = self._data
        if self._newline == b"\n":
            if b"\r" not in data:
                return None
            other = np.flatnonzero(self._bytes == ord("\r"))
            followed = np.append(self._bytes, self._newline[0])[other + 1]
            other = other[followed != ord("\n")]
        else:
            other = np.flatnonzero(self._bytes == ord("\n"))
        outside = self._outside(other)
        return int(outside[0]) if len(outside) else None


def _is_in(text: npt.NDArray[np.uint8], chars: bytes) -> npt.NDArray[np.bool_]:
    among = np.zeros(256, np.bool_)
    among[list(chars)] = True
    return among[text]
