"""Splits dirty text into records: slow, record by record, and forgiving.

Where the fast path's rules hold it reads the same. A quote that neither opens nor closes a field
is text; one that is never closed costs its line alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from chalicelib.extract.readers.dialect import BACKSLASH, Dialect

STRAY = "quote inside a field"
PADDED = "spaces around a quoted field"
MIXED = "other record end"
RETURN = "carriage return inside a field"
UNCLOSED = "a quote that opens here is never closed"
PADDING = " \t"
CONTROL = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}
"""What follows a backslash in the exports of MySQL and PostgreSQL."""


class Field(NamedTuple):
    """The text of a field, and whether it stood in quotes."""

    text: str
    quoted: bool = False


@dataclass(frozen=True)
class Record:
    """One record: the line it starts on, its text without the record end, its fields.

    `notes` name what was mended in it, `fault` what cannot be. `whole` is false at the end of a
    file without a newline.
    """

    line: int
    raw: str
    fields: tuple[Field, ...]
    notes: tuple[str, ...] = ()
    fault: str = ""
    whole: bool = True
    after_blank: bool = False

    @property
    def texts(self) -> list[str]:
        """The fields without their quotes."""
        return [field.text for field in self.fields]


@dataclass(frozen=True)
class Grammar:
    """What records look like in a dialect.

    `width`: how many fields they should have, to tell a carriage return that ends a record from
    one inside a field; with `any_end` each carriage return and newline ends one.
    """

    dialect: Dialect
    width: int = 0
    any_end: bool = False

    def records(self, text: str, line: int, *, final: bool = True) -> Iterator[tuple[Record, int]]:
        """Each record that is not blank, with the position after it.

        Unless `final` the text goes on, and what reaches its end is left for the next call.
        """
        at, blank = 0, False
        while at < len(text):
            record, end = self._record(text, at, line, final=final)
            if end == len(text) and not final:
                return
            for piece in self._pieces(record):
                yield (replace(piece, after_blank=True) if blank else piece), end
                blank = False
            blank = not record.raw
            line += text.count(self.dialect.newline, at, end)
            at = end

    def split(self, text: str) -> list[Field]:
        """The fields of a text that is one record."""
        return list(self._record(text, 0, 0, final=True)[0].fields)

    def _record(self, text: str, start: int, line: int, *, final: bool) -> tuple[Record, int]:
        if found := self._unmarked.match(text, start):
            return self._at_once(found, line), found.end()
        return self._field_by_field(text, start, line, final=final)

    def _at_once(self, found: re.Match[str], line: int) -> Record:
        """A record without quotes and escapes: the same as field by field, three times as fast."""
        bare = found[1].split(self.dialect.delimiter)
        if self.dialect.padded:
            bare = [text.lstrip(" ") for text in bare]
        return Record(line, found[1], tuple(map(Field, bare)), whole=bool(found[2]))

    def _field_by_field(
        self, text: str, start: int, line: int, *, final: bool
    ) -> tuple[Record, int]:
        fields: list[Field] = []
        notes: list[str] = []
        at = start
        while True:
            field, at, note = self._field(text, at)
            if note == UNCLOSED:
                undecided = at == len(text) and not final
                return self._unclosed(text, start, line, at if undecided else None)
            fields.append(field)
            if note:
                notes.append(note)
            if not text.startswith(self.dialect.delimiter, at):
                break
            at += 1
        end = _found(self._end.match(text, at))
        record = Record(line, text[start:at], tuple(fields), tuple(notes), whole=bool(end[0]))
        return record, end.end()

    def _unclosed(self, text: str, start: int, line: int, end: int | None) -> tuple[Record, int]:
        """The line alone, its quotes taken for text."""
        found = _found(self._line.match(text, start))
        fields = tuple(Field(part) for part in found[1].split(self.dialect.delimiter))
        record = Record(line, found[1], fields, fault=UNCLOSED, whole=bool(found[2]))
        return record, found.end() if end is None else end

    def _field(self, text: str, at: int) -> tuple[Field, int, str]:
        if self._opens is None or not self._opens.match(text, at):
            return self._plain(text, at)
        if quoted := self._quoted.match(text, at):
            padded = not self.dialect.padded and len(quoted[0]) > len(quoted[1]) + 2
            return Field(self._unquoted(quoted[1]), True), quoted.end(), PADDED * padded
        within = self._quoted_on_the_line.match(text, at)
        if within and not self._opens_again.search(within[1]):
            return Field(self._unquoted(within[1]), True), within.end(), STRAY
        return Field(""), len(text) if self._left_open.match(text, at) else at, UNCLOSED

    def _plain(self, text: str, at: int) -> tuple[Field, int, str]:
        found = _found(self._bare.match(text, at))
        note = STRAY if self.dialect.quote and self.dialect.quote in found[0] else ""
        bare = found[0].lstrip(" ") if self.dialect.padded else found[0]
        return Field(bare), found.end(), note

    def _pieces(self, record: Record) -> list[Record]:
        """The record, or those it consists of when it holds the other kind of record end."""
        other = "\r" if self.dialect.newline == "\n" else "\n"
        plain = [field.text for field in record.fields if not field.quoted]
        if self.any_end or not any(other in text for text in plain):
            return [record] if record.raw else []
        each_end = replace(self, any_end=True)
        pieces = [piece for piece, _ in each_end.records(record.raw, record.line)]
        if all(len(piece.fields) == self.width for piece in pieces):
            return [replace(piece, notes=(*piece.notes, MIXED)) for piece in pieces]
        return [replace(record, notes=(*record.notes, RETURN))]

    # the text of fields

    def value(self, field: Field) -> str:
        """The field's text without the escapes in it."""
        escape = self.dialect.escape
        if not escape or escape not in field.text:
            return field.text
        return self._escaped.sub(self._meaning, field.text)

    def _unquoted(self, text: str) -> str:
        quote = self.dialect.quote
        return text.replace(quote * 2, quote) if self.dialect.doubled else text

    def _meaning(self, found: re.Match[str]) -> str:
        return CONTROL.get(found[1], found[1]) if self.dialect.escape == BACKSLASH else found[1]

    # expressions

    @cached_property
    def _parts(self) -> dict[str, str]:
        """The dialect's characters, ready to stand in an expression."""
        dialect = self.dialect
        delimiter, quote, escape = map(
            re.escape, (dialect.delimiter, dialect.quote, dialect.escape)
        )
        ends = {"\n": r"\r?\n|\r?\Z", "\r": r"\r\n?|\Z"}[dialect.newline]
        end = r"\r\n|\r|\n|\Z" if self.any_end else ends
        other_end = {"\n": r"\r(?!\n|\Z)", "\r": r"\n"}[dialect.newline]
        pad = f"[{PADDING.replace(dialect.delimiter, '')}]*"
        escaped = rf"{escape}(?:.|\Z)" if escape else ""
        in_quotes = [quote * 2 if dialect.doubled else "", escaped]
        outside = ["" if self.any_end else other_end, escaped]
        return {
            "delimiter": delimiter,
            "quote": quote,
            "escape": escape,
            "pad": pad,
            "end": end,
            "after": f"{pad}(?={delimiter}|{end})",
            "content": _runs(f"[^{quote}{escape}]", in_quotes),
            "bare": _runs(rf"[^{delimiter}{escape}\r\n]", outside),
        }

    def _compile(self, pattern: str) -> re.Pattern[str]:
        return re.compile(pattern % self._parts, re.DOTALL)

    @cached_property
    def _opens(self) -> re.Pattern[str] | None:
        return self._compile("%(pad)s%(quote)s") if self.dialect.quote else None

    @cached_property
    def _quoted(self) -> re.Pattern[str]:
        return self._compile("%(pad)s%(quote)s(%(content)s)%(quote)s%(after)s")

    @cached_property
    def _left_open(self) -> re.Pattern[str]:
        return self._compile("%(pad)s%(quote)s%(content)s(?:%(escape)s)?\\Z")

    @cached_property
    def _quoted_on_the_line(self) -> re.Pattern[str]:
        return self._compile("%(pad)s%(quote)s([^\\r\\n]*?)%(quote)s%(after)s")

    @cached_property
    def _opens_again(self) -> re.Pattern[str]:
        return self._compile("%(delimiter)s%(pad)s%(quote)s")

    @cached_property
    def _bare(self) -> re.Pattern[str]:
        return self._compile("%(bare)s")

    @cached_property
    def _line(self) -> re.Pattern[str]:
        return self._compile("(.*?)(%(end)s)")

    @cached_property
    def _unmarked(self) -> re.Pattern[str]:
        return self._compile("([^%(quote)s%(escape)s\\r\\n]*+)(%(end)s)")

    @cached_property
    def _end(self) -> re.Pattern[str]:
        return self._compile("%(end)s")

    @cached_property
    def _escaped(self) -> re.Pattern[str]:
        return self._compile("%(escape)s(.)")


def _runs(plain: str, besides: list[str]) -> str:
    """Any number of plain characters and of what else may stand among them."""
    others = "|".join(filter(None, besides))
    return f"{plain}*+(?:(?:{others}){plain}*+)*+" if others else f"{plain}*+"


def _found(match: re.Match[str] | None) -> re.Match[str]:
    """Expressions that match nothing, too, always match."""
    assert match is not None  # noqa: S101
    return match
