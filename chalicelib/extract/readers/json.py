"""JSON files, streamed: a list, one object, records under a path, or one object a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, TypeVar

from chalicelib.batch import RAW, Batch, Problem, Reject
from chalicelib.config.jsonpath import Step, steps
from chalicelib.errors import SourceError
from chalicelib.extract.decoding import Decoder, FlawedError
from chalicelib.extract.readers.blocks import BOM
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.json_position import position
from chalicelib.extract.readers.json_records import (
    RecordsAt,
    RecordsOfObject,
    key_of_records,
    unclear,
)
from chalicelib.extract.readers.json_text import BrokenJsonError, JsonText
from chalicelib.extract.records import to_table
from chalicelib.settings import BATCH_RECORDS, MAX_FIELD_BYTES

BATCH_JSON_BYTES = 4 << 20
"""A batch of large records ends here."""

T = TypeVar("T")


def read(file: InputFile) -> Iterator[Batch]:
    """Batches of a `.json` file; numbers keep their exact text.

    A record with something that cannot be kept is a reject: a key twice in one object, half of a
    surrogate pair, a byte that is not UTF-8. SourceError with line, column and byte where the
    document is no JSON.
    """
    head = file.head(size=1 << 20).removeprefix(BOM).lstrip()
    if head and head[:1] not in (b"{", b"["):
        raise SourceError(
            "the file does not hold records: it starts with neither { nor [",
            where=f"{file.name} line 1",
            fix="Put objects into a list, or one object on each line.",
        )
    if not head:
        return iter(())
    if file.records is None and _one_a_line(head):
        file.detected["format"] = "one record a line"
        return _read_lines(file)
    return _told_where_broken(file, _read_document(file, head))


def _one_a_line(head: bytes) -> bool:
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


# a document


def _read_document(file: InputFile, head: bytes) -> Iterator[Batch]:
    if file.records is not None:
        file.detected["format"] = f"records at {file.records}"
        return _read_at(file, steps(file.records))
    if head[:1] == b"[":
        file.detected["format"] = "a list of records"
        return _read_at(file, ())
    return _read_object(file)


def _read_at(file: InputFile, path: tuple[Step, ...]) -> Iterator[Batch]:
    with file.open() as stream:
        text = JsonText(_after_bom(stream))
        records = RecordsAt(text, path)
        yield from _batches(file, text, records, stream.tell)
    if not records.found:
        raise SourceError(
            f"there is nothing at {file.records}",
            where=file.name,
            fix="Correct the source's records path.",
        )


def _read_object(file: InputFile) -> Iterator[Batch]:
    """In one pass: what follows the list may tell that it is not the records.

    So a batch is held back until the next one, or the end of the document, is there.
    """
    held: Batch | None = None
    released = False
    with file.open() as stream:
        text = JsonText(_after_bom(stream))
        top = RecordsOfObject(text)
        for batch in _batches(file, text, top, stream.tell):
            if held and key_of_records(file, top.kinds):
                yield held
                released = True
            held = batch
    key = key_of_records(file, top.kinds)
    if released and not key:
        raise unclear(file, top.kinds, next(iter(top.kinds)))
    file.detected["format"] = f"records under {key!r}" if key else "one record"
    if not key:
        yield from _read_at(file, ())
    elif held:
        yield held


def _batches(
    file: InputFile, text: JsonText, records: Iterable[Any], read_to: Callable[[], int]
) -> Iterator[Batch]:
    done = 0
    each = ((number, text.flaw, text.raw, r) for number, r in enumerate(records, start=1))
    while some := _some(each, lambda: text.passed):
        good = [record for _, flaw, _, record in some if flaw is None]
        rejects = [_reject(number, raw, flaw) for number, flaw, raw, _ in some if flaw is not None]
        numbers = [number for number, flaw, _, _ in some if flaw is None]
        table = to_table(good, file.json, where=file.name, numbers=numbers)
        size, done = read_to() - done, read_to()
        if text.words:
            file.detected["read as text"] = ", ".join(sorted(text.words))
        yield Batch(file.source, file.name, table, numbers, size, rejects)


def _some(items: Iterator[T], passed: Callable[[], int]) -> list[T]:
    """The next items: as many as make a batch, fewer when they are large."""
    limit = passed() + BATCH_JSON_BYTES
    some: list[T] = []
    for item in items:
        some.append(item)
        if len(some) == BATCH_RECORDS or passed() > limit:
            break
    return some


def _told_where_broken(file: InputFile, batches: Iterator[Batch]) -> Iterator[Batch]:
    try:
        yield from batches
    except BrokenJsonError as error:
        raise _broken(file, error) from None


def _broken(file: InputFile, error: BrokenJsonError) -> SourceError:
    with file.open() as stream:
        start = _after_bom(stream).tell()
        line, column = position(stream, error.byte - start)
    return SourceError(
        f"the JSON is broken at byte {error.byte + 1:,}: {error.what}"
        if error.what
        else f"the JSON ends too early, after byte {error.byte:,}",
        where=f"{file.name} line {line} column {column}",
        fix="Mend the file there." if error.what else "Export or upload the file again, whole.",
    )


# a record a line


def _read_lines(file: InputFile) -> Iterator[Batch]:
    decoder = Decoder()
    with file.open() as stream:
        lines = _numbered_lines(_after_bom(stream), file.name)
        while some := _some(lines, stream.tell):
            yield _lines_batch(file, some, decoder)


def _numbered_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(iter(lambda: stream.readline(MAX_FIELD_BYTES), b""), start=1):
        if len(line) == MAX_FIELD_BYTES and not line.endswith(b"\n"):
            raise SourceError(
                f"a record is longer than {MAX_FIELD_BYTES >> 20} MB",
                where=f"{name} line {number}",
                fix="Export one record a line, or a list of records.",
            )
        yield number, line


def _lines_batch(file: InputFile, chunk: list[tuple[int, bytes]], decoder: Decoder) -> Batch:
    records, numbers, rejects = [], [], []
    for number, line in chunk:
        if not line.strip():
            continue
        try:
            records.append(_parse_line(line, decoder))
            numbers.append(number)
        except ValueError as error:
            rejects.append(_reject(number, _raw(line), _reason(error)))
    table = to_table(records, file.json, where=file.name, numbers=numbers)
    if decoder.words:
        file.detected["read as text"] = ", ".join(sorted(decoder.words))
    size = sum(len(line) for _, line in chunk)
    return Batch(file.source, file.name, table, numbers, size, rejects)


def _parse_line(line: bytes, decoder: Decoder) -> dict[str, Any]:
    record = decoder.whole(line.decode())
    if not isinstance(record, dict):
        raise FlawedError("not an object of names and values")
    return record


def _reason(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x} is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"is not a JSON record: {error.msg} at character {error.pos + 1:,}"
    return str(error)


def _raw(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape").rstrip("\r\n")


def _reject(number: int, raw: str, reason: str) -> Reject:
    shown = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return Reject(number, {RAW: shown}, (Problem(None, shown, reason),))


def _after_bom(stream: BinaryIO) -> BinaryIO:
    if stream.read(len(BOM)) != BOM:
        stream.seek(0)
    return stream
