"""Batches of JSON records: how large they are, and what is kept aside of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from chalicelib.batch import RAW, Problem, Reject
from chalicelib.extract.readers.encoding import BOM
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.json_plain import PlainRecords
from chalicelib.extract.records import Fields
from chalicelib.settings import BATCH_RECORDS

BATCH_JSON_BYTES = 4 << 20
"""A batch of large records ends here."""

NO_RECORD = "not an object of names and values"

T = TypeVar("T")


def some(items: Iterator[T], passed: Callable[[], int]) -> list[T]:
    """The next items: as many as make a batch, fewer when they are large."""
    limit = passed() + BATCH_JSON_BYTES
    taken: list[T] = []
    for item in items:
        taken.append(item)
        if len(taken) == BATCH_RECORDS or passed() > limit:
            break
    return taken


def plain_records(file: InputFile, fields: Fields) -> PlainRecords:
    """Reads the file's plain records, as many at once as make a batch."""
    return PlainRecords(file.json, fields, BATCH_JSON_BYTES)


def reject(number: int, raw: str, reason: str) -> Reject:
    """The record, as its text; bytes that are not UTF-8 stand in it as surrogates."""
    shown = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return Reject(number, {RAW: shown}, (Problem(None, shown, reason),))


def tell_words(file: InputFile, words: set[str]) -> None:
    """Report what was read as text though JSON does not have it."""
    if words:
        file.detected["read as text"] = ", ".join(sorted(words))


def after_bom(stream: BinaryIO) -> BinaryIO:
    """The stream, past a byte order mark if it begins with one."""
    if stream.read(len(BOM)) != BOM:
        stream.seek(0)
    return stream
