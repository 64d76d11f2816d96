"""JSON files, streamed: a list, one object, records under a key of one object, or one a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO, NoReturn, TypeVar

import ijson

from chalicelib.batch import RAW, Batch, Problem, Reject
from chalicelib.errors import SourceError
from chalicelib.extract.readers.encoding import BOM
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.json_position import Position, breaking_point
from chalicelib.extract.readers.json_records import key_of_records
from chalicelib.extract.records import to_table
from chalicelib.settings import BATCH_RECORDS, MAX_FIELD_BYTES

BATCH_JSON_BYTES = 8 << 20
"""A batch of large records ends here."""

T = TypeVar("T")


def read(file: InputFile) -> Iterator[Batch]:
    """Batches of a `.json` file; numbers keep their exact text."""
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
    return _read_document(file, _path(file, head))


def _one_a_line(head: bytes) -> bool:
    """Whether the first line is a whole object and something follows it."""
    first, _, rest = head.partition(b"\n")
    try:
        return isinstance(json.loads(first), dict) and bool(rest.strip())
    except ValueError:
        return False


def _path(file: InputFile, head: bytes) -> str:
    """Where the records are, in ijson's notation: configured, or the first list of objects."""
    path = (file.records or "$").removeprefix("$").removeprefix(".")
    if not path and head[:1] == b"[":
        file.detected["format"] = "a list of records"
        return "item"
    if file.records is None:
        path = _key_of_records(file)
    file.detected["format"] = f"records under {path!r}" if path else "one record"
    return f"{path}.item" if path else ""


def _key_of_records(file: InputFile) -> str:
    with file.open() as stream:
        try:
            return key_of_records(file, ijson.parse(_after_bom(stream)))
        except ijson.JSONError as error:
            raise _broken(file, error) from error


def _read_document(file: InputFile, path: str) -> Iterator[Batch]:
    done, read_to = 0, 0
    with file.open() as stream:
        items = ijson.items(_after_bom(stream), path)
        try:
            while records := _some(items, stream.tell):
                numbers = range(done + 1, done + 1 + len(records))
                table = to_table(records, where=file.name, first=done + 1)
                size, read_to = stream.tell() - read_to, stream.tell()
                yield Batch(file.source, file.name, table, numbers, size)
                done += len(records)
        except ijson.JSONError as error:
            raise _broken(file, error) from error
    if not done and file.records:
        _check_path(file, path)


def _some(items: Iterator[T], read_to: Callable[[], int]) -> list[T]:
    """The next items: as many as make a batch, fewer when they are large."""
    limit = read_to() + BATCH_JSON_BYTES
    some: list[T] = []
    for item in items:
        some.append(item)
        if len(some) == BATCH_RECORDS or read_to() > limit:
            break
    return some


def _check_path(file: InputFile, path: str) -> None:
    """An empty list is no mistake; a path that leads nowhere is."""
    with file.open() as stream:
        found = any(place == path.removesuffix(".item") for place, _, _ in ijson.parse(stream))
    if not found:
        raise SourceError(
            f"there is nothing at {file.records}",
            where=file.name,
            fix="Correct the source's records path.",
        )


def _read_lines(file: InputFile) -> Iterator[Batch]:
    with file.open() as stream:
        lines = _numbered_lines(_after_bom(stream), file.name)
        while some := _some(lines, stream.tell):
            yield _lines_batch(file, some)


def _numbered_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(iter(lambda: stream.readline(MAX_FIELD_BYTES), b""), start=1):
        if len(line) == MAX_FIELD_BYTES and not line.endswith(b"\n"):
            raise SourceError(
                f"a record is longer than {MAX_FIELD_BYTES >> 20} MB",
                where=f"{name} line {number}",
                fix="Export one record a line, or a list of records.",
            )
        yield number, line


def _lines_batch(file: InputFile, chunk: list[tuple[int, bytes]]) -> Batch:
    records, numbers, rejects = [], [], []
    for number, line in chunk:
        if not line.strip():
            continue
        try:
            records.append(_parse_line(line))
            numbers.append(number)
        except ValueError as error:
            rejects.append(_reject(number, line, error))
    size = sum(len(line) for _, line in chunk)
    return Batch(file.source, file.name, to_table(records, where=file.name), numbers, size, rejects)


def _parse_line(line: bytes) -> dict[str, Any]:
    record = json.loads(line, parse_float=Decimal, parse_constant=_not_a_number)
    if not isinstance(record, dict):
        raise ValueError("not an object of names and values")  # noqa: TRY004 - data, not a bug
    return record


def _not_a_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _reject(number: int, line: bytes, error: ValueError) -> Reject:
    raw = line.decode("utf-8", "replace").rstrip("\r\n")
    reason = f"is not a JSON record: {getattr(error, 'msg', error)}"
    return Reject(number, {RAW: raw}, (Problem(None, raw, reason),))


def _broken(file: InputFile, error: ijson.JSONError) -> SourceError:
    with file.open() as stream:
        position = breaking_point(_after_bom(stream))
    if position is None:
        position = Position(1, 1, at_end=False)
    what = "the JSON ends too early" if position.at_end else f"the JSON is broken: {_plain(error)}"
    return SourceError(
        what,
        where=f"{file.name} line {position.line} column {position.column}",
        fix="Export the file again, whole." if position.at_end else "Mend the file there.",
    )


def _plain(error: ijson.JSONError) -> str:
    """The parser's message without its drawing of the place."""
    text = error.args[0] if error.args else error
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return (
        text.splitlines()[0].strip().removeprefix("parse error: ").removeprefix("lexical error: ")
    )


def _after_bom(stream: BinaryIO) -> BinaryIO:
    if stream.read(len(BOM)) != BOM:
        stream.seek(0)
    return stream
