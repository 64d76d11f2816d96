"""Where a JSON document keeps its records: at a path, or where the document itself tells."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from chalicelib.config.jsonpath import Step
from chalicelib.errors import SourceError
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.json_text import JsonText

RECORDS, EMPTY, OTHER = "a list of objects", "an empty list", "something else"


class RecordsAt:
    """The records that a path leads to; a list at its end holds them. All else is skipped."""

    def __init__(self, text: JsonText, steps: tuple[Step, ...]) -> None:
        self.found = False
        self._text = text
        self._steps = steps[:-1] if steps[-1:] == (None,) else steps

    def __iter__(self) -> Iterator[Any]:
        yield from self._below(self._steps)
        self._text.end()

    def _below(self, steps: tuple[Step, ...]) -> Iterator[Any]:
        if not steps:
            self.found = True
            yield from self._here()
            return
        step, rest = steps[0], steps[1:]
        for key in self._children(step):
            if step is None or key == step:
                yield from self._below(rest)
            else:
                self._text.skip()

    def _children(self, step: Step) -> Iterator[str | int]:
        kind = self._text.peek()
        if isinstance(step, str) and kind == "{":
            yield from self._text.members()
        elif not isinstance(step, str) and kind == "[":
            yield from (number for number, _ in enumerate(self._text.items()))
        else:
            self._text.skip()

    def _here(self) -> Iterator[Any]:
        if self._text.peek() == "[":
            for _ in self._text.items():
                yield self._text.plain() or self._text.record()
        elif (record := self._text.record()) is not None:
            yield record


class RecordsOfObject:
    """The first list of objects under a key of the top object; `kinds` are those of its keys.

    Only at the end it is known whether they are the records: see `key_of_records`.
    """

    def __init__(self, text: JsonText) -> None:
        self.kinds: dict[str, str] = {}
        self._text = text

    def __iter__(self) -> Iterator[Any]:
        for key in self._text.members():
            if self._text.peek() == "[":
                yield from self._list(key)
            else:
                self.kinds[key] = OTHER
                self._text.skip()
        self._text.end()

    def _list(self, key: str) -> Iterator[Any]:
        first = RECORDS not in self.kinds.values()
        self.kinds[key] = EMPTY
        for _ in self._text.items():
            if self.kinds[key] == EMPTY:
                self.kinds[key] = RECORDS if self._text.peek() == "{" else OTHER
            if first and self.kinds[key] == RECORDS:
                yield self._text.plain() or self._text.record()
            else:
                self._text.skip()


def key_of_records(file: InputFile, kinds: dict[str, str]) -> str:
    """The key of the top object under which its records are; empty when it is itself a record.

    Beside a single list of objects there may be values that describe it, as a date of export, or
    the object may be a record with a list inside: the columns that the schema declares decide.
    Raises SourceError where nothing does.
    """
    full = [key for key, kind in kinds.items() if kind == RECORDS]
    lists = full or [key for key, kind in kinds.items() if kind == EMPTY]
    if not lists or _is_a_record(file, kinds.keys() - set(lists)):
        return ""
    if len(lists) > 1 or (len(kinds) > 1 and not file.columns):
        raise unclear(file, kinds, lists[0])
    return lists[0]


def unclear(file: InputFile, kinds: dict[str, str], key: str) -> SourceError:
    """Nothing tells whether the records are under the key."""
    described = ", ".join(f"{kind} under {key!r}" for key, kind in kinds.items())
    return SourceError(
        f"it is not clear where the records are: the document has {described}",
        where=file.name,
        fix=f"Set the source's records: $.{key} for that list, or $ if the document is one record.",
    )


def _is_a_record(file: InputFile, beside: Collection[str]) -> bool:
    """Whether the schema knows one of the keys beside the list, or a field within it."""
    known = [s for name, column in file.columns.items() for s in column.spellings(name)]
    within = tuple(f"{key}{file.json.separator}" for key in beside)
    return any(name in beside or name.startswith(within) for name in known)
