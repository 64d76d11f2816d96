"""Text in any encoding as UTF-8, which is what all that follows works on."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from chalicelib.errors import SourceError

BOM = codecs.BOM_UTF8

MARKS = {
    codecs.BOM_UTF32_LE: ("utf-32-le", "UTF-32"),
    codecs.BOM_UTF32_BE: ("utf-32-be", "UTF-32"),
    codecs.BOM_UTF16_LE: ("utf-16-le", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16-be", "UTF-16"),
    BOM: ("utf-8", "UTF-8 with BOM"),
}
UNREADABLE = "\udcff"
"""Stands for bytes that the encoding does not know; it makes the record invalid UTF-8."""

HIGH_RUN = re.compile(rb"(?!(.)\1{3})[\x80-\xff]{4,}")
"""Western text has no four different letters beyond ASCII in a row; Greek, Russian, Chinese do."""

MISREAD = re.compile(
    r"""
    (?i:[a-z\xe0-\xff]) [\xa1-\xa9\xac\xae\xaf\xb1-\xb3\xb6\xb8\xb9\xbc-\xbf]  # £ ¦ ¯ ± ³ ¶ ¼ …
        (?i:[a-z\xe0-\xff] | [\xb1\xb3\xb6\xb9\xbc\xbe\xbf])
    | [\xa3\xa5\xa6\xaf\xb1\xb3\xb9\xbc\xbe] (?i:[a-z\xe0-\xff]{2})
    | [a-z\xe0-\xff] [\u0178\u0152]  # Ÿ and Œ
    """,
    re.VERBOSE,
)
"""Signs inside of words: letters of central Europe, which have these places in their encodings."""

GUESSED = (
    "was read as Windows-1252, but signs stand within its words: "
    "name its encoding in the source's csv.encoding, as cp1250 or iso8859_2"
)

codecs.register_error("elt.unreadable", lambda error: (UNREADABLE, error.end))  # type: ignore[attr-defined]


def is_utf8(data: bytes) -> bool:
    """Whether all of it is."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class Utf8Stream:
    """Reads a file's bytes as UTF-8, without a byte order mark.

    A mark decides, else the bytes do: NUL beside each letter is UTF-16; the first bytes beyond
    ASCII tell UTF-8 from Windows-1252, of which Latin-1 is a part. Until then, and in all of a
    UTF-8 file, the bytes pass through as they are. `encoding` is what was found so far, `doubt`
    what speaks against it.
    """

    def __init__(self, stream: BinaryIO, name: str, asked: str = "auto") -> None:
        self.encoding = "UTF-8"
        self.doubt = ""
        self._stream = stream
        self._name = name
        self._decoder: codecs.IncrementalDecoder | None = None
        self._undecided = asked == "auto"
        self._start = self._begin(asked)

    def _begin(self, asked: str) -> bytes:
        """Settle what the first bytes settle; returns those that are left of them."""
        start = self._stream.read(512)
        if asked != "auto" and codecs.lookup(asked).name not in ("utf-8", "utf-8-sig"):
            self._decode_as(asked, codecs.lookup(asked).name)
            return start
        for mark, (codec, spoken) in MARKS.items():
            if start.startswith(mark):
                self._undecided, self.encoding = False, spoken
                if codec != "utf-8":
                    self._decode_as(codec, spoken)
                return start.removeprefix(mark)
        if asked == "auto" and (utf16 := _by_zeros(start)):
            self._decode_as(utf16, "UTF-16 without BOM")
        return start

    def _decode_as(self, codec: str, spoken: str) -> None:
        self._undecided, self.encoding = False, spoken
        self._decoder = codecs.getincrementaldecoder(codec)("elt.unreadable")

    def read(self, size: int) -> bytes:
        """About `size` bytes; none at the end only."""
        chunk = self._start + self._stream.read(size)
        self._start = b""
        if self._undecided and not chunk.isascii():
            chunk = self._decide(chunk)
        if self._decoder is None:
            return chunk
        text = self._decoder.decode(chunk, final=not chunk).removeprefix("\ufeff")
        return text.encode("utf-8", "surrogatepass") or (self.read(size) if chunk else b"")

    def _decide(self, chunk: bytes) -> bytes:
        """Look at the first bytes beyond ASCII; returns the chunk with what was read to do so."""
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        text = decoder.decode(chunk)
        while text.isascii() and (more := self._stream.read(4)):
            chunk, text = chunk + more, decoder.decode(more)
        text += decoder.decode(b"", final=text.isascii())
        self._undecided = False
        invalid = len(re.findall("[\udc80-\udcff]", text))
        if invalid * 2 > len(re.findall("[^\x00-\x7f]", text)):
            self._refuse_other_scripts(chunk)
            self.doubt = GUESSED if MISREAD.search(chunk.decode("cp1252", "replace")) else ""
            self._decode_as("cp1252", "Windows-1252")
        return chunk

    def _refuse_other_scripts(self, chunk: bytes) -> None:
        foreign = sum(len(run[0]) for run in HIGH_RUN.finditer(chunk))
        if foreign * 3 > len(re.findall(rb"[\x80-\xff]", chunk)):
            raise SourceError(
                "the text is neither UTF-8 nor in a western encoding",
                where=self._name,
                fix="Name its encoding in the source's csv.encoding, as cp1251 or shift_jis.",
            )


def _by_zeros(start: bytes) -> str | None:
    """UTF-16 without a mark: western letters have a zero byte before or after them."""
    even, odd = start[::2], start[1::2]
    if odd and odd.count(0) * 2 > len(odd) and not even.count(0):
        return "utf-16-le"
    if even and even.count(0) * 2 > len(even) and not odd.count(0):
        return "utf-16-be"
    return None
