"""Where a JSON document keeps its records, when the configuration does not say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib.errors import SourceError
from chalicelib.extract.readers.input_file import InputFile

Event = tuple[str, str, Any]
"""What ijson.parse yields: the place, what is there, its value."""

RECORDS, EMPTY, OTHER = "a list of objects", "an empty list", "something else"


def key_of_records(file: InputFile, events: Iterable[Event]) -> str:
    """The key of the top object under which its records are; empty when it is itself a record.

    The whole document is looked at. Beside a single list of objects there may be values that
    describe it, as a date of export, or the object may be a record with a list inside: the
    columns that the schema declares decide. Raises SourceError where nothing does.
    """
    kinds = _kinds(events)
    full = [key for key, kind in kinds.items() if kind == RECORDS]
    lists = full or [key for key, kind in kinds.items() if kind == EMPTY]
    if not lists or _is_a_record(file, kinds.keys() - set(lists)):
        return ""
    if len(lists) > 1 or (len(kinds) > 1 and not file.columns):
        raise SourceError(
            f"it is not clear where the records are: the document has {_described(kinds)}",
            where=file.name,
            fix=f"Set the source's records: $.{lists[0]} for that list, or $ if the document is "
            "one record.",
        )
    return lists[0]


def _kinds(events: Iterable[Event]) -> dict[str, str]:
    """What is under each key of the top object."""
    kinds: dict[str, str] = {}
    events = iter(events)
    for place, event, value in events:
        if place == "" and event == "map_key":
            kinds[value] = _kind(events)
    return kinds


def _kind(events: Iterator[Event]) -> str:
    if next(events)[1] != "start_array":
        return OTHER
    return {"start_map": RECORDS, "end_array": EMPTY}.get(next(events)[1], OTHER)


def _is_a_record(file: InputFile, beside: Iterable[str]) -> bool:
    """Whether the schema knows one of the keys beside the list, or a field within it."""
    known = [s for name, column in file.columns.items() for s in column.spellings(name)]
    return any(name == key or name.startswith(f"{key}_") for key in beside for name in known)


def _described(kinds: dict[str, str]) -> str:
    return ", ".join(f"{kind} under {key!r}" for key, kind in kinds.items())
