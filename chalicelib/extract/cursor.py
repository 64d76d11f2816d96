"""How far an API was read: drop what an earlier run loaded, remember how far this one got."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from chalicelib.errors import SourceError
from chalicelib.reports import Cursor

Key = Callable[[str], Any]
"""From a value of the field to what it is compared by; ValueError when it does not fit."""

NUMBER = re.compile(r"-?\d{1,100}(\.\d{1,100})?")


def fingerprint(record: Any) -> str:
    """SHA-256 of a record; the order of its keys does not matter."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class CursorWalk:
    """Follows a field that only grows over the pages of one run.

    Its values are compared as numbers when all on the first page are (and the stored one), as
    instants when all are ISO times (without a zone: UTC), else as text. The API is asked for the
    stored value again; those of the records at it that were loaded are known by their hashes. So
    is the last record of a page that comes again on the next, when records were added meanwhile.
    """

    def __init__(self, field: str, stored: Cursor | None) -> None:
        self._field = field
        self._stored = stored
        self._key: Key | None = None
        self._loaded = stored.hashes if stored else frozenset[str]()
        self._top = stored.value if stored else None
        self._hashes = set(stored.hashes) if stored else set[str]()

    @property
    def cursor(self) -> Cursor | None:
        """What the next run should start from: the stored cursor when nothing new came."""
        return None if self._top is None else Cursor(self._top, frozenset(self._hashes))

    def new_rows(
        self, table: pa.Table, records: Sequence[Any], *, where: str, first: int = 1
    ) -> list[int]:
        """Indices of the records that no earlier run loaded; `table` is theirs.

        `first` is the position of the first record at `where`, for messages. Raises SourceError
        for a record without the field, or with a value of another kind.
        """
        texts = self._texts(table, where, first)
        key = self._key = self._key or _order([*texts, *([self._top] if self._top else ())])
        keys = [self._key_of(key, text, where, row) for row, text in enumerate(texts, first)]
        new = self._new(key, keys, records)
        if new:
            self._advance(key, [(keys[row], texts[row], records[row]) for row in new])
        return new

    def _texts(self, table: pa.Table, where: str, first: int) -> list[str]:
        known = self._field in table.column_names
        texts = table.column(self._field).to_pylist() if known else [None]
        if None in texts:
            raise SourceError(
                f"record {first + texts.index(None)} has no {self._field!r}",
                where=where,
                fix="Set incremental.cursor to a field that each record has "
                "(a field b within a is a_b).",
            )
        return list(texts)

    def _key_of(self, key: Key, text: str, where: str, row: int) -> Any:
        try:
            return key(text)
        except ValueError:
            raise SourceError(
                f"record {row}: {self._field!r} is {text[:40]!r}, which cannot be compared with "
                "the values before it",
                where=where,
                fix="Set incremental.cursor to a field whose values are all numbers, all ISO "
                "times or all texts.",
            ) from None

    def _new(self, key: Key, keys: list[Any], records: Sequence[Any]) -> list[int]:
        if self._top is None:
            return list(range(len(keys)))
        floor = key(self._stored.value) if self._stored else None
        top = key(self._top)
        return [
            row
            for row, value in enumerate(keys)
            if (floor is None or value >= floor)
            and not (value == top and fingerprint(records[row]) in self._hashes)
            and not (value == floor and fingerprint(records[row]) in self._loaded)
        ]

    def _advance(self, key: Key, rows: list[tuple[Any, str, Any]]) -> None:
        greatest, text, _ = max(rows, key=lambda row: row[0])
        if self._top is None or greatest > key(self._top):
            self._top, self._hashes = text, set()
        top = key(self._top)
        self._hashes |= {fingerprint(record) for value, _, record in rows if value == top}


def _number(text: str) -> Decimal:
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _order(texts: list[str]) -> Key:
    """The strictest way to compare that all of the texts allow."""
    for key in (_number, _instant):
        try:
            for text in texts:
                key(text)
        except ValueError:
            continue
        return key
    return str
