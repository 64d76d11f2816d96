"""A JSON document, read piece by piece: memory holds about a megabyte of it and one value.

Streaming parsers keep the last of two equal keys and put a question mark for half a character,
and say nothing. So each value is decoded by Python's own parser, which can be asked about both.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any, BinaryIO

import pyarrow as pa

from chalicelib.extract.decoding import SURROGATE, Decoder, FlawedError, after_space, half_a_pair
from chalicelib.extract.readers.json_plain import DOUBTFUL, PlainRecords
from chalicelib.settings import BATCH_BYTES, MAX_FIELD_BYTES

_CUT = re.compile(r"[\w.+\-\\]*")
"""What a word, a number or an escape that is cut off leaves."""

LONGEST_WORD = len("-Infinity")
LONGEST_ESCAPE = len("\\ud800\\udc00")


class BrokenJsonError(Exception):
    """The document is no JSON from the byte on, counted from 0; None for `what`: it just ends."""

    def __init__(self, what: str | None, byte: int) -> None:
        super().__init__(what, byte)
        self.what = what
        self.byte = byte


class JsonText:
    """Stands at a place in a document and moves on. Everything raises BrokenJsonError.

    After `record`, `flaw` says why its value is not what was written, None when it is; if not,
    or if it is no object, `raw` is its text.
    """

    def __init__(self, stream: BinaryIO, plain: PlainRecords | None = None) -> None:
        self.flaw: str | None = None
        self.raw = ""
        self._plain = plain
        self._reach = plain.most if plain else 0
        self._doubtful_to = 0
        self._stream = stream
        self._decoder = Decoder()
        self._text, self._start, self._at = "", 0, 0
        self._behind = 0
        self._pending = b""
        self._ended = False
        self._is_utf8 = True

    @property
    def words(self) -> set[str]:
        """What was read as text though JSON does not have it."""
        return self._decoder.words

    @property
    def passed(self) -> int:
        """Characters that lie behind."""
        return self._behind + self._at

    def peek(self) -> str:
        """The next character that is not white space, none at the end."""
        char = self._text[self._at : self._at + 1]
        if char > " ":
            return char
        while True:
            self._at = after_space(self._text, self._at)
            if self._at < len(self._text) or not self._read_on():
                return self._text[self._at : self._at + 1]

    def items(self) -> Iterator[None]:
        """Stop before each item of the list that begins here; the caller moves past it."""
        return self._each("[", "]")

    def members(self) -> Iterator[str]:
        """Stop before the value of each key of the object that begins here."""
        keys = set[str]()
        for _ in self._each("{", "}"):
            key = self._key()
            if key in keys:
                raise self._broken(f"the key {key!r} occurs twice", self._at)
            keys.add(key)
            self._take(":")
            yield key

    def skip(self) -> None:
        """Move past a value, however large the list or object."""
        opening = self.peek()
        if opening == "[":
            for _ in self.items():
                self._value()
        elif opening == "{":
            for _ in self._each("{", "}"):
                self._key()
                self._take(":")
                self._value()
        else:
            self._value()

    def plain(self) -> pa.Table | None:
        """The plain records that begin here, as far as the text is read; None without one."""
        self.peek()
        if self._plain is None or self.passed < self._doubtful_to:
            return None
        if len(self._text) - self._at < DOUBTFUL:
            self._read_on()
        data = self._ahead(self._reach)
        found = self._plain.leading(data)
        if found is None:
            self._doubt()
            return None
        table, length = found
        self._reach = min(self._reach * 2, self._plain.most)
        self._at += length if data.isascii() else len(data[:length].decode())
        return table

    def _doubt(self) -> None:
        """Let what follows be read one by one for a while, and not so much at once after it."""
        self._reach, self._doubtful_to = DOUBTFUL, self.passed + DOUBTFUL

    def _ahead(self, most: int) -> bytes:
        """The text from here on up to where it is not UTF-8."""
        text = self._text[self._at : self._at + most]
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            return text[: error.start].encode()

    def record(self) -> Any:
        """The value that begins here."""
        value = self._value()
        self.flaw = self._decoder.flaw
        is_odd = SURROGATE.search(self._text, self._start, self._at) or not self._is_utf8
        if self.flaw or is_odd or not isinstance(value, dict):
            self.raw = self._text[self._start : self._at]
            self.flaw = self.flaw or _not_utf8(self.raw) or half_a_pair(value, self.raw)
            self._doubt()  # where one is spoilt others are
        return value

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            raise self._broken("more text follows the end of the document", self._at)

    # within

    def _each(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self.peek() == closing:
            self._at += 1
            return
        while True:
            yield
            if self.peek() not in (",", closing):
                raise self._broken(f"expecting ',' or {closing!r}", self._at)
            self._at += 1
            if self._text[self._at - 1] == closing:
                return

    def _key(self) -> str:
        if self.peek() != '"':
            raise self._broken("expecting a key in double quotes", self._at)
        return str(self._value())

    def _take(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise self._broken(f"expecting {wanted!r}", self._at)
        self._at += 1

    def _value(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = self._decoder.value(self._text, self._at)
            except JSONDecodeError as error:
                if not (self._is_cut(error) and self._read_on()):
                    raise self._broken(error.msg, error.pos) from None
            except FlawedError as error:
                raise self._broken(str(error), self._at) from None
            else:
                if end < len(self._text) or not self._read_on():  # a number may go on
                    self._start, self._at = self._at, end
                    return value

    def _is_cut(self, error: JSONDecodeError) -> bool:
        """Whether the error may be that the rest of the value was not read yet."""
        near = len(self._text) - max(LONGEST_WORD, LONGEST_ESCAPE)
        return error.msg.startswith("Unterminated string") or error.pos >= near

    def _read_on(self) -> bool:
        """Read another piece; whether there was one. What lies behind is forgotten."""
        if self._ended:
            return False
        if len(self._text) - self._at > MAX_FIELD_BYTES:
            raise self._broken(f"a record is longer than {MAX_FIELD_BYTES >> 20} MB", self._at)
        piece = self._stream.read(BATCH_BYTES)
        self._ended = not piece
        data = self._pending + piece
        if not data:
            return False
        try:
            text, used = codecs.utf_8_decode(data, "strict", self._ended)
        except UnicodeDecodeError:
            self._is_utf8 = False
            text, used = codecs.utf_8_decode(data, "surrogateescape", self._ended)
        self._pending = data[used:]
        self._behind += self._at
        self._text, self._at = self._text[self._at :] + text, 0
        return True

    def _broken(self, what: str, at: int) -> BrokenJsonError:
        ahead = self._text[at:].encode("utf-8", "surrogateescape")
        byte = self._stream.tell() - len(self._pending) - len(ahead)
        is_cut = _CUT.fullmatch(self._text, at) and not (self._pending or self._stream.read(1))
        if is_cut or what.startswith("Unterminated string"):
            return BrokenJsonError(None, byte + len(ahead))
        return BrokenJsonError(what[:1].lower() + what[1:], byte)


def _not_utf8(raw: str) -> str | None:
    try:
        raw.encode()
    except UnicodeEncodeError as error:
        return f"byte 0x{ord(raw[error.start]) & 0xFF:02x} is not UTF-8"
    return None
