"""The signs that structure JSON, found by counting at the speed of memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Positions = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

QUOTE, BACKSLASH, NEWLINE = ord('"'), ord("\\"), ord("\n")

_BITS = 64


@dataclass(frozen=True)
class Marks:
    """Where the signs outside of strings stand that structure JSON: brackets, colons and commas.

    That is so in text which is JSON; of other text it is anything, and raises nothing.
    """

    text: Bytes
    at: Positions

    @classmethod
    def of(cls, data: bytes) -> Marks:
        """Those of text that does not begin within a string."""
        text = np.frombuffer(data, np.uint8)
        quotes = text == QUOTE
        if b"\\" in data:
            places = np.flatnonzero(quotes)
            quotes[places[_is_escaped(text, places)]] = False
        outside = _bits(_is_sign(text)) & ~_within(_bits(quotes))
        marked = np.unpackbits(outside.view(np.uint8), count=len(text), bitorder="little")
        return cls(text, np.flatnonzero(marked.view(np.bool_)))

    @cached_property
    def kind(self) -> Bytes:
        """Which sign each of them is."""
        return self.text[self.at]

    def before(self, end: int) -> Marks:
        """Those of a part that ends outside of strings."""
        return self._only(slice(0, int(np.searchsorted(self.at, end))))

    def first(self, count: int) -> Marks:
        """At most so many."""
        return self._only(slice(0, count))

    def outside_lists(self) -> Marks:
        """Those that are not within a list, nor its brackets."""
        opens, closes = self.kind == ord("["), self.kind == ord("]")
        if not opens.any():
            return self
        return self._only((np.cumsum(opens) == np.cumsum(closes)) & ~closes)

    def _only(self, which: slice | Mask) -> Marks:
        return Marks(self.text, self.at[which])

    def where(self, sign: bytes) -> Positions:
        """Which of the marks are this sign."""
        return np.flatnonzero(self.kind == ord(sign))

    def lines(self) -> tuple[Positions, Positions]:
        """Where lines begin and end; the last one may have no newline."""
        ends = np.flatnonzero(self.text == NEWLINE)
        if not len(ends) or ends[-1] < len(self.text) - 1:
            ends = np.append(ends, len(self.text))
        return np.concatenate(([0], ends[:-1] + 1)), ends

    @cached_property
    def level(self) -> Positions:
        """How many objects and lists each mark is in; an opening sign is, a closing one is not."""
        opens = (self.kind == ord("{")) | (self.kind == ord("["))
        closes = (self.kind == ord("}")) | (self.kind == ord("]"))
        return np.cumsum(opens.view(np.int8) - closes.view(np.int8), dtype=np.intp)

    @cached_property
    def depth(self) -> Positions:
        """How many objects each mark is in."""
        opens, closes = self.kind == ord("{"), self.kind == ord("}")
        return np.cumsum(opens.view(np.int8) - closes.view(np.int8), dtype=np.intp)

    @cached_property
    def record(self) -> Positions:
        """The number of the record that each mark is in."""
        return np.cumsum((self.kind == ord("{")) & (self.depth == 1)) - 1

    def objects(self) -> tuple[Positions, Positions]:
        """Where the objects of a list begin and end that are whole, up to the end of the list."""
        level = self.level
        below = np.flatnonzero(level < 0)
        level = level[: below[0]] if len(below) else level
        kind, at = self.kind[: len(level)], self.at[: len(level)]
        ends = at[(level == 0) & (kind == ord("}"))] + 1
        starts = at[(level == 1) & (kind == ord("{"))]
        return _in_turns(starts, ends)


def _in_turns(starts: Positions, ends: Positions) -> tuple[Positions, Positions]:
    """As many as follow each other: in text that is no JSON brackets may not match."""
    count = min(len(starts), len(ends))
    starts, ends = starts[:count], ends[:count]
    wrong = (starts > ends) | (starts < np.concatenate(([0], ends[:-1])))
    count = int(wrong.argmax()) if wrong.any() else count
    return starts[:count], ends[:count]


def slices(data: bytes, starts: Positions, ends: Positions) -> pa.StringArray:
    """The texts at these places, which must follow each other: memory is at stake."""
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[0:-1:2], offsets[1::2], offsets[-1] = starts, ends, len(data)
    if offsets[0] < 0 or (offsets[1:] < offsets[:-1]).any():
        raise ValueError(offsets)
    buffers = [pa.py_buffer(offsets), pa.py_buffer(data)]
    both = pa.StringArray.from_buffers(2 * len(starts), *buffers)
    return both.take(pa.array(np.arange(0, 2 * len(starts), 2)))


def matches(texts: pa.StringArray, pattern: str) -> Mask:
    """Which of the texts the pattern is found in."""
    found: Mask = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return found


def _is_sign(text: Bytes) -> Mask:
    """Whether each is one of `:,{}[]`; the brackets are the only ones that make 0 or 2 here."""
    signs: Mask = ((text | 0x20) - ord("{")) & 0xFD == 0
    signs |= text == ord(":")
    signs |= text == ord(",")
    return signs


def _bits(mask: Mask) -> Words:
    """The mask, 64 of it in a word, the first in the lowest bit."""
    packed = np.packbits(mask, bitorder="little")
    return np.pad(packed, (0, -len(packed) % 8)).view("<u8")


def _within(quotes: Words) -> Words:
    """From each opening quote on up to the closing one: where their count so far is odd."""
    odd = quotes.copy()
    for width in (1, 2, 4, 8, 16, 32):
        odd ^= odd << width
    before = np.logical_xor.accumulate(odd >> (_BITS - 1))[:-1]
    odd[1:] ^= np.where(before, ~np.uint64(0), np.uint64(0))
    return odd


def _is_escaped(text: Bytes, signs: Positions) -> Mask:
    """Before which an odd number of backslashes stands."""
    slashes = np.flatnonzero(text == BACKSLASH)
    begins = np.concatenate(([True], np.diff(slashes) > 1))
    first = np.maximum.accumulate(np.where(begins, slashes, 0))
    last_before = np.searchsorted(slashes, signs) - 1
    beside = (last_before >= 0) & (slashes[last_before] == signs - 1)
    escaped: Mask = beside & ((signs - first[last_before]) % 2 == 1)
    return escaped
