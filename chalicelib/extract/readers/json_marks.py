"""The signs that structure JSON, found by counting at the speed of memory."""

from __future__ import annotations

from collections.abc import Callable
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

QUOTE, BACKSLASH, NEWLINE, SPACE = ord('"'), ord("\\"), ord("\n"), ord(" ")

PIECE = 1 << 16
"""Bytes looked at at once: what is made of them stays in the processor's cache."""


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
        shown = _without_escapes(text) if b"\\" in data else text
        outside = _bits(shown, _is_sign) & ~_within(_bits(shown, _is_quote))
        return cls(text, _places(outside))

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


def _is_quote(text: Bytes) -> Mask:
    found: Mask = text == QUOTE
    return found


def _is_sign(text: Bytes) -> Mask:
    """Whether each is one of `:,{}[]`; of all bytes only these brackets make 0 or 2 here."""
    signs: Mask = ((text | 0x20) - ord("{")) & 0xFD == 0
    signs |= text == ord(":")
    signs |= text == ord(",")
    return signs


def _bits(text: Bytes, is_one: Callable[[Bytes], Mask]) -> Words:
    """A bit for each byte, 64 of them in a word, the first in the lowest one."""
    packed = np.zeros(-(-len(text) // 64) * 8, np.uint8)
    for start in range(0, len(text), PIECE):
        bits = np.packbits(is_one(text[start : start + PIECE]), bitorder="little")
        packed[start // 8 :][: len(bits)] = bits
    return packed.view("<u8")


def _places(bits: Words) -> Positions:
    """The numbers of the bits that are set."""
    step = PIECE // 64
    pieces = (bits[start : start + step].view(np.uint8) for start in range(0, len(bits), step))
    places = [
        np.flatnonzero(np.unpackbits(piece, bitorder="little").view(np.bool_)) + number * PIECE
        for number, piece in enumerate(pieces)
    ]
    return np.concatenate(places) if places else np.empty(0, np.intp)


def _within(quotes: Words) -> Words:
    """From each opening quote on up to the closing one: where their count so far is odd."""
    odd = quotes.copy()
    for width in (1, 2, 4, 8, 16, 32):
        odd ^= odd << width
    before = np.logical_xor.accumulate(odd >> 63)[:-1]
    odd[1:] ^= np.where(before, ~np.uint64(0), np.uint64(0))
    return odd


def _without_escapes(text: Bytes) -> Bytes:
    """The text with spaces for what a backslash stands before that is not escaped itself."""
    slashes = np.flatnonzero(text == BACKSLASH)
    begins = np.concatenate(([True], np.diff(slashes) > 1))
    first = np.maximum.accumulate(np.where(begins, slashes, 0))
    escaped = slashes[(slashes - first) % 2 == 0] + 1
    shown = text.copy()
    shown[escaped[escaped < len(text)]] = SPACE
    return shown
