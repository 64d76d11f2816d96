"""JSON files with one record a line; a line that is none is a reject."""

from __future__ import annotations

from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any, BinaryIO

from chalicelib.batch import Batch
from chalicelib.errors import SourceError
from chalicelib.extract.decoding import Decoder, FlawedError
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.json_batches import NO_RECORD, after_bom, reject, some, tell_words
from chalicelib.extract.records import Fields, to_table
from chalicelib.settings import MAX_FIELD_BYTES


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
    decoder, fields = Decoder(), Fields()
    with file.open() as stream:
        lines = _numbered_lines(after_bom(stream), file.name)
        while chunk := some(lines, stream.tell):
            yield _batch(file, chunk, decoder, fields)


def _numbered_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(iter(lambda: stream.readline(MAX_FIELD_BYTES), b""), start=1):
        if len(line) == MAX_FIELD_BYTES and not line.endswith(b"\n"):
            raise SourceError(
                f"a record is longer than {MAX_FIELD_BYTES >> 20} MB",
                where=f"{name} line {number}",
                fix="Export one record a line, or a list of records.",
            )
        yield number, line


def _batch(
    file: InputFile, chunk: list[tuple[int, bytes]], decoder: Decoder, fields: Fields
) -> Batch:
    records, numbers, rejects = [], [], []
    for number, line in chunk:
        if not line.strip():
            continue
        try:
            records.append(_parse_line(line, decoder))
            numbers.append(number)
        except ValueError as error:
            rejects.append(reject(number, _raw(line), _reason(error)))
    table = to_table(records, file.json, where=file.name, numbers=numbers, fields=fields)
    tell_words(file, decoder.words)
    size = sum(len(line) for _, line in chunk)
    return Batch(file.source, file.name, table, numbers, size, rejects)


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
