"""JSON files with one record a line; a line that is none is a reject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from json import JSONDecodeError
from typing import Any, BinaryIO

import pyarrow as pa

from chalicelib.batch import Batch, Reject
from chalicelib.errors import SourceError
from chalicelib.extract.decoding import Decoder, FlawedError
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.json_batches import (
    NO_RECORD,
    after_bom,
    plain_records,
    reject,
    tell_words,
)
from chalicelib.extract.readers.json_plain import DOUBTFUL
from chalicelib.extract.readers.marks import count
from chalicelib.extract.records import Fields, to_table
from chalicelib.settings import BATCH_BYTES, MAX_FIELD_BYTES

NEWLINE = b"\n"


def one_a_line(head: bytes) -> bool:
    """Whether the first line is a whole object and something follows it."""
    first, _, rest = head.partition(b"\n")
    try:
        return isinstance(Decoder().whole(first.decode(errors="replace")), dict) and bool(
            rest.strip()
        )
    except FlawedError:
        return head[:1] == b"{" and bool(rest.strip())
    except ValueError:
        return False


def read_lines(file: InputFile) -> Iterator[Batch]:
    """Batches of the file, each record with its line."""
    lines = _Lines(file)
    with file.open() as stream:
        for data in lines.pieces(after_bom(stream)):
            yield from lines.batches(data)


class _Lines:
    """Reads the lines of one file in their order; each piece is for `batches` before the next."""

    def __init__(self, file: InputFile) -> None:
        self._file = file
        self._fields = Fields()
        self._decoder = Decoder()
        self._first = 1
        self._plain = plain_records(file, self._fields)

    def pieces(self, stream: BinaryIO) -> Iterator[bytes]:
        """About as many bytes as make a batch; SourceError for a line that is too long."""
        while data := stream.read(min(self._plain.most, BATCH_BYTES, MAX_FIELD_BYTES)):
            rest = stream.readline(MAX_FIELD_BYTES)
            data += rest
            if len(rest) == MAX_FIELD_BYTES and not rest.endswith(b"\n"):
                raise SourceError(
                    f"a record is longer than {MAX_FIELD_BYTES >> 20} MB",
                    where=f"{self._file.name} line {self._first + count(data, NEWLINE)}",
                    fix="Export one record a line, or a list of records.",
                )
            yield data

    def batches(self, data: bytes) -> Iterator[Batch]:
        """At once where all is plain, else piece by piece."""
        if batch := self._fast(data):
            yield batch
        else:
            yield from (self._fast(piece) or self._slow(piece) for piece in _pieces(data))

    def _fast(self, data: bytes) -> Batch | None:
        found = self._plain.lines(data, self._first)
        return found and self._done(data, *found)

    def _slow(self, data: bytes) -> Batch:
        records, numbers, rejects = [], [], []
        for number, line in enumerate(data.split(b"\n"), start=self._first):
            if not line.strip():
                continue
            try:
                records.append(_parse_line(line, self._decoder))
                numbers.append(number)
            except ValueError as error:
                rejects.append(reject(number, _raw(line), _reason(error)))
        name, options = self._file.name, self._file.json
        table = to_table(records, options, where=name, numbers=numbers, fields=self._fields)
        tell_words(self._file, self._decoder.words)
        return self._done(data, table, numbers, rejects)

    def _done(
        self, data: bytes, table: pa.Table, lines: Sequence[int], rejects: Sequence[Reject] = ()
    ) -> Batch:
        self._first += count(data, NEWLINE)
        return Batch(self._file.source, self._file.name, table, lines, len(data), rejects)


def _pieces(data: bytes) -> Iterator[bytes]:
    """Whole lines in pieces of about `DOUBTFUL`."""
    begin = 0
    while begin < len(data):
        end = data.find(b"\n", begin + DOUBTFUL) + 1 or len(data)
        yield data[begin:end]
        begin = end


def _parse_line(line: bytes, decoder: Decoder) -> dict[str, Any]:
    record = decoder.whole(line.decode())
    if not isinstance(record, dict):
        raise FlawedError(NO_RECORD)
    return record


def _reason(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x} is not UTF-8"
    if isinstance(error, JSONDecodeError):
        return f"is not a JSON record: {error.msg} at character {error.pos + 1:,}"
    return str(error)


def _raw(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape").rstrip("\r\n")
