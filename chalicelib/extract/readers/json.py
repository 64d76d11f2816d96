"""JSON files, streamed: a list, one object, records under a path, or one object a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.config.jsonpath import Step, steps
from chalicelib.errors import SourceError
from chalicelib.extract.readers.encoding import BOM
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.json_batches import (
    NO_RECORD,
    after_bom,
    plain_records,
    reject,
    some,
    tell_words,
)
from chalicelib.extract.readers.json_lines import one_a_line, read_lines
from chalicelib.extract.readers.json_position import position
from chalicelib.extract.readers.json_records import (
    RecordsAt,
    RecordsOfObject,
    key_of_records,
    unclear,
)
from chalicelib.extract.readers.json_text import BrokenJsonError, JsonText
from chalicelib.extract.records import Fields, to_table


def read(file: InputFile) -> Iterator[Batch]:
    """Batches of a `.json` file; numbers keep their exact text.

    A record with something that cannot be kept is a reject: a key twice in one object, half of a
    surrogate pair, a byte that is not UTF-8; so is one that is no object. SourceError with line,
    column and byte where the document is no JSON, and when it is no list of objects at all.
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
    if file.records is None and one_a_line(head):
        file.detected["format"] = "one record a line"
        return read_lines(file)
    return _told_where_broken(file, _read_document(file, head))


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
        fields = Fields()
        text = JsonText(after_bom(stream), plain_records(file, fields))
        records = RecordsAt(text, path)
        yield from _batches(file, text, records, fields, stream.tell)
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
        fields = Fields()
        text = JsonText(after_bom(stream), plain_records(file, fields))
        top = RecordsOfObject(text)
        for batch in _batches(file, text, top, fields, stream.tell):
            if held and not key_of_records(file, top.kinds):
                break
            if held:
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
    file: InputFile,
    text: JsonText,
    records: Iterable[Any],
    fields: Fields,
    read_to: Callable[[], int],
) -> Iterator[Batch]:
    done, first = 0, 1
    for found in _together(text, records):
        if isinstance(found, pa.Table):
            numbers = range(first, first + found.num_rows)
            batch = Batch(file.source, file.name, found, numbers)
        else:
            batch = _decoded(file, found, first, fields)
            tell_words(file, text.words)
        first += len(batch.lines) + len(batch.rejects)
        size, done = read_to() - done, read_to()
        yield replace(batch, size=size)


def _together(text: JsonText, records: Iterable[Any]) -> Iterator[pa.Table | list[_Single]]:
    """The tables among the records, and those between that were decoded one by one."""
    for is_plain, group in groupby(records, lambda record: isinstance(record, pa.Table)):
        if is_plain:
            yield from group
        else:
            each = (_Single(record, text.raw, _flaw(text, record)) for record in group)
            while chunk := some(each, lambda: text.passed):
                yield chunk


class _Single(NamedTuple):
    """A record that was decoded by itself, and why it cannot be kept."""

    value: Any
    raw: str
    flaw: str | None


def _decoded(file: InputFile, records: Sequence[_Single], first: int, fields: Fields) -> Batch:
    if first == 1:
        _refuse_no_records(file, [record.value for record in records])
    each = list(enumerate(records, start=first))
    rejects = [reject(number, r.raw, r.flaw) for number, r in each if r.flaw is not None]
    numbers = [number for number, record in each if record.flaw is None]
    good = [record.value for record in records if record.flaw is None]
    table = to_table(good, file.json, where=file.name, numbers=numbers, fields=fields)
    return Batch(file.source, file.name, table, numbers, rejects=rejects)


def _flaw(text: JsonText, record: Any) -> str | None:
    """Why the record that was just read goes to quarantine, None for a good one."""
    return text.flaw if isinstance(record, dict) else text.flaw or NO_RECORD


def _refuse_no_records(file: InputFile, values: list[Any]) -> None:
    """SourceError when there is no object among the first: it is no list of records at all."""
    if not any(isinstance(value, dict) for value in values):
        to_table(values, file.json, where=file.name)


def _told_where_broken(file: InputFile, batches: Iterator[Batch]) -> Iterator[Batch]:
    try:
        yield from batches
    except BrokenJsonError as error:
        raise _broken(file, error) from None


def _broken(file: InputFile, error: BrokenJsonError) -> SourceError:
    with file.open() as stream:
        start = after_bom(stream).tell()
        line, column = position(stream, error.byte - start)
    return SourceError(
        f"the JSON is broken at byte {error.byte + 1:,}: {error.what}"
        if error.what
        else f"the JSON ends too early, after byte {error.byte:,}",
        where=f"{file.name} line {line} column {column}",
        fix="Mend the file there." if error.what else "Export or upload the file again, whole.",
    )
