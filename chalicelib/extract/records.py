"""JSON records to a table of text: nested objects flattened, every number in its exact text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

import pyarrow as pa

from chalicelib.config import JsonOptions
from chalicelib.errors import SourceError
from chalicelib.extract.decoding import HALF_A_PAIR

MAX_COLUMNS = 1_600
"""A PostgreSQL table has no more; objects keyed by ids would otherwise fill the memory."""

AS_IT_COMES = JsonOptions()

BOOLEANS = {True: "true", False: "false"}
KINDS = {
    type(None): "null", bool: "a boolean", int: "a number", float: "a number",
    Decimal: "a number", str: "a text", list: "a list", dict: "an object",
}  # fmt: skip

MEND_SURROGATES = "Correct the lone escape between \\ud800 and \\udfff in the source."

_quoted = json.JSONEncoder(ensure_ascii=False).encode


class Fields:
    """Which field each column comes from, so that no two fields of a source share one unseen.

    An object is known by a number, that of the record by 0; a field by its object and its column.
    """

    def __init__(self) -> None:
        self._objects: dict[tuple[int, str], int] = {}
        self._columns: dict[str, int] = {}

    def object_at(self, parent: int, key: str) -> int:
        """The number of the object under a key of another one."""
        return self._objects.setdefault((parent, key), len(self._objects) + 1)

    def is_taken(self, column: str, parent: int) -> bool:
        """Whether the column is a field of another object already; else it is this one's."""
        return self._columns.setdefault(column, parent) != parent


def to_table(
    records: Sequence[Mapping[str, Any]],
    options: JsonOptions = AS_IT_COMES,
    *,
    where: str = "",
    numbers: Sequence[int] | None = None,
    fields: Fields | None = None,
) -> pa.Table:
    """One row a record, all columns `pa.string()`, in order of first appearance.

    An object under a key becomes columns `key_subkey`, down to `options.depth`; an empty one is
    null. A list, and an object below that depth, becomes its JSON text. `numbers` are the
    positions of the records at `where`, for messages; `fields` are those of the batches before.
    Raises SourceError for a record that is no object, for two fields that come to one column,
    for text that is not Unicode, for nesting too deep and for more columns than a table can have.
    """
    try:
        numbers = numbers or range(1, len(records) + 1)
        return _table(records, options, where, numbers, fields or Fields())
    except RecursionError:
        raise SourceError(
            "a record is nested too deeply",
            where=where,
            fix="Export records that have their values nearer to the top.",
        ) from None


def kind_of(value: Any) -> str:
    """What a JSON value is, in words: `a number`."""
    return KINDS.get(type(value), type(value).__name__)


def json_text(value: Any) -> str:
    """JSON, with Decimal numbers digit by digit."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(k)}: {json_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return str(value) if isinstance(value, Decimal) else _quoted(value)


def text_of(value: Any) -> str | None:
    """What a value that is no object of its own columns is in its column."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return BOOLEANS[value]
    return json_text(value) if isinstance(value, list | dict) else str(value)


def _table(
    records: Sequence[Mapping[str, Any]],
    options: JsonOptions,
    where: str,
    numbers: Sequence[int],
    fields: Fields,
) -> pa.Table:
    rows = records
    is_nested = dict in _kinds(records, where, numbers) and options.depth != 0
    if is_nested:
        rows = [_flat(r, options, where, n, fields) for n, r in zip(numbers, records, strict=True)]
    names = _names(rows, where)
    if not is_nested and (shared := next((n for n in names if fields.is_taken(n, 0)), None)):
        number = next(n for n, row in zip(numbers, rows, strict=True) if shared in row)
        raise _shared(number, shared, where)
    columns = [_column(name, [row.get(name) for row in rows], where, numbers) for name in names]
    return pa.table(columns, names) if names else _without_columns(len(rows))


def _without_columns(rows: int) -> pa.Table:
    """A table that has rows all the same: records without a member are rows too."""
    return pa.table({"": pa.nulls(rows)}).select([])


def _names(rows: Sequence[Mapping[str, Any]], where: str) -> list[str]:
    names = list(dict.fromkeys(chain.from_iterable(rows)))
    if len(names) > MAX_COLUMNS:
        raise SourceError(
            f"the records have {len(names):,} different fields, more than the {MAX_COLUMNS:,} "
            "columns a table can have",
            where=where,
            fix="Export a list of records; an object with a key for each of them is not one.",
        )
    if broken := next((name for name in names if not _encodes(name)), None):
        raise SourceError(
            f"the field {broken!r} is {HALF_A_PAIR}", where=where, fix=MEND_SURROGATES
        )
    return names


def _kinds(records: Sequence[Any], where: str, numbers: Sequence[int]) -> set[type]:
    """The types of all values; SourceError when a record is not an object."""
    if set(map(type, records)) - {dict}:
        for number, record in zip(numbers, records, strict=True):
            if not isinstance(record, Mapping):
                raise SourceError(
                    f"record {number} is {kind_of(record)}, not an object",
                    where=where,
                    fix="Each record must be an object of names and values.",
                )
    return set(map(type, chain.from_iterable(record.values() for record in records)))


def _flat(
    record: Mapping[str, Any], options: JsonOptions, where: str, number: int, fields: Fields
) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    depth = -1 if options.depth is None else options.depth
    try:
        _fill(flat, record, options.separator, depth, fields)
    except _SharedError as error:
        raise _shared(number, error.args[0], where) from None
    return flat


class _SharedError(Exception):
    """Two fields come to one name."""


def _shared(number: int, name: str, where: str) -> SourceError:
    return SourceError(
        f"record {number} has a field that would be the column {name!r}, as another field of it, "
        "or of a record before, is",
        where=where,
        fix="Set the source's json.separator to something that no name holds, as in "
        'json: {separator: "."}; or rename one of them.',
    )


def _fill(
    flat: dict[str, Any],
    record: Mapping[str, Any],
    separator: str,
    depth: int,
    fields: Fields,
    at: tuple[str, int] = ("", 0),
) -> None:
    prefix, parent = at
    for key, value in record.items():
        name = prefix + key
        if isinstance(value, dict) and depth:
            if value:
                within = (name + separator, fields.object_at(parent, key))
                _fill(flat, value, separator, depth - 1, fields, within)
                continue
            value = None  # noqa: PLW2901 - no columns come of it
        if fields.is_taken(name, parent):
            raise _SharedError(name)
        flat[name] = value


def _column(name: str, values: list[Any], where: str, numbers: Sequence[int]) -> pa.Array:
    kinds = set(map(type, values))
    if int in kinds and kinds <= {int, type(None)}:
        try:
            return pa.array(values, pa.int64()).cast(pa.string())
        except OverflowError:
            pass
    texts = values if kinds <= {str, type(None)} else list(map(text_of, values))
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        raise _not_unicode(name, texts, where, numbers) from None


def _not_unicode(
    name: str, texts: list[str | None], where: str, numbers: Sequence[int]
) -> SourceError:
    each = zip(numbers, texts, strict=True)
    number = next(n for n, text in each if text and not _encodes(text))
    return SourceError(
        f"record {number}: {name!r} is {HALF_A_PAIR}", where=where, fix=MEND_SURROGATES
    )


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
